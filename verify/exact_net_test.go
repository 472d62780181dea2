package verify

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// plStep is one step of a piecewise linear network. Its numbers are float32s or float64s, as the network's.
type plStep struct {
	kind   string // dense, Relu, LeakyRelu, PRelu, Abs, Clip, HardSigmoid, Max, Min, scale, shift, save, add, sub, node
	w      [][]float64
	b      []float64 // bias, factors, or what is added
	lo, hi float64   // Clip's ends; of LeakyRelu lo is the slope, of HardSigmoid too, and hi is what is added
	shape  []int     // of what a bend of an image gives; nil for a vector
	node   *plNode   // of kind node
}

// plNet is a small piecewise linear network that is written both as a graph and as exact regions.
type plNet struct {
	in, out int
	shape   []int // of its input; nil for a vector
	double  bool
	steps   []plStep
}

// number draws a weight of the network's type.
func (n *plNet) number(rng *rand.Rand, mode int) float64 {
	w := rng.NormFloat64()
	switch mode {
	case 0:
		w = math.Round(2 * w)
	case 1:
		w = math.Round(8*w) / 8
	case 2:
		w = logUniform(rng, -8, 8)
	case 3:
		w = logUniform(rng, -149, -120)
	case 4:
		w = logUniform(rng, 60, 120)
	case 5:
		w = logUniform(rng, -149, 127)
	case 6: // only of double networks
		w = logUniform(rng, -1074, 1000)
	}
	if rng.IntN(7) == 0 {
		w = float64(rng.IntN(3) - 1)
	}
	if !n.double {
		w = float64(float32(w))
	}
	return w
}

// drawPL draws a network of in inputs and few neurons.
func drawPL(rng *rand.Rand, in int) *plNet {
	n := &plNet{in: in, double: rng.IntN(5) == 0}
	numbers := func(k, mode int) []float64 {
		out := make([]float64, k)
		for i := range out {
			out[i] = n.number(rng, mode)
		}
		return out
	}
	mode := func() int { // mild ones twice as often as all others together
		m := rng.IntN(20)
		switch {
		case m < 5:
			return 0
		case m < 8:
			return 1
		case m < 13:
			return 7
		case m == 19 && !n.double:
			return 2
		case m == 19:
			return 6
		}
		return 2 + m%4
	}
	width := in
	dense := func(to int) {
		s := plStep{kind: "dense", b: numbers(to, mode())}
		if rng.IntN(4) == 0 {
			s.b = nil
		}
		k := mode()
		for range to {
			s.w = append(s.w, numbers(width, k))
		}
		n.steps = append(n.steps, s)
		width = to
	}
	bend := func() {
		s := plStep{kind: []string{"Relu", "Relu", "Relu", "Relu", "LeakyRelu", "Abs", "Clip", "Max", "Min"}[rng.IntN(9)]}
		switch s.kind {
		case "LeakyRelu": // its slope is a float32 also in double networks
			s.lo = float64(float32(0.25 * rng.NormFloat64()))
		case "Clip":
			s.lo = n.number(rng, 1)
			s.hi = s.lo + math.Abs(n.number(rng, 1))
			if !n.double {
				s.hi = float64(float32(s.hi))
			}
		case "Max", "Min":
			s.b = numbers(width, 1)
		}
		n.steps = append(n.steps, s)
	}
	for range 1 + rng.IntN(2) {
		to := 1 + rng.IntN(4-in/2)
		dense(to)
		switch rng.IntN(8) {
		case 0:
			n.steps = append(n.steps, plStep{kind: "scale", b: numbers(width, mode())})
		case 1:
			n.steps = append(n.steps, plStep{kind: "shift", b: numbers(width, mode())})
		case 2: // a way round
			n.steps = append(n.steps, plStep{kind: "save"})
			bend()
			dense(to)
			n.steps = append(n.steps, plStep{kind: []string{"add", "sub"}[rng.IntN(2)]})
		}
		if rng.IntN(8) > 0 {
			bend()
		}
	}
	if rng.IntN(6) > 0 {
		dense(1 + rng.IntN(3))
	}
	n.out = width
	return n
}

