package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// equations are two linear forms in the inputs per element of a value: Lower(x) <= value <= Upper(x) on the box.
//
// Data is 2*(d+1) vectors of n, one behind the other: for each input the coefficients of the midpoint form (L+U)/2, then its
// constants; then the same of the half difference (U-L)/2. An affine step takes the first through A and the second through |A|, which
// is A+ L + A- U and A+ U + A- L in one. mag bounds the sum of |coefficient|*|x|max + |constant| of both, for rounding.
type equations struct {
	n    int
	data []float64
	mag  []float64
}

// symbolic is the forward pass in the input variables. Sources: Wang et al. 2018 (ReluVal; Neurify, section 4: the linear relaxation is laid
// over the range of each equation, not of the neuron).
type symbolic struct {
	p     *pass
	d     int
	xmax  []float64 // largest magnitude of each variable
	lo    []float64
	up    []float64
	eq    []*equations
	of    []int       // by input, in stored order: its variable, -1 for one without width, which is a constant
	first map[int]int // where an input value's elements begin in of
}

// maxSymbolic is the largest equation store in float64s: 1 GiB.
const maxSymbolic = 1 << 27

// runSymbolic bounds every value over the box and leaves the outputs' equations.
func (p *pass) runSymbolic(box Box) (*symbolic, error) {
	y := &symbolic{p: p, d: varying(box), eq: make([]*equations, len(p.net.values)), of: make([]int, p.net.nIn), first: map[int]int{}}
	widest := 0
	for _, v := range p.net.values {
		widest = max(widest, v.n)
	}
	if 8*(y.d+1)*widest > maxSymbolic {
		return nil, &TooWideError{y.d, widest}
	}
	y.lo, y.up, y.xmax = make([]float64, y.d), make([]float64, y.d), make([]float64, y.d)
	last := make([]int, len(p.net.values))
	for _, v := range p.net.values {
		for _, i := range v.in {
			last[i] = v.id
		}
	}
	for _, o := range p.net.outputs {
		last[o] = len(p.net.values)
	}
	at, next := 0, 0
	for _, v := range p.net.values {
		if err := p.ctx.Err(); err != nil {
			return nil, err
		}
		s := p.at(v.id, 0)
		switch v.kind {
		case kindInput:
			s.lo, s.up = make([]float64, v.n), make([]float64, v.n)
			v.order.Store(s.lo, box.Lower[at:at+v.n])
			v.order.Store(s.up, box.Upper[at:at+v.n])
			s.top = s.peak()
			next = y.input(v, s, at, next)
			at += v.n
		case kindAffine:
			if err := p.affine(v, 0); err != nil {
				return nil, err
			}
			y.affine(v, s)
		case kindAct:
			if err := p.act(v); err != nil {
				return nil, err
			}
			y.act(v, s)
		default:
			if err := p.relaxed(v); err != nil {
				return nil, err
			}
			y.constant(v, s)
		}
		for _, i := range v.in {
			if last[i] <= v.id {
				y.eq[i] = nil
			}
		}
	}
	return y, nil
}

func (y *symbolic) fresh(v *value) *equations {
	e := &equations{n: v.n, data: make([]float64, 2*(y.d+1)*v.n), mag: make([]float64, v.n)}
	y.eq[v.id] = e
	return e
}

func (e *equations) mid(k int) []float64 { return e.data[k*e.n : (k+1)*e.n] }

func (e *equations) half(k, d int) []float64 { return e.data[(d+1+k)*e.n : (d+2+k)*e.n] }

func (e *equations) both(d int) (a, b []float64) { h := (d + 1) * e.n; return e.data[:h], e.data[h:] }

// input gives what varies variables from the next one on.
func (y *symbolic) input(v *value, s *state, at, next int) int {
	y.first[v.id] = at
	e := y.fresh(v)
	for k := range v.n {
		e.mag[k] = max(math.Abs(s.lo[k]), math.Abs(s.up[k]))
		if s.lo[k] == s.up[k] {
			y.of[at+k] = -1
			e.mid(y.d)[k] = s.lo[k]
			continue
		}
		y.of[at+k] = next
		e.mid(next)[k] = 1
		y.lo[next], y.up[next], y.xmax[next] = s.lo[k], s.up[k], e.mag[k]
		next++
	}
	return next
}

