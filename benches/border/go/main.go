// Border measures what a call costs from Go: `border REPOSITORY`, started by run.sh. It prints one
// JSON object.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/barograph/barograph/go"
)

const (
	// The lowest of rounds: other programs of a busy machine can only add.
	rounds = 100
	calls  = 200
	tables = 15
)

// eachUs is the lowest of the rounds' mean time of one call, in microseconds.
func eachUs(call func() error, before, after func() error) (float64, error) {
	times := make([]float64, 0, rounds)
	for range rounds {
		if err := before(); err != nil {
			return 0, err
		}
		start := time.Now()
		for range calls {
			if err := call(); err != nil {
				return 0, err
			}
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1e3/calls)
		if err := after(); err != nil {
			return 0, err
		}
	}
	return slices.Min(times), nil
}

// onceMs is the lowest time of one call, in milliseconds, garbage of the last one collected before.
func onceMs(call func() error) (float64, error) {
	times := make([]float64, 0, tables)
	for range tables {
		runtime.GC()
		start := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1e6)
	}
	return slices.Min(times), nil
}

func nothing() error { return nil }

type report struct {
	Language  string  `json:"language"`
	Rows      int     `json:"rows"`
	BareUs    float64 `json:"bare_us"`
	InfoUs    float64 `json:"info_us"`
	StepUs    float64 `json:"step_us"`
	ColumnsMs float64 `json:"columns_ms"`
	RecordsMs float64 `json:"records_ms"`
}

func small(ctx context.Context, out *report) (err error) {
	out.BareUs, _ = eachUs(func() error { bare(); return nil }, nothing, nothing)
	ws, err := barograph.Open(ctx, ".", &barograph.OpenOptions{InMemory: true})
	if err != nil {
		return err
	}
	defer ws.Close()
	out.InfoUs, err = eachUs(func() error { _, err := ws.Info(ctx, nil); return err }, nothing, nothing)
	if err != nil {
		return err
	}
	options := &barograph.StepBeginOptions{Args: strings.Repeat("x", 1_000)}
	session, err := ws.Session().Open(ctx, "border", nil)
	if err != nil {
		return err
	}
	for range calls {
		begun, err := session.Begin(ctx, "build", options)
		if err != nil {
			return err
		}
		if _, err := session.Finish(ctx, begun.Token, &barograph.Payload{JSON: json.RawMessage(`"done"`)}, nil); err != nil {
			return err
		}
	}
	if err := session.Close(); err != nil {
		return err
	}
	out.StepUs, err = eachUs(func() error {
		begun, err := session.Begin(ctx, "build", options)
		if err == nil && begun.State != barograph.StepStateDone {
			err = errors.New("a finished step was not answered as done")
		}
		return err
	}, func() (err error) {
		session, err = ws.Session().Open(ctx, "border", &barograph.SessionOpenOptions{Resume: true})
		return err
	}, func() error { return session.Close() })
	return err
}

func bulk(ctx context.Context, repository string, out *report) error {
	ws, err := barograph.Open(ctx, repository, &barograph.OpenOptions{InMemory: true})
	if err != nil {
		return err
	}
	defer ws.Close()
	table, err := ws.Git().Features(ctx, "", nil)
	if err != nil {
		return err
	}
	out.Rows = len(table.Rows)
	out.ColumnsMs, err = onceMs(func() error { _, err := ws.Git().FeaturesColumns(ctx, "", nil); return err })
	if err != nil {
		return err
	}
	out.RecordsMs, err = onceMs(func() error { _, err := ws.Git().Features(ctx, "", nil); return err })
	return err
}

func main() {
	ctx, out := context.Background(), &report{Language: "Go"}
	if err := errors.Join(small(ctx, out), bulk(ctx, os.Args[1], out)); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		log.Fatal(err)
	}
}
