package op

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Execution says what a float32 execution of an operator may be off, and whether one may leave float32's range: all that
// float32 verdicts rest on beside the bounds of the real function. Its parts cannot be read one by one, so that none can be
// forgotten: Errors gives the sum of all. The zero value says that nothing is known; questions under float32 semantics are then refused.
//
// Made by Exact, Within, Sums and Unknown; Limited and Depending add to one.
type Execution struct {
	source    string
	known     bool
	sums      bool    // the value is affine: sums of products, whose rounding follows from the maps
	roundings int     // of a sum: roundings of one product beyond those of the sum itself
	growth    float64 // of a sum: how many times sum |a||x| + |b| an intermediate may reach
	ulps, abs float64 // of the result
	uneven    bool    // the error depends on the operator's boxes, and is of the first output alone
	more      []func(in []relax.Box, err []float64)
}

// Exact is the execution of an operator that rounds nothing: moves, comparisons, extremes.
func Exact(source string) Execution { return Execution{source: source, known: true, growth: 1} }

// Within is one whose result is off by at most ulps units in the last place and an absolute error beside. The result leaves float32's
// range only where the real function does, or its bounds nearly do.
func Within(ulps, abs float64, source string) Execution {
	return Execution{source: source, known: true, growth: 1, ulps: ulps, abs: abs}
}

// Sums is one of an affine operator: sums of products in any order, each product with that many roundings more than its own. An
// intermediate result is at most growth times the sum of the products' magnitudes (n, where a mean of n is divided last).
func Sums(roundings int, growth float64, source string) Execution {
	return Execution{source: source, known: true, sums: true, roundings: roundings, growth: max(1, growth)}
}

// Depending adds an error per output element that depends on the boxes of the node's inputs, as the execution itself computed them:
// f adds to err, +Inf where the execution may leave float32's range or where nothing is known. It holds for the first output.
func (e Execution) Depending(f func(in []relax.Box, err []float64)) Execution {
	e.uneven = true
	e.more = append(slices.Clone(e.more), f)
	return e
}

// Known tells whether anything is known.
func (e Execution) Known() bool { return e.known }

// Moves tells whether the execution changes nothing at all.
func (e Execution) Moves() bool {
	return e.known && !e.sums && e.ulps == 0 && e.abs == 0 && len(e.more) == 0
}

// Plain tells whether the execution's error follows from the maps of an affine operator alone.
func (e Execution) Plain() bool {
	return e.known && e.ulps == 0 && e.abs == 0 && len(e.more) == 0
}

// Source names where the figures come from.
func (e Execution) Source() string { return e.source }

// Roundings is what the products of an affine operator round beyond their sum.
func (e Execution) Roundings() int { return e.roundings }

// Growth is how many times the sum of its products' magnitudes an intermediate of an affine operator may reach.
func (e Execution) Growth() float64 { return e.growth }

// Then is the execution of two affine operators that are computed as one.
func (e Execution) Then(f Execution) Execution {
	e.known = e.known && f.known
	e.sums = e.sums || f.sums
	e.roundings += f.roundings
	e.growth *= f.growth
	return e
}

// Other is what is known of an output behind the first.
func (e Execution) Other() Execution {
	if e.uneven {
		return Execution{}
	}
	return e
}

// Errors adds to err, per output element, what an execution may be off the real function of the inputs that it is given, without
// what follows from an affine operator's maps: +Inf where the result may leave float32's range, or nothing is known. in are the
// boxes of the node's inputs, out the box of the real function over them; err has the output's length, in out's order.
// Depending's functions are given boxes in the standard's order, and their errors are in that order: reorder brings them to out's.
func (e Execution) Errors(in []relax.Box, out relax.Box, err []float64, reorder func(dst, src []float64)) {
	for i := range err {
		x := (2*sound.Unit32*e.ulps*out.Magnitude(i) + e.abs + sound.Flush) * (1 + 0x1p-20)
		if !e.known || math.IsNaN(x) {
			x = math.Inf(1)
		}
		err[i] += x
	}
	if len(e.more) == 0 {
		return
	}
	buf := make([]float64, 2*len(err))
	sum, own := buf[:len(err)], buf[len(err):]
	for _, f := range e.more {
		f(in, sum)
	}
	reorder(own, sum)
	for i, x := range own {
		x *= 1 + 0x1p-20
		if math.IsNaN(x) {
			x = math.Inf(1)
		}
		err[i] += x
	}
}

// EachIn tells whether Errors wants the boxes of the node's inputs.
func (e Execution) EachIn() bool { return len(e.more) > 0 }
