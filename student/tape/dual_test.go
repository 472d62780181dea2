package tape

// dualCase is a network for Dual: the shapes of weights, [out,in] or [out,kh,kw,C], and for convolutions of what goes in and how they slide.
type dualCase struct {
	weights [][]int
	in      [][]int
	g       []Geometry
}

// The first one's rows are windows, the second's and third's whole images.
var dualMaps = map[string]dualCase{
	"Windows": {weights: [][]int{{3, 2, 2, 1}, {2, 2, 2, 3}}, in: [][]int{{5, 4, 1}, {4, 3, 3}},
		g: []Geometry{{Stride: [2]int{1, 1}}, {Stride: [2]int{2, 1}, Pad: [4]int{1, 0, 0, 1}}}},
	"Images": {weights: [][]int{{2, 2, 2, 1}, {2, 3, 2, 2}, {3, 2, 2, 2}}, in: [][]int{{4, 3, 1}, {4, 3, 2}, {3, 3, 2}},
		g: []Geometry{{Stride: [2]int{1, 1}, Pad: [4]int{1, 0, 0, 1}}, {Stride: [2]int{1, 1}, Pad: [4]int{0, 1, 1, 0}}, {Stride: [2]int{2, 1}}}},
	"Dense": {weights: [][]int{{3, 2, 2, 1}, {4, 18}, {5, 4}, {3, 5}}, in: [][]int{{3, 4, 1}, nil, nil, nil},
		g: []Geometry{{Stride: [2]int{1, 1}}, {}, {}, {}}},
}

const dualSamples = 2

// shapes are those of weights and biases, then of slopes and intercepts.
func (c dualCase) shapes() [][]int {
	var out [][]int
	for _, w := range c.weights {
		out = append(out, w, []int{w[0]})
	}
	for i, w := range c.weights[:len(c.weights)-1] {
		n := w[0]
		if len(w) == 4 {
			n = newConv(append([]int{1}, c.in[i]...), w, c.g[i]).out.TotalSize()
		}
		out = append(out, []int{dualSamples, n}, []int{dualSamples, n})
	}
	return out
}

// dual has a ball so wide that every unit stays open: no row ends early, and all have a gradient.
func (c dualCase) dual(b *Builder, in []*Node) *Node {
	var maps []Map
	var bends []Bend
	for i := range c.weights {
		maps = append(maps, Map{W: in[2*i], Bias: in[2*i+1], In: c.in[i], Geometry: c.g[i]})
	}
	in = in[2*len(maps):]
	size := 1
	for _, d := range c.in[0] {
		size *= d
	}
	wide := func(v float64, n int) *Node { return b.Constant(func(int) float64 { return v }, dualSamples, n) }
	for i := range maps[1:] {
		n := in[2*i].Shape()[1]
		bends = append(bends, Bend{Slope: b.Abs(in[2*i]), Intercept: b.Abs(in[2*i+1]), Lower: wide(-1e3, n), Upper: wide(1e3, n)})
	}
	mid := b.Constant(func(i int) float64 { return float64(i%7) / 7 }, append([]int{dualSamples}, c.in[0]...)...)
	return b.Dual(maps, bends, mid, wide(50, size))
}
