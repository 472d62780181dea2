package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// maxpoolHinges gathers the windows' first elements, their second ones, and so on, and has the largest of them, two by two. Windows that the border
// cuts are fewer elements: each sort of windows is gathered by itself.
func maxpoolHinges(e *op.Emitter, n *onnxio.Node) *onnxio.Value {
	x := n.Input(0)
	g, err := poolOf(n)
	if err != nil || x.Const != nil || !x.DType.IsFloat() {
		return nil
	}
	count := g.n * g.c * g.oh * g.ow
	if g.kh*g.kw < 2 || !e.Fits("windows", float64(g.kh*g.kw)*float64(count)) {
		return nil
	}
	type sort struct{ ya, yb, xa, xb int }
	var sorts []sort
	index := map[sort][][]int{} // by place in the window
	where := map[sort][]int{}
	for o := range count {
		p, oy, ox := o/(g.oh*g.ow), o/g.ow%g.oh, o%g.ow
		ya, yb, y0 := inside(oy*g.sh-g.top, g.kh, g.dh, g.h)
		xa, xb, x0 := inside(ox*g.sw-g.left, g.kw, g.dw, g.w)
		of := sort{ya, yb, xa, xb}
		if index[of] == nil {
			sorts, index[of] = append(sorts, of), make([][]int, (yb-ya)*(xb-xa))
		}
		where[of] = append(where[of], o)
		k := 0
		for ky := ya; ky < yb; ky++ {
			for kx := xa; kx < xb; kx++ {
				index[of][k] = append(index[of][k], p*g.h*g.w+(y0+ky*g.dh)*g.w+x0+kx*g.dw)
				k++
			}
		}
	}
	pick := func(v *onnxio.Value, list []int) *onnxio.Value {
		return e.Op("Gather", onnxio.Attrs{"axis": int64(0)}, v, e.Ints(list...))
	}
	flat := e.Reshape(x, product(x.Shape))
	var all []*onnxio.Value
	back := make([]int, count)
	at := 0
	for _, of := range sorts {
		var vs []*onnxio.Value
		for _, list := range index[of] {
			vs = append(vs, pick(flat, list))
		}
		all = append(all, e.Largest(vs))
		for _, o := range where[of] {
			back[o] = at
			at++
		}
	}
	y := all[0]
	if len(all) > 1 {
		y = pick(e.Concat(0, all...), back)
	}
	return e.Reshape(y, n.Outputs[0].Shape...)
}

// extremeHinges is Max, or Min, of several values that vary.
func extremeHinges(largest bool) func(*op.Emitter, *onnxio.Node) *onnxio.Value {
	return func(e *op.Emitter, n *onnxio.Node) *onnxio.Value {
		vary := 0
		vs := make([]*onnxio.Value, len(n.Inputs))
		for i, v := range n.Inputs {
			if !v.DType.IsFloat() {
				return nil
			}
			if v.Const == nil {
				vary++
			}
			if vs[i] = v; !largest {
				vs[i] = e.Neg(v)
			}
		}
		if vary < 2 {
			return nil
		}
		if y := e.Largest(vs); largest {
			return y
		} else {
			return e.Neg(y)
		}
	}
}

// extremeOver is ReduceMax, or ReduceMin: the largest, or least, of what stands along the axes.
func extremeOver(largest bool) func(*op.Emitter, *onnxio.Node) *onnxio.Value {
	return func(e *op.Emitter, n *onnxio.Node) *onnxio.Value {
		x := n.Input(0)
		if x.Const != nil || !x.DType.IsFloat() {
			return nil
		}
		r, err := staticReduction(n, foldAxes, "Hinges")
		if err != nil || r.count < 2 || product(x.Shape) == 0 || !e.Fits("elements", float64(product(x.Shape))) {
			return nil
		}
		start, rows := r.rows()
		if !largest {
			x = e.Neg(x)
		}
		x = e.Reshape(x, len(rows))
		vs := make([]*onnxio.Value, r.count)
		for k := range vs {
			list := make([]int, len(start)-1)
			for i := range list {
				list[i] = int(rows[int(start[i])+k])
			}
			vs[k] = e.Op("Gather", onnxio.Attrs{"axis": int64(0)}, x, e.Ints(list...))
		}
		y := e.Largest(vs)
		if !largest {
			y = e.Neg(y)
		}
		return e.Reshape(y, n.Outputs[0].Shape...)
	}
}

// mulHinges is the product of two values that vary as a quarter of what the squares of their sum and of their difference differ by.
func mulHinges(e *op.Emitter, n *onnxio.Node) *onnxio.Value {
	a, b := n.Input(0), n.Input(1)
	if a == b || a.Const != nil || b.Const != nil || !a.DType.IsFloat() {
		return nil
	}
	s, d := e.Add(a, b), e.Sub(a, b)
	return e.MulC(e.Sub(e.Mul(s, s), e.Mul(d, d)), 0.25)
}
