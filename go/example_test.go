package barograph_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	barograph "github.com/barograph/barograph/go"
)

// Everything here is kept in memory; leave InMemory out to keep it in the repository's store.
func open(ctx context.Context) *barograph.Workspace {
	ws, err := barograph.Open(ctx, ".", &barograph.OpenOptions{InMemory: true})
	if err != nil {
		log.Fatal(err)
	}
	return ws
}

// A range is scored as one change, with the reasons ranked.
func ExampleRisk_Change() {
	ctx := context.Background()
	ws, err := barograph.Open(ctx, ".", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.Close()
	risk, err := ws.Risk().Change(ctx, "main..HEAD", &barograph.ChangeOptions{Author: "ada@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: riskier than %.0f %% of your changes\n", risk.Level, risk.Score)
	for _, reason := range risk.Reasons[:3] {
		fmt.Println(reason.Sentence, reason.Action)
	}
}

// A step that is done is not run again, also by another process after a crash.
func ExampleStep() {
	ctx := context.Background()
	ws := open(ctx)
	defer ws.Close()
	for range 2 {
		session, err := ws.Session().Open(ctx, "release-7", &barograph.SessionOpenOptions{Resume: true})
		if err != nil {
			log.Fatal(err)
		}
		image, err := barograph.Step(ctx, session, "build", func(context.Context) (string, error) {
			fmt.Println("building")
			return "app:7", nil
		}, nil)
		fmt.Println(image, err)
		session.Close()
	}
	// Output:
	// building
	// app:7 <nil>
	// app:7 <nil>
}

// Sessions that were submitted are run by whoever claims them, here until none is left.
func ExampleSessions_Claimed() {
	ctx := context.Background()
	ws := open(ctx)
	defer ws.Close()
	if _, err := ws.Session().Submit(ctx, "release-8", map[string]string{"tag": "v8"}, nil); err != nil {
		log.Fatal(err)
	}
	if _, err := ws.Session().Signal(ctx, "release-8", "approved", "ada", nil); err != nil {
		log.Fatal(err)
	}
	for run, err := range ws.Session().Claimed(ctx, &barograph.ClaimedOptions{StopWhenEmpty: true}) {
		if err != nil {
			log.Fatal(err)
		}
		answer, err := run.WaitSignal(ctx, "approved", &barograph.WaitSignalOptions{Timeout: 24 * time.Hour})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(run.ID, string(run.Input.JSON), answer.TimedOut, string(answer.Value.JSON))
		if _, err := run.Complete(ctx, "published", nil); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// release-8 {"tag":"v8"} false "ada"
}

// A worker runs the tasks of a durable queue until its context is done; here, until none is left.
func ExampleWorker_Run() {
	ctx := context.Background()
	ws := open(ctx)
	defer ws.Close()
	task := barograph.NewTask{Name: "review", Payload: map[string]string{"path": "main.go"}}
	_, err := ws.Queue().Enqueue(ctx, "reviews", []barograph.NewTask{task}, nil)
	if err != nil {
		log.Fatal(err)
	}
	worker, err := ws.Worker().Open(ctx, "reviews", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	worker.Handle("review", func(ctx context.Context, task barograph.ClaimedTask) (any, error) {
		var args struct{ Path string }
		if err := task.Payload.Decode(&args); err != nil {
			return nil, err
		}
		fmt.Println("reviewing", args.Path)
		return true, nil
	})
	fmt.Println(worker.Run(ctx, &barograph.RunOptions{StopWhenEmpty: true}))
	// Output:
	// reviewing main.go
	// <nil>
}

// Events are read by a durable cursor: what a reader has seen, it does not see again.
func ExampleEventStream_All() {
	ctx := context.Background()
	ws := open(ctx)
	defer ws.Close()
	session, err := ws.Session().Open(ctx, "release-7", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	if _, err := session.Complete(ctx, nil, nil); err != nil {
		log.Fatal(err)
	}
	stream, err := ws.Events().Open(ctx, 0, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for event, err := range stream.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if event.Kind == "session.completed" {
			fmt.Println(event.Kind, event.Subject)
		}
	}
	// Output:
	// session.completed release-7
}

// Errors have a kind to branch on, and a message that says what to do.
func ExampleError() {
	ctx := context.Background()
	_, err := barograph.Open(ctx, "/no/such/folder", nil)
	var failed *barograph.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Kind, failed.Code, failed.Retryable)
	}
	fmt.Println(errors.Is(err, barograph.ErrNotFound))
	// Output:
	// not_found git.not_a_repository false
	// true
}
