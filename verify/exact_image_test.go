package verify

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/shallow-waters/shoal/onnxio"
)

// Images for the exact test: convolutions, pooling, reductions and moves of a few pixels. What a step computes is written here by the standard's
// definition, as a matrix of rational numbers or as groups of which the largest or least is taken, beside the node that says it.

// plNode is how a step that is no step of plain vectors stands in the graph, and what it computes.
type plNode struct {
	op     string
	attrs  onnxio.Attrs
	consts []*onnxio.Value // behind what it works on
	skip   bool            // what was saved is its second input
	shape  []int           // of what it gives

	m      [][]plTerm // of each output its terms; with what was saved behind what is there
	c      []*big.Rat // and its constant; nil for none
	groups [][]int    // or of which it is the largest, or least
	least  bool
}

// plTerm is a factor of a value.
type plTerm struct {
	at int
	by *big.Rat
}

func sizeOf(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// image is a network that is being drawn: what it gives so far has a shape [1, channels, sizes...].
type image struct {
	*plNet
	rng   *rand.Rand
	shape []int
}

// numbers draws weights: small whole ones, ones of few bits, or any; a few of odd size.
func (m *image) numbers(k int) []float64 {
	mode := []int{0, 1, 7, 7, 7, 7}[m.rng.IntN(6)]
	if m.rng.IntN(25) == 0 {
		mode = 2
	}
	out := make([]float64, k)
	for i := range out {
		out[i] = m.number(m.rng, mode)
	}
	return out
}

// fixed is a constant of the network's type.
func (m *image) fixed(d []float64, shape ...int) *onnxio.Value {
	name := fmt.Sprintf("c%d_%d", len(m.steps), m.rng.Uint32())
	t := onnxio.FromFloat64(d, shape...)
	dtype := onnxio.Double
	if !m.double {
		f := make([]float32, len(d))
		for i, v := range d {
			f[i] = float32(v)
		}
		t, dtype = onnxio.FromFloat32(f, shape...), onnxio.Float
	}
	return &onnxio.Value{Name: name, DType: dtype, Const: t}
}

func (m *image) whole(d ...int64) *onnxio.Value {
	return &onnxio.Value{Name: fmt.Sprintf("i%d_%d", len(m.steps), m.rng.Uint32()), DType: onnxio.Int64, Const: onnxio.FromInt64(d, len(d))}
}

func (m *image) add(n *plNode) {
	m.steps = append(m.steps, plStep{kind: "node", node: n})
	m.shape = n.shape
}

// window is one axis of a sliding window.
type window struct{ size, stride, dilation, before, after, out int }

// windows draws a window for each axis that has at least one place; ok is false where it has none.
func (m *image) windows(pads, dilates bool) (ws []window, ok bool) {
	for _, n := range m.shape[2:] {
		w := window{size: 1 + m.rng.IntN(min(3, n)), stride: 1 + m.rng.IntN(2), dilation: 1}
		if dilates && m.rng.IntN(4) == 0 {
			w.dilation = 2
		}
		reach := (w.size-1)*w.dilation + 1
		if pads && m.rng.IntN(2) == 0 { // fewer than the window, so that each place sees something
			w.before, w.after = m.rng.IntN(w.size), m.rng.IntN(w.size)
		}
		if w.out = (n+w.before+w.after-reach)/w.stride + 1; n+w.before+w.after < reach {
			return nil, false
		}
		ws = append(ws, w)
	}
	return ws, true
}

// attrsOf writes windows.
func attrsOf(ws []window) onnxio.Attrs {
	var kernel, strides, before, after, dilations []int64
	for _, w := range ws {
		kernel, strides, dilations = append(kernel, int64(w.size)), append(strides, int64(w.stride)), append(dilations, int64(w.dilation))
		before, after = append(before, int64(w.before)), append(after, int64(w.after))
	}
	return onnxio.Attrs{"kernel_shape": kernel, "strides": strides, "dilations": dilations, "pads": append(before, after...)}
}

// seen calls f for each place of the output and each place of the window that sees a pixel: their numbers among all places, and the pixel's.
func (m *image) seen(ws []window, f func(place, tap, pixel int)) {
	places, taps := []int{}, []int{}
	for _, w := range ws {
		places, taps = append(places, w.out), append(taps, w.size)
	}
	for p := range sizeOf(places) {
		for t := range sizeOf(taps) {
			at, ok, pr, tr, pixel, step := 0, true, p, t, 0, 1
			for a := len(ws) - 1; a >= 0; a-- {
				w, n := ws[a], m.shape[2+a]
				at = pr%w.out*w.stride - w.before + tr%w.size*w.dilation
				pr, tr = pr/w.out, tr/w.size
				ok = ok && at >= 0 && at < n
				pixel, step = pixel+at*step, step*n
			}
			if ok {
				f(p, t, pixel)
			}
		}
	}
}

func placesOf(ws []window) (shape []int) {
	for _, w := range ws {
		shape = append(shape, w.out)
	}
	return shape
}

// conv draws a convolution, of groups at times.
func (m *image) conv() {
	ws, ok := m.windows(true, true)
	if !ok {
		return
	}
	from, groups := m.shape[1], 1
	if from == 2 && m.rng.IntN(3) == 0 {
		groups = 2
	}
	to := groups * (1 + m.rng.IntN(2))
	taps, each := 1, from/groups
	kernel := []int{to, each}
	for _, w := range ws {
		taps, kernel = taps*w.size, append(kernel, w.size)
	}
	weights := m.numbers(to * each * taps)
	n := &plNode{op: "Conv", attrs: attrsOf(ws), consts: []*onnxio.Value{m.fixed(weights, kernel...)}, shape: append([]int{1, to}, placesOf(ws)...)}
	n.attrs["group"] = int64(groups)
	places, pixels := sizeOf(n.shape[2:]), sizeOf(m.shape[2:])
	n.m = make([][]plTerm, to*places)
	if m.rng.IntN(4) > 0 {
		bias := m.numbers(to)
		n.consts = append(n.consts, m.fixed(bias, to))
		for o := range to {
			for range places {
				n.c = append(n.c, new(big.Rat).SetFloat64(bias[o]))
			}
		}
	}
	for o := range to {
		for c := range each {
			in := o/(to/groups)*each + c
			m.seen(ws, func(place, tap, pixel int) {
				by := new(big.Rat).SetFloat64(weights[(o*each+c)*taps+tap])
				n.m[o*places+place] = append(n.m[o*places+place], plTerm{in*pixels + pixel, by})
			})
		}
	}
	m.add(n)
}

// transposed draws a transposed convolution without padding.
func (m *image) transposed() {
	from, to := m.shape[1], 1+m.rng.IntN(2)
	kernel, shape := []int{from, to}, []int{1, to}
	var strides []int64
	for _, n := range m.shape[2:] {
		k, s := 1+m.rng.IntN(2), 1+m.rng.IntN(2)
		kernel, strides, shape = append(kernel, k), append(strides, int64(s)), append(shape, (n-1)*s+k)
	}
	if sizeOf(shape) > 14 {
		return
	}
	weights := m.numbers(sizeOf(kernel))
	n := &plNode{op: "ConvTranspose", attrs: onnxio.Attrs{"strides": strides}, consts: []*onnxio.Value{m.fixed(weights, kernel...)}, shape: shape}
	n.m = make([][]plTerm, sizeOf(shape))
	places, pixels, taps := sizeOf(shape[2:]), sizeOf(m.shape[2:]), sizeOf(kernel[2:])
	for c := range from {
		for o := range to {
			for p := range pixels {
				for t := range taps {
					pr, tr, at, step := p, t, 0, 1
					for a := len(strides) - 1; a >= 0; a-- {
						k, d := kernel[2+a], m.shape[2+a]
						at += (pr%d*int(strides[a]) + tr%k) * step
						pr, tr, step = pr/d, tr/k, step*shape[2+a]
					}
					by := new(big.Rat).SetFloat64(weights[(c*to+o)*taps+t])
					n.m[o*places+at] = append(n.m[o*places+at], plTerm{c*pixels + p, by})
				}
			}
		}
	}
	m.add(n)
}

// pool draws a maximum or a mean over windows, or over whole channels.
func (m *image) pool() {
	pixels := sizeOf(m.shape[2:])
	mean := m.rng.IntN(3) == 0
	n := &plNode{op: "MaxPool"}
	var seen [][]int // of a channel's places
	counts := 0      // what a mean divides by, where not by what it sees
	if m.rng.IntN(4) == 0 {
		n.op, n.shape = "GlobalMaxPool", []int{1, m.shape[1]}
		if mean {
			n.op = "GlobalAveragePool"
		}
		for range m.shape[2:] {
			n.shape = append(n.shape, 1)
		}
		all := make([]int, pixels)
		for i := range all {
			all[i] = i
		}
		seen = [][]int{all}
	} else {
		ws, ok := m.windows(true, !mean)
		if !ok {
			return
		}
		n.attrs, n.shape = attrsOf(ws), append([]int{1, m.shape[1]}, placesOf(ws)...)
		if mean {
			n.op = "AveragePool"
			delete(n.attrs, "dilations")
			if m.rng.IntN(2) == 0 {
				n.attrs["count_include_pad"] = int64(1)
				counts = 1
				for _, w := range ws {
					counts *= w.size
				}
			}
		}
		seen = make([][]int, sizeOf(n.shape[2:]))
		m.seen(ws, func(place, _, pixel int) { seen[place] = append(seen[place], pixel) })
	}
	for _, s := range seen {
		if len(s) == 0 { // a window that sees nothing has no largest
			return
		}
	}
	m.over(n, seen, mean, counts)
}

// over has each channel's places be the largest, or the mean, of what they see.
func (m *image) over(n *plNode, seen [][]int, mean bool, counts int) {
	pixels := sizeOf(m.shape[2:])
	for c := range m.shape[1] {
		for _, s := range seen {
			var terms []plTerm
			var group []int
			by := big.NewRat(1, int64(max(counts, 1)))
			if counts == 0 {
				by = big.NewRat(1, int64(len(s)))
			}
			for _, p := range s {
				terms, group = append(terms, plTerm{c*pixels + p, by}), append(group, c*pixels+p)
			}
			if mean {
				n.m = append(n.m, terms)
			} else {
				n.groups = append(n.groups, group)
			}
		}
	}
	m.add(n)
}

// reduce draws the largest, least, mean or sum along an axis, or along all but the first.
func (m *image) reduce() {
	kind := []string{"ReduceMax", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceSum"}[m.rng.IntN(5)]
	axis := 1 + m.rng.IntN(len(m.shape)-1)
	n := &plNode{op: kind, attrs: onnxio.Attrs{"keepdims": int64(1), "axes": []int64{int64(axis)}}, least: kind == "ReduceMin"}
	if kind == "ReduceSum" { // since opset 13 its axes are an input
		delete(n.attrs, "axes")
		n.consts = []*onnxio.Value{m.whole(int64(axis))}
	}
	n.shape = append([]int{}, m.shape...)
	n.shape[axis] = 1
	inner := sizeOf(m.shape[axis+1:])
	long := m.shape[axis]
	by := big.NewRat(1, 1)
	if kind == "ReduceMean" {
		by = big.NewRat(1, int64(long))
	}
	for o := range sizeOf(m.shape[:axis]) {
		for i := range inner {
			var terms []plTerm
			var group []int
			for k := range long {
				at := (o*long+k)*inner + i
				terms, group = append(terms, plTerm{at, by}), append(group, at)
			}
			if kind == "ReduceMax" || kind == "ReduceMin" {
				n.groups = append(n.groups, group)
			} else {
				n.m = append(n.m, terms)
			}
		}
	}
	m.add(n)
}

// norm draws a batch normalisation whose variances have rational roots.
func (m *image) norm() {
	c := m.shape[1]
	scale, shift, mean := m.numbers(c), m.numbers(c), m.numbers(c)
	variance := make([]float64, c)
	n := &plNode{op: "BatchNormalization", attrs: onnxio.Attrs{"epsilon": float32(0)}, shape: m.shape}
	pixels := sizeOf(m.shape[2:])
	for i := range c {
		root := []float64{0.25, 0.5, 1, 3, 10}[m.rng.IntN(5)]
		variance[i] = root * root
		by := new(big.Rat).SetFloat64(scale[i])
		by.Quo(by, new(big.Rat).SetFloat64(root))
		add := new(big.Rat).Mul(by, new(big.Rat).SetFloat64(mean[i]))
		add.Sub(new(big.Rat).SetFloat64(shift[i]), add)
		for p := range pixels {
			n.m, n.c = append(n.m, []plTerm{{i*pixels + p, by}}), append(n.c, add)
		}
	}
	n.consts = []*onnxio.Value{m.fixed(scale, c), m.fixed(shift, c), m.fixed(mean, c), m.fixed(variance, c)}
	m.add(n)
}

// move draws what only moves pixels: a transposition, a cut, or a border of zeros.
func (m *image) move() {
	last := len(m.shape) - 1
	n := &plNode{shape: append([]int{}, m.shape...)}
	take := func(from func(o, k int) int) { // along the last axis; from gives -1 for a zero
		for o := range sizeOf(n.shape[:last]) {
			for k := range n.shape[last] {
				var t []plTerm
				if at := from(o, k); at >= 0 {
					t = []plTerm{{at, big.NewRat(1, 1)}}
				}
				n.m = append(n.m, t)
			}
		}
	}
	long := m.shape[last]
	switch m.rng.IntN(3) {
	case 0:
		rows := m.shape[last-1]
		n.op, n.shape[last], n.shape[last-1] = "Transpose", rows, long
		perm := []int64{0, 1, 2, 3}[:len(m.shape)]
		perm[last], perm[last-1] = int64(last-1), int64(last)
		n.attrs = onnxio.Attrs{"perm": perm}
		take(func(o, k int) int { return o/long*rows*long + k*long + o%long })
	case 1:
		if long < 2 {
			return
		}
		from := m.rng.IntN(long - 1)
		step := 1 + m.rng.IntN(2)
		n.op, n.shape[last] = "Slice", (long-from+step-1)/step
		n.consts = []*onnxio.Value{m.whole(int64(from)), m.whole(math.MaxInt64), m.whole(int64(last)), m.whole(int64(step))}
		take(func(o, k int) int { return o*long + from + k*step })
	case 2:
		before := m.rng.IntN(2)
		pads := make([]int64, 2*len(m.shape))
		pads[last], pads[2*last+1] = int64(before), 1
		n.op, n.shape[last] = "Pad", long+before+1
		n.consts = []*onnxio.Value{m.whole(pads...)}
		take(func(o, k int) int {
			if k -= before; k < 0 || k >= long {
				return -1
			}
			return o*long + k
		})
	}
	m.add(n)
}

// pair draws what takes the values that were saved beside those that are there, of the same shape.
func (m *image) pair() {
	w := sizeOf(m.shape)
	n := &plNode{op: []string{"Max", "Min", "Mean", "Sum", "Concat"}[m.rng.IntN(5)], skip: true, shape: append([]int{}, m.shape...)}
	one, half := big.NewRat(1, 1), big.NewRat(1, 2)
	switch n.op {
	case "Concat": // along the channels, which follow one behind the other
		n.attrs = onnxio.Attrs{"axis": int64(1)}
		n.shape[1] *= 2
		for i := range 2 * w {
			n.m = append(n.m, []plTerm{{i, one}})
		}
	case "Max", "Min":
		n.least = n.op == "Min"
		for i := range w {
			n.groups = append(n.groups, []int{i, w + i})
		}
	default:
		by := one
		if n.op == "Mean" {
			by = half
		}
		for i := range w {
			n.m = append(n.m, []plTerm{{i, by}, {w + i, by}})
		}
	}
	m.add(n)
}

// bend draws a bend of every value.
func (m *image) bend() {
	s := plStep{kind: []string{"Relu", "Relu", "Relu", "LeakyRelu", "Abs", "Clip", "HardSigmoid", "HardSigmoid", "PRelu"}[m.rng.IntN(9)], shape: m.shape}
	switch s.kind {
	case "LeakyRelu":
		s.lo = float64(float32(0.25 * m.rng.NormFloat64()))
	case "Clip":
		s.lo = m.number(m.rng, 1)
		s.hi = s.lo + math.Abs(m.number(m.rng, 1))
		if !m.double {
			s.hi = float64(float32(s.hi))
		}
	case "HardSigmoid": // its slope, of either sign, and what is added
		s.lo, s.hi = float64(float32(0.2+0.3*m.rng.NormFloat64())), float64(float32(0.5+0.3*m.rng.NormFloat64()))
	case "PRelu": // a slope for each channel
		for range m.shape[1] {
			s.b = append(s.b, float64(float32(0.5*m.rng.NormFloat64())))
		}
	}
	m.steps = append(m.steps, s)
}

// drawImage draws a network of a small image: a layer or two of convolutions with what stands between them, and most often a dense layer behind.
func drawImage(rng *rand.Rand) *plNet {
	shape := []int{1, 1 + rng.IntN(2), 1 + rng.IntN(3), 2 + rng.IntN(2)}
	if rng.IntN(3) == 0 {
		shape = []int{1, 1 + rng.IntN(2), 2 + rng.IntN(4)}
	}
	net := &plNet{in: sizeOf(shape), shape: shape, double: rng.IntN(6) == 0}
	m := &image{plNet: net, rng: rng, shape: shape}
	for range 1 + rng.IntN(2) {
		switch rng.IntN(6) {
		case 0:
			m.transposed()
		case 1:
			m.move()
			m.conv()
		default:
			m.conv()
		}
		if rng.IntN(5) == 0 {
			m.norm()
		}
		if rng.IntN(4) == 0 {
			net.steps = append(net.steps, plStep{kind: "save"})
			m.bend()
			m.pair()
		} else if rng.IntN(6) > 0 {
			m.bend()
		}
		switch rng.IntN(4) {
		case 0, 1:
			m.pool()
		case 2:
			m.reduce()
		}
	}
	flat := &plNode{op: "Flatten", attrs: onnxio.Attrs{"axis": int64(1)}, shape: []int{1, sizeOf(m.shape)}}
	for i := range sizeOf(m.shape) {
		flat.m = append(flat.m, []plTerm{{i, big.NewRat(1, 1)}})
	}
	m.add(flat)
	net.out = sizeOf(m.shape)
	if rng.IntN(4) > 0 || net.out > 4 {
		s := plStep{kind: "dense", b: m.numbers(1 + rng.IntN(3))}
		for range s.b {
			s.w = append(s.w, m.numbers(net.out))
		}
		net.steps, net.out = append(net.steps, s), len(s.w)
		if rng.IntN(4) == 0 {
			m.shape = []int{1, net.out}
			m.bend()
		}
	}
	return net
}

// imageEnds are ends of a box of pixels of which up to three vary.
func imageEnds(rng *rand.Rand, n int) (lower, upper []*big.Rat) {
	for range n {
		x := new(big.Rat).SetFloat64(float64(float32(rng.NormFloat64())))
		if rng.IntN(3) == 0 {
			x = big.NewRat(rng.Int64N(21)-10, 10)
		}
		lower, upper = append(lower, x), append(upper, x)
	}
	for range []int{1, 1, 2, 2, 3}[rng.IntN(5)] {
		i := rng.IntN(n)
		lo, up := inputEnds(rng, 1)
		lower[i], upper[i] = lo[0], up[0]
	}
	return lower, upper
}

// regions is what a node does to regions.
func (n *plNode) regions(rs []region) []region {
	for _, r := range rs {
		for j := range r {
			if n.skip {
				r[j].cur = append(append([]*big.Rat(nil), r[j].cur...), r[j].skip...)
			}
		}
	}
	if n.groups != nil {
		return extremes(rs, n.groups, n.least)
	}
	for k, r := range rs {
		next := make(region, len(r))
		t := new(big.Rat)
		for j, p := range r {
			next[j] = spot{p.x, make([]*big.Rat, len(n.m)), p.skip, p.on}
			for o, terms := range n.m {
				sum := new(big.Rat)
				if n.c != nil {
					sum.Set(n.c[o])
				}
				for _, m := range terms {
					sum.Add(sum, t.Mul(m.by, p.cur[m.at]))
				}
				next[j].cur[o] = sum
			}
		}
		rs[k] = next
	}
	return rs
}

// extremes replaces the values by the largest, or least, of each group: one member after the other is held against what is largest so far.
func extremes(rs []region, groups [][]int, least bool) []region {
	for _, g := range groups {
		width := 0 // with what was found of the groups before
		for _, r := range rs {
			for j := range r {
				width = len(r[j].cur)
				r[j].cur = append(append([]*big.Rat(nil), r[j].cur...), r[j].cur[g[0]])
			}
		}
		for _, i := range g[1:] {
			take := func(cur []*big.Rat) []*big.Rat { return append(append([]*big.Rat(nil), cur[:width]...), cur[i]) }
			keep := func(cur []*big.Rat) []*big.Rat { return cur }
			below, above := keep, take
			if least {
				below, above = take, keep
			}
			rs = bendWhere(rs, func(p spot) *big.Rat { return new(big.Rat).Sub(p.cur[i], p.cur[width]) }, below, above)
		}
	}
	for _, r := range rs {
		for j, p := range r {
			r[j].cur = p.cur[len(p.cur)-len(groups):]
		}
	}
	return rs
}
