package bound

import (
	"math"
	"math/bits"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/sound"
)

// exactWeights is how many weights of a value are looked at for Exactly.
const exactWeights = 1 << 22

// Exactly runs the network at a point in the real numbers, where float64 can: all terms of a value's sums are whole multiples of one power of two, of
// which they make less than 2^53, so that nothing is rounded in whatever order. What is rounded comes with a bound of how far it may be off, and is
// exact again behind a hinge that it cannot get above: 0. So outputs that are constants behind dead hinges are known whatever is computed before
// these. An output that is not known, and all behind what is neither affine nor a hinge, is NaN. Outputs are flat in the model's order, as x is.
func (net *Network) Exactly(x []float64) []float64 {
	vals, offs := make([][]float64, len(net.values)), make([][]float64, len(net.values))
	w := workPool.Get().(*affine.Work)
	defer workPool.Put(w)
	at := 0
	for _, v := range net.values {
		out, off := make([]float64, v.n), make([]float64, v.n) // off bounds the distance to the real number; 0 where that is known
		switch {
		case v.kind == kindInput:
			v.order.Store(out, x[at:at+v.n])
			at += v.n
		case v.kind == kindAffine:
			v.sum(out, off, vals, offs, w)
		case v.relu:
			for i, z := range vals[v.in[0]] {
				if out[i], off[i] = max(0, z), offs[v.in[0]][i]; sound.Up(z+off[i]) <= 0 {
					out[i], off[i] = 0, 0
				}
			}
		default:
			for i := range off {
				off[i] = math.Inf(1)
			}
		}
		vals[v.id], offs[v.id] = out, off
	}
	y, off := make([]float64, net.nOut), make([]float64, net.nOut)
	at = 0
	for _, id := range net.outputs {
		v := net.values[id]
		v.order.Load(y[at:at+v.n], vals[id])
		v.order.Load(off[at:at+v.n], offs[id])
		at += v.n
	}
	for i, e := range off {
		if e != 0 {
			y[i] = math.NaN()
		}
	}
	return y
}

// sum runs an affine value. What it reads may be off, and that goes on; what its own sums may be off is there only where they are rounded.
func (v *value) sum(out, off []float64, vals, offs [][]float64, w *affine.Work) {
	mag := make([]float64, v.n)
	exact := v.magnitudes(out, mag, vals, w) && v.rel == 0 && v.extra == nil
	for k, step := range v.steps {
		step.Forward(off, offs[v.in[k]], 1, true, w)
	}
	for i, e := range off {
		if e != 0 {
			off[i] = e * (1 + 2*v.gamma) // a rounded sum of what is positive
		}
		if exact {
			continue
		}
		off[i] += 2 * v.gamma * (mag[i] + e)
		if v.extra != nil {
			off[i] += 2 * v.extra[i]
		}
		off[i] = sound.Up(off[i] + math.SmallestNonzeroFloat64)
	}
}

// magnitudes are a value's numbers with what the magnitudes of their terms add up to; it tells whether nothing was rounded.
func (v *value) magnitudes(out, mag []float64, vals [][]float64, w *affine.Work) bool {
	grain, looked := math.MaxInt, true
	for i, b := range v.bias {
		out[i], mag[i] = b, math.Abs(b)
		grain = min(grain, lowest(b))
	}
	index, ones := make([]int32, v.n), make([]float64, v.n)
	for i := range index {
		index[i], ones[i] = int32(i), 1
	}
	for k, step := range v.steps {
		src := vals[v.in[k]]
		step.Forward(out, src, 1, false, w)
		size := make([]float64, len(src))
		fine := math.MaxInt
		for i, x := range src {
			size[i] = math.Abs(x)
			fine = min(fine, lowest(x))
		}
		step.Forward(mag, size, 1, true, w)
		if fine == math.MaxInt { // nothing but zeros
			continue
		}
		if looked = looked && v.n*len(src) <= exactWeights; !looked {
			continue
		}
		rows := step.Pick(index, ones, nil, w)
		weights := math.MaxInt
		for _, a := range rows.Data {
			weights = min(weights, lowest(a))
		}
		w.Put(rows.Data)
		if weights != math.MaxInt {
			grain = min(grain, fine+weights)
		}
	}
	if !looked || grain == math.MaxInt { // the last where there is nothing but zeros
		return looked
	}
	for _, m := range mag {
		// m is a rounded sum of what is positive: twice it is more than enough.
		if !(2*m < math.Ldexp(1, min(1000, grain+53))) {
			return false
		}
	}
	return grain > -1000
}

// lowest is the exponent of a number's last bit that is set; MaxInt for 0.
func lowest(x float64) int {
	if x == 0 {
		return math.MaxInt
	}
	f, e := math.Frexp(x)
	m := uint64(math.Abs(f) * (1 << 53))
	if m == 0 { // no number
		return math.MinInt / 4
	}
	return e - 53 + bits.TrailingZeros64(m)
}
