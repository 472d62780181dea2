package lp

import (
	"math"
	"math/rand/v2"
	"testing"
)

// draw draws a program of n columns and m rows beside the cost, which is the last.
func draw(rng *rand.Rand, n, m int) *Program {
	p := &Program{Cost: n + m}
	number := func() float64 {
		switch rng.IntN(4) {
		case 0:
			return 0
		case 1:
			return float64(rng.IntN(7) - 3)
		}
		return rng.NormFloat64()
	}
	for range n {
		lo := number()
		up := lo + math.Abs(number())
		p.Lower, p.Upper = append(p.Lower, lo), append(p.Upper, up)
	}
	for i := range m + 1 {
		row := make([]float64, n)
		for j := range row {
			row[j] = number()
		}
		p.Rows, p.Const = append(p.Rows, row), append(p.Const, number())
		lo, up := math.Inf(-1), math.Inf(1)
		if i < m {
			switch rng.IntN(4) {
			case 0:
				lo = number()
			case 1:
				up = number()
			case 2:
				lo = number()
				up = lo + math.Abs(number())
			}
		}
		p.Lower, p.Upper = append(p.Lower, lo), append(p.Upper, up)
	}
	return p
}

func (p *Program) at(x []float64, v int) float64 {
	n := p.Columns()
	if v < n {
		return x[v]
	}
	sum := p.Const[v-n]
	for j, a := range p.Rows[v-n] {
		sum += a * x[j]
	}
	return sum
}

// enumerate tries every vertex: n of the bounds' hyperplanes that meet in a point.
func enumerate(p *Program, lower, upper []float64) (best float64, feasible bool) {
	n := p.Columns()
	type plane struct {
		a []float64
		b float64
	}
	var planes []plane
	for v := range lower {
		if v == p.Cost {
			continue
		}
		a, c := make([]float64, n), 0.0
		if v < n {
			a[v] = 1
		} else {
			copy(a, p.Rows[v-n])
			c = p.Const[v-n]
		}
		for _, b := range []float64{lower[v], upper[v]} {
			if !math.IsInf(b, 0) {
				planes = append(planes, plane{a, b - c})
			}
		}
	}
	best = math.Inf(1)
	chosen := make([]int, n)
	var from func(k, at int)
	from = func(k, at int) {
		if k < n {
			for i := at; i < len(planes); i++ {
				chosen[k] = i
				from(k+1, i+1)
			}
			return
		}
		m := make([][]float64, n)
		for i, c := range chosen {
			m[i] = append(append([]float64(nil), planes[c].a...), planes[c].b)
		}
		x, ok := eliminate(m)
		if !ok {
			return
		}
		for v := range lower {
			if v != p.Cost {
				if y := p.at(x, v); y < lower[v]-1e-7 || y > upper[v]+1e-7 {
					return
				}
			}
		}
		best, feasible = min(best, p.at(x, p.Cost)), true
	}
	from(0, 0)
	return best, feasible
}

func eliminate(m [][]float64) ([]float64, bool) {
	n := len(m)
	for k := range n {
		r := k
		for i := k; i < n; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[r][k]) {
				r = i
			}
		}
		if math.Abs(m[r][k]) < 1e-9 {
			return nil, false
		}
		m[k], m[r] = m[r], m[k]
		for i := range n {
			if f := m[i][k] / m[k][k]; i != k {
				for j := k; j <= n; j++ {
					m[i][j] -= f * m[k][j]
				}
			}
		}
	}
	x := make([]float64, n)
	for k := range x {
		x[k] = m[k][n] / m[k][k]
	}
	return x, true
}

