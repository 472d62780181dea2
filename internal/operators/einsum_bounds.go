package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// einsumPlaces lists where the operands' elements stand: product p of output i takes out[o][i]+sum[o][p] of operand o.
type einsumPlaces struct {
	n, k     int
	out, sum [2][]int32
}

// maxEinsumPlaces limits the lists.
const maxEinsumPlaces = 1 << 26

func einsumOf(n *onnxio.Node) (*einsumPlaces, error) {
	if _, err := einsumShape(n); err != nil {
		return nil, err
	}
	var shapes [][]int
	for _, v := range n.Inputs {
		shapes = append(shapes, v.Shape)
	}
	e, err := readEinsum(n.Attrs.String("equation", ""), shapes)
	if err != nil {
		return nil, err
	}
	w := &einsumPlaces{n: product(e.sizes[:e.out]), k: product(e.sizes[e.out:])}
	if w.n > maxEinsumPlaces || w.k > maxEinsumPlaces {
		return nil, op.Unsupported(n, "Interval", fmt.Sprintf("%d sums of %d products", w.n, w.k))
	}
	for o := range n.Inputs {
		w.out[o], w.sum[o] = make([]int32, w.n), make([]int32, w.k)
		fill := func(to []int32, sizes, step []int) {
			eachPlace(sizes, func(i int, at []int) {
				for d, p := range at {
					to[i] += int32(p * step[d])
				}
			})
		}
		fill(w.out[o], e.sizes[:e.out], e.step[o][:e.out])
		fill(w.sum[o], e.sizes[e.out:], e.step[o][e.out:])
	}
	return w, nil
}

func (w *einsumPlaces) dots() *dots {
	return &dots{n: w.n, k: w.k, at: func(i, p int) (int, int) {
		return int(w.out[0][i] + w.sum[0][p]), int(w.out[1][i] + w.sum[1][p])
	}}
}

// dense tells whether operand x is read as blocks of k elements that meet the same weights, and how many outputs a block has.
func (w *einsumPlaces) dense(x, c, size int) (outs int, ok bool) {
	if w.n == 0 || w.k == 0 {
		return 0, false
	}
	for outs = 1; outs < w.n && w.out[x][outs] == w.out[x][0]; outs++ {
	}
	if w.n%outs != 0 || w.n/outs*w.k != size {
		return 0, false
	}
	for p, at := range w.sum[x] {
		if int(at) != p {
			return 0, false
		}
	}
	for i := range w.n {
		if int(w.out[x][i]) != i/outs*w.k || w.out[c][i] != w.out[c][i%outs] {
			return 0, false
		}
	}
	return outs, true
}

func einsumInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	w, err := einsumOf(n)
	if err != nil {
		return nil, err
	}
	if len(in) > 1 {
		return []relax.Box{w.dots().interval(in[0], in[1])}, nil
	}
	ones := relax.Box{Lower: []float64{1}, Upper: []float64{1}}
	d := &dots{n: w.n, k: w.k, at: func(i, p int) (int, int) { return int(w.out[0][i] + w.sum[0][p]), 0 }}
	return []relax.Box{d.interval(in[0], ones)}, nil
}

// einsumLinear is a map for one variable operand, and relaxes products of two (see dots).
func einsumLinear(n *onnxio.Node) (*op.Linear, error) {
	w, err := einsumOf(n)
	if err != nil {
		return nil, err
	}
	x, c := 0, 1
	switch {
	case len(n.Inputs) == 1:
	case n.ConstInput(0) != nil && n.ConstInput(1) != nil:
		return nil, op.Unsupported(n, "Linear", "a product of constants")
	case n.ConstInput(0) != nil:
		x, c = 1, 0
	case n.ConstInput(1) == nil:
		return w.dots().linear(func(in []relax.Box) (relax.Box, error) { return w.dots().interval(in[0], in[1]), nil }), nil
	}
	l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), Execution: op.Sums(0, 1, "sums of products in any order")}
	var weight []float64
	size := product(n.Inputs[x].Shape)
	if len(n.Inputs) > 1 {
		if weight, err = weights(n, c); err != nil {
			return nil, err
		}
		if outs, ok := w.dense(x, c, size); ok {
			m := &affine.Dense{In: w.k, Out: outs, Blocks: w.n / outs, W: make([]float64, outs*w.k)}
			for i := range outs {
				for p := range w.k {
					m.W[i*w.k+p] = weight[w.out[c][i]+w.sum[c][p]]
				}
			}
			l.Maps[x] = m
			return l, nil
		}
	}
	l.Maps[x], err = sparseProduct(n, size, 1, w.n, 1, w.k, func(_, i, _, p int) (int, float64) {
		f := 1.0
		if weight != nil {
			f = weight[w.out[c][i]+w.sum[c][p]]
		}
		return int(w.out[x][i] + w.sum[x][p]), f
	})
	return l, err
}
