package barograph

import (
	"context"
	"iter"
	"time"
)

// ClaimedOptions are the options of [Sessions.Claimed]; nil for the defaults.
type ClaimedOptions struct {
	// Labels takes only sessions that carry all of these labels.
	Labels map[string]string
	// Idle ends the loop when no session came for so long. Zero: waits until ctx is done.
	Idle time.Duration
	// StopWhenEmpty ends the loop once there is no session to claim. Default: wait for more.
	StopWhenEmpty bool
}

// SessionRun is a claimed session, open, with its ID, Input and Labels: one go at it.
type SessionRun struct {
	*Session
	ClaimedSession
}

// Claimed claims sessions, waiting for them, and gives each out open, with its input.
//
//	for run, err := range ws.Session().Claimed(ctx, nil) {
//		if err != nil {
//			return err
//		}
//		image, err := barograph.Step(ctx, run.Session, "build", build, nil)
//		...
//		run.Complete(ctx, image, nil)
//	}
//
// Each is closed when the loop goes on or is left, also by a panic. What was not completed then is claimed
// again, at once or when the signal or time that it waits for is there. The loop ends with an error, which
// comes last and with a nil run; when ctx is done it matches [ErrCancelled]. Several loops, goroutines and
// processes share the work.
func (s Sessions) Claimed(ctx context.Context, opts *ClaimedOptions) iter.Seq2[*SessionRun, error] {
	if opts == nil {
		opts = &ClaimedOptions{}
	}
	wait := time.Minute
	switch {
	case opts.StopWhenEmpty:
		wait = 0
	case opts.Idle > 0:
		wait = opts.Idle
	}
	ends := opts.StopWhenEmpty || opts.Idle > 0
	return func(yield func(*SessionRun, error) bool) {
		for {
			batch, err := s.Claim(ctx, 1, wait, &SessionClaimOptions{Labels: opts.Labels})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, claimed := range batch.Sessions {
				if !s.give(ctx, claimed, yield) {
					return
				}
			}
			if ends && len(batch.Sessions) == 0 {
				return
			}
		}
	}
}

// give opens a claimed session for one turn of a loop and closes it; whether the loop goes on.
func (s Sessions) give(ctx context.Context, claimed ClaimedSession, yield func(*SessionRun, error) bool) bool {
	session, err := s.Open(ctx, claimed.ID, &SessionOpenOptions{Resume: true})
	if err != nil {
		yield(nil, err)
		return false
	}
	defer session.Close()
	return yield(&SessionRun{session, claimed}, nil)
}
