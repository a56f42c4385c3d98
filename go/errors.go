package barograph

import (
	"context"
	"errors"
)

// Sentinels, one per kind of error: errors.Is(err, barograph.ErrNotFound).
var (
	// ErrInvalidInput is matched by errors of [KindInvalidInput].
	ErrInvalidInput = errors.New("barograph: invalid input")
	// ErrNotFound is matched by errors of [KindNotFound].
	ErrNotFound = errors.New("barograph: not found")
	// ErrAlreadyExists is matched by errors of [KindAlreadyExists].
	ErrAlreadyExists = errors.New("barograph: already exists")
	// ErrConflict is matched by errors of [KindConflict].
	ErrConflict = errors.New("barograph: conflict")
	// ErrTimeout is matched by errors of [KindTimeout].
	ErrTimeout = errors.New("barograph: timeout")
	// ErrCancelled is matched by errors of [KindCancelled]; the same error matches context.Cause(ctx).
	ErrCancelled = errors.New("barograph: cancelled")
	// ErrExhausted is matched by errors of [KindExhausted].
	ErrExhausted = errors.New("barograph: exhausted")
	// ErrFailed is matched by errors of [KindFailed].
	ErrFailed = errors.New("barograph: failed")
	// ErrCorrupt is matched by errors of [KindCorrupt].
	ErrCorrupt = errors.New("barograph: corrupt")
	// ErrUnavailable is matched by errors of [KindUnavailable].
	ErrUnavailable = errors.New("barograph: unavailable")
	// ErrUnsupported is matched by errors of [KindUnsupported].
	ErrUnsupported = errors.New("barograph: unsupported")
	// ErrClosed is matched by errors of [KindClosed].
	ErrClosed = errors.New("barograph: closed")
	// ErrInternal is matched by errors of [KindInternal].
	ErrInternal = errors.New("barograph: internal")
)

var sentinels = map[Kind]error{
	KindInvalidInput:  ErrInvalidInput,
	KindNotFound:      ErrNotFound,
	KindAlreadyExists: ErrAlreadyExists,
	KindConflict:      ErrConflict,
	KindTimeout:       ErrTimeout,
	KindCancelled:     ErrCancelled,
	KindExhausted:     ErrExhausted,
	KindFailed:        ErrFailed,
	KindCorrupt:       ErrCorrupt,
	KindUnavailable:   ErrUnavailable,
	KindUnsupported:   ErrUnsupported,
	KindClosed:        ErrClosed,
	KindInternal:      ErrInternal,
}

// Error is what every operation fails with; take it out of an error with errors.As, or compare
// the kind with errors.Is and a sentinel such as [ErrNotFound].
type Error struct {
	// Kind is the class of the error: what a program branches on.
	Kind Kind `json:"kind"`
	// Code is the dotted code, for example session.missing.
	Code string `json:"code"`
	// Message says what failed, then what to do.
	Message string `json:"message"`
	// Op is the operation that failed as noun.verb; empty outside an operation.
	Op string `json:"op"`
	// Retryable tells whether the same call may succeed later without a change by the caller.
	Retryable bool `json:"retryable"`
	// Context holds names and values that place the error: paths, ids, limits.
	Context map[string]string `json:"context"`
	// Causes is the chain of causes, nearest first.
	Causes []string `json:"causes"`

	because []error
}

// Error is the operation, the message and the code on one line.
func (e *Error) Error() string {
	if e.Op == "" {
		return "barograph: " + e.Message + " [" + e.Code + "]"
	}
	return "barograph: " + e.Op + ": " + e.Message + " [" + e.Code + "]"
}

// Is tells whether target is the sentinel of the error's kind.
func (e *Error) Is(target error) bool { return target == sentinels[e.Kind] }

// Unwrap gives the Go errors behind this one: of a cancelled call the context's.
func (e *Error) Unwrap() []error { return e.because }

// cancelled is the error for a context that is done.
func cancelled(ctx context.Context, op string) error {
	return &Error{
		Kind:    KindCancelled,
		Code:    "call.cancelled",
		Message: "the call was cancelled by its caller",
		Op:      op,
		Causes:  []string{context.Cause(ctx).Error()},
		because: causes(ctx),
	}
}

// causes is why a context is done: its cause, and its own error where that is another.
func causes(ctx context.Context) []error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return []error{cause, ctx.Err()}
	}
	return []error{ctx.Err()}
}
