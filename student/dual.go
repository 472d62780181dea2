package student

import "github.com/shallow-waters/shoal/student/tape"

// dualMargins are lower bounds [N*K] of the margins by the dual network: the bounds before each relu come from unit vectors sent down through
// the layers below it, with one slope u/(u-l) above and below, and so do the margins. The ball is exact. Where single maps stand between relus,
// rows go down to the end for the neurons alone whose sign is open (tape.Dual); other networks have as many as neurons, all at once. With
// projections the bounds before relus are estimates (projectedBounds), and so are the margins.
// Source: Wong and Kolter 2018, "Provable Defenses against Adversarial Examples via the Convex Outer Adversarial Polytope", section 3 and
// algorithm 1; their J is this bound.
func (n *Network) dualMargins(m margin, x ball, projections int) *tape.Node {
	before := n.unitBounds
	if projections > 0 {
		p := &projectedBounds{n: n, k: projections}
		before = p.before
	} else if c := n.cascade(); c != nil {
		before = func(i, samples int, x ball, relu map[int]lines) (lower, upper *tape.Node) {
			return n.fallBounds(c, i, samples, x, relu)
		}
	}
	return n.dualMarginsFrom(before, m, x)
}

// dualMarginsFrom takes what bounds a stage from those below.
func (n *Network) dualMarginsFrom(before func(i, samples int, x ball, relu map[int]lines) (lower, upper *tape.Node), m margin, x ball) *tape.Node {
	relu := map[int]lines{}
	for i, s := range n.Stages {
		if s.faces().bends {
			lower, upper := before(i, m.n, x, relu)
			l := equalLines(n.B, lower, upper)
			l.before = [2]*tape.Node{lower, upper}
			relu[i] = l
		}
	}
	return n.down(form{rows: m.rows, constant: m.bias}, len(n.Stages)-1, relu).least(n.B, x)
}

// cascade are the stages of maps that have one relu behind each: a convolution or a dense layer, and flattening in between. It is nil where others
// stand below the last relu.
func (n *Network) cascade() []int {
	last := len(n.Stages) - 1
	for last >= 0 && !n.Stages[last].faces().bends {
		last--
	}
	var maps []int
	open := true // a map is next, not a relu
	for i, s := range n.Stages[:last+1] {
		switch bends := s.faces().bends; {
		case s.Kind == KindFlatten:
		case bends == open, !bends && s.Kind != KindConv && s.Kind != KindDense:
			return nil
		case !bends:
			maps, open = append(maps, i), false
		default:
			open = true
		}
	}
	return maps
}

// fallBounds are unitBounds by tape.Dual.
func (n *Network) fallBounds(cascade []int, i, samples int, x ball, relu map[int]lines) (lower, upper *tape.Node) {
	b := n.B
	var maps []tape.Map
	var bends []tape.Bend
	for _, k := range cascade {
		if k > i {
			break
		}
		s := n.Stages[k]
		maps = append(maps, tape.Map{W: n.weight(s), Bias: n.bias(s), In: s.In, Geometry: s.Geometry})
	}
	for k := range i {
		if l, ok := relu[k]; ok {
			bends = append(bends, tape.Bend{Slope: l.lower, Intercept: l.intercept, Lower: l.before[0], Upper: l.before[1]})
		}
	}
	if len(bends) == 0 {
		return n.unitBounds(i, samples, x, relu)
	}
	ends := b.Dual(maps, bends, x.mid, x.rad)
	shape := append([]int{samples}, n.Stages[i].In...)
	return b.Part(ends, 0, shape...), b.Part(ends, ends.Shape().TotalSize()/2, shape...)
}

// unitBounds bounds what enters stage i. As the slopes are equal above and below, a row's coefficients serve both ends.
func (n *Network) unitBounds(i, samples int, x ball, relu map[int]lines) (lower, upper *tape.Node) {
	first := i // the stage after the relu below, or 0
	for first > 0 && !n.Stages[first-1].faces().bends {
		first--
	}
	if first == 0 { // no relu below: intervals are exact
		for _, s := range n.Stages[:i] {
			x = s.faces().interval(n, s, x)
		}
		return x.ends(n.B)
	}
	var u units
	if n.windowed(i) {
		u = n.windowUnits(i, samples)
	} else {
		u = n.wholeUnits(i, first, samples)
	}
	for k := first - 1; k >= 0; k-- {
		if s := n.Stages[k]; s.faces().bends {
			u.bend(relu[k])
		} else {
			u.affine(s)
		}
	}
	return u.bounds(x, append([]int{samples}, n.Stages[i].In...))
}

// units are the forms of a layer's neurons, for every sample, on their way down: rows·x + constant, and what the relus on the way have added to
// it at least and at most.
type units struct {
	n *Network
	form
	ends *tape.Node // [R,2]; nil before the first relu
	// view is what the rows see of each image; nil where that is all.
	view *tape.View
}

