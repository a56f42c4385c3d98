package shape

import (
	"fmt"
	str "strings"
	. "math"
	_ "embed"
)

const Max, min = 3, 1

var (
	Default = New()
	hidden  int
)

type Shape struct {
	Base
	*io.Reader
	Size, depth int
	next        *Shape
}
type Area interface {
	fmt.Stringer
	Area(scale float64) (out Result)
}
type Kind int
type Alias = pkg.Other
type List[T any] struct{ items []T }

func New() *Shape { local := make([]int, 0); var other int; return helper(&Shape{}, local, other) }
func (s *Shape) Draw(w io.Writer) { fmt.Fprintln(w, s.area().value()); func() { var x = 1; _ = x }() }
func (l List[T]) push(t T)        {}
