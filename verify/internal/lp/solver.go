package lp

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Status says how Solve ended.
type Status int

const (
	Optimal    Status = iota // the vertex is feasible, and the cost least there
	Infeasible               // no point keeps all bounds
	Above                    // the cost is nowhere below the limit that was given
	Stopped                  // too many pivots
)

const (
	// feasible is how far a variable may lie outside of its bounds, as a share of its scale.
	feasible = 1e-9
	// least is the smallest pivot, as a share of the largest number in its row.
	least = 1e-9
	// drift is how far a row may be from what its columns say before the dictionary is made anew, as a share of its scale.
	drift = 1e-7
	// maxWeight is where the reference of weights is too far away to say anything.
	maxWeight = 1e9
	// jitter is by what share of the largest coefficient the cost is changed at random: costs that tie make the dual simplex go in circles. The
	// multipliers are of the changed cost, which is no matter where they are only a choice.
	jitter = 1e-8
)

// Solver is a program with a basis. Bounds may be changed between calls of Solve. It is used by one goroutine at a time.
//
// The dictionary writes every basic variable, and the cost among them, as a linear form of the others, which stand at one of their bounds: t has a
// row for each basic variable, with a coefficient for each other one and a constant. Sources: Maros 2003 (A generalized dual phase-2 simplex
// algorithm: bounds that flip); Forrest and Goldfarb 1992 (steepest edges for the dual; here by reference weights that only grow).
type Solver struct {
	p            *Program
	n, m         int
	lower, upper []float64
	t            []float64 // m rows of wide, of which n and the constant are used
	wide         int
	basic        []int     // by row: a variable
	other        []int     // by column of t: a variable
	at           []int     // by variable: its row, or -1 minus its column
	high         []bool    // by column of t: it stands at its upper bound
	v            []float64 // by variable
	scale        []float64 // by variable: of its values
	noise        []float64 // by column: what was added to the cost
	weight       []float64 // by row
	cands        []candidate
	mark         []bool // by variable, for refactor

	farkas int     // the row that showed infeasibility
	sign   float64 // 1: it cannot be so large
	short  float64 // by how much

	Pivots int // so far
}

type candidate struct {
	j     int
	ratio float64
	size  float64
}

