// Steps that survive a kill: run it with `crash`, then again without.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"syscall"

	barograph "github.com/barograph/barograph/go"
)

func main() {
	folder, crash := os.Args[1], len(os.Args) > 2 && os.Args[2] == "crash"
	if err := run(context.Background(), folder, crash); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, folder string, crash bool) error {
	ws, err := barograph.Open(ctx, folder, nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	s, err := ws.Session().Open(ctx, "release-42", &barograph.SessionOpenOptions{Resume: true})
	if err != nil {
		return err
	}
	defer s.Close()
	files, err := barograph.Step(ctx, s, "build", func(context.Context) (int, error) {
		fmt.Println("building")
		return 3, nil
	}, nil)
	if err != nil {
		return err
	}
	_, err = barograph.Step(ctx, s, "publish", func(context.Context) (any, error) {
		if crash {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		fmt.Printf("publishing %d files\n", files)
		return nil, nil
	}, nil)
	if err != nil {
		return err
	}
	done, err := s.Complete(ctx, map[string]int{"files": files}, nil)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d steps\n", done.Status, done.StepsDone)
	return nil
}
