package bound

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
)

// drawCut is a row that has come down to n inputs, all of them or a window, and a cut of their box. Coefficients may be 0, of many sizes or of one,
// and those of both alike or not; some inputs do not vary; the cut takes most of the box away, or little.
func drawCut(rng *rand.Rand, n int) (*rowsRun, *storedCut) {
	order := affine.Flat(n)
	in := &value{kind: kindInput, n: n, order: order}
	s := state{lo: make([]float64, n), up: make([]float64, n), mag: make([]float64, n)}
	row, c := make([]float64, n), &storedCut{coef: [][]float64{make([]float64, n)}}
	spread, alike, rare := 3*rng.Float64(), rng.NormFloat64(), rng.IntN(4) == 0
	least, most := 0.0, 0.0
	for i := range n {
		s.lo[i] = rng.NormFloat64()
		s.up[i] = s.lo[i]
		if rng.IntN(8) > 0 {
			s.up[i] += math.Abs(rng.NormFloat64()) * math.Pow(10, -spread*rng.Float64())
		}
		s.mag[i] = max(math.Abs(s.lo[i]), math.Abs(s.up[i]))
		g := rng.NormFloat64() * math.Pow(10, -spread*rng.Float64())
		if rare && rng.IntN(10) > 0 {
			g = 0
		}
		row[i] = (rng.NormFloat64() + alike*g) * math.Pow(10, -spread*rng.Float64())
		if rng.IntN(10) == 0 {
			row[i] = 0
		}
		c.coef[0][i] = g
		least += min(g*s.lo[i], g*s.up[i])
		most += max(g*s.lo[i], g*s.up[i])
	}
	c.most = least + (most-least)*(0.05+0.7*rng.Float64())
	cuts := []storedCut{*c}
	over(cuts, [][]float64{s.lo}, [][]float64{s.up})
	c = &cuts[0]
	p := &pass{net: &Network{values: []*value{in}, inputs: []int{0}, nIn: n}, n: 1, st: []*state{&s}}
	run := &rowsRun{p: p, own: []int32{0}, pend: make([]*affine.Rows, 1), c: []float64{rng.NormFloat64()}, e: make([]float64, 1), w: new(affine.Work)}
	run.pend[0] = &affine.Rows{N: 1, H: 1, W: n, C: 1, Full: affine.Geom{H: 1, W: n, C: 1}, Data: row}
	if rng.IntN(2) == 0 {
		wide := 1 + rng.IntN(n)
		from := rng.IntN(n) - rng.IntN(wide) // it may stick out
		window := make([]float64, wide)
		for i := range window {
			if j := from + i; j >= 0 && j < n {
				window[i] = row[j]
			}
		}
		run.pend[0].W, run.pend[0].X, run.pend[0].Y, run.pend[0].Data = wide, []int32{int32(from)}, []int32{0}, window
	}
	return run, c
}

// row is the row over all inputs.
func (t *rowsRun) row() []float64 {
	r := t.pend[0]
	out := make([]float64, r.Full.Len())
	r.Run(0, func(off, at, n int) { copy(out[at:at+n], r.Row(0)[off:off+n]) })
	return out
}

// with is what the row is at least over the box, with a multiple of the cut.
func (t *rowsRun) with(c *storedCut, by float64) float64 {
	s := t.state(0, 0)
	row := t.row()
	kernel.Axpy(by, c.coef[0], row)
	sum := -by * c.most
	for i, x := range row {
		sum += min(x*s.lo[i], x*s.up[i])
	}
	return sum
}

// TestNearlyTheBestMultiple compares what the multiple of many inputs gains with what the best one does, found among all breakpoints.
func TestNearlyTheBestMultiple(t *testing.T) {
	const share = 0.98 // of the gain
	rng := rand.New(rand.NewPCG(15, 1))
	gained, least := 0, 1.0
	for range 3000 {
		run, c := drawCut(rng, manyInputs+rng.IntN(200))
		var m, whole meeting
		run.meets(0, c, &m)
		whole.begin(c)
		whole.add(run.row(), 0, 0)
		best, none := run.with(c, whole.best()), run.with(c, 0)
		near := run.with(c, m.multiple())
		if best-none <= 1e-9*math.Abs(none) {
			continue
		}
		gained++
		got := (near - none) / (best - none)
		least = min(least, got)
		if got < share {
			t.Errorf("a multiple gains %v of what the best one does", got)
		}
	}
	t.Logf("at least %v of the gain, of %d", least, gained)
	if gained < 1000 {
		t.Errorf("only %d cuts gain anything", gained)
	}
}

// TestACutRowIsUnderTheRow compares both in exact arithmetic at points of the box that lie on the cut's border, where nothing but the error is
// between them.
func TestACutRowIsUnderTheRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 2))
	used := 0
	for range 3000 {
		run, c := drawCut(rng, 2+rng.IntN(120))
		s := run.state(0, 0)
		x := make([]float64, len(s.lo))
		for i := range x {
			x[i] = []float64{s.lo[i], s.up[i], s.lo[i] + rng.Float64()*(s.up[i]-s.lo[i])}[rng.IntN(3)]
			x[i] = min(max(x[i], s.lo[i]), s.up[i])
		}
		at := func(row []float64, more ...float64) *big.Rat {
			terms := [][]float64{more}
			for i, a := range row {
				terms = append(terms, []float64{a, x[i]})
			}
			return exactly(terms...)
		}
		border := at(c.coef[0], 0)
		c.most, _ = border.Float64()
		if new(big.Rat).SetFloat64(c.most).Cmp(border) < 0 {
			c.most = math.Nextafter(c.most, math.Inf(1))
		}
		var m meeting
		run.meets(0, c, &m)
		by := m.multiple()
		run.widen()
		if by == 0 || rng.IntN(4) == 0 {
			by = math.Abs(rng.NormFloat64()) * math.Pow(10, 4*rng.Float64()-2)
		} else {
			used++
		}
		row := at(run.pend[0].Row(0), run.c[0])
		run.addCut(0, c, by)
		low := at(run.pend[0].Row(0), run.c[0])
		if low.Sub(low, new(big.Rat).SetFloat64(run.e[0])).Cmp(row) > 0 {
			t.Fatalf("a cut of %d inputs, %v times: the row is %v above what it stood for", len(x), by, low.Sub(low, row).FloatString(24))
		}
	}
	t.Logf("%d multiples were found", used)
	if used < 500 {
		t.Error("too few: the test shows little")
	}
}