// dual is the bound that multipliers give.
func dual(p *Program, lower, upper, d []float64) float64 {
	// cost - sum d*v is a constant on all points: what is left of coefficients must vanish.
	n := p.Columns()
	sum := 0.0
	for j := range n {
		c := p.Rows[p.Cost-n][j] - d[j]
		for i, r := range p.Rows {
			c -= d[n+i] * r[j]
		}
		// What does not vanish is rounding, or the cost's jitter.
		sum += min(c*lower[j], c*upper[j])
	}
	sum += p.Const[p.Cost-n]
	for i, c := range p.Const {
		sum -= d[n+i] * c
	}
	for v, m := range d {
		switch {
		case m > 0:
			sum += m * lower[v]
		case m < 0:
			sum += m * upper[v]
		}
	}
	return sum
}

// TestSolverAgainstVertices changes bounds of small programs again and again, adds rows and takes them out, and compares each answer with all
// vertices, and the multipliers' bound with it.
func TestSolverAgainstVertices(t *testing.T) {
	programs := 3000
	if testing.Short() {
		programs = 500
	}
	count := map[Status]int{}
	for seed := range uint64(programs) {
		rng := rand.New(rand.NewPCG(seed, 7))
		p := draw(rng, 1+rng.IntN(3), rng.IntN(5))
		s, err := New(p)
		if err != nil {
			t.Fatal(err)
		}
		lower, upper := append([]float64(nil), p.Lower...), append([]float64(nil), p.Upper...)
		for round := range 8 {
			if v := rng.IntN(len(lower)); round > 0 && v != p.Cost {
				lo, up := p.Lower[v], p.Upper[v]
				if !math.IsInf(lo, 0) && !math.IsInf(up, 0) {
					switch rng.IntN(3) {
					case 0:
						up = lo
					case 1:
						lo = up
					}
				}
				lower[v], upper[v] = lo, up
				s.Bound(v, lo, up)
			}
			if n := p.Columns(); rng.IntN(4) == 0 {
				q := draw(rng, n, 1)
				v := s.AddRow(q.Rows[0], q.Const[0], q.Lower[n], q.Upper[n])
				if v != len(lower) {
					t.Fatalf("seed %d: row %d, want %d", seed, v, len(lower))
				}
				lower, upper = append(lower, q.Lower[n]), append(upper, q.Upper[n])
			} else if v := n + rng.IntN(len(p.Rows)); rng.IntN(4) == 0 && v > p.Cost && s.Basic(v) {
				last := len(lower) - 1
				s.RemoveRow(v)
				lower[v], upper[v] = lower[last], upper[last]
				lower, upper = lower[:last], upper[:last]
			}
			d := make([]float64, len(lower))
			want, ok := enumerate(p, lower, upper)
			limit := math.Inf(1)
			if rng.IntN(3) == 0 {
				limit = rng.NormFloat64()
			}
			got := s.Solve(limit, 1000)
			count[got]++
			scale := 1e-5 * (1 + math.Abs(want))
			s.Multipliers(d)
			low := dual(p, lower, upper, d)
			switch {
			case got == Stopped:
				t.Errorf("seed %d, round %d: no end", seed, round)
			case got == Infeasible && ok:
				t.Errorf("seed %d, round %d: infeasible, but %v is reached", seed, round, want)
			case got == Infeasible && low < min(limit, 1e3):
				if !(low > 0) {
					t.Errorf("seed %d, round %d: the multipliers of what is infeasible bound the cost by %v only", seed, round, low)
				}
			case got == Above && ok && want < limit-scale:
				t.Errorf("seed %d, round %d: above %v, but %v is reached", seed, round, limit, want)
			case got == Above && low < limit-scale:
				t.Errorf("seed %d, round %d: above %v, but multipliers give %v", seed, round, limit, low)
			case got == Optimal && !ok:
				// Vertices that are feasible by a hair only count as either.
			case got == Optimal:
				if x := s.Value(p.Cost); math.Abs(x-want) > scale || math.Abs(low-want) > scale {
					t.Errorf("seed %d, round %d: %v, and %v by multipliers; want %v", seed, round, x, low, want)
				}
			}
		}
	}
	t.Log(count)
	if !testing.Short() && (count[Optimal] < 1000 || count[Infeasible] < 1000 || count[Above] < 200) {
		t.Errorf("too little of something was tried: %v", count)
	}
}