// wholeUnits are unit vectors that went down through the affine layers above a relu, once for all samples.
func (n *Network) wholeUnits(i, first, samples int) units {
	b := n.B
	shape := n.Stages[i].In
	size := 1
	for _, d := range shape {
		size *= d
	}
	one := b.Constant(func(at int) float64 {
		if at%(size+1) == 0 {
			return 1
		}
		return 0
	}, append([]int{size}, shape...)...)
	f := form{rows: one, constant: b.Constant(func(int) float64 { return 0 }, size)}
	for k := i - 1; k >= first; k-- {
		s := n.Stages[k]
		f = s.faces().below(n, s, f)
	}
	repeat := func(v *tape.Node) *tape.Node {
		size, old := v.Shape().TotalSize(), v.Shape()
		out := append([]int{samples * old[0]}, old[1:]...)
		return b.Reshape(b.Rows(b.Reshape(v, size), samples, size), out...)
	}
	return units{n: n, form: form{rows: repeat(f.rows), constant: repeat(f.constant)}}
}

// windowed tells whether the neurons before stage i see windows, by convolutions with relus between them down to the image, and these are smaller
// than the images on the whole.
func (n *Network) windowed(i int) bool {
	window, stride := [2]int{1, 1}, [2]int{1, 1}
	seen, all := 0, 0
	for k := i - 1; k >= 0; k-- {
		s := n.Stages[k]
		if bends := s.faces().bends; bends != ((i-1-k)%2 == 1) || !bends && s.Kind != KindConv {
			return false
		} else if bends {
			continue
		}
		for a := range 2 {
			window[a] = (window[a]-1)*s.Stride[a] + s.Window[a]
			stride[a] *= s.Stride[a]
		}
		seen, all = seen+window[0]*window[1]*s.In[2], all+s.In[0]*s.In[1]*s.In[2]
	}
	return i > 1 && seen < all
}

// windowUnits are the neurons before stage i as forms over what their convolution sees of the layer below: its weights.
func (n *Network) windowUnits(i, samples int) units {
	b, s := n.B, n.Stages[i-1]
	m, places := s.Out[2], samples*s.Out[0]*s.Out[1]
	w := n.weight(s)
	size := w.Shape().TotalSize()
	rows := b.Reshape(b.Rows(b.Reshape(w, size), places, size), append([]int{places * m}, w.Shape()[1:]...)...)
	return units{n: n, form: form{rows: rows, constant: b.Reshape(b.Rows(n.bias(s), places, m), places*m)},
		view: &tape.View{Window: s.Window, Stride: s.Stride, Pad: [2]int{s.Pad[0], s.Pad[1]}, Places: [2]int{s.Out[0], s.Out[1]}}}
}

// see is what the rows see of a value.
func (u *units) see(v *tape.Node) *tape.Node {
	if u.view == nil {
		return v
	}
	return u.n.B.Windows(v, *u.view)
}

// bend carries the rows down through a relu between lines of one slope.
func (u *units) bend(l lines) {
	b := u.n.B
	ends := b.RowEnds(u.rows, u.see(l.intercept))
	if u.ends != nil {
		ends = b.Add(u.ends, ends)
	}
	u.ends, u.rows = ends, b.RowScale(u.rows, u.see(l.lower))
}

// affine carries the rows down through a stage. Beyond an image's edge, where a window may reach, the relu above has left coefficients of 0.
func (u *units) affine(s Stage) {
	if u.view == nil {
		u.form = s.faces().below(u.n, s, u.form)
		return
	}
	b, v := u.n.B, *u.view
	bias := b.Rows(u.n.bias(s), 1, v.Window[0], v.Window[1], s.Out[2])
	u.constant = b.Add(u.constant, b.RowDot(u.rows, bias))
	for a := range 2 {
		v.Window[a] = (v.Window[a]-1)*s.Stride[a] + s.Window[a]
		v.Stride[a], v.Pad[a] = v.Stride[a]*s.Stride[a], v.Pad[a]*s.Stride[a]+s.Pad[a]
	}
	u.rows = b.ConvInput(u.rows, u.n.weight(s), v.Window[0], v.Window[1], tape.Geometry{Stride: s.Stride})
	u.view = &v
}

// bounds are those of the neurons, of the shape given, where the rows have come down to the image.
func (u *units) bounds(x ball, shape []int) (lower, upper *tape.Node) {
	b := u.n.B
	end := func(k int) *tape.Node { // column k of the ends
		column := b.Constant(func(i int) float64 {
			if i == k {
				return 1
			}
			return 0
		}, 2, 1)
		return b.Reshape(b.MatMul(false, false, u.ends, column), u.constant.Shape()...)
	}
	middle := b.Add(u.constant, b.RowDot(u.rows, u.see(x.mid)))
	reach := b.AbsDot(u.rows, u.see(x.rad))
	lower, upper = b.Add(end(0), b.Sub(middle, reach)), b.Add(end(1), b.Add(middle, reach))
	return b.Reshape(lower, shape...), b.Reshape(upper, shape...)
}
