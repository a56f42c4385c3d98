package barograph

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func session(t testing.TB, ws *Workspace, id string, opts *SessionOpenOptions) *Session {
	t.Helper()
	session, err := ws.Session().Open(context.Background(), id, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

type build struct {
	Image string
	Sizes []int
}

func TestStepsAreNotRunAgain(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	runs := 0
	for _, resume := range []bool{false, true} {
		s := session(t, ws, "s", &SessionOpenOptions{Resume: resume})
		built, err := Step(ctx, s, "build", func(context.Context) (build, error) {
			runs++
			return build{"app", []int{1, 2}}, nil
		}, &StepOptions{Args: map[string]any{"target": "release"}})
		if err != nil || built.Image != "app" || len(built.Sizes) != 2 {
			t.Fatal(built, err)
		}
		picture, err := Step(ctx, s, "draw", func(context.Context) ([]byte, error) {
			runs++
			return []byte{0, 255, 10}, nil
		}, nil)
		if err != nil || !bytes.Equal(picture, []byte{0, 255, 10}) {
			t.Fatal(picture, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if runs != 2 {
		t.Fatalf("two steps ran %d times", runs)
	}
}

func TestAFailedStepRunsAgain(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	s := session(t, ws, "s", nil)
	cause := errors.New("no space left")
	_, err := Step(ctx, s, "build", func(context.Context) (int, error) { return 0, fmt.Errorf("cannot build: %w", cause) }, nil)
	if !errors.Is(err, cause) {
		t.Fatal("the step's own error was lost: ", err)
	}
	detail, err := ws.Session().Show(ctx, "s", nil)
	if err != nil || len(detail.Steps) != 1 {
		t.Fatal(detail, err)
	}
	failure := detail.Steps[0].Failure
	if detail.Steps[0].Status != StepStatusFailed || failure == nil || failure.Message != "cannot build: no space left" ||
		failure.Kind != "*fmt.wrapError" || len(failure.Causes) != 1 || failure.Causes[0] != "no space left" {
		t.Fatalf("the failure was not recorded: %+v", failure)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = session(t, ws, "s", &SessionOpenOptions{Resume: true})
	if result, err := Step(ctx, s, "build", func(context.Context) (int, error) { return 7, nil }, nil); err != nil || result != 7 {
		t.Fatal(result, err)
	}
}

func TestAPanicLeavesAFailure(t *testing.T) {
	ctx, ws := context.Background(), memory(t)
	s := session(t, ws, "s", nil)
	func() {
		defer func() {
			if recover() != "broken" {
				t.Fatal("the panic was swallowed")
			}
		}()
		_, _ = Step(ctx, s, "build", func(context.Context) (int, error) { panic("broken") }, nil)
	}()
	detail, err := ws.Session().Show(ctx, "s", nil)
	if err != nil || len(detail.Steps) != 1 || detail.Steps[0].Status != StepStatusFailed {
		t.Fatal(detail, err)
	}
}

func TestAStepCancelledByItsContextIsRecorded(t *testing.T) {
	ws := memory(t)
	s := session(t, ws, "s", nil)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Step(ctx, s, "build", func(ctx context.Context) (int, error) {
		cancel()
		return 0, ctx.Err()
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	detail, err := ws.Session().Show(context.Background(), "s", nil)
	if err != nil || detail.Steps[0].Status != StepStatusFailed {
		t.Fatal(detail, err)
	}
}

// TestMain also plays the process that is killed: it does two steps, says so, and hangs in the second.
func TestMain(m *testing.M) {
	if folder := os.Getenv("BAROGRAPH_TEST_KILLED"); folder != "" {
		ctx := context.Background()
		ws, err := Open(ctx, folder, nil)
		if err != nil {
			panic(err)
		}
		s, err := ws.Session().Open(ctx, "deploy", nil)
		if err != nil {
			panic(err)
		}
		_, _ = Step(ctx, s, "build", func(context.Context) (string, error) { return "image 1", nil }, nil)
		policy := StepPolicy(os.Getenv("BAROGRAPH_TEST_POLICY"))
		_, _ = Step(ctx, s, "push", func(context.Context) (string, error) {
			fmt.Println("pushing")
			time.Sleep(time.Hour)
			return "", nil
		}, &StepOptions{Policy: policy})
	}
	os.Exit(m.Run())
}

// killed runs the process above in folder and kills it in the middle of its second step.
func killed(t *testing.T, folder string, policy StepPolicy) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGKILL here")
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "BAROGRAPH_TEST_KILLED="+folder, "BAROGRAPH_TEST_POLICY="+string(policy))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "pushing\n" {
		t.Fatalf("the process to be killed said %q (%v)", line, err)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
}

func TestAnotherProcessFinishesAfterAKill(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	killed(t, folder, StepPolicyRetry)
	ws, err := Open(ctx, folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if _, err := os.Stat(filepath.Join(folder, ".barograph", "store.db")); err != nil {
		t.Fatal(err)
	}
	s := session(t, ws, "deploy", &SessionOpenOptions{Resume: true})
	image, err := Step(ctx, s, "build", func(context.Context) (string, error) { return "built again", nil }, nil)
	if err != nil || image != "image 1" {
		t.Fatal("a step that was done ran again: ", image, err)
	}
	pushed, err := Step(ctx, s, "push", func(context.Context) (string, error) { return "pushed", nil }, &StepOptions{Policy: StepPolicyRetry})
	if err != nil || pushed != "pushed" {
		t.Fatal("the step that was cut short did not run again: ", pushed, err)
	}
	output, _ := NewPayload(pushed)
	if done, err := s.Complete(ctx, &output, nil); err != nil || done.Status != SessionStatusCompleted || done.StepsDone != 2 {
		t.Fatal(done, err)
	}
}

func TestAStepOfPolicyOnceIsUnknownAfterAKill(t *testing.T) {
	ctx, folder := context.Background(), t.TempDir()
	killed(t, folder, StepPolicyOnce)
	ws, err := Open(ctx, folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	s := session(t, ws, "deploy", &SessionOpenOptions{Resume: true})
	if _, err := Step(ctx, s, "build", func(context.Context) (string, error) { return "", nil }, nil); err != nil {
		t.Fatal(err)
	}
	once := &StepOptions{Policy: StepPolicyOnce}
	never := func(context.Context) (string, error) { t.Error("ran twice"); return "", nil }
	if _, err := Step(ctx, s, "push", never, once); !errors.Is(err, ErrConflict) {
		t.Fatal("an unknown outcome is not a conflict: ", err)
	}
}
