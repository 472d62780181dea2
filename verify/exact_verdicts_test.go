package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// Verdicts of random properties beside exact enumeration: small piecewise linear networks of one to three inputs, thresholds next to exact
// extremes, and a falsifier that knows where these are. SHOAL_EXACT=N decides N properties; SHOAL_SEED shifts the networks.

// tinyShares are by what share of itself a threshold lies beside an extreme.
var tinyShares = []int{8, 16, 23, 24, 25, 30, 40, 50, 52, 53, 54, 60, 100}

// beside is a number at or very near to r.
func beside(rng *rand.Rand, r *big.Rat) *big.Rat {
	d := new(big.Rat)
	switch rng.IntN(5) {
	case 0:
		return r
	case 1, 2:
		d.SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(tinyShares[rng.IntN(len(tinyShares))])))
		d.Mul(d, r)
	case 3:
		d.SetFloat64(logUniform(rng, -1074, -20))
	default:
		d.SetFloat64(logUniform(rng, -20, 3))
	}
	if rng.IntN(2) == 0 {
		d.Neg(d)
	}
	return d.Add(d, r)
}

// coefficient is a factor of an output: a small whole number, a decimal, a third, or one at either end of float64's range.
func coefficient(rng *rand.Rand) *big.Rat {
	var r *big.Rat
	switch rng.IntN(12) {
	case 10: // below float64's normal numbers, or between its least ones
		r = new(big.Rat).SetFrac(big.NewInt(1+rng.Int64N(99)), new(big.Int).Exp(big.NewInt(10), big.NewInt(300+rng.Int64N(40)), nil))
	case 11: // at the end of its range, or beyond
		r = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(290+rng.Int64N(30)), nil))
	case 0, 1, 2, 3:
		r = big.NewRat(1, 1)
	case 4, 5:
		r = big.NewRat(1+rng.Int64N(9), 1)
	case 6:
		r = big.NewRat(1+rng.Int64N(999), 100)
	case 7:
		r = big.NewRat(1+rng.Int64N(9), 3)
	case 8:
		r = new(big.Rat).SetFloat64(math.Abs(logUniform(rng, -1074, -900)))
	default:
		r = new(big.Rat).SetFloat64(math.Abs(logUniform(rng, -60, 900)))
	}
	if rng.IntN(2) == 0 {
		r.Neg(r)
	}
	return r
}

// edge is an end of an input's range.
func edge(rng *rand.Rand) *big.Rat {
	switch rng.IntN(10) {
	case 9:
		if rng.IntN(6) == 0 { // no float32 there
			return new(big.Rat).SetFloat64(logUniform(rng, -1074, 1000))
		}
	case 0:
		return big.NewRat(rng.Int64N(41)-20, 10) // a decimal that no float32 is
	case 1:
		return big.NewRat(rng.Int64N(9)-4, 1)
	case 2:
		return new(big.Rat).SetFloat64(float64(float32(logUniform(rng, -149, -100))))
	case 3:
		return new(big.Rat).SetFloat64(float64(float32(logUniform(rng, 20, 100))))
	case 4:
		return new(big.Rat).SetFloat64(rng.NormFloat64())
	case 5:
		return new(big.Rat).SetFrac64(rng.Int64N(2000001)-1000000, 1000003)
	}
	return new(big.Rat).SetFloat64(float64(float32(rng.NormFloat64())))
}

// inputEnds are lower and upper ends of a box: wide, narrow, or a point.
func inputEnds(rng *rand.Rand, n int) (lower, upper []*big.Rat) {
	for range n {
		a, b := edge(rng), edge(rng)
		switch rng.IntN(6) {
		case 0:
			b = a
		case 1:
			b = beside(rng, a)
		}
		if a.Cmp(b) > 0 {
			a, b = b, a
		}
		lower, upper = append(lower, a), append(upper, b)
	}
	return lower, upper
}

