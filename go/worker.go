package barograph

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// TaskFunc runs a task. Its result is kept as JSON by encoding/json, a []byte as bytes; after an
// error the task is tried again while attempts are left. ctx is that of [Worker.Run].
type TaskFunc func(ctx context.Context, task ClaimedTask) (result any, err error)

// RunOptions are the options of [Worker.Run]; nil for the defaults.
type RunOptions struct {
	// Concurrency is how many tasks run at once. Default: one per processor (GOMAXPROCS).
	Concurrency int
	// StopWhenEmpty ends the run once no task is ready and none is running here. Default: wait for
	// more until ctx is done.
	StopWhenEmpty bool
}

// workerState is what the sugar keeps in a Worker.
type workerState struct {
	handlers sync.Map // string to TaskFunc
}

// Handle has fn run the tasks of this name from now on, in place of an earlier one.
func (w *Worker) Handle(name string, fn TaskFunc) { w.state.handlers.Store(name, fn) }

// outcome is a task that has ended: a result, or a failure.
type outcome struct {
	done   *TaskResult
	failed *TaskFailure
}

// Run takes tasks and runs their handlers until ctx is done, then waits for those that are
// running, reports them, and returns nil; any other end is an error. A task without a handler
// fails, as does one whose handler panics. Claims are renewed by the library while tasks run.
func (w *Worker) Run(ctx context.Context, opts *RunOptions) error {
	limit, stopWhenEmpty := runtime.GOMAXPROCS(0), false
	if opts != nil {
		stopWhenEmpty = opts.StopWhenEmpty
		if opts.Concurrency > 0 {
			limit = opts.Concurrency
		}
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	outcomes, reported := make(chan outcome, limit), make(chan error, 1)
	var tasks sync.WaitGroup
	free := make(chan struct{}, limit)
	for range limit {
		free <- struct{}{}
	}
	go func() { reported <- w.report(context.WithoutCancel(ctx), outcomes, free, stop) }()
	err := w.take(running, limit, stopWhenEmpty, free, func(task ClaimedTask) {
		tasks.Add(1)
		go func() {
			defer tasks.Done()
			outcomes <- w.run(ctx, task)
		}()
	})
	tasks.Wait()
	close(outcomes)
	if lost := <-reported; lost != nil {
		return lost
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// take claims as many tasks as there are free places, until ctx is done.
func (w *Worker) take(ctx context.Context, limit int, stopWhenEmpty bool, free chan struct{}, start func(ClaimedTask)) error {
	for {
		places := 0
		select {
		case <-free:
			places++
		case <-ctx.Done():
			return nil
		}
		for len(free) > 0 {
			<-free
			places++
		}
		wait := time.Minute
		if stopWhenEmpty {
			wait = 0
		}
		batch, err := w.Next(ctx, int64(min(places, 10_000)), wait, nil)
		if err != nil {
			return err
		}
		for _, task := range batch.Tasks {
			start(task)
		}
		idle := places - len(batch.Tasks)
		for range idle {
			free <- struct{}{}
		}
		if !stopWhenEmpty || len(batch.Tasks) > 0 {
			continue
		}
		if idle == limit {
			return nil
		}
		// Something is running that may bring new tasks: look again when it has ended.
		for len(free) == idle {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// run runs one task to its end.
func (w *Worker) run(ctx context.Context, task ClaimedTask) (out outcome) {
	fail := func(failure *Failure) outcome {
		return outcome{failed: &TaskFailure{ID: task.ID, Failure: *failure}}
	}
	defer func() {
		if value := recover(); value != nil {
			out = fail(panicOf(value))
		}
	}()
	handler, ok := w.state.handlers.Load(task.Name)
	if !ok {
		return fail(&Failure{Message: fmt.Sprintf("no handler for tasks named %q; add one with Worker.Handle", task.Name)})
	}
	result, err := handler.(TaskFunc)(ctx, task)
	if err != nil {
		return fail(failureOf(err))
	}
	payload, err := NewPayload(result)
	if err != nil {
		return fail(failureOf(err))
	}
	return outcome{done: &TaskResult{ID: task.ID, Result: payload}}
}

// report writes outcomes, all that are there at once, and frees their places. A claim that was
// lost to another worker is no error: that worker reports the task. After an error it stops the
// run and drops what comes, as the tasks are claimed by somebody again when the lease is over.
func (w *Worker) report(ctx context.Context, outcomes <-chan outcome, free chan<- struct{}, stop context.CancelCauseFunc) (err error) {
	for first := range outcomes {
		var done []TaskResult
		var failed []TaskFailure
		add := func(out outcome) {
			if out.done != nil {
				done = append(done, *out.done)
			} else {
				failed = append(failed, *out.failed)
			}
		}
		add(first)
		for more := true; more; {
			select {
			case next, open := <-outcomes:
				if more = open; open {
					add(next)
				}
			default:
				more = false
			}
		}
		if err == nil && len(done) > 0 {
			_, err = w.Complete(ctx, done, nil)
		}
		if err == nil && len(failed) > 0 {
			_, err = w.Fail(ctx, failed, nil)
		}
		if err != nil {
			stop(err)
		}
		for range len(done) + len(failed) {
			free <- struct{}{}
		}
	}
	return err
}
