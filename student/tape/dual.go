package tape

import (
	"fmt"

	"gorgonia.org/tensor"
)

// Map is an affine map of a Dual: a dense layer, weights [units,in], or a convolution of images In, H, W and C, weights [filters,kh,kw,C].
type Map struct {
	W, Bias *Node
	In      []int // of a convolution
	Geometry
}

// Bend is a relu between two maps, for each of N samples [N, ...]: its values lie between Slope·z and Slope·z + Intercept, Intercept >= 0.
// Lower and Upper are what bounds z, as Dual gave it; they say where rows may end early, and have no gradient.
type Bend struct{ Slope, Intercept, Lower, Upper *Node }

// Dual bounds what the last of maps gives, with relus between them, over boxes mid ± rad of N images: [2,N,units], lower bounds before upper ones.
// They are those of the dual network of Wong and Kolter, exact: a row for each unit goes down through the maps and the lines to the image.
//
// A unit needs no more than its sign, where that is known: its row ends where what it has come to, over the bounds there, is at least 0, or at most
// 0. That is never tighter than the whole way down, for rows add up superadditively; so the units that are said to be stable are stable by the whole
// recursion too, and have the slope that they have there. Their bounds are other ones, and nothing flows back through them.
//
// The gradient is written in closed form and walks the rows of the other units once more, a few at a time, so that memory does not grow with their
// number. It cannot be differentiated again; mid and rad have none.
func (b *Builder) Dual(maps []Map, bends []Bend, mid, rad *Node) *Node {
	p := newDual(maps, mid.Shape())
	mustFit(len(bends) == len(maps)-1 && len(bends) > 0, fmt.Sprintf("%d relus between %d maps", len(bends), len(maps)))
	var in []*Node
	var wrt []bool
	for _, m := range maps {
		in, wrt = append(in, m.W, m.Bias), append(wrt, true, true)
	}
	for i, r := range bends {
		for k, n := range []*Node{r.Slope, r.Intercept, r.Lower, r.Upper} {
			mustFit(n.Shape().TotalSize() == p.samples*p.maps[i].out, "numbers of a relu", n)
			in, wrt = append(in, n), append(wrt, k < 2)
		}
	}
	in, wrt = append(in, mid, rad), append(wrt, false, false)
	out := tensor.Shape{2, p.samples, p.maps[len(maps)-1].out}
	o := (&operator{name: "dual", out: out, wrt: wrt}).both(dualRun[float32](b.Pool, p, &b.rooms32), dualRun[float64](b.Pool, p, &b.rooms64))
	o.diff = func(in []*Node, y, g *Node) []*Node {
		gradient := (&operator{name: "dualgradient", out: tensor.Shape{p.gradients()}}).
			both(dualGradientRun[float32](b.Pool, p, &b.rooms32), dualGradientRun[float64](b.Pool, p, &b.rooms64))
		all := b.apply(gradient, append(append([]*Node{}, in...), y, g)...)
		grads, at := make([]*Node, len(in)), 0
		for i, n := range in {
			if wrt[i] {
				grads[i] = b.Part(all, at, n.Shape()...)
				at += n.Shape().TotalSize()
			}
		}
		return grads
	}
	return b.apply(o, in...)
}

// dualPlan is how the rows of the last map's units go down: their sizes.
type dualPlan struct {
	samples int
	maps    []dualMap
	// windowed rows hold what their unit sees; units of one place see the same.
	windowed bool
	chunk    int // rows that go down together
}

type dualMap struct {
	dense   bool
	in, out int // numbers on the whole image
	filters int
	weights int
	image   tensor.Shape // what goes in, [1,H,W,C], of a convolution
	whole   conv         // on the image
	row     [3]int       // of coefficients of what goes in
	size    int          // their number
	conv    conv         // from them to coefficients of what comes out, but for the last map
	view    View         // what the row sees of the image, where it is a window
}

// chunkMost keeps the rows of a chunk, all the way down, in the second cache.
const chunkMost = 1 << 17