// inside are ends of a box within another.
func inside(rng *rand.Rand, lower, upper []*big.Rat) (lo, up []*big.Rat) {
	for i, l := range lower {
		place := func() *big.Rat {
			w := new(big.Rat).Sub(upper[i], l)
			return w.Add(w.Mul(w, big.NewRat(rng.Int64N(11), 10)), l)
		}
		a, b := place(), place()
		if a.Cmp(b) > 0 {
			a, b = b, a
		}
		lo, up = append(lo, a), append(up, b)
	}
	return lo, up
}

// exactCase is a case with the parts of the network's regions that lie in its box.
type exactCase struct {
	vnnlib.Case
	parts []region
}

// constraint draws a linear condition on outputs whose bound lies beside the least, the largest or another value over the parts. It also
// gives the point where the left side is least.
func constraint(rng *rand.Rand, out int, parts []region) (vnnlib.Atom, []*big.Rat) {
	var a vnnlib.Atom
	if out > 1 && rng.IntN(3) == 0 { // a comparison of two outputs
		i := rng.IntN(out)
		k := (i + 1 + rng.IntN(out-1)) % out
		a.Index, a.Coef = []int{min(i, k), max(i, k)}, []*big.Rat{big.NewRat(1, 1), big.NewRat(-1, 1)}
		if rng.IntN(2) == 0 {
			a.Coef[0], a.Coef[1] = a.Coef[1], a.Coef[0]
		}
	} else {
		for i := range out {
			if i == 0 || rng.IntN(2) == 0 {
				a.Index, a.Coef = append(a.Index, i), append(a.Coef, coefficient(rng))
			}
		}
	}
	var least, most *big.Rat
	var at []*big.Rat
	for _, r := range parts {
		for _, p := range r {
			sum, t := new(big.Rat), new(big.Rat)
			for k, i := range a.Index {
				sum.Add(sum, t.Mul(a.Coef[k], p.cur[i]))
			}
			if least == nil || sum.Cmp(least) < 0 {
				least, at = sum, p.x
			}
			if most == nil || sum.Cmp(most) > 0 {
				most = sum
			}
		}
	}
	switch rng.IntN(6) {
	case 0:
		a.Bound = beside(rng, most)
	case 1:
		a.Bound = new(big.Rat).Add(least, most)
		a.Bound.Mul(a.Bound, big.NewRat(1, 2))
	default:
		a.Bound = beside(rng, least)
	}
	a.Strict = rng.IntN(2) == 0
	return a, at
}

// knowing is a falsifier that was told where the left sides are least.
type knowing struct{ points [][]float64 }

func (k *knowing) Falsify(context.Context, Box, [][]Constraint) ([][]float64, error) {
	return k.points, nil
}

// floats rounds exact numbers.
func floats(x []*big.Rat) []float64 {
	out := make([]float64, len(x))
	for i, r := range x {
		out[i], _ = r.Float64()
	}
	return out
}

// tally counts verdicts beside the truth.
type tally struct {
	nets, given, properties int
	verdicts                map[string]int
}

// judge compares a verdict with the exact answer; it returns what is wrong, or "".
func (e *exactNet) judge(sem Semantics, cases []exactCase, sat bool, r Result) string {
	switch r.Verdict {
	case Verified:
		if sat {
			return "verified, and a counterexample exists"
		}
	case Falsified:
		c := r.Counterexample
		if c == nil {
			return "falsified without a counterexample"
		}
		if refutes(r) == Real && !sat {
			return "falsified over the reals, and no counterexample exists"
		}
		if c.Nearest {
			return ""
		}
		x := make([]*big.Rat, len(c.Inputs))
		for i, f := range c.Inputs {
			x[i] = new(big.Rat).SetFloat64(float64(f))
		}
		return e.replay(x, c, cases, refutes(r))
	}
	return ""
}

