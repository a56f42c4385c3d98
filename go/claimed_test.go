package barograph

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func submit(t testing.TB, ws *Workspace, id string, input any, labels map[string]string) {
	t.Helper()
	if _, err := ws.Session().Submit(context.Background(), id, input, &SessionSubmitOptions{Labels: labels}); err != nil {
		t.Fatal(err)
	}
}

// must gives a value, and ends the test at an error.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestValuesComeBackAsTheyWerePassed(t *testing.T) {
	type answer struct{ By []string }
	ctx, ws := context.Background(), memory(t)
	value := answer{[]string{"ada"}}
	submit(t, ws, "s", value, map[string]string{"kind": "release"})
	checkpoint := ""
	for run, err := range ws.Session().Claimed(ctx, &ClaimedOptions{StopWhenEmpty: true}) {
		must(run, err)(t)
		var input answer
		if err := run.Input.Decode(&input); err != nil || run.ID != "s" || run.Labels["kind"] != "release" || input.By[0] != "ada" {
			t.Fatal(run.ClaimedSession, err)
		}
		must(ws.Session().Signal(ctx, "s", "approved", &value, nil))(t)
		received := must(run.WaitSignal(ctx, "approved", &WaitSignalOptions{Timeout: 24 * time.Hour}))(t)
		if err := received.Value.Decode(&input); err != nil || received.TimedOut || input.By[0] != "ada" {
			t.Fatal(received, err)
		}
		checkpoint = must(run.Checkpoint(ctx, "halfway", []byte{0, 255}, nil))(t).ID
		must(run.Append(ctx, "message", []any{1, "two", nil}, nil))(t)
		must(run.Complete(ctx, value, nil))(t)
	}
	page := must(ws.Session().Entries(ctx, "s", nil))(t)
	if len(page.Entries) != 3 || string(page.Entries[1].Value.JSON) != `"two"` {
		t.Fatal(page)
	}
	restored := must(ws.Session().Restore(ctx, "s", checkpoint, nil))(t)
	var state []byte
	if err := restored.State.Decode(&state); err != nil || !bytes.Equal(state, []byte{0, 255}) {
		t.Fatal(restored, err)
	}
	opened := must(ws.Session().Open(ctx, "child", &SessionOpenOptions{Parent: "s", Input: 7, Deadline: time.Hour}))(t)
	defer opened.Close()
	if child := must(ws.Session().Get(ctx, "child", nil))(t); child.Parent != "s" || string(child.Input.JSON) != "7" || child.Deadline == "" {
		t.Fatal(child)
	}
}

