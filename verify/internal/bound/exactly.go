package bound

import (
	"math"
	"math/bits"

	"github.com/shallow-waters/shoal/internal/affine"
)

// exactWeights is how many weights of a value are looked at for Exactly.
const exactWeights = 1 << 22

// Exactly runs the network at a point in the real numbers, where float64 can: all terms of every sum are whole multiples of one power of two, of which they make
// less than 2^53, so that nothing is rounded in whatever order. ok is false where that is not so, and for what is neither affine nor a hinge. Outputs are
// flat in the model's order, as x is.
func (net *Network) Exactly(x []float64) (y []float64, ok bool) {
	vals := make([][]float64, len(net.values))
	w := workPool.Get().(*affine.Work)
	defer workPool.Put(w)
	at := 0
	for _, v := range net.values {
		out := make([]float64, v.n)
		switch {
		case v.kind == kindInput:
			v.order.Store(out, x[at:at+v.n])
			at += v.n
		case v.kind == kindAffine:
			if v.rel != 0 || v.extra != nil || !v.sum(out, vals, w) {
				return nil, false
			}
		case v.relu:
			for i, z := range vals[v.in[0]] {
				out[i] = max(0, z)
			}
		default:
			return nil, false
		}
		vals[v.id] = out
	}
	y = make([]float64, net.nOut)
	at = 0
	for _, id := range net.outputs {
		v := net.values[id]
		v.order.Load(y[at:at+v.n], vals[id])
		at += v.n
	}
	return y, true
}

// sum runs an affine value, and tells whether nothing was rounded.
func (v *value) sum(out []float64, vals [][]float64, w *affine.Work) bool {
	mag := make([]float64, v.n)
	grain := math.MaxInt
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
		if v.n*len(src) > exactWeights {
			return false
		}
		rows := step.Pick(index, ones, nil, w)
		weights := math.MaxInt
		for _, a := range rows.Data {
			weights = min(weights, lowest(a))
		}
		w.Put(rows.Data)
		if fine != math.MaxInt && weights != math.MaxInt {
			grain = min(grain, fine+weights)
		}
	}
	if grain == math.MaxInt { // nothing but zeros
		return true
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
