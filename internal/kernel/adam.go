package kernel

import "math"

// Adam makes one step of the optimiser in place: m and v are the moments of the gradient g, w the weights.
//
//	m = b1 m + (1-b1) g,  v = b2 v + (1-b2) g²,  w = keep w - rate m / (root sqrt(v) + eps)
func Adam(w, g, m, v []float32, rate, root, keep, b1, b2, eps float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	c1, c2 := 1-b1, 1-b2
	for i, d := range g {
		mi := b1*m[i] + c1*d
		vi := b2*v[i] + c2*d*d
		m[i], v[i] = mi, vi
		w[i] = keep*w[i] - rate*mi/(root*float32(math.Sqrt(float64(vi)))+eps)
	}
}