func TestAWaitEndsWithItsTimeItsLimitOrItsContext(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	s := session(t, ws, "s", nil)
	received := must(s.WaitSignal(ctx, "approved", &WaitSignalOptions{Timeout: time.Millisecond}))(t)
	if !received.TimedOut || received.Value != nil {
		t.Fatal(received)
	}
	must(s.Sleep(ctx, time.Millisecond, nil))(t)
	_, err := s.WaitSignal(ctx, "later", &WaitSignalOptions{Wait: Some(time.Duration(0))})
	var failed *Error
	if !errors.Is(err, ErrTimeout) || !errors.As(err, &failed) || failed.Code != "session.waiting" || !failed.Retryable {
		t.Fatal(err)
	}
	// Longer than one slice of waiting: the same wait goes on from slice to slice.
	time.AfterFunc(slice+slice/2, func() { _, _ = ws.Session().Signal(ctx, "s", "later", 5, nil) })
	if received := must(s.WaitSignal(ctx, "later", nil))(t); string(received.Value.JSON) != "5" {
		t.Fatal(received)
	}
	done, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := s.Sleep(done, time.Hour, nil); !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestASessionThatWaitsIsClaimedWhenItsSignalIsThere(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	submit(t, ws, "s", nil, nil)
	round := func() (seen []string) {
		for run, err := range ws.Session().Claimed(ctx, &ClaimedOptions{StopWhenEmpty: true}) {
			must(run, err)(t)
			received, err := run.WaitSignal(ctx, "approved", &WaitSignalOptions{Wait: Some(time.Duration(0))})
			if errors.Is(err, ErrTimeout) {
				seen = append(seen, "waits")
				continue
			}
			seen = append(seen, string(must(received, err)(t).Value.JSON))
			must(run.Complete(ctx, nil, nil))(t)
		}
		return seen
	}
	if seen := round(); len(seen) != 1 || seen[0] != "waits" {
		t.Fatal(seen)
	}
	must(ws.Session().Signal(ctx, "s", "approved", true, nil))(t)
	if seen := round(); len(seen) != 1 || seen[0] != "true" {
		t.Fatal(seen)
	}
}

func TestABodyThatPanicsReleasesItsSession(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	submit(t, ws, "s", 7, nil)
	func() {
		defer func() {
			if recover() != "broken" {
				t.Fatal("the panic was swallowed")
			}
		}()
		for range ws.Session().Claimed(ctx, nil) {
			panic("broken")
		}
	}()
	for run, err := range ws.Session().Claimed(ctx, &ClaimedOptions{Idle: time.Second}) {
		must(run, err)(t)
		must(run.Complete(ctx, run.Input, nil))(t)
		break
	}
	if shown := must(ws.Session().Get(ctx, "s", nil))(t); string(shown.Output.JSON) != "7" {
		t.Fatal(shown)
	}
}

func TestClaimedTakesWhatCarriesTheLabelsUntilItsContextIsDone(t *testing.T) {
	ws := memory(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	submit(t, ws, "other", nil, map[string]string{"kind": "build"})
	time.AfterFunc(20*time.Millisecond, func() {
		_, _ = ws.Session().Submit(context.Background(), "late", nil, &SessionSubmitOptions{Labels: map[string]string{"kind": "review"}})
	})
	var last error
	for run, err := range ws.Session().Claimed(ctx, &ClaimedOptions{Labels: map[string]string{"kind": "review"}}) {
		if last = err; err != nil {
			continue
		}
		if run.ID != "late" {
			t.Fatal(run.ID)
		}
		must(run.Complete(ctx, nil, nil))(t)
		cancel()
	}
	if !errors.Is(last, ErrCancelled) {
		t.Fatal(last)
	}
}

func TestACancelledSessionMatchesItsKind(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	s := session(t, ws, "s", nil)
	must(ws.Session().Cancel(ctx, "s", "not needed", nil))(t)
	if _, err := s.Begin(ctx, "a", nil); !errors.Is(err, ErrCancelled) || errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestAPatchAnswersYesOrNo(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	run := func(s *Session, names ...string) {
		for _, name := range names {
			must(Step(ctx, s, name, func(context.Context) (int, error) { return 1, nil }, nil))(t)
		}
		must(true, s.Close())(t)
	}
	run(session(t, ws, "old", nil), "build", "publish")
	for range 2 {
		s := session(t, ws, "old", &SessionOpenOptions{Resume: true})
		must(Step(ctx, s, "build", func(context.Context) (int, error) { return 2, nil }, nil))(t)
		if must(s.Patch(ctx, "v2", nil))(t) {
			t.Fatal("what went on without the change has it")
		}
		must(Step(ctx, s, "publish", func(context.Context) (int, error) { return 2, nil }, nil))(t)
		if !must(s.Patch(ctx, "v3", nil))(t) {
			t.Fatal("what is new has no change")
		}
		must(true, s.Close())(t)
	}
}

func TestValuesThatJSONCannotHoldAreRefused(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	s := session(t, ws, "s", nil)
	for _, err := range []error{
		refusal(s.Checkpoint(ctx, "c", math.NaN(), nil)),
		refusal(s.Append(ctx, "log", []any{1, math.Inf(1)}, nil)),
		refusal(ws.Session().Submit(ctx, "t", make(chan int), nil)),
		refusal(ws.Queue().Enqueue(ctx, "q", []NewTask{{Name: "a", Payload: func() {}}}, nil)),
	} {
		if !errors.Is(err, ErrInvalidInput) || !strings.Contains(err.Error(), "encoding/json") {
			t.Fatal(err)
		}
	}
	if _, err := s.Sleep(ctx, -time.Second, nil); !errors.Is(err, ErrInvalidInput) {
		t.Fatal(err)
	}
}

// refusal is the error of a call that should have one.
func refusal[T any](_ T, err error) error { return err }
