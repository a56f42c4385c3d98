package barograph

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// StepOptions are the options of [Step]; nil for the defaults.
type StepOptions struct {
	// Key matches the step by this key instead of its occurrence; needed by concurrent siblings.
	Key string
	// Args is what the step depends on, any value that encoding/json accepts; another value at
	// the same place is an error of code session.diverged.
	Args any
	// Policy is what happens to the step after a crash. Default [StepPolicyRetry].
	Policy StepPolicy
}

// Step runs fn as a durable step of a session, or returns the result that it had before.
//
// The result is kept as JSON by encoding/json, a []byte as bytes; once Step has returned, it is on
// disk. An error of fn is recorded and returned as it is; the step runs again when it is begun
// again. fn gets ctx; its outcome is recorded also where ctx is done by then.
//
// A step of [StepPolicyOnce] that was cut short is not run: the error matches [ErrConflict] and
// its code is session.unknown. Find out whether the effect happened, then tell the session
// with [Session.Begin] and [Session.Finish].
func Step[T any](ctx context.Context, s *Session, name string, fn func(context.Context) (T, error), opts *StepOptions) (result T, err error) {
	var begin StepBeginOptions
	if opts != nil {
		begin = StepBeginOptions{Key: opts.Key, Args: opts.Args, Policy: opts.Policy}
	}
	start, err := s.Begin(ctx, name, &begin)
	if err != nil {
		return result, err
	}
	switch start.State {
	case StepStateDone:
		if start.Result != nil {
			err = start.Result.Decode(&result)
		}
		return result, err
	case StepStateUnknown:
		return result, &Error{
			Kind: KindConflict,
			Code: "session.unknown",
			Op:   "session.begin",
			Message: fmt.Sprintf("the step %q was cut short and may have had its effect; find out, then tell the session "+
				"with Begin and Finish", name),
			Context: map[string]string{"step": name},
		}
	}
	// A panic, or a test that ends its goroutine, leaves a failure behind and goes on its way.
	returned := false
	defer func() {
		if !returned {
			failure := &Failure{Message: "the step did not return", Kind: "panic"}
			_, _ = s.Finish(context.WithoutCancel(ctx), start.Token, nil, &StepFinishOptions{Failure: failure})
		}
	}()
	result, err = fn(ctx)
	returned = true
	var payload Payload
	if err == nil {
		payload, err = NewPayload(result)
	}
	if err != nil {
		_, lost := s.Finish(context.WithoutCancel(ctx), start.Token, nil, &StepFinishOptions{Failure: failureOf(err)})
		return result, errors.Join(err, lost)
	}
	_, err = s.Finish(context.WithoutCancel(ctx), start.Token, &payload, nil)
	return result, err
}

// failureOf is an error as it is recorded: its text, its type, and the texts of what it wraps.
func failureOf(err error) *Failure {
	failure := &Failure{Message: err.Error(), Kind: fmt.Sprintf("%T", err)}
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		failure.Causes = append(failure.Causes, cause.Error())
	}
	return failure
}

// panicOf is a recovered panic as it is recorded.
func panicOf(value any) *Failure {
	return &Failure{Message: fmt.Sprint(value), Kind: "panic", Causes: []string{string(debug.Stack())}}
}
