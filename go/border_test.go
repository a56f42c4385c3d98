package barograph

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/barograph/barograph/go/internal/ffi"
)

// What the border costs: run with go test -run - -bench . -benchmem, the library built by
// go/dev.sh dist. The difference of two neighbours is the cost of what the second one adds.

func BenchmarkCgo(b *testing.B) {
	for b.Loop() {
		ffi.Cancel(1 << 60)
	}
}

func BenchmarkInfoThroughTheDoorAlone(b *testing.B) {
	number := memory(b).handle.number
	for b.Loop() {
		answer, _ := ffi.Call(number, "workspace.info", []byte("{}"), ffi.NoToken)
		answer.Free()
	}
}

func BenchmarkInfo(b *testing.B) {
	ws, ctx := memory(b), context.Background()
	for b.Loop() {
		if _, err := ws.Info(ctx, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInfoWithContextThatCanEnd(b *testing.B) {
	ws := memory(b)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for b.Loop() {
		if _, err := ws.Info(ctx, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// rows is the JSON of a table as the library writes it.
func rows(count int) []byte {
	table := FeatureTable{Rows: make([]FeatureRow, count)}
	for i := range table.Rows {
		n := int64(i)
		table.Rows[i] = FeatureRow{
			Order: n, SHA: fmt.Sprintf("%040x", i*7919), Author: fmt.Sprintf("%012x", i%97), Time: 1_500_000_000 + n*977,
			Ns: 1 + n%3, Nd: 1 + n%7, Nf: 1 + n%19, Entropy: float64(n%19) / 7, La: n % 977, Ld: n % 331, LtSum: n % 7919,
			Lt: float64(n%7919) / 3, Fix: n % 2, Ndev: n % 23, Age: float64(n) / 9.7, Nuc: n % 499, NucLast: n % 17, Exp: n % 3001,
			Rexp: float64(n) / 3.3, Sexp: n % 1501, NdevMean: float64(n%23) / 3, NucMean: float64(n%499) / 7,
		}
	}
	text, _ := json.Marshal(table)
	return text
}

func BenchmarkReadTenThousandRows(b *testing.B) {
	text := rows(10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r := reader{data: text}
		var table FeatureTable
		table.read(&r)
		if r.err != nil || len(table.Rows) != 10_000 {
			b.Fatal(r.err)
		}
	}
}

func BenchmarkReadTenThousandRowsByEncodingJSON(b *testing.B) {
	text := rows(10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var table FeatureTable
		if err := json.Unmarshal(text, &table); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOneKilobyteInAndOut(b *testing.B) {
	answer := rows(2)
	args := &sessionBeginArgs{Name: "build", StepBeginOptions: &StepBeginOptions{Args: string(answer)}}
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		if _, err := json.Marshal(args); err != nil {
			b.Fatal(err)
		}
		r := reader{data: answer}
		new(FeatureTable).read(&r)
	}
}
