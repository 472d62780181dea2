package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// Random networks of all operators in both semantics: bounds beside a reference in 640 bits for the reals, and beside onnxruntime (optimised
// and not) and the Go engine for float32. SHOAL_NETWORKS=N draws N networks, SHOAL_SEED shifts them, so that processes can share the work;
// SHOAL_KEEP names a folder for what fails.

// spoil changes some weights of a network: other scales, zeros, numbers at either end of the range, ties. Shapes, axes and scales of
// quantised numbers stay.
func spoil(rng *rand.Rand, g *onnxio.Graph) {
	for _, n := range g.Nodes {
		switch n.Op {
		case "Gemm", "Conv", "ConvTranspose", "MatMul", "Mul", "Add", "Sub", "BatchNormalization", "LayerNormalization", "InstanceNormalization":
		default:
			continue
		}
		for i, in := range n.Inputs {
			if in == nil || in.Const == nil || in.Const.DType != onnxio.Float || n.Op == "BatchNormalization" && i == 4 || rng.IntN(3) > 0 {
				continue
			}
			mode, scale := rng.IntN(6), math.Exp2(float64(rng.IntN(41)-20))
			f := in.Const.F32()
			for k, w := range f {
				switch mode {
				case 0:
					w *= float32(scale)
				case 1:
					w *= float32(rng.IntN(2))
				case 2:
					w = float32(math.Round(float64(w)))
				case 3:
					w = f[0]
				case 4:
					if rng.IntN(3) == 0 {
						w = float32(logUniform(rng, -149, -90))
					}
				default:
					if rng.IntN(6) == 0 {
						w = float32(logUniform(rng, 20, 120))
					}
				}
				f[k] = w
			}
		}
	}
}

// mixedTally counts what was compared.
type mixedTally struct {
	networks, rows, finite          map[Semantics]int
	refused, notByORT, points, gaps int
	wrong                           int
	unanswered                      map[string]int
}

// TestRandomNetworksAgainstReferences: see above.
func TestRandomNetworksAgainstReferences(t *testing.T) {
	t.Parallel()
	nets := draws(t, "SHOAL_NETWORKS", 200, 60)
	from := uint64(fromEnv(t, "SHOAL_SEED", 0))
	why := withoutORT(t)
	c := &mixedTally{networks: map[Semantics]int{}, rows: map[Semantics]int{}, finite: map[Semantics]int{}, unanswered: map[string]int{}}
	for seed := from; seed < from+uint64(nets); seed++ {
		g, in, out, rng := drawOf(t, seed, wholeLayers())
		if g == nil {
			continue
		}
		if seed%2 == 1 {
			spoil(rng, g)
		}
		c.network(t, seed, g, in, out, rng)
	}
	t.Logf("%d networks refused, %d not taken by onnxruntime", c.refused, c.notByORT)
	for _, sem := range []Semantics{Real, Float32} {
		t.Logf("%s: %d networks, %d bounds of which %d are finite", sem, c.networks[sem], c.rows[sem], c.finite[sem])
	}
	t.Logf("reference: %d points, of which %d without an answer %v", c.points, c.gaps, c.unanswered)
	if c.wrong > 0 {
		t.Errorf("%d wrong bounds", c.wrong)
	}
	if c.gaps*2 > c.points || c.finite[Real]*2 < c.rows[Real] {
		t.Error("the reference or the bounds answer too rarely to tell anything")
	}
	if why != "" {
		t.Skipf("float32 was compared with the Go engine alone: %s", why)
	}
}

// combination is the sum of a row's coefficients times outputs.
func combination(row []float64, y []*big.Float) *big.Float {
	sum := newBig()
	for k, c := range row {
		if c != 0 {
			sum = bigAdd(sum, bigMul(bigOf(c), y[k]))
		}
	}
	return sum
}

// rowOf32 is a row over an execution's outputs, rounded down; NaN where an output is none, or infinities meet.
func rowOf32(row []float64, y []float32) float64 {
	sum, far := newBig(), 0.0
	for k, c := range row {
		f := float64(y[k])
		switch {
		case c == 0:
		case math.IsNaN(f) || math.IsInf(f, 0):
			far += c * f
		default:
			sum = bigAdd(sum, bigMul(bigOf(c), bigOf(f)))
		}
	}
	if far != 0 { // NaN too
		return far
	}
	r, _ := sum.Float64()
	return r
}

