// How risky is the last change of a repository, and why?
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	barograph "github.com/barograph/barograph/go"
)

func main() {
	ctx := context.Background()
	ws, err := barograph.Open(ctx, os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.Close()
	risk, err := ws.Risk().Change(ctx, "HEAD~1..HEAD", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d files, +%d -%d lines\n", risk.Change.Files, risk.Change.Added, risk.Change.Deleted)
	fmt.Printf("riskier than %.0f %% of the changes before it: %s\n", risk.Score, risk.Level)
	for _, reason := range risk.Reasons[:min(3, len(risk.Reasons))] {
		fmt.Printf("  %+.2f %s\n", reason.Contribution, reason.Sentence)
	}
	for _, file := range risk.Files[:min(3, len(risk.Files))] {
		fmt.Printf("  %.0f %% of it: %s\n", 100*file.Share, file.Path)
	}
}
