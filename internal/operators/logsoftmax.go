// logsoftmax.go — LogSoftmax, opset 1, 11, 13: y = x - log sum exp(x), with Softmax's axes.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var logSoftmaxOp = op.Def{Name: "LogSoftmax", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: softmaxShape, Eval: softmaxEval, Gradient: softmaxGradient(true), Interval: logSoftmaxInterval,
	Linear: logSoftmaxLinear, Couple: coupleOverAxis}

// logSoftmaxInterval bounds y_i = -log(sum exp(x_j - x_i)), which rises in x_i and falls in all others.
func logSoftmaxInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := softmaxRows(n, s)
	if err != nil {
		return nil, err
	}
	out := relax.NewBox(product(s))
	hi, lo := make([]float64, g.size), make([]float64, g.size) // largest and smallest x_j - x_i
	for o := range g.outer {
		for k := range g.inner {
			at := o*g.size*g.inner + k
			known := true
			for j := range g.size {
				known = known && sound.Finite(in[0].Lower[at+j*g.inner]) && sound.Finite(in[0].Upper[at+j*g.inner])
			}
			for i := range g.size {
				ii := at + i*g.inner
				if !known {
					out.Lower[ii], out.Upper[ii] = math.Inf(-1), 0
					continue
				}
				for j := range g.size {
					jj := at + j*g.inner
					hi[j], lo[j] = sound.AddUp(in[0].Upper[jj], -in[0].Lower[ii]), sound.AddDown(in[0].Lower[jj], -in[0].Upper[ii])
				}
				hi[i], lo[i] = 0, 0
				_, most := logSumExpAt(hi)
				least, _ := logSumExpAt(lo)
				out.Lower[ii], out.Upper[ii] = -most, min(-least, 0)
			}
		}
	}
	return []relax.Box{out}, nil
}

// logSoftmaxLinear bounds x_i - L, L = log sum exp(x), by planes over and under L in all elements of the row.
//
// Float32 executions shift by the maximum. The logarithm of the sum is off by what ReduceLogSumExp says; the differences round
// by the size of x and of the maximum, which y may be far below.
func logSoftmaxLinear(n *onnxio.Node) (*op.Linear, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := softmaxRows(n, s)
	if err != nil {
		return nil, err
	}
	size := float64(g.size)
	return &op.Linear{
		Terms: formTerms(product(s), g.size),
		Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			out, err := logSoftmaxInterval(n, in)
			if err != nil {
				return nil, err
			}
			if product(s) > maxDotTerms/max(1, g.size) {
				return relax.ConstantForms(out[0]), nil
			}
			return logSoftmaxForms(g, in[0], out[0]), nil
		},
		Execution: op.Within(4, 0, "error analysis of the form that is shifted by the maximum, as for Softmax").Depending(func(in []relax.Box,
			out []float64) {
			for o := range g.outer {
				for k := range g.inner {
					at, top := o*g.size*g.inner+k, 0.0
					for j := range g.size {
						top = max(top, in[0].Magnitude(at+j*g.inner))
					}
					for j := range g.size {
						out[at+j*g.inner] += sound.Fits32(4*top, (2*size+16+8*math.Log(size+1))*0x1p-23+8*sound.Unit32*(2*top+2+math.Log(size)))
					}
				}
			}
		}),
	}, nil
}

// logSoftmaxForms lays planes over and under L for every row, and takes the ends of y's box where these are nearer in the middle.
func logSoftmaxForms(g gather, x, y relax.Box) *relax.Relaxation {
	total := len(x.Lower)
	lower, upper := make([]plane, g.outer*g.inner), make([]plane, g.outer*g.inner) // under and over y - x_i, negated planes of L
	for r := range lower {
		at := r/g.inner*g.size*g.inner + r%g.inner
		lower[r], upper[r] = logSumExpOver(x, at, g.inner, g.size), logSumExpUnder(x, at, g.inner, g.size)
	}
	lo, up := relax.NewForms(total, g.size), relax.NewForms(total, g.size)
	for i := range total {
		r, at := i/(g.size*g.inner)*g.inner+i%g.inner, i/(g.size*g.inner)*g.size*g.inner+i%g.inner
		own := (i - at) / g.inner
		place := func(f *relax.Forms, p plane, sign, flat float64) {
			if p.coef != nil {
				middle := -p.icept
				for j, k := range p.coef {
					jj := at + j*g.inner
					if j == own {
						k--
					}
					middle -= k * (x.Lower[jj]/2 + x.Upper[jj]/2)
				}
				if sign*middle < sign*flat {
					for j, k := range p.coef {
						if j == own {
							f.Add(0, at+j*g.inner, 1-k)
						} else {
							f.Add(0, at+j*g.inner, -k)
						}
					}
					slack := sound.Up(2 * sound.Unit * (1 + math.Abs(p.coef[own])) * x.Magnitude(i))
					f.Close(sign * sound.AddUp(sign*-p.icept, slack))
					return
				}
			}
			f.Close(flat)
		}
		place(lo, lower[r], -1, y.Lower[i])
		place(up, upper[r], 1, y.Upper[i])
	}
	lo.Input, up.Input = nil, nil
	return &relax.Relaxation{Lower: *lo, Upper: *up}
}