// replay checks a counterexample: it lies in the box of a case whose conditions its outputs meet; over the reals the exact outputs do.
func (e *exactNet) replay(x []*big.Rat, c *Counterexample, cases []exactCase, sem Semantics) string {
	y, err := e.v.Predict(context.Background(), c.Inputs)
	if err != nil {
		return err.Error()
	}
	numbers := true
	for _, f := range wide(y) {
		numbers = numbers && !math.IsInf(f, 0) && !math.IsNaN(f)
	}
	if numbers && !slices.Equal(y, c.Outputs) {
		return fmt.Sprintf("the counterexample's outputs are %v, running it gives %v", c.Outputs, y)
	}
	point := region{spot{x: x, cur: x}}
	inBox := false
	for _, k := range cases {
		if point.within(k.Lower, k.Upper) == nil {
			continue
		}
		inBox = true
		if sem == Real {
			rs, ok := e.net.regions(x, x)
			if !ok {
				return ""
			}
			if _, met := rs[0].meets(atoms(k.Atoms)); met {
				return ""
			}
			continue
		}
		if metBy(k.Atoms, wide(y), false) {
			return ""
		}
	}
	if !inBox {
		return fmt.Sprintf("the counterexample %v lies in no case's box", c.Inputs)
	}
	return fmt.Sprintf("the counterexample %v with outputs %v meets no case (%s)", c.Inputs, y, sem)
}

func atoms(as []vnnlib.Atom) []Constraint {
	var out []Constraint
	for _, a := range as {
		out = append(out, Constraint{Index: a.Index, Coef: a.Coef, Bound: a.Bound, Strict: a.Strict})
	}
	return out
}

// refutes is the semantics in which a falsified property is refuted.
func refutes(r Result) Semantics { return r.FalsifiedIn }

// exactNet is a network under test, opened once for each of some options.
type exactNet struct {
	net *plNet
	g   *onnxio.Graph
	v   *Verifier
}

// TestVerdictsAgainstExactEnumeration: see above. Over the reals, verified means that the exact network has no counterexample, and falsified that
// it has the one reported. Under float32, verified means the same (the reals are among what it covers), and that the Go engine and onnxruntime
// give none at the float32s nearest to the exact extremes; falsified that running the reported one gives what is reported.
func TestVerdictsAgainstExactEnumeration(t *testing.T) {
	t.Parallel()
	want := draws(t, "SHOAL_EXACT", 10000, 2000)
	from := uint64(fromEnv(t, "SHOAL_SEED", 0))
	const shards = 2
	var parts [shards]tally
	var wrong [shards]int
	t.Run("shards", func(t *testing.T) {
		for k := range shards {
			t.Run(strconv.Itoa(k), func(t *testing.T) {
				t.Parallel()
				tl, shown := &parts[k], map[bool]int{} // false verifications are shown beside the false counterexamples, which may be many
				tl.verdicts = map[string]int{}
				for seed := from + uint64(k); tl.properties*shards < want; seed += shards {
					for _, what := range tl.network(t, seed) {
						kind := strings.Contains(what, ": verified, ")
						wrong[k]++
						if shown[kind]++; shown[kind] <= 10 {
							t.Error(what)
						}
					}
				}
			})
		}
	})
	tl := &tally{verdicts: map[string]int{}}
	wrongs := 0
	for k, p := range parts {
		tl.nets, tl.given, tl.properties = tl.nets+p.nets, tl.given+p.given, tl.properties+p.properties
		for v, n := range p.verdicts {
			tl.verdicts[v] += n
		}
		wrongs += wrong[k]
	}
	t.Logf("%d networks (%d given up for size), %d properties, %d wrong verdicts", tl.nets, tl.given, tl.properties, wrongs)
	decided := 0
	for _, sem := range []Semantics{Real, Float32} {
		for _, v := range []Verdict{Verified, Falsified, Unknown} {
			holds, fails := tl.verdicts[fmt.Sprint(sem, v, false)], tl.verdicts[fmt.Sprint(sem, v, true)]
			t.Logf("%s: %s %d times where the property holds over the reals, %d times where it does not", sem, v, holds, fails)
			if v != Unknown {
				decided += holds + fails
			}
		}
	}
	if wrongs == 0 && decided < tl.properties/2 {
		t.Errorf("%d verdicts for %d properties in two semantics: too few to tell anything", decided, tl.properties)
	}
}