// graph writes the network.
func (n *plNet) graph() *onnxio.Graph {
	dtype := onnxio.Float
	if n.double {
		dtype = onnxio.Double
	}
	value := func(name string, shape []int, width int) *onnxio.Value {
		if shape == nil {
			shape = []int{1, width}
		}
		v := &onnxio.Value{Name: name, DType: dtype, HasShape: true}
		for _, d := range shape {
			v.Dims = append(v.Dims, onnxio.Dim{Size: d})
		}
		return v
	}
	tensor := func(name string, d []float64, shape ...int) *onnxio.Value {
		t := onnxio.FromFloat64(d, shape...)
		if !n.double {
			f := make([]float32, len(d))
			for i, v := range d {
				f[i] = float32(v)
			}
			t = onnxio.FromFloat32(f, shape...)
		}
		return &onnxio.Value{Name: name, DType: dtype, Const: t}
	}
	x := value("x", n.shape, n.in)
	g := &onnxio.Graph{Name: "pl", Inputs: []*onnxio.Value{x}}
	cur, skip, width := x, x, n.in
	for i, s := range n.steps {
		if s.kind == "save" {
			skip = cur
			continue
		}
		name, shape := fmt.Sprintf("v%d", i), s.shape
		node := &onnxio.Node{Name: name, Op: s.kind, Inputs: []*onnxio.Value{cur}, Attrs: onnxio.Attrs{}, Opset: 13}
		switch s.kind {
		case "dense":
			var flat []float64
			for _, row := range s.w {
				flat = append(flat, row...)
			}
			node.Op, node.Attrs["transB"] = "Gemm", int64(1)
			node.Inputs = append(node.Inputs, tensor(name+"w", flat, len(s.w), width))
			if s.b != nil {
				node.Inputs = append(node.Inputs, tensor(name+"b", s.b, len(s.b)))
			}
			width = len(s.w)
		case "node":
			node.Op, node.Attrs, shape, width = s.node.op, s.node.attrs, s.node.shape, sizeOf(s.node.shape)
			if s.node.skip {
				node.Inputs = append(node.Inputs, skip)
			}
			node.Inputs = append(node.Inputs, s.node.consts...)
		case "LeakyRelu":
			node.Attrs["alpha"] = float32(s.lo)
		case "HardSigmoid":
			node.Attrs["alpha"], node.Attrs["beta"] = float32(s.lo), float32(s.hi)
		case "PRelu": // a slope for each channel
			at := []int{len(s.b)}
			for range s.shape[2:] {
				at = append(at, 1)
			}
			node.Inputs = append(node.Inputs, tensor(name+"s", s.b, at...))
		case "Clip":
			node.Inputs = append(node.Inputs, tensor(name+"lo", []float64{s.lo}), tensor(name+"hi", []float64{s.hi}))
		case "Max", "Min":
			node.Inputs = append(node.Inputs, tensor(name+"b", s.b, width))
		case "scale":
			node.Op, node.Inputs = "Mul", append(node.Inputs, tensor(name+"b", s.b, width))
		case "shift":
			node.Op, node.Inputs = "Add", append(node.Inputs, tensor(name+"b", s.b, width))
		case "add":
			node.Op, node.Inputs = "Add", append(node.Inputs, skip)
		case "sub":
			node.Op, node.Inputs = "Sub", append(node.Inputs, skip)
		}
		y := value(name, shape, width)
		y.Producer, node.Outputs = node, []*onnxio.Value{y}
		g.Nodes = append(g.Nodes, node)
		cur = y
	}
	g.Outputs = []*onnxio.Value{cur}
	return g
}

func rats(f []float64) []*big.Rat {
	out := make([]*big.Rat, len(f))
	for i, v := range f {
		out[i] = new(big.Rat).SetFloat64(v)
	}
	return out
}

// each maps the current values of all points of a region.
func (r region) each(f func(i int, v *big.Rat) *big.Rat) region {
	out := make(region, len(r))
	for k, p := range r {
		out[k] = spot{p.x, make([]*big.Rat, len(p.cur)), p.skip, p.on}
		for i, v := range p.cur {
			out[k].cur[i] = f(i, v)
		}
	}
	return out
}

// become replaces the values of all points of a region.
func (r region) become(f func(cur []*big.Rat) []*big.Rat) region {
	out := make(region, len(r))
	for k, p := range r {
		out[k] = spot{p.x, f(p.cur), p.skip, p.on}
	}
	return out
}

// bendAt cuts regions where value i passes a number, and replaces the value below and above it.
func bendAt(rs []region, i int, at *big.Rat, below, above func(v *big.Rat) *big.Rat) []region {
	only := func(f func(v *big.Rat) *big.Rat) func([]*big.Rat) []*big.Rat {
		return func(cur []*big.Rat) []*big.Rat {
			cur = slices.Clone(cur)
			cur[i] = f(cur[i])
			return cur
		}
	}
	return bendWhere(rs, func(p spot) *big.Rat { return new(big.Rat).Sub(p.cur[i], at) }, only(below), only(above))
}

