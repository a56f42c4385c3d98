package barograph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"time"

	"github.com/barograph/barograph/go/internal/ffi"
)

// arguments are the arguments of a step on their way into Go's types.
type arguments struct {
	left map[string]json.RawMessage
	err  error
}

func arg[T any](a *arguments, name string, value T) T {
	if text, given := a.left[name]; given && string(text) != "null" {
		// An empty text means "not given" in Go.
		if string(text) == `""` {
			a.err = errors.New("Go has no way to say this")
		}
		a.err = errors.Join(a.err, strict(text, &value))
	}
	delete(a.left, name)
	return value
}

func required[T any](a *arguments, name string) (value T) {
	if a.left[name] == nil {
		a.err = errors.New("the compiler wants this argument")
	}
	return arg(a, name, value)
}

func (a *arguments) rest(opts any) error {
	for _, text := range a.left {
		if string(text) == `""` {
			a.err = errors.New("Go has no way to say this")
		}
	}
	text, _ := json.Marshal(a.left)
	return errors.Join(a.err, strict(text, opts))
}

func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

func values(payloads []*Payload) []any {
	out := make([]any, len(payloads))
	for i, payload := range payloads {
		out[i] = payload
	}
	return out
}

// refuseZero sends a case through the door where no length of time means more than that none was given.
func (a *arguments) refuseZero(ms int64) {
	if ms == 0 {
		a.err = errors.New("Go has no way to say this")
	}
}

// span is a duration out of the wire's milliseconds.
func span(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// perform calls the public method. What its types cannot express (an unknown option, a text in
// place of a number) the compiler refuses; only that goes through the door as it stands.
func perform(op string, on any, args any) (any, error) {
	text, _ := json.Marshal(args)
	typed := &arguments{}
	_ = json.Unmarshal(text, &typed.left)
	method, known := dispatch[op]
	if known {
		out, err := method(context.Background(), on, typed)
		var ours *Error
		if err == nil || errors.As(err, &ours) {
			return out, err
		}
	}
	var h *handle
	if on != nil {
		h = (*handle)(reflect.ValueOf(on).Elem().FieldByName("handle").UnsafePointer())
	}
	var out any
	err := enter(context.Background(), h, op, json.RawMessage(text), ffi.Call, func(answer []byte) error {
		return json.Unmarshal(answer, &out)
	})
	return out, err
}

func number(value any) float64 {
	if number, ok := value.(float64); ok {
		return number
	}
	return math.NaN()
}

// asJSON is a record as plain JSON values.
func asJSON(record any) (out any) {
	text, _ := json.Marshal(record)
	_ = json.Unmarshal(text, &out)
	return out
}
