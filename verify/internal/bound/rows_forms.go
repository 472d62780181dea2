package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// relax replaces a value by its sparse forms.
func (t *rowsRun) relax(v *value, r *affine.Rows) {
	terms := 0
	for b := range t.p.n {
		terms = max(terms, maxTerms(t.p.at(v.id, b).forms))
	}
	g := sound.Gamma(v.n + terms + 16)
	if v.lin.Window != nil && r.Index == nil && !r.Dense() {
		t.relaxWindow(v, r, g)
		return
	}
	r = r.Expand(t.w)
	out := make([]*affine.Rows, len(v.args))
	inverse := make([][]int32, len(v.args))
	to := make([][]float64, len(v.args)) // of the row in work
	for k, a := range v.args {
		if a >= 0 {
			in := t.p.net.values[a]
			out[k] = &affine.Rows{N: r.N, H: in.order.Geom.H, W: in.order.Geom.W, C: in.order.Geom.C, Full: in.order.Geom, Data: t.w.Zero(r.N * in.n)}
			inverse[k] = in.order.Inverse()
		}
	}
	for i := range r.N {
		row := r.Row(i)
		s := t.state(v.id, i)
		for k, o := range out {
			if o != nil {
				to[k] = o.Row(i)
			}
		}
		sum := 0.0
		for k, x := range row {
			if x == 0 {
				continue
			}
			f := &s.forms.Lower
			if x < 0 {
				f = &s.forms.Upper
			}
			j := v.order.At(k)
			sum += x * f.Const[j]
			for q := f.Start[j]; q < f.Start[j+1]; q++ {
				arg := 0
				if f.Input != nil {
					arg = int(f.Input[q])
				}
				if out[arg] == nil { // a term of a constant
					c := t.constArg(v, arg, int(f.Index[q]))
					sum += x * f.Coef[q] * c
					continue
				}
				at := f.Index[q]
				if inverse[arg] != nil {
					at = inverse[arg][at]
				}
				to[arg][at] += x * f.Coef[q]
			}
		}
		t.addConst(i, sum)
		t.e[i] += g * kernel.AbsDot(row, s.fm)
	}
	t.w.Put(r.Data)
	for k, o := range out {
		if o != nil {
			t.push(v.args[k], o)
		}
	}
}

func (t *rowsRun) constArg(v *value, arg, i int) float64 {
	f, err := v.node.ConstInput(arg).Float64s()
	if err != nil || i >= len(f) {
		return math.NaN()
	}
	return f[i]
}

func maxTerms(f *relax.Relaxation) int {
	most := int32(0)
	for _, x := range []*relax.Forms{&f.Lower, &f.Upper} {
		for i := 0; i+1 < len(x.Start); i++ {
			most = max(most, x.Start[i+1]-x.Start[i])
		}
	}
	return int(most)
}

// relaxWindow is relax for pooling: windows stay windows.
func (t *rowsRun) relaxWindow(v *value, r *affine.Rows, g float64) {
	win := v.lin.Window
	in := t.p.net.values[v.args[0]]
	h := (r.H-1)*win.StrideH + (win.KH-1)*win.DilationH + 1
	wd := (r.W-1)*win.StrideW + (win.KW-1)*win.DilationW + 1
	out := &affine.Rows{N: r.N, H: h, W: wd, C: win.C, Full: in.order.Geom, Y: make([]int32, r.N), X: make([]int32, r.N),
		Data: t.w.Zero(r.N * h * wd * win.C)}
	for i := range r.N {
		y0, x0 := int(r.Y[i])*win.StrideH-win.PadTop, int(r.X[i])*win.StrideW-win.PadLeft
		out.Y[i], out.X[i] = int32(y0), int32(x0)
		s := t.state(v.id, i)
		row, to := r.Row(i), out.Row(i)
		sum := 0.0
		r.Run(i, func(off, at, n int) {
			for k := range n {
				x := row[off+k]
				if x == 0 {
					continue
				}
				f := &s.forms.Lower
				if x < 0 {
					f = &s.forms.Upper
				}
				j := v.order.At(at + k)
				sum += x * f.Const[j]
				for q := f.Start[j]; q < f.Start[j+1]; q++ {
					// The term's place in ONNX order [C, H, W], then in the window.
					idx := int(f.Index[q])
					ch, y, xx := idx/(win.H*win.W), idx/win.W%win.H, idx%win.W
					to[((y-y0)*wd+xx-x0)*win.C+ch] += x * f.Coef[q]
				}
			}
			t.e[i] += g * kernel.AbsDot(row[off:off+n], s.fm[at:at+n])
		})
		t.addConst(i, sum)
	}
	t.w.Put(r.Data)
	t.push(in.id, out)
}