// TestSolverClosesTheGap has programs of some size: at the end the point keeps all bounds, and the multipliers prove its cost.
func TestSolverClosesTheGap(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 8))
		n, m := 10+rng.IntN(40), 10+rng.IntN(60)
		p := draw(rng, n, m)
		// A point that keeps all bounds.
		x := make([]float64, n)
		for j := range x {
			x[j] = p.Lower[j] + rng.Float64()*(p.Upper[j]-p.Lower[j])
		}
		for v := n; v < n+m; v++ {
			y := p.at(x, v)
			p.Lower[v], p.Upper[v] = min(p.Lower[v], y-rng.Float64()), max(p.Upper[v], y+rng.Float64())
		}
		s, err := New(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Solve(math.Inf(1), 10000); got != Optimal {
			t.Fatalf("seed %d: %v", seed, got)
		}
		for j := range x {
			x[j] = s.Value(j)
		}
		for v := range p.Lower {
			if y := p.at(x, v); y < p.Lower[v]-1e-6 || y > p.Upper[v]+1e-6 || math.Abs(y-s.Value(v)) > 1e-6*(1+math.Abs(y)) {
				t.Errorf("seed %d: variable %d is %v (said %v), not from %v to %v", seed, v, y, s.Value(v), p.Lower[v], p.Upper[v])
			}
		}
		d := make([]float64, n+m+1)
		s.Multipliers(d)
		if low := dual(p, p.Lower, p.Upper, d); math.Abs(low-s.Value(p.Cost)) > 1e-5*(1+math.Abs(low)) {
			t.Errorf("seed %d: cost %v, and %v by multipliers", seed, s.Value(p.Cost), low)
		}
	}
}

// TestProgramsThatDoNotFit are refused.
func TestProgramsThatDoNotFit(t *testing.T) {
	inf := math.Inf(1)
	for name, p := range map[string]*Program{
		"a column without end": {Rows: [][]float64{{1}}, Const: []float64{0}, Lower: []float64{0, -inf}, Upper: []float64{inf, inf}, Cost: 1},
		"a column upside down": {Rows: [][]float64{{1}}, Const: []float64{0}, Lower: []float64{2, -inf}, Upper: []float64{1, inf}, Cost: 1},
		"a cost with a bound":  {Rows: [][]float64{{1}}, Const: []float64{0}, Lower: []float64{0, 0}, Upper: []float64{1, inf}, Cost: 1},
		"a column as cost":     {Rows: [][]float64{{1}}, Const: []float64{0}, Lower: []float64{0, -inf}, Upper: []float64{1, inf}, Cost: 0},
		"a short row":          {Rows: [][]float64{{}}, Const: []float64{0}, Lower: []float64{0, -inf}, Upper: []float64{1, inf}, Cost: 1},
		"a row too many":       {Rows: [][]float64{{1}, {1}}, Const: []float64{0}, Lower: []float64{0}, Upper: []float64{1}, Cost: 1},
		"no constant":          {Rows: [][]float64{{1}}, Lower: []float64{0, -inf}, Upper: []float64{1, inf}, Cost: 1},
	} {
		if _, err := New(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkPivot is one pivot of a program of the size of a small network's: 100 columns, 200 rows.
func BenchmarkPivot(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 9))
	p := draw(rng, 100, 200)
	for v := range 300 {
		p.Lower[v], p.Upper[v] = -1, 1
	}
	clear(p.Const) // 0 is feasible, whatever the rows' bounds
	s, err := New(p)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for s.Pivots < b.N {
		v := 100 + rng.IntN(200)
		x := rng.Float64()
		s.Bound(v, -x, x)
		s.Solve(math.Inf(1), b.N-s.Pivots)
	}
}
