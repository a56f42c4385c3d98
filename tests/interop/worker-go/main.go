// Runs the steps of a session; see run.py for what is asked of it.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"time"

	barograph "github.com/barograph/barograph/go"
)

type result struct {
	Step int     `json:"step"`
	Half float64 `json:"half"`
	Text string  `json:"text"`
}

func main() {
	steps, _ := strconv.Atoi(os.Args[3])
	stop, _ := strconv.Atoi(os.Args[4])
	if err := run(context.Background(), os.Args[1], os.Args[2], steps, stop); err != nil {
		log.Fatal(err)
	}
}

func work(folder string, number, stop int) (result, error) {
	file, err := os.OpenFile(filepath.Join(folder, "effects"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return result{}, err
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, "%d go\n", number); err != nil {
		return result{}, err
	}
	if number == stop {
		fmt.Println("waiting")
		time.Sleep(10 * time.Minute)
	}
	return result{number, float64(number) / 2, fmt.Sprintf("é%d", number)}, nil
}

func run(ctx context.Context, store, session string, steps, stop int) error {
	folder := filepath.Dir(store)
	ws, err := barograph.Open(ctx, folder, &barograph.OpenOptions{Store: store})
	if err != nil {
		return err
	}
	defer ws.Close()
	s, err := ws.Session().Open(ctx, session, &barograph.SessionOpenOptions{Resume: true})
	if err != nil {
		return err
	}
	defer s.Close()
	total := 0
	for number := range steps {
		args := map[string]any{"b": number, "a": []any{number, "é"}}
		got, err := barograph.Step(ctx, s, fmt.Sprintf("step-%d", number), func(context.Context) (result, error) {
			return work(folder, number, stop)
		}, &barograph.StepOptions{Args: args})
		if err != nil {
			return err
		}
		if want := (result{number, float64(number) / 2, fmt.Sprintf("é%d", number)}); got != want {
			return fmt.Errorf("step %d: %v instead of %v", number, got, want)
		}
		total += got.Step
	}
	blob, err := barograph.Step(ctx, s, "bytes", func(context.Context) ([]byte, error) {
		return []byte{0, 1, 254, 255}, nil
	}, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(blob, []byte{0, 1, 254, 255}) {
		return fmt.Errorf("bytes: %v", blob)
	}
	_, err = s.Complete(ctx, map[string]int{"total": total}, nil)
	return err
}