// bendWhere cuts regions where a linear form changes sign, and replaces the values where it is below 0 and where it is above.
func bendWhere(rs []region, form func(spot) *big.Rat, below, above func(cur []*big.Rat) []*big.Rat) []region {
	var out []region
	for _, r := range rs {
		h := r.at(form)
		least, most := 1, -1
		for _, v := range h {
			least, most = min(least, v.Sign()), max(most, v.Sign())
		}
		if least < 0 || most <= 0 {
			if low := r.cut(h); low != nil {
				out = append(out, low.become(below))
			}
		}
		if most > 0 {
			for _, v := range h {
				v.Neg(v)
			}
			if high := r.cut(h); high != nil {
				out = append(out, high.become(above))
			}
		}
	}
	return out
}

// maxSpots is how many corners the regions of a network may have together; a network of more is given up.
const maxSpots = 400

// regions is the network on a box; ok is false where it becomes too many corners.
func (n *plNet) regions(lower, upper []*big.Rat) (rs []region, ok bool) {
	rs = []region{boxRegion(lower, upper)}
	same := func(v *big.Rat) *big.Rat { return v }
	level := func(c *big.Rat) func(*big.Rat) *big.Rat { return func(*big.Rat) *big.Rat { return c } }
	width := n.in
	for _, s := range n.steps {
		b := rats(s.b)
		switch s.kind {
		case "dense":
			w := make([][]*big.Rat, len(s.w))
			for o := range w {
				w[o] = rats(s.w[o])
			}
			for k, r := range rs {
				next := make(region, len(r))
				for j, p := range r {
					next[j] = spot{p.x, make([]*big.Rat, len(w)), p.skip, p.on}
					t := new(big.Rat)
					for o, row := range w {
						sum := new(big.Rat)
						if len(b) > 0 {
							sum.Set(b[o])
						}
						for i, c := range row {
							if c.Sign() != 0 {
								sum.Add(sum, t.Mul(c, p.cur[i]))
							}
						}
						next[j].cur[o] = sum
					}
				}
				rs[k] = next
			}
			width = len(w)
		case "node":
			rs, width = s.node.regions(rs), sizeOf(s.node.shape)
		case "save":
			for _, r := range rs {
				for j := range r {
					r[j].skip = r[j].cur
				}
			}
		case "add", "sub":
			for _, r := range rs {
				for j, p := range r {
					cur := make([]*big.Rat, width)
					for i := range cur {
						if s.kind == "add" {
							cur[i] = new(big.Rat).Add(p.cur[i], p.skip[i])
						} else {
							cur[i] = new(big.Rat).Sub(p.cur[i], p.skip[i])
						}
					}
					r[j].cur = cur
				}
			}
		case "scale":
			for k, r := range rs {
				rs[k] = r.each(func(i int, v *big.Rat) *big.Rat { return new(big.Rat).Mul(v, b[i]) })
			}
		case "shift":
			for k, r := range rs {
				rs[k] = r.each(func(i int, v *big.Rat) *big.Rat { return new(big.Rat).Add(v, b[i]) })
			}
		default:
			zero := new(big.Rat)
			for i := range width {
				switch s.kind {
				case "Relu":
					rs = bendAt(rs, i, zero, level(zero), same)
				case "LeakyRelu":
					a := new(big.Rat).SetFloat64(s.lo)
					rs = bendAt(rs, i, zero, func(v *big.Rat) *big.Rat { return new(big.Rat).Mul(a, v) }, same)
				case "PRelu":
					a := b[i/(width/len(b))]
					rs = bendAt(rs, i, zero, func(v *big.Rat) *big.Rat { return new(big.Rat).Mul(a, v) }, same)
				case "HardSigmoid":
					for k, r := range rs {
						a, c := new(big.Rat).SetFloat64(s.lo), new(big.Rat).SetFloat64(s.hi)
						rs[k] = r.become(func(cur []*big.Rat) []*big.Rat {
							cur = slices.Clone(cur)
							cur[i] = new(big.Rat).Mul(a, cur[i])
							cur[i].Add(cur[i], c)
							return cur
						})
					}
					one := big.NewRat(1, 1)
					rs = bendAt(bendAt(rs, i, zero, level(zero), same), i, one, same, level(one))
				case "Abs":
					rs = bendAt(rs, i, zero, func(v *big.Rat) *big.Rat { return new(big.Rat).Neg(v) }, same)
				case "Clip":
					lo, hi := new(big.Rat).SetFloat64(s.lo), new(big.Rat).SetFloat64(s.hi)
					rs = bendAt(bendAt(rs, i, lo, level(lo), same), i, hi, same, level(hi))
				case "Max":
					rs = bendAt(rs, i, b[i], level(b[i]), same)
				case "Min":
					rs = bendAt(rs, i, b[i], same, level(b[i]))
				}
			}
		}
		total := 0
		for _, r := range rs {
			if r.free() > 100 { // room for the cuts of cases is kept
				return nil, false
			}
			total += len(r)
		}
		if total > maxSpots {
			return nil, false
		}
	}
	return rs, true
}
