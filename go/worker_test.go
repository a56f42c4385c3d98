package barograph

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

func enqueue(t testing.TB, ws *Workspace, tasks ...NewTask) {
	t.Helper()
	queued, err := ws.Queue().Enqueue(context.Background(), "q", tasks, nil)
	if err != nil || len(queued.IDs) != len(tasks) {
		t.Fatal(queued, err)
	}
}

func TestAWorkerRunsItsTasks(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	var tasks []NewTask
	for i := range 50 {
		payload, _ := NewPayload(i)
		tasks = append(tasks, NewTask{Name: "square", Payload: payload})
	}
	once := Some[int64](1)
	tasks = append(tasks, NewTask{Name: "fail", MaxAttempts: once}, NewTask{Name: "panic", MaxAttempts: once},
		NewTask{Name: "nobody", MaxAttempts: once})
	enqueue(t, ws, tasks...)
	w := worker(t, ws)
	var sum, running, most atomic.Int64
	w.Handle("square", func(_ context.Context, task ClaimedTask) (any, error) {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		var number int64
		if err := task.Payload.Decode(&number); err != nil {
			return nil, err
		}
		sum.Add(number * number)
		time.Sleep(time.Millisecond)
		return number * number, nil
	})
	w.Handle("fail", func(context.Context, ClaimedTask) (any, error) { return nil, errors.New("no") })
	w.Handle("panic", func(context.Context, ClaimedTask) (any, error) { panic("broken") })
	if err := w.Run(ctx, &RunOptions{Concurrency: 4, StopWhenEmpty: true}); err != nil {
		t.Fatal(err)
	}
	if sum.Load() != 40425 || most.Load() > 4 {
		t.Fatalf("sum %d, %d at once", sum.Load(), most.Load())
	}
	shown, err := ws.Queue().Show(ctx, "q", nil)
	if err != nil || shown.Done != 50 || shown.Dead != 3 || shown.Waiting+shown.Running != 0 {
		t.Fatalf("%+v %v", shown, err)
	}
}

func TestAWorkerStopsWithItsContext(t *testing.T) {
	ws := memory(t)
	enqueue(t, ws, NewTask{Name: "slow"})
	w := worker(t, ws)
	ctx, cancel := context.WithCancel(context.Background())
	w.Handle("slow", func(ctx context.Context, _ ClaimedTask) (any, error) {
		cancel()
		<-ctx.Done()
		return "finished all the same", nil
	})
	if err := w.Run(ctx, nil); err != nil {
		t.Fatal(err)
	}
	shown, err := ws.Queue().Show(context.Background(), "q", nil)
	if err != nil || shown.Done != 1 {
		t.Fatalf("%+v %v", shown, err)
	}
}

func TestAWorkerSaysWhyItEnds(t *testing.T) {
	w := worker(t, memory(t))
	time.AfterFunc(20*time.Millisecond, func() { _ = w.Close() })
	if err := w.Run(context.Background(), nil); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestEventsAreStreamed(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	s := session(t, ws, "s", nil)
	for i := range 3 {
		if _, err := Step(ctx, s, fmt.Sprint("step ", i), func(context.Context) (int, error) { return i, nil }, nil); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := ws.Events().Open(ctx, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	last, finished := int64(0), 0
	for event, err := range stream.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Seq <= last {
			t.Fatalf("event %d after %d", event.Seq, last)
		}
		last = event.Seq
		if event.Kind == "step.finished" && event.Subject == "s" {
			finished++
		}
	}
	if finished != 3 {
		t.Fatalf("%d of 3 steps were told", finished)
	}
}

func TestAStreamFollowsUntilItsContextIsDone(t *testing.T) {
	ws := memory(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := ws.Events().Open(ctx, 0, &EventsOpenOptions{Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	time.AfterFunc(20*time.Millisecond, func() { _, _ = ws.Session().Open(context.Background(), "late", nil) })
	var last error
	for event, err := range stream.All(ctx) {
		if last = err; err == nil && event.Subject == "late" {
			cancel()
		}
	}
	if !errors.Is(last, ErrCancelled) {
		t.Fatal(last)
	}
}
