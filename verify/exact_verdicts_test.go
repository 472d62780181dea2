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

// knowing is a falsifier that was told where the left sides are least.
type knowing struct{ points [][]float64 }

func (k *knowing) Falsify(context.Context, Box, [][]Constraint) ([][]float64, error) {
	return k.points, nil
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
	patiently(t, verdictsEnumerated)
}

// verdictsEnumerated is a turn of it.
func verdictsEnumerated(t *testing.T, slow time.Duration) (little string) {
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
					for _, what := range tl.network(t, seed, slow) {
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
		return fmt.Sprintf("%d verdicts for %d properties in two semantics: too few to tell anything", decided, tl.properties)
	}
	return ""
}

// searchFor ends searches of properties whose border lies within rounding; all other verdicts take a fraction of it. SHOAL_EXACT_MS is more for
// machines that others use too.
const searchFor = 8 * time.Millisecond

// network draws a network, asks it properties in both semantics, and returns what was wrong.
func (tl *tally) network(t *testing.T, seed uint64, slow time.Duration) (wrong []string) {
	longest := slow * time.Duration(fromEnv(t, "SHOAL_EXACT_MS", int(searchFor/time.Millisecond))) * time.Millisecond
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
				limit = slow * time.Duration(rng.Int64N(int64(searchFor)))
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
