package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// standard is scale * (x - mean) / (sqrt(variance + epsilon) + delta) + bias over runs of size elements, for bounds.
//
// With d = x - mean, affine in x, and v the variance: y = d / (sqrt(v+epsilon)+delta). What is known of v over a box, and of v where d_i is
// given: v >= d_i^2/(n-1), whence |y| <= sqrt(n-1), and v = (d_i^2 + what the others add)/n. For a fixed share of the others y rises in d_i,
// so the ends of d_i's interval bound it.
type standard struct {
	size, total    int
	index          []int32 // the elements of all runs, run after run; nil where they stand so
	epsilon, delta float64
	scale, bias    func(i int) int // which element of inputs 1 and 2 belongs to element i of x; nil for none
}

func (g *standard) at(k int) int {
	if g.index == nil {
		return k
	}
	return int(g.index[k])
}

// spread is what is known of one run.
type spread struct {
	dl, du []float64 // d = x - mean
	yl, yu []float64 // d over the deviation
	rl, ru float64   // 1 over the deviation
	vl, vu float64   // variance
	mags   float64   // sum of largest |x|
}

func (g *standard) newSpread() *spread {
	b := make([]float64, 4*g.size)
	n := g.size
	return &spread{dl: b[:n], du: b[n : 2*n], yl: b[2*n : 3*n], yu: b[3*n:]}
}

// run bounds one run. Sums of n numbers are off by at most gamma_n times the sum of their magnitudes; every error below has twice the
// room that it needs.
func (g *standard) run(r int, x relax.Box, s *spread) {
	n := g.size
	l, u, mags := 0.0, 0.0, 0.0
	for j := range n {
		i := g.at(r*n + j)
		l, u, mags = l+x.Lower[i], u+x.Upper[i], mags+x.Magnitude(i)
	}
	s.mags = mags
	if !sound.Finite(mags * float64(n)) {
		g.unknown(s)
		return
	}
	least, most := 0.0, 0.0 // sums of the squares of d
	for j := range n {
		i := g.at(r*n + j)
		a, b := x.Lower[i], x.Upper[i]
		e := 2*sound.Gamma(n+16)*(float64(n)*x.Magnitude(i)+mags) + 0x1p-1060
		s.dl[j] = sound.Down((float64(n-1)*a - (u - b) - e) / float64(n))
		s.du[j] = sound.Up((float64(n-1)*b - (l - a) + e) / float64(n))
		p, q := squareBounds(s.dl[j], s.du[j])
		least, most = least+p, most+q
	}
	least = max(0, sound.Down(least*(1-2*sound.Gamma(n+8))))
	most = sound.Up(most*(1+2*sound.Gamma(n+8)) + 0x1p-1060)
	s.vl, s.vu = g.variance(r, x, (l+u)/2/float64(n))
	s.vu = min(s.vu, sound.Up(most/float64(n)))
	s.vl = min(s.vl, s.vu)
	under := g.deviation(s.vl, true)
	if !(under > 0) || !sound.Finite(s.vu) {
		g.unknown(s)
		return
	}
	s.ru, s.rl = sound.Up(1/under), max(0, sound.Down(1/g.deviation(s.vu, false)))
	for j := range n {
		p, q := squareBounds(s.dl[j], s.du[j])
		other, others := max(0, sound.Down(least-p)), max(0, sound.Up(most-q))
		s.yu[j] = g.largest(s, s.du[j], other, others)
		s.yl[j] = -g.largest(s, -s.dl[j], other, others)
	}
}

// unknown knows of a run only that |y| <= sqrt(n-1), and that only where the deviation cannot be 0.
func (g *standard) unknown(s *spread) {
	top := math.Inf(1)
	if g.deviation(0, true) > 0 {
		top = sound.Up(math.Sqrt(float64(g.size - 1)))
	}
	for j := range s.yl {
		s.dl[j], s.du[j], s.yl[j], s.yu[j] = math.Inf(-1), math.Inf(1), -top, top
	}
	s.rl, s.ru, s.vl, s.vu = 0, math.Inf(1), 0, math.Inf(1)
}

