package barograph

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/barograph/barograph/go/internal/ffi"
)

// Each call that is under way holds a thread of the operating system, as every cgo call does.
// More callers than this wait in Go, where waiting is cheap, so that any number of goroutines may
// call at once.
const maxCalls = 256

var calls = make(chan struct{}, maxCalls)

// handle is something with a life on the other side of the door.
type handle struct {
	number  uint64
	closed  atomic.Bool
	cleanup runtime.Cleanup
}

// newHandle takes over a number; it is closed when nobody can reach the handle any more.
func newHandle(number uint64) *handle {
	h := &handle{number: number}
	h.cleanup = runtime.AddCleanup(h, ffi.Close, number)
	return h
}

// close closes the handle once.
func (h *handle) close() error {
	if h != nil && h.closed.CompareAndSwap(false, true) {
		h.cleanup.Stop()
		ffi.Close(h.number)
	}
	return nil
}

func (h *handle) id() uint64 {
	if h == nil {
		return ffi.Root
	}
	return h.number
}

// record is an answer that knows how to read itself.
type record interface{ read(*reader) }

// call calls an operation for a record.
func call(ctx context.Context, h *handle, op string, args any, out record) error {
	return enter(ctx, h, op, args, ffi.Call, func(answer []byte) error {
		r := reader{data: answer}
		out.read(&r)
		return r.err
	})
}

// open calls an operation that opens a handle.
func open(ctx context.Context, h *handle, op string, args any) (opened *handle, err error) {
	err = enter(ctx, h, op, args, ffi.Call, func(answer []byte) error {
		r := reader{data: answer}
		var number int64
		for more := r.enter('{'); more; more = r.more('{') {
			if string(r.key()) == "handle" {
				number = r.int()
			} else {
				r.skip()
			}
		}
		if r.err == nil {
			opened = newHandle(uint64(number))
		}
		return r.err
	})
	return opened, err
}

// columns calls an operation for rows as one Arrow IPC stream.
func columns(ctx context.Context, h *handle, op string, args any) (stream []byte, err error) {
	err = enter(ctx, h, op, args, ffi.Columns, func(answer []byte) error {
		stream = append(stream, answer...)
		return nil
	})
	return stream, err
}

type function func(handle uint64, op string, args []byte, token uint64) (ffi.Buffer, bool)

// enter goes through the door: it owns ctx, the limit of threads, and the buffers.
func enter(ctx context.Context, h *handle, op string, args any, function function, take func([]byte) error) error {
	if ctx.Err() != nil {
		return cancelled(ctx, op)
	}
	input, err := json.Marshal(args)
	if err != nil {
		return unsendable(op, err)
	}
	select {
	case calls <- struct{}{}:
	case <-ctx.Done():
		return cancelled(ctx, op)
	}
	defer func() { <-calls }()
	token := uint64(ffi.NoToken)
	if ctx.Done() != nil {
		token = ffi.Token()
		defer ffi.Release(token)
		defer context.AfterFunc(ctx, func() { ffi.Cancel(token) })()
	}
	answer, ok := function(h.id(), op, input, token)
	runtime.KeepAlive(h)
	defer answer.Free()
	if ok {
		return take(answer.Bytes())
	}
	failed := new(Error)
	r := reader{data: answer.Bytes()}
	failed.read(&r)
	if r.err != nil {
		return r.err
	}
	if failed.Kind == KindCancelled && ctx.Err() != nil {
		failed.because = causes(ctx)
	}
	return failed
}

// unsendable is the error for arguments that JSON cannot express.
func unsendable(op string, err error) error {
	code, value := "args.type", new(json.UnsupportedValueError)
	if errors.As(err, &value) {
		code = "value.not_i_json"
	}
	return &Error{
		Kind:    KindInvalidInput,
		Code:    code,
		Message: "the arguments cannot be written as JSON; pass values that encoding/json accepts",
		Op:      op,
		Causes:  []string{err.Error()},
		because: []error{err},
	}
}

func decodeBase64(text []byte) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(out, text)
	return out[:n], err
}

// answer calls an operation for a fresh record.
func answer[T any, P interface {
	*T
	record
}](ctx context.Context, h *handle, op string, args any) (*T, error) {
	out := new(T)
	if err := call(ctx, h, op, args, P(out)); err != nil {
		return nil, err
	}
	return out, nil
}

// filled is a list that is written as [] where it is nil.
func filled[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