// constant starts again from the value's box.
func (y *symbolic) constant(v *value, s *state) {
	e := y.fresh(v)
	m, h := e.mid(y.d), e.half(y.d, y.d)
	for i := range v.n {
		m[i] = 0.5*s.lo[i] + 0.5*s.up[i]
		h[i] = max(s.up[i]-m[i], m[i]-s.lo[i])*(1+0x1p-51) + sound.Tiny
		e.mag[i] = math.Abs(m[i]) + h[i]
	}
}

// affine takes both forms through the map. The rounding of 2(d+1) sums of terms products, each weighted by its input, is at
// most gamma * (|A| mag + |b|): it goes into the half difference's constant.
func (y *symbolic) affine(v *value, s *state) {
	if v.copies() {
		y.eq[v.id] = y.eq[v.in[0]]
		return
	}
	e := y.fresh(v)
	m, h := e.both(y.d)
	w := y.p.work[0]
	for k, step := range v.steps {
		in := y.eq[v.in[k]]
		im, ih := in.both(y.d)
		step.Forward(m, im, y.d+1, false, w)
		step.Forward(h, ih, y.d+1, true, w)
		step.Forward(e.mag, in.mag, 1, true, w)
	}
	mc, hc := e.mid(y.d), e.half(y.d, y.d)
	for i := range v.n {
		if v.bias != nil {
			mc[i] += v.bias[i]
			e.mag[i] += math.Abs(v.bias[i])
		}
		err := 2*s.g*e.mag[i] + sound.Tiny
		if y.p.o.Float32 {
			err += s.g * s.m[i]
		}
		if v.extra != nil {
			err += v.extra[i]
		}
		if s.err != nil {
			err += s.err[i]
		}
		hc[i] += err
		e.mag[i] = e.mag[i]*(1+0x1p-30) + 2*err
	}
	y.intersect(v, s, e)
}

// ranges gives the least value of Lower and the greatest of Lower, the same of Upper: [ll, lu], [ul, uu], rounding included.
func (y *symbolic) ranges(e *equations) (ll, lu, ul, uu []float64) {
	n := e.n
	buf := make([]float64, 4*n)
	ll, lu, ul, uu = buf[:n], buf[n:2*n], buf[2*n:3*n], buf[3*n:]
	for k := range y.d {
		m, h := e.mid(k), e.half(k, y.d)
		lo, up := y.lo[k], y.up[k]
		for i := range n {
			l, u := m[i]-h[i], m[i]+h[i]
			if l >= 0 {
				ll[i] += l * lo
				lu[i] += l * up
			} else {
				ll[i] += l * up
				lu[i] += l * lo
			}
			if u >= 0 {
				ul[i] += u * lo
				uu[i] += u * up
			} else {
				ul[i] += u * up
				uu[i] += u * lo
			}
		}
	}
	m, h := e.mid(y.d), e.half(y.d, y.d)
	g := sound.Gamma(2*y.d + 16)
	for i := range n {
		l, u := m[i]-h[i], m[i]+h[i]
		err := g*e.mag[i]*2 + sound.Tiny
		ll[i] += l - err
		lu[i] += l + err
		ul[i] += u - err
		uu[i] += u + err
	}
	return ll, lu, ul, uu
}

// intersect keeps the better of the forms' range and the interval.
func (y *symbolic) intersect(v *value, s *state, e *equations) {
	ll, _, _, uu := y.ranges(e)
	lo, up := make([]float64, v.n), make([]float64, v.n)
	for i := range lo {
		lo[i], up[i] = s.lo[i], s.up[i]
		if y.p.o.Plain || ll[i] > lo[i] {
			if !math.IsNaN(ll[i]) {
				lo[i] = ll[i]
			}
		}
		if y.p.o.Plain || uu[i] < up[i] {
			if !math.IsNaN(uu[i]) {
				up[i] = uu[i]
			}
		}
		if lo[i] > up[i] {
			lo[i], up[i] = up[i], lo[i]
		}
	}
	s.lo, s.up = lo, up
}