// searchFor ends searches of properties whose border lies within rounding; all other verdicts take a fraction of it. SHOAL_EXACT_MS is more for
// machines that others use too.
const searchFor = 8 * time.Millisecond

// propertiesEach is how many properties a network is asked.
const propertiesEach = 12

// drawExact draws a network and a box for it: of vectors, or of small images.
func drawExact(rng *rand.Rand, seed uint64) (net *plNet, lower, upper []*big.Rat) {
	if seed/12%2 == 1 { // what else depends on the seed has all its turns with both
		net = drawImage(rng)
		lower, upper = imageEnds(rng, net.in)
	} else {
		net = drawPL(rng, []int{1, 1, 1, 2, 2, 3}[rng.IntN(6)])
		lower, upper = inputEnds(rng, net.in)
	}
	return net, lower, upper
}

// drawCases draws a property, the points where it is decided, and whether it has a counterexample.
func drawCases(rng *rand.Rand, net *plNet, lower, upper []*big.Rat, all []region) (q *vnnlib.Query, cases []exactCase, points [][]float64,
	sat bool) {
	count := 1 + rng.IntN(3)*rng.IntN(2)
	if rng.IntN(20) == 0 {
		count = 12 // more boxes than are bounded together
	}
	for range count {
		c := exactCase{Case: vnnlib.Case{Lower: lower, Upper: upper}, parts: all}
		if rng.IntN(3) == 0 {
			c.Lower, c.Upper = inside(rng, lower, upper)
			c.parts = nil
			for _, r := range all {
				if p := r.within(c.Lower, c.Upper); p != nil {
					c.parts = append(c.parts, p)
				}
			}
		}
		for range 1 + rng.IntN(3)*rng.IntN(2) {
			a, at := constraint(rng, net.out, c.parts)
			if rng.IntN(12) == 0 { // an output named twice
				d := coefficient(rng)
				a.Index = append(a.Index, a.Index[0], a.Index[0])
				a.Coef = append(a.Coef, d, new(big.Rat).Neg(d))
			}
			c.Atoms = append(c.Atoms, a)
			points = append(points, floats(at))
		}
		for _, r := range c.parts {
			if p, ok := r.meets(atoms(c.Atoms)); ok {
				sat = true
				points = append(points, floats(p.x))
				break
			}
		}
		cases = append(cases, c)
	}
	q = &vnnlib.Query{Inputs: net.in, Outputs: net.out}
	for _, c := range cases {
		q.Cases = append(q.Cases, c.Case)
	}
	return q, cases, points, sat
}