// deviation is sqrt(v+epsilon)+delta from below or from above.
func (g *standard) deviation(v float64, below bool) float64 {
	if below {
		w := sound.AddDown(v, g.epsilon)
		if !(w >= 0) {
			return 0
		}
		lo, _ := sqrtBounds(w)
		return sound.AddDown(lo, g.delta)
	}
	_, hi := sqrtBounds(max(0, sound.AddUp(v, g.epsilon)))
	return sound.AddUp(hi, g.delta)
}

// largest bounds y from above where d <= t and the squares of the others add up to at least other and at most others.
func (g *standard) largest(s *spread, t, other, others float64) float64 {
	n := float64(g.size)
	if n == 1 {
		return 0 // d is 0
	}
	if t > 0 {
		sq := max(0, sound.Down(t*t))
		v := max(s.vl, sound.Down(sound.Down(sq+other)/n), sound.Down(sq/(n-1)))
		y := sound.Up(t / g.deviation(v, true))
		if g.epsilon >= 0 && g.delta >= 0 {
			y = min(y, sound.Up(math.Sqrt(n-1)))
		}
		return y
	}
	v := min(s.vu, sound.Up(sound.Up(sound.Up(t*t)+others)/n))
	return min(0, sound.Up(t/g.deviation(v, false)))
}

// variance bounds the variance of run r.
//
// It is the least over all c of sum (x-c)^2 / n. Any c gives an upper bound. From below, the sum of squared distances from c to the
// intervals, g(c), is convex, and its least value is over the box's: at c0 it is at least g(c0) - |g'(c0)| w, with w the width of the range
// in which the minimum must lie.
func (g *standard) variance(r int, x relax.Box, middle float64) (lo, hi float64) {
	n := g.size
	left, right := math.Inf(1), math.Inf(-1) // least upper end, greatest lower end
	for j := range n {
		i := g.at(r*n + j)
		left, right = min(left, x.Upper[i]), max(right, x.Lower[i])
		d := max(x.Upper[i]-middle, middle-x.Lower[i])
		hi += d * d
	}
	hi = sound.Up(sound.Up(hi*(1+2*sound.Gamma(n+8))+0x1p-1060) / float64(n))
	if !(left < right) {
		return 0, hi
	}
	slope := func(c float64) (sum, size float64) {
		for j := range n {
			i := g.at(r*n + j)
			if a := x.Lower[i]; a > c {
				sum, size = sum-(a-c), size+(a-c)
			} else if b := x.Upper[i]; b < c {
				sum, size = sum+(c-b), size+(c-b)
			}
		}
		return sum, size
	}
	a, b := left, right
	for range 60 {
		c := a + (b-a)/2
		if !(c > a && c < b) {
			break
		}
		if sum, _ := slope(c); sum < 0 {
			a = c
		} else {
			b = c
		}
	}
	c := min(max(a, left), right)
	sum, size := slope(c)
	for j := range n {
		i := g.at(r*n + j)
		d := max(0, x.Lower[i]-c, c-x.Upper[i])
		lo += d * d
	}
	off := 2 * (math.Abs(sum) + 2*sound.Gamma(n+8)*size) * (right - left) * (1 + 0x1p-40)
	lo = lo*(1-2*sound.Gamma(n+8)) - off - 0x1p-1060
	return max(0, sound.Down(sound.Down(lo)/float64(n))), hi
}

// interval bounds scale*y + bias.
func (g *standard) interval(in []relax.Box) relax.Box {
	out := relax.NewBox(g.total)
	s := g.newSpread()
	for r := range g.total / max(1, g.size) {
		g.run(r, in[0], s)
		for j := range g.size {
			i := g.at(r*g.size + j)
			out.Lower[i], out.Upper[i] = g.affine(in, i, s.yl[j], s.yu[j])
		}
	}
	return out
}