// New makes a solver of a program, which is the solver's from then on.
func New(p *Program) (*Solver, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	s := &Solver{p: p, n: p.Columns(), m: len(p.Rows), lower: slices.Clone(p.Lower), upper: slices.Clone(p.Upper)}
	s.wide = (s.n + 4) &^ 3
	s.t = make([]float64, s.m*s.wide)
	s.basic, s.other, s.at = make([]int, s.m), make([]int, s.n), make([]int, s.n+s.m)
	s.high, s.v, s.scale, s.noise = make([]bool, s.n), make([]float64, s.n+s.m), make([]float64, s.n+s.m), make([]float64, s.n)
	s.weight, s.mark = make([]float64, s.m), make([]bool, s.n+s.m)
	largest := 0.0
	for _, c := range p.Rows[p.Cost-s.n] {
		largest = max(largest, math.Abs(c))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for j := range s.noise {
		s.scale[j] = max(math.Abs(p.Lower[j]), math.Abs(p.Upper[j]), 1e-30)
		s.noise[j] = (0.5 + rng.Float64()) * jitter * largest
		if p.Rows[p.Cost-s.n][j] < 0 {
			s.noise[j] = -s.noise[j]
		}
	}
	for i, r := range p.Rows {
		sum := math.Abs(p.Const[i])
		for j, c := range r {
			sum += math.Abs(c) * s.scale[j]
		}
		s.scale[s.n+i] = max(sum, 1e-30)
	}
	s.start()
	return s, nil
}

// AddRow adds a row and gives its variable. The basis stays, with the row in it.
func (s *Solver) AddRow(row []float64, c, lower, upper float64) (v int) {
	v = s.n + s.m
	p := s.p
	p.Rows, p.Const, p.Lower, p.Upper = append(p.Rows, row), append(p.Const, c), append(p.Lower, lower), append(p.Upper, upper)
	s.lower, s.upper = append(s.lower, lower), append(s.upper, upper)
	size := math.Abs(c)
	s.t = append(s.t, make([]float64, s.wide)...)
	t := s.t[s.m*s.wide:]
	t[s.n] = c
	for j, a := range row {
		if a == 0 {
			continue
		}
		size += math.Abs(a) * s.scale[j]
		if r := s.at[j]; r >= 0 {
			kernel.Plus(a, s.row(r), t)
		} else {
			t[-1-r] += a
		}
	}
	s.scale, s.v = append(s.scale, max(size, 1e-30)), append(s.v, 0)
	s.basic, s.at = append(s.basic, v), append(s.at, s.m)
	s.weight, s.mark = append(s.weight, 1), append(s.mark, false)
	s.m++
	return v
}

// Variables is the number of columns and rows.
func (s *Solver) Variables() int { return s.n + s.m }

// Basic tells whether a variable is basic.
func (s *Solver) Basic(v int) bool { return s.at[v] >= 0 }

// RemoveRow takes a row out whose variable is basic: the last variable takes its number.
func (s *Solver) RemoveRow(v int) {
	last, r := s.n+s.m-1, s.at[v]
	p := s.p
	i := v - s.n
	end := s.m - 1
	p.Rows[i], p.Const[i], p.Lower[v], p.Upper[v] = p.Rows[end], p.Const[end], p.Lower[last], p.Upper[last]
	p.Rows, p.Const, p.Lower, p.Upper = p.Rows[:end], p.Const[:end], p.Lower[:last], p.Upper[:last]
	// The dictionary's last row takes the place of v's.
	if r != end {
		copy(s.row(r), s.row(end))
		s.basic[r], s.weight[r] = s.basic[end], s.weight[end]
		s.at[s.basic[r]] = r
	}
	s.t, s.basic, s.weight = s.t[:end*s.wide], s.basic[:end], s.weight[:end]
	if v != last {
		s.lower[v], s.upper[v], s.v[v], s.scale[v], s.at[v] = s.lower[last], s.upper[last], s.v[last], s.scale[last], s.at[last]
		if at := s.at[v]; at >= 0 {
			s.basic[at] = v
		} else {
			s.other[-1-at] = v
		}
	}
	s.lower, s.upper, s.v, s.scale, s.at, s.mark = s.lower[:last], s.upper[:last], s.v[:last], s.scale[:last], s.at[:last], s.mark[:last]
	s.m--
}

// start makes the dictionary of the program as it was given.
func (s *Solver) start() {
	for i, r := range s.p.Rows {
		row := s.row(i)
		copy(row, r)
		row[s.n] = s.p.Const[i]
		s.basic[i], s.at[s.n+i] = s.n+i, i
		s.weight[i] = 1
	}
	cost := s.row(s.p.Cost - s.n)
	for j := range s.n {
		cost[j] += s.noise[j]
		s.other[j], s.at[j] = j, -1-j
	}
}

func (s *Solver) row(i int) []float64 { return s.t[i*s.wide : (i+1)*s.wide] }

// Bound sets a variable's bounds. A variable that is given equal ones is fixed. Columns, and what was between finite bounds, stay so.
func (s *Solver) Bound(v int, lower, upper float64) { s.lower[v], s.upper[v] = lower, upper }

// Bounds are a variable's bounds now.
func (s *Solver) Bounds(v int) (lower, upper float64) { return s.lower[v], s.upper[v] }

// Value is where a variable stands at the end of Solve.
func (s *Solver) Value(v int) float64 { return s.v[v] }

// place puts what is not basic at the bound at which the basis is dual feasible, and reckons the rest.
func (s *Solver) place() {
	cost := s.row(s.at[s.p.Cost])
	for j, v := range s.other {
		switch lo, up := s.lower[v], s.upper[v]; {
		case cost[j] > 0 || math.IsInf(up, 1):
			s.high[j] = false
		case cost[j] < 0 || math.IsInf(lo, -1):
			s.high[j] = true
		default:
			s.high[j] = math.Abs(s.v[v]-up) < math.Abs(s.v[v]-lo)
		}
		s.v[v] = s.lower[v]
		if s.high[j] {
			s.v[v] = s.upper[v]
		}
	}
	s.reckon()
}

// reckon gives basic variables their values.
func (s *Solver) reckon() {
	x := make([]float64, s.wide)
	for j, v := range s.other {
		x[j] = s.v[v]
	}
	x[s.n] = 1
	for i, v := range s.basic {
		s.v[v] = kernel.Dot(s.row(i), x)
	}
}

// Solve goes on from the basis that there is until the cost is least, or known to be more than limit, or nothing is feasible, or so many pivots are
// made.
func (s *Solver) Solve(limit float64, pivots int) Status {
	s.farkas = -1
	s.place()
	cost := s.p.Cost
	anew := 0 // a basis that is badly conditioned drifts at once
	ends := func() bool {
		if anew == 2 || !s.drifted() {
			return true
		}
		anew++
		s.refactor()
		return false
	}
	for k := 0; ; k++ {
		r, sign, short := s.leaving()
		if s.v[cost] > limit {
			if ends() {
				return Above
			}
			continue
		}
		if r < 0 {
			if ends() {
				return Optimal
			}
			continue
		}
		if k >= pivots {
			return Stopped
		}
		q, rest := s.entering(r, sign, short)
		if q < 0 {
			if ends() {
				s.farkas, s.sign, s.short = r, sign, rest
				return Infeasible
			}
			continue
		}
		s.pivot(r, q, sign)
		if s.Pivots++; s.Pivots%200 == 0 {
			s.reckon()
		}
	}
}

// leaving is the basic variable that lies farthest outside of its bounds, by its weight: sign 1 where it is too small.
func (s *Solver) leaving() (r int, sign, short float64) {
	best := 0.0
	r = -1
	for i, v := range s.basic {
		x, tol := s.v[v], feasible*s.scale[v]
		d, g := s.lower[v]-x, 1.0
		if e := x - s.upper[v]; e > d {
			d, g = e, -1
		}
		if d > tol {
			if m := d * d / s.weight[i]; m > best {
				best, r, sign, short = m, i, g, d
			}
		}
	}
	return r, sign, short
}

// entering is the column that takes a leaving row's place; columns that are passed flip to their other bound. Without one, the row's bound is out of
// reach by what is left.
func (s *Solver) entering(r int, sign, short float64) (q int, left float64) {
	row, cost := s.row(r), s.row(s.at[s.p.Cost])
	s.cands = s.cands[:0]
	largest := 0.0
	for _, a := range row[:s.n] {
		largest = max(largest, math.Abs(a))
	}
	tiny := least * largest
	for j, a := range row[:s.n] {
		a *= sign
		if s.high[j] {
			a = -a
		}
		if a <= tiny {
			continue
		}
		if v := s.other[j]; s.lower[v] < s.upper[v] {
			s.cands = append(s.cands, candidate{j, math.Abs(cost[j]) / a, a})
		}
	}
	slices.SortFunc(s.cands, func(a, b candidate) int {
		switch {
		case a.ratio < b.ratio:
			return -1
		case a.ratio > b.ratio:
			return 1
		case a.size > b.size:
			return -1
		case a.size < b.size:
			return 1
		}
		return a.j - b.j
	})
	at := -1
	left = short
	for k, c := range s.cands {
		v := s.other[c.j]
		left -= c.size * (s.upper[v] - s.lower[v])
		if left < 0 {
			at = k
			break
		}
	}
	if at < 0 && len(s.cands) > 0 && left <= feasible*s.scale[s.basic[r]] { // within reach but for rounding
		at = len(s.cands) - 1
	}
	if at < 0 {
		return -1, left
	}
	// A pivot that is small beside those that come before it is not worth its rounding.
	for k := at - 1; k >= 0 && s.cands[at].size < 1e-5*largest; k-- {
		if s.cands[k].size > s.cands[at].size {
			at = k
		}
	}
	for _, c := range s.cands[:at] {
		s.flip(c.j)
	}
	return s.cands[at].j, 0
}

// flip moves a column to its other bound.
func (s *Solver) flip(j int) {
	v := s.other[j]
	to := s.upper[v]
	if s.high[j] {
		to = s.lower[v]
	}
	d := to - s.v[v]
	s.high[j], s.v[v] = !s.high[j], to
	for i, b := range s.basic {
		if a := s.t[i*s.wide+j]; a != 0 {
			s.v[b] += a * d
		}
	}
}

// pivot has column q take row r's place, whose variable goes to the bound that it lies outside of.
func (s *Solver) pivot(r, q int, sign float64) {
	out, in := s.basic[r], s.other[q]
	to := s.lower[out]
	if sign < 0 {
		to = s.upper[out]
	}
	p := s.row(r)[q]
	d := (to - s.v[out]) / p
	for i, b := range s.basic {
		a := s.t[i*s.wide+q]
		if a != 0 && i != r {
			s.v[b] += a * d
			e := a / p
			s.weight[i] = max(s.weight[i], e*e*s.weight[r])
		}
	}
	s.weight[r] = max(s.weight[r]/(p*p), 1)
	if !(s.weight[r] < maxWeight) {
		for i := range s.weight {
			s.weight[i] = 1
		}
	}
	s.v[in] += d
	s.v[out] = to
	s.exchange(r, q)
	s.high[q] = sign < 0
}

// exchange rewrites the dictionary with a row's and a column's variable exchanged.
func (s *Solver) exchange(r, q int) {
	row := s.row(r)
	inv := 1 / row[q]
	for j, a := range row {
		if a != 0 {
			row[j] = -a * inv
		}
	}
	row[q] = inv
	for i := range s.m {
		other := s.row(i)
		f := other[q]
		if i == r || f == 0 {
			continue
		}
		other[q] = 0
		kernel.Plus(f, row, other)
	}
	out, in := s.basic[r], s.other[q]
	s.basic[r], s.other[q] = in, out
	s.at[in], s.at[out] = r, -1-q
}

// drifted tells whether rounding has taken the dictionary away from the program.
func (s *Solver) drifted() bool {
	for i, r := range s.p.Rows {
		v := s.n + i
		if v == s.p.Cost {
			continue
		}
		if x := kernel.Dot(r, s.v[:s.n]) + s.p.Const[i]; !(math.Abs(x-s.v[v]) <= drift*s.scale[v]) {
			return true
		}
	}
	return false
}

// refactor makes the dictionary anew for the basis that there is, as far as its pivots are not too small.
func (s *Solver) refactor() {
	clear(s.mark)
	for _, v := range s.basic {
		s.mark[v] = true
	}
	s.start()
	for {
		// The largest pivot of a column that should be basic, in rows that should not.
		moved := false
		for q := range s.n {
			if !s.mark[s.other[q]] {
				continue
			}
			r, best := -1, 1e-9
			for i, v := range s.basic {
				if a := math.Abs(s.t[i*s.wide+q]); !s.mark[v] && a > best {
					r, best = i, a
				}
			}
			if r >= 0 {
				s.exchange(r, q)
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	for i := range s.weight {
		s.weight[i] = 1
	}
	s.place()
}

// Multipliers gives every variable's multiplier: the cost is at least a constant plus the sum of multiplier times variable, and that form is least
// where every variable with a positive one stands at its lower bound and with a negative one at its upper. After Infeasible the multipliers of what
// is impossible are added, so often that the form's least value lies far above the limits that there were.
func (s *Solver) Multipliers(d []float64) {
	clear(d)
	cost := s.row(s.at[s.p.Cost])
	for j, v := range s.other {
		d[v] = cost[j]
	}
	if s.farkas < 0 {
		return
	}
	k := 100 * (math.Abs(s.v[s.p.Cost]) + 1e-3*max(s.scale[s.p.Cost], 1e-3)) / max(s.short, 1e-300)
	for j, a := range s.row(s.farkas)[:s.n] {
		d[s.other[j]] -= k * s.sign * a
	}
	d[s.basic[s.farkas]] += k * s.sign
}