// network draws a network, asks it properties in both semantics, and returns what was wrong.
func (tl *tally) network(t *testing.T, seed uint64) (wrong []string) {
	longest := time.Duration(fromEnv(t, "SHOAL_EXACT_MS", int(searchFor/time.Millisecond))) * time.Millisecond
	rng := rand.New(rand.NewPCG(seed, 131313))
	net, lower, upper := drawExact(rng, seed)
	all, ok := net.regions(lower, upper)
	tl.nets++
	if !ok {
		tl.given++
		return nil
	}
	g := net.graph()
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	know := &knowing{}
	var vs [2]*Verifier
	method := []Method{Auto, Complete, Interval, Symbolic, FastLin, DeepPoly, Alpha}[rng.IntN(7)]
	for i, sem := range []Semantics{Real, Float32} {
		o := Options{Method: method, Semantics: sem, Threads: 1 + int(seed/24%2), sides: seed%2 == 0}
		if o.sides && seed%4 == 0 {
			o.Method = Complete
			o.first = time.Duration(rng.IntN(2)) * 100 * time.Microsecond // many levels, or one
			o.rows = rng.IntN(2) == 0
		}
		if seed%3 == 0 { // parts are bounded in another order then, and proven with a margin
			o.Record = func() (Scratch, error) { return nil, errors.New("trees are small") }
		}
		if rng.IntN(3) > 0 {
			o.Falsifier = know
		}
		if vs[i], err = Open(context.Background(), m, o); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		defer vs[i].Close()
	}
	var runs []execution
	if seed%16 == 0 && !net.double {
		prepared := *m.Graph
		prepared.Outputs[0].Shape = []int{1, net.out}
		runs, _ = executions(t, &prepared)
		for _, e := range runs {
			defer e.close()
		}
	}
	for range propertiesEach {
		q, cases, points, sat := drawCases(rng, net, lower, upper, all)
		know.points = points
		tl.properties++
		for i, sem := range []Semantics{Real, Float32} {
			e := &exactNet{net, g, vs[i]}
			limit := longest
			if rng.IntN(3) == 0 { // wherever it is then
				limit = time.Duration(rng.Int64N(int64(searchFor)))
			}
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			r, err := vs[i].Verify(ctx, FromVNNLIB(q))
			cancel()
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("seed %d: %v", seed, err))
				continue
			}
			tl.verdicts[fmt.Sprint(sem, r.Verdict, sat)]++
			what := e.judge(sem, cases, sat, r)
			if what == "" && sem == Float32 && r.Verdict == Verified {
				what = executed(runs, know.points, cases)
			}
			if what != "" {
				wrong = append(wrong, fmt.Sprintf("seed %d, %s, %s: %s\n%s\n%s", seed, sem, method, what, describe(g), tellCases(cases)))
			}
		}
	}
	return wrong
}

// executed looks for a counterexample among executions at the float32s next to some points.
func executed(runs []execution, points [][]float64, cases []exactCase) string {
	for _, at := range points {
		x := make([]float32, len(at))
		exact := make([]*big.Rat, len(at))
		for i, f := range at {
			x[i] = float32(max(-math.MaxFloat32, min(math.MaxFloat32, f)))
			exact[i] = new(big.Rat).SetFloat64(float64(x[i]))
		}
		point := region{spot{x: exact, cur: exact}}
		for _, k := range cases {
			if point.within(k.Lower, k.Upper) == nil {
				continue
			}
			for _, e := range runs {
				if e.flushes && hasSubnormal(x) {
					continue
				}
				y, err := e.run(x)
				if err == nil && metBy(k.Atoms, wide(y), true) {
					return fmt.Sprintf("verified, and %s gives %v at %v", e.name, y, x)
				}
			}
		}
	}
	return ""
}

// wide are numbers as float64s.
func wide[T float32 | float64](y []T) []float64 {
	out := make([]float64, len(y))
	for i, f := range y {
		out[i] = float64(f)
	}
	return out
}

// metBy tells whether an execution's outputs meet all constraints. Infinities are compared as such. What is not a number meets everything if
// all is feared, since nothing may be promised of it, and nothing as a counterexample.
func metBy(as []vnnlib.Atom, y []float64, feared bool) bool {
	for _, a := range as {
		sum, far := new(big.Rat), 0.0
		for k, i := range a.Index {
			f := y[i]
			if math.IsNaN(f) {
				return feared
			}
			if math.IsInf(f, 0) {
				far += f * float64(a.Coef[k].Sign())
				continue
			}
			sum.Add(sum, new(big.Rat).Mul(a.Coef[k], new(big.Rat).SetFloat64(f)))
		}
		if math.IsNaN(far) {
			return feared
		}
		if far < 0 {
			continue
		}
		if c := sum.Cmp(a.Bound); far > 0 || c > 0 || c == 0 && a.Strict {
			return false
		}
	}
	return true
}