// affine bounds scale*y + bias for y in [l, u].
func (g *standard) affine(in []relax.Box, i int, l, u float64) (lo, hi float64) {
	if g.scale != nil {
		k := g.scale(i)
		l, u = relax.MulBounds(l, u, in[1].Lower[k], in[1].Upper[k])
	}
	if g.bias != nil {
		k := g.bias(i)
		l, u = sound.AddDown(l, in[2].Lower[k]), sound.AddUp(u, in[2].Upper[k])
	}
	return l, u
}

// factors are scale and bias of element i; ok tells whether they are numbers, and not intervals.
func (g *standard) factors(in []relax.Box, i int) (scale, bias float64, ok bool) {
	scale, ok = 1, true
	if g.scale != nil {
		k := g.scale(i)
		scale, ok = in[1].Lower[k], in[1].Lower[k] == in[1].Upper[k]
	}
	if g.bias != nil {
		k := g.bias(i)
		bias, ok = in[2].Lower[k], ok && in[2].Lower[k] == in[2].Upper[k]
	}
	return scale, bias, ok && sound.Finite(scale) && sound.Finite(bias)
}

// relax bounds y between two lines in d, or by its box where that is nearer in the middle, and writes d out in x.
func (g *standard) relax(in []relax.Box) *relax.Relaxation {
	if g.total > maxDotTerms/max(1, g.size) {
		return relax.ConstantForms(g.interval(in))
	}
	box := relax.NewBox(g.total)
	s := g.newSpread()
	rows := make([][4]float64, g.total) // slope and intercept of the lower and the upper line
	mags := make([]float64, g.total)
	run := make([]int, g.total)
	for r := range g.total / max(1, g.size) {
		g.run(r, in[0], s)
		for j := range g.size {
			i := g.at(r*g.size + j)
			run[i], mags[i] = r, s.mags
			box.Lower[i], box.Upper[i] = g.affine(in, i, s.yl[j], s.yu[j])
			rows[i] = [4]float64{0, box.Lower[i], 0, box.Upper[i]}
			scale, bias, ok := g.factors(in, i)
			if !ok || !sound.Finite(s.ru) || g.size < 2 {
				continue
			}
			lk, lc, uk, uc := scaledLines(s.rl, s.ru, s.dl[j], s.du[j], s.yl[j], s.yu[j])
			// A slope that vanishes by underflow is none.
			if scale*uk == 0 {
				uk, uc = 0, s.yu[j]
			}
			if scale*lk == 0 {
				lk, lc = 0, s.yl[j]
			}
			if scale < 0 {
				lk, lc, uk, uc = uk, uc, lk, lc
			}
			rows[i] = [4]float64{scale * lk, sound.AddDown(sound.MulDown(scale, lc), bias), scale * uk, sound.AddUp(sound.MulUp(scale, uc), bias)}
		}
	}
	lower, upper := relax.NewForms(g.total, g.size), relax.NewForms(g.total, g.size)
	for i, row := range rows {
		lower.Close(sound.AddDown(row[1], -g.centred(lower, in[0], run[i], i, row[0], mags[i])))
		upper.Close(sound.AddUp(row[3], g.centred(upper, in[0], run[i], i, row[2], mags[i])))
	}
	lower.Input, upper.Input = nil, nil
	return &relax.Relaxation{Lower: *lower, Upper: *upper}
}

// centred adds the terms of k*(x_i - mean), and tells what their roundings, that of k among them, can change: at most 4 of each coefficient,
// taken as 16.
func (g *standard) centred(f *relax.Forms, x relax.Box, r, i int, k, mags float64) float64 {
	if k == 0 {
		return 0
	}
	n := float64(g.size)
	share := -k / n
	for j := range g.size {
		if at := g.at(r*g.size + j); at == i {
			f.Add(0, at, k-k/n)
		} else {
			f.Add(0, at, share)
		}
	}
	return sound.Up(16*sound.Unit*(math.Abs(k)*x.Magnitude(i)+math.Abs(share)*mags) + 0x1p-1000*(1+mags))
}

