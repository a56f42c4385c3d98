package barograph

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/barograph/barograph/go/internal/ffi"
)

func memory(t testing.TB) *Workspace {
	t.Helper()
	ws, err := Open(context.Background(), t.TempDir(), &OpenOptions{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

func worker(t testing.TB, ws *Workspace) *Worker {
	t.Helper()
	worker, err := ws.Worker().Open(context.Background(), "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = worker.Close() })
	return worker
}

// fixtures is the folder of the fixture repositories.
func fixtures(t testing.TB) string {
	t.Helper()
	built, err := exec.Command("python3", "../tests/fixtures/repositories.py", "--into", "../target/fixtures").Output()
	if err != nil {
		t.Fatal("python3 builds the fixtures; install it: ", err)
	}
	return strings.TrimSpace(string(built))
}

func TestErrorsAreTyped(t *testing.T) {
	_, err := Open(context.Background(), "/no/such/folder", nil)
	var failed *Error
	if !errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) || !errors.As(err, &failed) {
		t.Fatalf("not a typed error: %v", err)
	}
	if failed.Code != "git.not_a_repository" || failed.Op != "workspace.open" || failed.Context["path"] != "/no/such/folder" {
		t.Fatalf("members are missing: %+v", failed)
	}
	if !strings.HasPrefix(err.Error(), "barograph: workspace.open: ") || !strings.Contains(err.Error(), failed.Message) {
		t.Fatalf("the text does not say what failed: %v", err)
	}
	_, err = Open(context.Background(), ".", &OpenOptions{InMemory: true, Clock: "yesterday"})
	if !errors.Is(err, ErrInvalidInput) {
		t.Fatalf("a wrong clock: %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	ws := memory(t)
	for range 2 {
		if err := ws.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ws.Info(context.Background(), nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("a closed workspace answered: %v", err)
	}
	var zero Workspace
	if _, err := zero.Info(context.Background(), nil); !errors.Is(err, ErrInvalidInput) {
		t.Fatalf("a workspace that was never opened answered: %v", err)
	}
	if err := zero.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestGarbageIsClosed(t *testing.T) {
	number := func() uint64 {
		ws, err := Open(context.Background(), t.TempDir(), &OpenOptions{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		return ws.handle.number
	}()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		runtime.GC()
		answer, ok := ffi.Call(number, "workspace.info", nil, ffi.NoToken)
		answer.Free()
		if !ok {
			return
		}
	}
	t.Fatal("the handle of an unreachable workspace stayed open")
}

func TestANounKeepsItsWorkspaceOpen(t *testing.T) {
	sessions := memoryWithoutCleanup(t).Session()
	for range 5 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if _, err := sessions.List(context.Background(), nil); errors.Is(err, ErrClosed) {
		t.Fatal("the workspace was closed while a noun of it was in use")
	}
}

func memoryWithoutCleanup(t *testing.T) *Workspace {
	ws, err := Open(context.Background(), t.TempDir(), &OpenOptions{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func TestDoneContextReturnsAtOnce(t *testing.T) {
	ws, cause := memory(t), errors.New("the user went home")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	_, err := ws.Info(ctx, nil)
	if !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Fatalf("not the error of a cancelled call: %v", err)
	}
	if _, err := Open(ctx, ".", nil); !errors.Is(err, cause) {
		t.Fatalf("a workspace was opened for a context that is done: %v", err)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	worker, cause := worker(t, memory(t)), errors.New("the user went home")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(30*time.Millisecond, func() { cancel(cause) })
	started := time.Now()
	_, err := worker.Next(ctx, 1, time.Hour, nil)
	if !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) {
		t.Fatalf("not the error of a cancelled call: %v", err)
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Fatalf("the call ended after %v", took)
	}
}

func TestDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := worker(t, memory(t)).Next(ctx, 1, time.Hour, nil)
	if !errors.Is(err, ErrCancelled) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("not the error of a deadline: %v", err)
	}
}

func TestAWaitLastsAsLongAsAsked(t *testing.T) {
	worker := worker(t, memory(t))
	for _, wait := range []time.Duration{0, 60 * time.Millisecond, slice + 100*time.Millisecond} {
		started := time.Now()
		batch, err := worker.Next(context.Background(), 1, wait, nil)
		if err != nil || len(batch.Tasks) != 0 {
			t.Fatal(batch, err)
		}
		if took := time.Since(started); took < wait || took > wait+10*time.Second {
			t.Fatalf("a wait of %v took %v", wait, took)
		}
	}
}

func TestCloseEndsAWait(t *testing.T) {
	worker := worker(t, memory(t))
	time.AfterFunc(30*time.Millisecond, func() { _ = worker.Close() })
	if _, err := worker.Next(context.Background(), 1, time.Hour, nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("a wait on a closed worker: %v", err)
	}
}

// status reads a number of /proc/self/status.
func status(t *testing.T, name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc here: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			number, _ := strconv.Atoi(strings.TrimSpace(value))
			return number
		}
	}
	return 0
}

func TestManyWaitersNeedFewThreadsAndLeaveNothingBehind(t *testing.T) {
	worker := worker(t, memory(t))
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	var waiters sync.WaitGroup
	for range 2000 {
		waiters.Add(1)
		go func() {
			defer waiters.Done()
			if _, err := worker.Next(ctx, 1, time.Hour, nil); !errors.Is(err, ErrCancelled) {
				t.Error("not the error of a cancelled call: ", err)
			}
		}()
	}
	time.Sleep(300 * time.Millisecond)
	if threads := status(t, "Threads"); threads > 64+64 {
		t.Errorf("2,000 waiting goroutines hold %d threads", threads)
	}
	cancel()
	waiters.Wait()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines before, %d after", goroutines, runtime.NumGoroutine())
		}
	}
}

func TestColumnsAreAnArrowStream(t *testing.T) {
	ctx := context.Background()
	ws, err := Open(ctx, filepath.Join(fixtures(t), "linear"), &OpenOptions{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	table, err := ws.Git().Features(ctx, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := ws.Git().FeaturesColumns(ctx, "HEAD", nil)
	if err != nil {
		t.Fatal(err)
	}
	// An Arrow IPC stream is messages that begin with 0xFFFFFFFF and a length, and ends with length 0.
	mark := []byte{0xff, 0xff, 0xff, 0xff}
	if !bytes.HasPrefix(stream, mark) || !bytes.HasSuffix(stream, append(mark, 0, 0, 0, 0)) {
		t.Fatalf("%d bytes that are no Arrow stream", len(stream))
	}
	for _, text := range []string{"ndev_mean", table.Rows[0].SHA, table.Rows[len(table.Rows)-1].SHA} {
		if !bytes.Contains(stream, []byte(text)) {
			t.Fatalf("%s is not in the stream", text)
		}
	}
	if _, err = ws.Git().FeaturesColumns(ctx, "no-such-branch", nil); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
}

func TestValuesBeyondJSONAreRefused(t *testing.T) {
	session := session(t, memory(t), "s", nil)
	for code, args := range map[string]any{"args.type": make(chan int), "value.not_i_json": infinite()} {
		var failed *Error
		_, err := session.Begin(context.Background(), "a", &StepBeginOptions{Args: args})
		if !errors.As(err, &failed) || failed.Code != code || failed.Op != "session.begin" {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func infinite() float64 {
	zero := 0.0
	return 1 / zero
}