func newDual(maps []Map, images tensor.Shape) *dualPlan {
	p := &dualPlan{samples: images[0], maps: make([]dualMap, len(maps))}
	for i, m := range maps {
		s, w := &p.maps[i], m.W.Shape()
		s.weights, s.filters = w.TotalSize(), w[0]
		mustFit(m.Bias.Shape().TotalSize() == s.filters, "biases of a map", m.W, m.Bias)
		if s.dense = len(w) == 2; s.dense {
			s.in, s.out = w[1], w[0]
			continue
		}
		s.image = append(tensor.Shape{1}, m.In...)
		s.whole = newConv(s.image, w, m.Geometry)
		s.in, s.out = s.image.TotalSize(), s.whole.out.TotalSize()
	}
	for i := range maps[1:] {
		mustFit(p.maps[i].out == p.maps[i+1].in, "maps that do not fit", maps[i].W, maps[i+1].W)
	}
	mustFit(images.TotalSize() == p.samples*p.maps[0].in, "images of a map", maps[0].W)
	p.windows()
	if !p.windowed {
		p.wholes()
	}
	all := 0
	for i := range p.maps {
		s := &p.maps[i]
		s.size = s.row[0] * s.row[1] * s.row[2]
		all += 2 * s.size
	}
	p.chunk = max(4, min(chunkMost/all, 64))
	for i := range p.maps {
		p.maps[i].conv.n = p.chunk
	}
	return p
}

// windows makes rows of windows, where all maps are convolutions and these are smaller than the images on the whole.
func (p *dualPlan) windows() {
	seen, all := 0, 0
	var v View
	for i := len(p.maps) - 1; i >= 0; i-- {
		s := &p.maps[i]
		if s.dense {
			return
		}
		k := s.whole
		if i == len(p.maps)-1 {
			v = View{Window: [2]int{k.kh, k.kw}, Stride: k.Stride, Pad: [2]int{k.Pad[0], k.Pad[1]}, Places: [2]int{k.oh, k.ow}}
		} else {
			size, pad := [2]int{k.kh, k.kw}, [2]int{k.Pad[0], k.Pad[1]}
			for a := range 2 {
				v.Window[a] = (v.Window[a]-1)*k.Stride[a] + size[a]
				v.Stride[a], v.Pad[a] = v.Stride[a]*k.Stride[a], v.Pad[a]*k.Stride[a]+pad[a]
			}
			s.conv = newConv(tensor.Shape{1, v.Window[0], v.Window[1], k.c}, k.weight, Geometry{Stride: k.Stride})
		}
		s.view, s.row = v, [3]int{v.Window[0], v.Window[1], k.c}
		seen, all = seen+v.Window[0]*v.Window[1]*k.c, all+s.in
	}
	p.windowed = seen < all
}

// wholes makes rows of whole images.
func (p *dualPlan) wholes() {
	for i := range p.maps {
		s := &p.maps[i]
		s.row = [3]int{1, 1, s.in}
		if !s.dense {
			s.row, s.conv = [3]int{s.image[1], s.image[2], s.image[3]}, s.whole
		}
	}
}

// gradients are how many numbers have one: weights and biases of each map, then slopes and intercepts of each relu.
func (p *dualPlan) gradients() int {
	n := p.parameters()
	for _, s := range p.maps[:len(p.maps)-1] {
		n += 2 * p.samples * s.out
	}
	return n
}

func (p *dualPlan) parameters() int {
	n := 0
	for _, s := range p.maps {
		n += s.weights + s.filters
	}
	return n
}

// groups calls f with the units whose rows see the same, and where they see it.
func (p *dualPlan) groups(f func(place, from, to int)) {
	last := p.maps[len(p.maps)-1]
	if !p.windowed {
		f(0, 0, last.out)
		return
	}
	for place := range last.out / last.filters {
		f(place, place*last.filters, (place+1)*last.filters)
	}
}

// dualInputs are what an operator reads, by name.
type dualInputs[T Float] struct {
	w, bias                        [][]T // of maps
	slope, intercept, lower, upper [][]T // of relus, all samples
	mid, rad                       []T
	rest                           [][]T
}

func dualInputsOf[T Float](p *dualPlan, in [][]T) (d dualInputs[T]) {
	for range p.maps {
		d.w, d.bias, in = append(d.w, in[0]), append(d.bias, in[1]), in[2:]
	}
	for range p.maps[1:] {
		d.slope, d.intercept, d.lower, d.upper = append(d.slope, in[0]), append(d.intercept, in[1]), append(d.lower, in[2]), append(d.upper, in[3])
		in = in[4:]
	}
	d.mid, d.rad, d.rest = in[0], in[1], in[2:]
	return d
}
