// One life of the sessions and the queue of tests/kill; see run.py for what is asked of it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	barograph "github.com/barograph/barograph/go"
)

var plan struct {
	Folder    string   `json:"folder"`
	Life      int      `json:"life"`
	Sessions  []string `json:"sessions"`
	Steps     int      `json:"steps"`
	Batches   []string `json:"batches"`
	BatchSize int      `json:"batch_size"`
	DieAt     string   `json:"die_at"`
	AckEarly  bool     `json:"ack_early"`
}

var files = map[string]*os.File{}

// must ends the program where a call fails: every failure here is a defect to be shown.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func reached(format string, parts ...any) {
	if fmt.Sprintf(format, parts...) == plan.DieAt {
		check(syscall.Kill(os.Getpid(), syscall.SIGKILL))
		select {}
	}
}

func note(file, subject, text string) {
	must(fmt.Fprintf(files[file], "%d %s %s\n", plan.Life, subject, text))
	reached("%s %s %s written", subject, strings.Fields(text)[0], file)
	check(files[file].Sync())
}

type result struct {
	Step int `json:"step"`
	Life int `json:"life"`
}

// found is the life in which a step had its effect; 0 for none.
func found(subject string, step int) (life int) {
	text := must(os.ReadFile(filepath.Join(plan.Folder, "effects")))
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.HasSuffix(line, fmt.Sprintf(" %s %d", subject, step)) {
			must(fmt.Sscan(line, &life))
			return life
		}
	}
	return 0
}

func work(subject string, step int) result {
	reached("%s %d begun", subject, step)
	note("effects", subject, fmt.Sprint(step))
	reached("%s %d worked", subject, step)
	if plan.AckEarly {
		note("acks", subject, fmt.Sprint(step, plan.Life))
	}
	return result{step, plan.Life}
}

func once(ctx context.Context, s *barograph.Session, subject string, step int) (value result) {
	for {
		start := must(s.Begin(ctx, "once", &barograph.StepBeginOptions{
			Key: fmt.Sprintf("once-%d", step), Args: map[string]int{"step": step}, Policy: barograph.StepPolicyOnce,
		}))
		switch start.State {
		case barograph.StepStateDone:
			check(start.Result.Decode(&value))
			return value
		case barograph.StepStateRun:
			value = work(subject, step)
		default:
			reached("%s %d unknown", subject, step)
			value = result{step, found(subject, step)}
			if value.Life == 0 {
				failure := &barograph.Failure{Message: "it did not happen"}
				must(s.Finish(ctx, start.Token, nil, &barograph.StepFinishOptions{Failure: failure}))
				reached("%s %d refused", subject, step)
				continue
			}
		}
		must(s.Finish(ctx, start.Token, value, nil))
		return value
	}
}

func session(ctx context.Context, ws *barograph.Workspace, subject string) {
	s := must(ws.Session().Open(ctx, subject, &barograph.SessionOpenOptions{Resume: true}))
	lives := []int{}
	for step := range plan.Steps {
		reached("%s %d before", subject, step)
		var got result
		if step%4 == 3 {
			got = once(ctx, s, subject, step)
		} else {
			options := &barograph.StepOptions{Args: map[string]int{"step": step}}
			got = must(barograph.Step(ctx, s, fmt.Sprintf("step-%d", step%3), func(context.Context) (result, error) {
				return work(subject, step), nil
			}, options))
		}
		reached("%s %d finished", subject, step)
		if got.Step != step {
			panic(fmt.Sprintf("%s %d: %v", subject, step, got))
		}
		lives = append(lives, got.Life)
		note("acks", subject, fmt.Sprint(step, got.Life))
		reached("%s %d acked", subject, step)
	}
	reached("%s end before", subject)
	must(s.Complete(ctx, map[string][]int{"lives": lives}, nil))
	reached("%s end finished", subject)
	note("acks", subject, "end -")
	check(s.Close())
}

func produce(ctx context.Context, ws *barograph.Workspace) {
	for _, batch := range plan.Batches {
		tasks := make([]barograph.NewTask, plan.BatchSize)
		for at := range tasks {
			name, attempts := fmt.Sprintf("%s-%d", batch, at), int64(1000)
			if at == 0 {
				// The first of each batch soon runs out of attempts.
				attempts = 2
			}
			tasks[at] = barograph.NewTask{Name: name, Key: name, Payload: name, MaxAttempts: &attempts}
		}
		reached("%s - before", batch)
		ids := must(ws.Queue().Enqueue(ctx, "q", tasks, nil)).IDs
		reached("%s - finished", batch)
		note("acks", batch, strings.Join(ids, ","))
	}
}

func consume(ctx context.Context, ws *barograph.Workspace) {
	worker := must(ws.Worker().Open(ctx, "q", nil))
	taken := 0
	for {
		tasks := must(worker.Next(ctx, 4, 50*time.Millisecond, nil)).Tasks
		if len(tasks) == 0 {
			break
		}
		var results []barograph.TaskResult
		var failures []barograph.TaskFailure
		var done []barograph.ClaimedTask
		for _, task := range tasks {
			var name string
			check(task.Payload.Decode(&name))
			if name != task.Name {
				panic(fmt.Sprintf("task %s has the payload %s", task.Name, name))
			}
			taken++
			reached("task %d begun", taken)
			note("effects", task.Name, fmt.Sprint(task.Attempt))
			reached("task %d worked", taken)
			// The second of each batch fails at first.
			if strings.HasSuffix(task.Name, "-1") && task.Attempt == 1 {
				failures = append(failures, barograph.TaskFailure{ID: task.ID, Failure: barograph.Failure{Message: "not yet"}})
				continue
			}
			results = append(results, barograph.TaskResult{ID: task.ID, Result: task.Attempt})
			done = append(done, task)
		}
		refused := must(worker.Complete(ctx, results, nil)).Refused
		for _, task := range done {
			reached("task finished")
			if !slices.Contains(refused, task.ID) {
				note("acks", task.Name, fmt.Sprint(task.Attempt))
			}
		}
		must(worker.Fail(ctx, failures, nil))
	}
	check(worker.Close())
}

func main() {
	ctx := context.Background()
	check(json.Unmarshal([]byte(os.Args[1]), &plan))
	for _, name := range []string{"effects", "acks"} {
		files[name] = must(os.OpenFile(filepath.Join(plan.Folder, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644))
	}
	ws := must(barograph.Open(ctx, plan.Folder, &barograph.OpenOptions{Store: filepath.Join(plan.Folder, "store.db")}))
	fmt.Println("open")
	must(os.Stdin.Read(make([]byte, 1)))
	produce(ctx, ws)
	var all sync.WaitGroup
	all.Add(len(plan.Sessions) + 1)
	for _, subject := range plan.Sessions {
		go func() {
			defer all.Done()
			session(ctx, ws, subject)
		}()
	}
	go func() {
		defer all.Done()
		consume(ctx, ws)
	}()
	all.Wait()
	check(ws.Close())
}
