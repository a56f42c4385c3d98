// Sessions is Barograph in Go: `sessions FOLDER`, started by run.py.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/barograph/barograph/go"
)

func nothing(context.Context) (any, error) { return nil, nil }

func steps(ctx context.Context, session *barograph.Session, count int, policy barograph.StepPolicy) (float64, error) {
	start := time.Now()
	for range count {
		if _, err := barograph.Step(ctx, session, "noop", nothing, &barograph.StepOptions{Policy: policy}); err != nil {
			return 0, err
		}
	}
	return time.Since(start).Seconds(), nil
}

func serve(folder string) error {
	ctx := context.Background()
	ws, err := barograph.Open(ctx, folder, &barograph.OpenOptions{Store: filepath.Join(folder, "barograph.db")})
	if err != nil {
		return err
	}
	defer ws.Close()
	session, err := ws.Session().Open(ctx, "go", &barograph.SessionOpenOptions{Resume: true})
	if err != nil {
		return err
	}
	defer session.Close()
	policies := map[string]barograph.StepPolicy{"steps": barograph.StepPolicyRetry, "once": barograph.StepPolicyOnce}
	fmt.Println(`{"ready": true}`)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())
		policy, known := policies[words[0]]
		if !known {
			return fmt.Errorf("cannot %q", words[0])
		}
		count, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		seconds, err := steps(ctx, session, count, policy)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(map[string]float64{"seconds": seconds}); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if err := serve(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
