package barograph

import (
	"context"
	"errors"
	"time"
)

// A long wait is cut into slices, each of which holds a thread, and at most maxWaits of them wait
// in the native library at once: a thousand waiting goroutines take turns on 64 threads. A wait
// also notices within a slice that its handle was closed.
const (
	slice    = 500 * time.Millisecond
	maxWaits = 64
	longest  = 24 * time.Hour
)

var waits = make(chan struct{}, maxWaits)

// pending tells whether an answer is empty only as nothing came in time.
type pending interface{ pending() bool }

func (b *TaskBatch) pending() bool { return len(b.Tasks) == 0 }

func (b *SessionBatch) pending() bool { return len(b.Sessions) == 0 }

func (p *EventPage) pending() bool { return len(p.Events) == 0 && !p.Ended && p.Dropped == 0 }

// waiting calls next with parts of wait until it answers something or all of wait has passed.
func waiting[T pending](ctx context.Context, op string, wait time.Duration, next func(time.Duration) (T, error)) (T, error) {
	if wait <= 0 || wait > longest {
		return next(wait) // too long is the core's to refuse, at once
	}
	for end := time.Now().Add(wait); ; {
		select {
		case waits <- struct{}{}:
		case <-ctx.Done():
			var none T
			return none, cancelled(ctx, op)
		}
		started := time.Now()
		part := min(slice, max(0, end.Sub(started)))
		out, err := next(part)
		<-waits
		// An empty answer before its time is the last word: this stream does not wait.
		if err != nil || !out.pending() || time.Since(started) < part || !time.Now().Before(end) {
			return out, err
		}
	}
}

// awaiting calls next with parts of the wait until it answers something else than that the session waits, or
// all of the limit has passed; nil is no limit, 0 does not wait.
func awaiting[T any](ctx context.Context, op string, limit *int64, next func(wait *int64) (*T, error)) (*T, error) {
	started := time.Now()
	for {
		select {
		case waits <- struct{}{}:
		case <-ctx.Done():
			return nil, cancelled(ctx, op)
		}
		part, last := slice.Milliseconds(), false
		if limit != nil {
			left := *limit - time.Since(started).Milliseconds()
			part, last = min(part, max(0, left)), left <= part
		}
		out, err := next(&part)
		<-waits
		waiting := new(Error)
		if last || !errors.As(err, &waiting) || waiting.Code != "session.waiting" {
			return out, err
		}
	}
}

// milliseconds is a duration on the wire, rounded up: a short wait is not none.
func milliseconds(d time.Duration) int64 {
	if d <= 0 {
		return d.Milliseconds()
	}
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}