// act lays the operator's lines over the range of each form: f(x) <= f(U) <= up-line of f on U's range, for the nondecreasing
// activations; others start again from their box. Lines with a negative slope cannot occur for those.
func (y *symbolic) act(v *value, s *state) {
	if !v.rising {
		y.constant(v, s)
		return
	}
	in := y.eq[v.in[0]]
	ll, lu, ul, uu := y.ranges(in)
	n := v.n
	buf := make([]float64, 8*n)
	low := relax.Lines{LoSlope: buf[:n], LoIcept: buf[n : 2*n], UpSlope: buf[2*n : 3*n], UpIcept: buf[3*n : 4*n]}
	high := relax.Lines{LoSlope: buf[4*n : 5*n], LoIcept: buf[5*n : 6*n], UpSlope: buf[6*n : 7*n], UpIcept: buf[7*n:]}
	v.lin.Lines(relax.SlopeParallel, ll, lu, &low)
	v.lin.Lines(relax.SlopeParallel, ul, uu, &high)
	e := y.fresh(v)
	for i := range n {
		a, b := low.LoSlope[i], high.UpSlope[i]
		if !(a >= 0) || !(b >= 0) || math.IsInf(a, 0) || math.IsInf(b, 0) {
			a, b, low.LoIcept[i], high.UpIcept[i] = 0, 0, s.lo[i], s.up[i]
		}
		// U' - L' keeps its sign; the forms of a dead neuron are zero.
		for k := range y.d + 1 {
			m, h := in.mid(k)[i], in.half(k, y.d)[i]
			l, u := a*(m-h), b*(m+h)
			if k == y.d {
				l += low.LoIcept[i]
				u += high.UpIcept[i]
			}
			e.mid(k)[i] = 0.5*l + 0.5*u
			e.half(k, y.d)[i] = 0.5*u - 0.5*l
		}
		mag := max(a, b)*in.mag[i] + math.Abs(low.LoIcept[i]) + math.Abs(high.UpIcept[i])
		err := 16*sound.Unit*mag + sound.Tiny
		if s.err != nil {
			err += s.err[i]
		}
		e.half(y.d, y.d)[i] += err
		e.mag[i] = mag + err
	}
	y.intersect(v, s, e)
}

// bound gives lower bounds of rows over the outputs (in stored order): the forms meet in the input variables.
func (y *symbolic) bound(rows []*affine.Rows, n int) (low []float64, corner [][]float64) {
	low = make([]float64, n)
	for r := range n {
		form := make([]float64, y.d+1)
		mag := 0.0
		terms := 0
		for o, id := range y.p.net.outputs {
			e := y.eq[id]
			row := rows[o].Row(r)
			for i, c := range row {
				if c == 0 {
					continue
				}
				terms++
				mag += math.Abs(c) * e.mag[i] * 2
				for k := range y.d + 1 {
					form[k] += c*e.mid(k)[i] - math.Abs(c)*e.half(k, y.d)[i]
				}
			}
		}
		v := kernel.BoxMin(form[:y.d], y.lo, y.up) + form[y.d]
		v = sound.Down(v - (sound.Gamma(4*terms+2*y.d+32)*mag*2 + sound.Tiny))
		if math.IsNaN(v) || y.p.beyond[0] != nil {
			v = math.Inf(-1)
		}
		low[r] = v
		corner = append(corner, form[:y.d])
	}
	return low, corner
}

// form writes a form's coefficients in the model's order.
func (y *symbolic) form(out, form []float64) {
	for id, at := range y.first {
		v := y.p.net.values[id]
		for k := range v.n {
			if x := y.of[at+k]; x >= 0 {
				out[at+v.order.At(k)] = form[x]
			}
		}
	}
}