// plane is sum coef[j]*x_j + icept over a row; without coef nothing is known.
type plane struct {
	coef  []float64
	icept float64
}

// logSumExpUnder is the tangent plane of the convex L at the middle m: L(m) + sum p_j (x_j - m_j) with p = softmax(m). What p may be off
// by, of each exponential expMargin and the rounding of its argument, and the sum's, counts with the width of x_j.
func logSumExpUnder(x relax.Box, at, step, size int) plane {
	m, p := make([]float64, size), make([]float64, size)
	top, sum := math.Inf(-1), 0.0
	for j := range m {
		i := at + j*step
		m[j] = x.Lower[i]/2 + x.Upper[i]/2
		if !sound.Finite(m[j]) {
			return plane{}
		}
		top = max(top, m[j])
	}
	for j := range p {
		p[j] = math.Exp(m[j] - top)
		sum += p[j]
	}
	c, _ := logSumExpAt(m)
	slack := 0.0
	for j := range p {
		i := at + j*step
		p[j] /= sum
		off := p[j]*(4*expMargin+2*(min(top-m[j], 800)+800)*0x1p-52+2*float64(size+8)*0x1p-52) + 0x1p-1050
		slack = sound.AddUp(slack, sound.MulUp(sound.Up(off), sound.Up(max(x.Upper[i]-m[j], m[j]-x.Lower[i]))))
		c = sound.AddDown(c, -sound.MulUp(p[j], m[j]))
	}
	return plane{p, sound.AddDown(c, -slack)}
}

// logSumExpOver is a plane over L: with c the largest upper end, every exp(x_j - c) is under its chord k_j (x_j - c) + q_j, and the logarithm
// of the sum S under its tangent at a, the sum of the chords in the middle: L <= c + log a - 1 + S/a.
func logSumExpOver(x relax.Box, at, step, size int) plane {
	k, q := make([]float64, size), make([]float64, size)
	c, a := math.Inf(-1), 0.0
	for j := range k {
		c = max(c, x.Upper[at+j*step])
	}
	f := relax.Curve{F: expBounds, D: expBounds}
	for j := range k {
		i := at + j*step
		l, u := sound.AddDown(x.Lower[i], -c), sound.AddUp(x.Upper[i], -c)
		if !sound.Finite(l) || !sound.Finite(u) {
			return plane{}
		}
		k[j], q[j] = f.OverChord(l, u)
		if !sound.Finite(k[j]) || !sound.Finite(q[j]) {
			return plane{}
		}
		a += k[j]*(l/2+u/2) + q[j]
	}
	if !(a > 0x1p-1000) || !sound.Finite(a) {
		return plane{}
	}
	_, icept := logBounds(a)
	icept = sound.AddUp(sound.AddUp(icept, -1), c)
	for j := range k {
		i := at + j*step
		icept = sound.AddUp(icept, sound.Up(q[j]/a))
		k[j] /= a
		w := sound.Up(max(math.Abs(x.Lower[i]-c), math.Abs(x.Upper[i]-c)))
		icept = sound.AddUp(icept, -sound.MulDown(k[j], c))
		icept = sound.AddUp(icept, sound.Up(sound.Up(math.Abs(k[j])*0x1p-52+0x1p-1060)*w))
	}
	if !sound.Finite(icept) {
		return plane{}
	}
	return plane{k, icept}
}