func tellCases(cases []exactCase) string {
	s := ""
	for _, c := range cases {
		s += fmt.Sprintf("box %v %v:", floats(c.Lower), floats(c.Upper))
		for _, a := range c.Atoms {
			rel := "<="
			if a.Strict {
				rel = "<"
			}
			s += fmt.Sprintf(" %v*y%v %s %v;", floats(a.Coef), a.Index, rel, floats([]*big.Rat{a.Bound})[0])
		}
		s += "\n"
	}
	return s
}

// TestRegionsAreTheNetwork: at every corner of a region the network, evaluated there alone, has the corner's values, and the value of
// any point of the box lies between the corners' least and largest.
func TestRegionsAreTheNetwork(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 77))
		net, lower, upper := drawExact(rng, seed)
		rs, ok := net.regions(lower, upper)
		if !ok {
			continue
		}
		value := func(x []*big.Rat) []*big.Rat {
			at, _ := net.regions(x, x)
			return at[0][0].cur
		}
		least, most := make([]*big.Rat, net.out), make([]*big.Rat, net.out)
		for _, r := range rs {
			for _, p := range r {
				for i, v := range value(p.x) {
					if v.Cmp(p.cur[i]) != 0 {
						t.Fatalf("seed %d: output %d at a corner is %v, the network gives %v there", seed, i, p.cur[i], v)
					}
					if least[i] == nil || v.Cmp(least[i]) < 0 {
						least[i] = v
					}
					if most[i] == nil || v.Cmp(most[i]) > 0 {
						most[i] = v
					}
				}
			}
		}
		for range 20 {
			x, _ := inside(rng, lower, upper)
			for i, v := range value(x) {
				if v.Cmp(least[i]) < 0 || v.Cmp(most[i]) > 0 {
					t.Fatalf("seed %d: output %d is %v in the box, the corners have %v to %v", seed, i, v, least[i], most[i])
				}
			}
		}
	}
}

// TestExactImagesAreTheirGraphs: what an image's network is by the standard's definition, in rational numbers, is what both engines compute.
func TestExactImagesAreTheirGraphs(t *testing.T) {
	t.Parallel()
	ops := map[string]int{}
	why := withoutORT(t)
	for seed := range uint64(draws(t, "SHOAL_IMAGES", 600, 200)) {
		rng := rand.New(rand.NewPCG(seed, 78))
		net := drawImage(rng)
		if net.double {
			continue
		}
		x := make([]float32, net.in)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		exact := make([]*big.Rat, net.in)
		for i, f := range x {
			exact[i] = new(big.Rat).SetFloat64(float64(f))
		}
		for _, s := range net.steps {
			if ops[s.kind]++; s.node != nil {
				ops[s.node.op]++
			}
		}
		at, _ := net.regions(exact, exact)
		want := floats(at[0][0].cur)
		g := net.graph()
		g.Outputs[0].Shape = []int{1, net.out}
		runs, refused := executions(t, g)
		if refused != nil {
			t.Fatalf("seed %d: %v", seed, refused)
		}
		for _, e := range runs {
			y, err := e.run(x)
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, e.name, err)
			}
			const rounding = 1e-3 // of layers whose sums cancel; a wrong pixel is off by its weight
			for i, f := range wide(y) {
				if len(y) != len(want) || math.Abs(f-want[i]) > rounding*(1+math.Abs(want[i])) {
					t.Fatalf("seed %d: %s gives %v, the definition %v\n%s", seed, e.name, y, want, describe(g))
				}
			}
			e.close()
		}
	}
	t.Logf("steps: %v", ops)
	for _, op := range []string{"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalMaxPool", "ReduceMax", "BatchNormalization", "Slice", "Concat",
		"HardSigmoid", "PRelu"} {
		if ops[op] == 0 {
			t.Errorf("no %s was drawn", op)
		}
	}
	if why != "" {
		t.Skipf("the Go engine alone was compared: %s", why)
	}
}