func (c *mixedTally) network(t *testing.T, seed uint64, g *onnxio.Graph, in, out int, rng *rand.Rand) {
	var names []string
	for _, n := range g.Nodes {
		names = append(names, n.Op)
	}
	ref := newBigNet(g) // before anything may change the graph
	box := inFloat32(randomBox(rng, in))
	if rng.IntN(3) == 0 {
		box = boxAround(rng, hardPoint(rng, in, 0), 0)
	}
	rows := make([][]float64, 4)
	for i := range rows {
		rows[i] = make([]float64, out)
		if i < 2 {
			rows[i][rng.IntN(out)] = float64(1 - 2*i)
			continue
		}
		for k := range rows[i] {
			rows[i][k] = rng.NormFloat64()
		}
	}
	fail := func(format string, args ...any) {
		what := fmt.Sprintf("seed %d: ", seed) + fmt.Sprintf(format, args...) + fmt.Sprintf("\nopset %d, %v, box %.9g", g.Nodes[0].Opset, names, box)
		if c.wrong++; c.wrong <= 20 {
			t.Error(what)
			keep(t, fmt.Sprintf("network_%d", seed), g, box, what)
		}
	}
	runs, noORT := executions(t, g)
	for _, e := range runs {
		defer e.close()
	}
	if noORT != nil {
		c.notByORT++
	}
	methods := []Method{[]Method{Interval, Symbolic, FastLin, Alpha}[rng.IntN(4)], DeepPoly}
	plain := rng.IntN(4) == 0
	for _, sem := range []Semantics{Real, Float32} {
		v, err := Open(context.Background(), &onnxio.Model{Graph: g}, Options{Method: DeepPoly, Semantics: sem, Threads: 1, Plain: plain})
		if err != nil {
			var no *onnxio.UnsupportedError
			if !errors.As(err, &no) {
				fail("%v", err)
			}
			c.refused++
			return
		}
		defer v.Close()
		p := newPrey(t, runner(t, g, sem == Real), box, rows)
		for _, x := range samplePoints(rng, box, 12) {
			p.try(x, -1)
		}
		corners := make([][]float64, len(rows))
		var trace bound.Trace
		if b, err := v.bound(context.Background(), v.o, DeepPoly, box); err == nil {
			if _, err := b.Lower(rows, make([]int32, len(rows)), &trace); err == nil {
				for i := range rows {
					corners[i] = trace.Corner(i, box)
					p.try(corners[i], -1)
				}
			}
			b.Close()
		}
		p.search(rng, 12)
		var points [][]float64
		for _, x := range append(slices.Clone(p.at), corners[rng.IntN(len(corners))], box.Lower) {
			if x != nil && !slices.ContainsFunc(points, func(y []float64) bool { return slices.Equal(x, y) }) {
				points = append(points, x)
			}
		}
		least := make([]float64, len(rows)) // by row; what it is off by added for the reals
		at, by := make([][]float64, len(rows)), make([]string, len(rows))
		for r := range least {
			least[r] = math.Inf(1)
		}
		note := func(r int, y float64, x []float64, name string) {
			if y < least[r] || math.IsNaN(y) {
				least[r], at[r], by[r] = y, x, name
			}
		}
		if sem == Real {
			for _, x := range points {
				c.points++
				y, why := ref.run(x)
				if y == nil {
					c.gaps++
					c.unanswered[why]++
					continue
				}
				for r, row := range rows {
					size := 0.0
					for _, k := range row {
						size += math.Abs(k)
					}
					sum := bigAdd(combination(row, y), bigMul(bigOf(size), ref.sure()))
					f, acc := sum.Float64()
					if acc == big.Below { // the bound is a float64: of the value it may be the one above
						f = math.Nextafter(f, math.Inf(1))
					}
					note(r, f, x, "the reference")
				}
			}
		} else {
			number := runner64(t, g)
			for _, x := range points {
				x32 := make([]float32, len(x))
				for i, f := range x {
					x32[i] = float32(f)
				}
				if slices.ContainsFunc(number(x32), math.IsNaN) {
					continue // the standard gives no number here
				}
				for _, e := range runs {
					if e.flushes && hasSubnormal(x32) {
						continue
					}
					y, err := e.run(x32)
					if err != nil {
						fail("%s: %v", e.name, err)
						return
					}
					for r, row := range rows {
						note(r, rowOf32(row, y), x, e.name)
					}
				}
			}
		}
		c.networks[sem]++
		for _, m := range methods {
			v.o.Method = m
			res, err := v.Bounds(context.Background(), box, rows, false)
			var wide *bound.TooWideError
			if errors.As(err, &wide) {
				continue
			}
			if err != nil {
				var no *onnxio.UnsupportedError
				if !errors.As(err, &no) {
					fail("%s, %s: %v", sem, m, err)
				}
				c.refused++
				return
			}
			for r, low := range res.Lower {
				c.rows[sem]++
				if !math.IsInf(low, 0) {
					c.finite[sem]++
				}
				if math.IsNaN(low) || least[r] < low || math.IsNaN(least[r]) && !math.IsInf(low, -1) {
					fail("%s, %s, plain %v: row %d is %.17g at %v (%s), the bound is %.17g", sem, m, plain, r, least[r], at[r], by[r], low)
				}
			}
		}
	}
}

// TestReferenceAgreesWithTheEngine: the reference has every operator that is drawn, and float64 evaluation is near to it. Where both err
// the same way nothing is seen; the reference is written from the standard's text alone.
func TestReferenceAgreesWithTheEngine(t *testing.T) {
	apart := map[string]int{}
	compared := 0
	for seed := range uint64(mixedNets) {
		g, in, _, rng := drawOf(t, seed, wholeLayers())
		if g == nil {
			continue
		}
		ref := newBigNet(g)
		run := runner(t, g, true)
		for _, x := range samplePoints(rng, randomBox(rng, in), 2) {
			want, why := ref.run(x)
			if want == nil {
				t.Logf("seed %d: %s", seed, why)
				continue
			}
			compared++
			for k, y := range run(x) {
				w, _ := want[k].Float64()
				if d := math.Abs(y - w); d > 1e-9*max(1, math.Abs(w)) {
					var names []string
					for _, n := range g.Nodes {
						names = append(names, n.Op)
					}
					apart[fmt.Sprintf("%v, seed %d: %v beside %v", names, seed, y, w)]++
					break
				}
			}
		}
	}
	// Steps (Round, Floor, comparisons) may fall to either side where float64 rounds onto them.
	var list []string
	for s := range apart {
		list = append(list, s)
	}
	sort.Strings(list)
	t.Logf("%d points compared", compared)
	if len(list) > compared/100 || compared < mixedNets {
		t.Errorf("%d of %d points differ:\n%s", len(list), compared, strings.Join(list, "\n"))
	}
}
