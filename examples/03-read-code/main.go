// Where is a repository complex, where does it change, and which commits had to be fixed?
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sort"

	barograph "github.com/barograph/barograph/go"
)

func main() {
	ctx := context.Background()
	ws, err := barograph.Open(ctx, os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.Close()

	metrics, err := ws.Code().Metrics(ctx, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	type place struct {
		path string
		barograph.FunctionMetrics
	}
	var functions []place
	for _, file := range metrics.Files {
		for _, function := range file.Functions {
			functions = append(functions, place{file.Path, function})
		}
	}
	fmt.Printf("%d files, %d functions\n", len(metrics.Files), len(functions))
	// Files and their functions come in order; among equals it is kept.
	sort.SliceStable(functions, func(a, b int) bool { return functions[a].Cognitive > functions[b].Cognitive })
	for _, function := range functions[:min(3, len(functions))] {
		fmt.Printf("  cognitive complexity %d: %s (%s:%d)\n",
			function.Cognitive, function.Qualified, function.path, function.Line)
	}

	hotspots, err := ws.Git().Hotspots(ctx, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("complex, and often changed:")
	for _, spot := range hotspots.Files[:min(3, len(hotspots.Files))] {
		fmt.Printf("  %.2f %s: %d commits, %s\n", spot.Score, spot.Path, spot.Commits, spot.Trend)
	}

	fixed, err := ws.Git().Szz(ctx, "", nil)
	if err != nil {
		log.Fatal(err)
	}
	inducing := map[string]bool{}
	for _, row := range fixed.Rows {
		inducing[row.Inducing] = true
	}
	fmt.Printf("%d fixes lead back to %d commits\n", fixed.Fixes, len(inducing))
}