// execution bounds the error of float32 executions that sum in any order, that find the variance from the mean of squares or from d, and
// that fold scale and bias into a factor and a shift.
//
// With g = gamma_{n+4} and M the mean of |x|, Q the mean of its square: the mean is off by g*M, d by g*(M+|x|). The variance is off by 3g*Q
// if it is the difference of two means of at most Q, and may then even be negative. If it sums the squares of d, it is off by the mean of
// 2g*(M+|x|)*|d|, at most 2g*2*sqrt(Q)*sqrt(v) (Cauchy and Schwarz), and g*v: 5g*Q. From the variance's error e follows that of 1/deviation, at
// most R^2 * e / (2 sqrt(w)), with w the least variance, epsilon in it, and R the largest quotient. What comes after rounds at most 8 times.
//
// onnxruntime leaves delta out (MeanVarianceNormalization): 1/sqrt(w) is then above R by the share delta/sqrt(w), at most.
func (g *standard) execution(in []relax.Box, out []float64) {
	s := g.newSpread()
	n := float64(g.size)
	g32 := sound.Gamma32(g.size + 12)
	for r := range g.total / max(1, g.size) {
		g.run(r, in[0], s)
		q := 0.0
		for j := range g.size {
			m := in[0].Magnitude(g.at(r*g.size + j))
			q += m * m
		}
		mean := s.mags / n
		other := (4*sound.Unit32*(s.vu+math.Abs(g.epsilon)) + 0x1p-118) * (1 + 0x1p-20)
		ev := 5*sound.Gamma32(g.size+4)*q/n*(1+0x1p-20) + other
		v := sound.Down(s.vl + g.epsilon - 3*sound.Gamma32(g.size+4)*q/n*(1+0x1p-20) - other)
		v = min(v, max(sound.Down(g.epsilon*(1-0x1p-20)), s.vl+g.epsilon-ev))
		root := math.Sqrt(v) * (1 - 0x1p-40)
		quotient := (1 + 0x1p-40) / (root + g.delta)
		er := quotient * quotient * ev / (2 * root) * (1 + 0x1p-20)
		for j := range g.size {
			i := g.at(r*g.size + j)
			scale, bias := 1.0, 0.0
			if g.scale != nil {
				scale = in[1].Magnitude(g.scale(i))
			}
			if g.bias != nil {
				bias = in[2].Magnitude(g.bias(i))
			}
			if !(v > 0) || !sound.Finite(er) {
				out[i] = math.Inf(1)
				continue
			}
			m := mean + in[0].Magnitude(i)
			d := max(math.Abs(s.dl[j]), math.Abs(s.du[j]))
			e := scale*(quotient*g32*m+d*er+d*g.delta*quotient/root) + 16*sound.Unit32*(scale*quotient*(d+m)+bias) + (1+scale)*(1+quotient)*(1+d+m)*0x1p-118
			// The factor is made before it meets d, which may be small.
			out[i] += sound.Fits32(scale*quotient, sound.Within32(max(m, scale*quotient*m, q), e*(1+0x1p-20)))
		}
	}
}

// standardInterval and standardLinear are the faces of a node that normalises, given how it does so.
func standardInterval(read func(*onnxio.Node) (*standard, error)) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		g, err := read(n)
		if err != nil {
			return nil, err
		}
		return []relax.Box{g.interval(in)}, nil
	}
}

func standardLinear(read func(*onnxio.Node) (*standard, error)) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		g, err := read(n)
		if err != nil {
			return nil, err
		}
		return &op.Linear{
			Terms:     formTerms(g.total, g.size),
			Relax:     func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) { return g.relax(in), nil },
			Execution: op.Within(0, 0, "error analysis of sums in any order, and of both ways to find a variance").Depending(g.execution),
		}, nil
	}
}
