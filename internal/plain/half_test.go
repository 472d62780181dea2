package plain

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/verify/certificate"
)

// met tells whether outputs meet all constraints.
func met(constraints []certificate.Constraint, y []*big.Rat) bool {
	for _, q := range constraints {
		sum := new(big.Rat)
		for j, i := range q.Index {
			sum.Add(sum, new(big.Rat).Mul(q.Coef[j], y[i]))
		}
		if c := sum.Cmp(q.Bound); c > 0 || q.Strict && c == 0 {
			return false
		}
	}
	return true
}

// values are the outputs of every layer in exact arithmetic, before ReLUs.
func (l layers) values(point []float64) (out [][]*big.Rat) {
	for k := range l.weights {
		out = append(out, layers{l.weights[:k+1], l.biases[:k+1]}.run(point))
	}
	return out
}

// TestHalfSpacesHoldWhereCasesAreMet: whatever rows half-spaces were made of, one after the other, and wherever the part was split between them,
// every box and row holds at each point of the part that meets the case, in exact arithmetic. At points that do not many are wrong, or the
// half-spaces would tell nothing.
func TestHalfSpacesHoldWhereCasesAreMet(t *testing.T) {
	inside, beyond, nearer, parts := 0, 0, 0, 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 13))
		widths := []int{1 + rng.IntN(4), 3 + rng.IntN(6), 3 + rng.IntN(6), 2}
		net, all := layered(t, rng, eighths, widths...)
		l, u, points := make([]float64, net.In), make([]float64, net.In), [][]float64{}
		for i := range l {
			l[i] = float64(eighths(rng, 8))
			u[i] = l[i] + float64(rng.IntN(17))/8
		}
		for range 60 {
			x := make([]float64, net.In)
			for i := range x {
				x[i] = l[i] + (u[i]-l[i])*float64(rng.IntN(9))/8
			}
			points = append(points, x)
		}
		var constraints []certificate.Constraint
		for range 1 + rng.IntN(2) {
			q := certificate.Constraint{Index: []int{0, 1}, Strict: rng.IntN(2) == 0}
			for range 2 {
				q.Coef = append(q.Coef, new(big.Rat).SetFloat64(float64(eighths(rng, 8))))
			}
			x, y := points[rng.IntN(len(points))], new(big.Rat) // met by some, and by some not
			for k, v := range all.run(x) {
				y.Add(y, v.Mul(v, q.Coef[k]))
			}
			q.Bound = y
			constraints = append(constraints, q)
		}
		s, err := net.Start(l, u).Bound(rng.IntN(2) == 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 1 + rng.IntN(3) {
			p := certificate.Disproof{Row: rng.IntN(len(constraints))}
			for range net.Hinges() * rng.IntN(2) {
				p.Slopes = append(p.Slopes, byte(rng.IntN(Steep+1)))
			}
			if rng.IntN(2) == 0 {
				p.Row = 0
				for range constraints {
					p.Weights = append(p.Weights, rng.Float64())
				}
			}
			for range s.Sides() * rng.IntN(2) {
				p.Beta = append(p.Beta, math.Abs(rng.NormFloat64()))
			}
			if s, err = s.Within(constraints, p); err != nil {
				t.Fatal(err)
			}
			if rng.IntN(2) == 0 {
				values, _ := net.Splits()
				v := values[rng.IntN(len(values))]
				below, above := s.Halves(v, rng.IntN(net.Elements(v)), 0)
				if s = below; rng.IntN(2) == 0 {
					s = above
				}
			}
			if s, err = s.Bound(true); err != nil {
				t.Fatal(err)
			}
		}
		parts++
		plainly := *s
		plainly.half = nil
		form := []float64{float64(eighths(rng, 8)), float64(eighths(rng, 8))}
		low := s.lower(form)
		if low > plainly.lower(form)+1e-9 {
			nearer++
		}
		for _, x := range points {
			y := all.values(x)
			of, sound := true, !s.Empty() && new(big.Rat).SetFloat64(low) != nil && all.at(form, x).Cmp(new(big.Rat).SetFloat64(low)) >= 0
			for k := range y {
				v := net.Named(fmt.Sprint("z", k))
				if v < 0 {
					continue
				}
				for i, z := range y[k] {
					for _, q := range s.sides {
						if q.Value == v && q.Index == i {
							of = of && (z.Sign() >= 0 || !q.Above) && (z.Sign() <= 0 || q.Above)
						}
					}
					lower, upper := s.Range(v, i)
					sound = sound && z.Cmp(new(big.Rat).SetFloat64(lower)) >= 0 && z.Cmp(new(big.Rat).SetFloat64(upper)) <= 0
				}
			}
			switch is := met(constraints, y[len(y)-1]); {
			case is && of && !sound:
				t.Fatalf("seed %d: at %v, which meets the case, bounds do not hold", seed, x)
			case is && of:
				inside++
			case of && !sound:
				beyond++
			}
		}
	}
	t.Logf("%d parts, rows nearer by half-spaces in %d; %d points meet their case, %d do not, and bounds do not hold there", parts, nearer, inside, beyond)
	if inside < 1000 || beyond < 1000 || nearer < parts/5 {
		t.Errorf("half-spaces tell too little: %d parts, nearer in %d; %d points inside, %d beyond", parts, nearer, inside, beyond)
	}
}

// TestMultiplesAreTheBest: no other multiple of a half-space's form gives a row at the inputs a larger least value.
func TestMultiplesAreTheBest(t *testing.T) {
	some := 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 14))
		n := 1 + rng.IntN(9)
		net, _ := layered(t, rng, eighths, n, 2)
		l, u, a, c := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range l {
			l[i] = rng.NormFloat64()
			u[i] = l[i] + math.Abs(rng.NormFloat64())*float64(rng.IntN(3))
			a[i], c[i] = rng.NormFloat64()*float64(rng.IntN(3)), rng.NormFloat64()*float64(rng.IntN(3))
			if rng.IntN(3) == 0 && i > 0 { // several bend at once
				a[i], c[i] = a[i-1], c[i-1]
			}
		}
		least := func(by, most float64) float64 {
			sum := -by * most
			for i := range l {
				x := c[i] + by*a[i]
				sum += min(x*l[i], x*u[i])
			}
			return sum
		}
		s := net.Start(l, u)
		h := &half{a, rng.NormFloat64()}
		r := s.row()
		copy(r.into(net.inputs[0]), c)
		best := r.multiple(h)
		if best < 0 || math.IsNaN(best) {
			t.Fatalf("seed %d: a multiple of %v", seed, best)
		}
		at := least(best, h.most)
		if best > 0 {
			some++
		}
		for k := range 200 {
			by := 0.0
			if k > 0 {
				by = math.Abs(rng.NormFloat64()) * math.Pow(10, 2*rng.NormFloat64())
			}
			if x := least(by, h.most); x > at+1e-9*(1+math.Abs(x)) {
				end := least(1e9, h.most) > least(1e8, h.most) // then it has no end, and where it is taken from is all the same
				if !end {
					t.Fatalf("seed %d: %v by %v, and %v by %v", seed, at, best, x, by)
				}
			}
		}
	}
	if some < 300 {
		t.Errorf("only %d multiples are not 0", some)
	}
}
