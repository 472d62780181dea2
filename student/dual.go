package student

import "github.com/shallow-waters/shoal/student/tape"

// dualMargins are lower bounds [N*K] of the margins by the dual network: the bounds before each relu come from unit vectors sent down through
// the layers below it, with one slope u/(u-l) above and below, and so do the margins. The ball is exact: no random projections. The rows of a
// layer are as many as its neurons for every sample, which is for small networks and batches; a row behind convolutions holds only what its neuron
// sees. Source: Wong and Kolter 2018, "Provable Defenses against Adversarial Examples via the Convex Outer Adversarial Polytope", section 3 and
// algorithm 1; their J is this bound.
func (n *Network) dualMargins(m margin, x ball) *tape.Node {
	relu := map[int]lines{}
	for i, s := range n.Stages {
		if s.faces().bends {
			relu[i] = equalLines(n.B, n.unitBounds(i, m.n, x, relu))
		}
	}
	return n.down(form{rows: m.rows, constant: m.bias}, len(n.Stages)-1, relu).least(n.B, x)
}

// unitBounds bounds what enters stage i. As the slopes are equal above and below, a row's coefficients serve both ends.
func (n *Network) unitBounds(i, samples int, x ball, relu map[int]lines) ball {
	first := i // the stage after the relu below, or 0
	for first > 0 && !n.Stages[first-1].faces().bends {
		first--
	}
	if first == 0 { // no relu below: intervals are exact
		for _, s := range n.Stages[:i] {
			x = s.faces().interval(n, s, x)
		}
		return x
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
func (u *units) bounds(x ball, shape []int) ball {
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
	lower, upper := b.Add(end(0), b.Sub(middle, reach)), b.Add(end(1), b.Add(middle, reach))
	return between(b, b.Reshape(lower, shape...), b.Reshape(upper, shape...))
}
