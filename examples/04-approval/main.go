// A release that waits for its approval in no process: run it, approve it, run it again.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	barograph "github.com/barograph/barograph/go"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, folder string, words []string) error {
	ws, err := barograph.Open(ctx, folder, nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	if len(words) == 2 && words[0] == "approve" {
		_, err := ws.Session().Signal(ctx, "release-7", "approved", map[string]string{"by": words[1]}, nil)
		fmt.Println("sent")
		return err
	}
	// The same key is the same session, however often it is submitted.
	made, err := ws.Session().Submit(ctx, "release-7", map[string]string{"tag": "v7"}, &barograph.SessionSubmitOptions{Key: "v7"})
	if err != nil {
		return err
	}
	if made.Created {
		fmt.Println("submitted")
	}
	// Without StopWhenEmpty it waits for the next one.
	for s, err := range ws.Session().Claimed(ctx, &barograph.ClaimedOptions{StopWhenEmpty: true}) {
		if err != nil {
			return err
		}
		if err := release(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func release(ctx context.Context, s *barograph.SessionRun) error {
	var input struct{ Tag string }
	if err := s.Input.Decode(&input); err != nil {
		return err
	}
	artifact, err := barograph.Step(ctx, s.Session, "build", func(context.Context) (string, error) {
		fmt.Println("building", input.Tag)
		return "app-" + input.Tag + ".tar", nil
	}, nil)
	if err != nil {
		return err
	}
	wait := barograph.WaitSignalOptions{Timeout: 24 * time.Hour, Wait: barograph.Some(time.Duration(0))}
	answer, err := s.WaitSignal(ctx, "approved", &wait)
	if errors.Is(err, barograph.ErrTimeout) {
		// session.waiting: claimed again when the signal or the day's end is there
		fmt.Println("waiting for approval")
		return nil
	}
	if err != nil {
		return err
	}
	if answer.TimedOut {
		failure := &barograph.Failure{Message: "nobody approved it within a day"}
		_, err := s.Complete(ctx, nil, &barograph.SessionCompleteOptions{Failure: failure})
		return err
	}
	var approval struct{ By string }
	if err := answer.Value.Decode(&approval); err != nil {
		return err
	}
	fmt.Println("approved by", approval.By)
	_, err = barograph.Step(ctx, s.Session, "publish", func(context.Context) (any, error) {
		fmt.Println("publishing", artifact)
		return nil, nil
	}, &barograph.StepOptions{Policy: barograph.StepPolicyOnce})
	if err != nil {
		return err
	}
	done, err := s.Complete(ctx, artifact, nil)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d steps\n", done.Status, done.StepsDone)
	return nil
}
