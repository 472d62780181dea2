package plain

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// State is what is known on a part of the input set: a box of every value, and the sides that the part was given. A state is not changed
// once another was made of it; they share what does not differ.
type State struct {
	net   *Network
	box   []relax.Box
	mag   [][]float64 // by affine value: what |coefficients| * |inputs| + |bias| add up to at most
	reach []float64   // by affine value: what the |inputs| add up to at most
	lines []*relax.Lines
	forms []*relax.Relaxation
	sides []Side
	empty bool
	spare [][][]float64 // by value: memory for rows' coefficients, of all states that were made of one
}

// Side says that element Index of a value is at least At on the part, or at most.
type Side struct {
	Value, Index int
	At           float64
	Above        bool
}

// Start is what is known over a box of inputs before anything is bounded.
func (net *Network) Start(lower, upper []float64) *State {
	n := len(net.values)
	s := &State{net: net, box: make([]relax.Box, n), mag: make([][]float64, n), reach: make([]float64, n),
		lines: make([]*relax.Lines, n), forms: make([]*relax.Relaxation, n), spare: make([][][]float64, n)}
	for i, v := range net.values {
		s.box[i] = relax.NewBox(v.n)
		for k := range v.n {
			s.box[i].Lower[k], s.box[i].Upper[k] = math.Inf(-1), math.Inf(1)
		}
	}
	at := 0
	for _, i := range net.inputs {
		at += copy(s.box[i].Lower, lower[at:])
		copy(s.box[i].Upper, upper[at-net.values[i].n:])
	}
	return s
}

func (s *State) clone() *State {
	c := *s
	c.box, c.mag, c.reach = slices.Clone(s.box), slices.Clone(s.mag), slices.Clone(s.reach)
	c.lines, c.forms = slices.Clone(s.lines), slices.Clone(s.forms)
	c.sides = slices.Clip(s.sides)
	return &c
}

// Input is the input element with that number: its value, and its place in it.
func (net *Network) Input(k int) (value, index int) {
	for _, i := range net.inputs {
		if k < net.values[i].n {
			return i, k
		}
		k -= net.values[i].n
	}
	return -1, 0
}

// Range is the interval of an element; Elements is how many a value has.
func (s *State) Range(value, index int) (lower, upper float64) {
	return s.box[value].Lower[index], s.box[value].Upper[index]
}

// Elements is the number of elements of a value.
func (net *Network) Elements(value int) int { return net.values[value].n }

// Halves are the parts of a state where an element is at most at, and where it is at least at: together they are the whole. Of an element
// that is not an input the side is kept, and rows may use it.
func (s *State) Halves(value, index int, at float64) (below, above *State) {
	return s.half(Side{value, index, at, false}), s.half(Side{value, index, at, true})
}

func (s *State) half(q Side) *State {
	c := s.clone()
	if q.Above {
		c.narrow(q.Value, q.Index, q.At, math.Inf(1))
	} else {
		c.narrow(q.Value, q.Index, math.Inf(-1), q.At)
	}
	if !s.net.values[q.Value].input() {
		c.sides = append(c.sides, q)
	}
	return c
}

// narrow cuts an element's interval, in memory of the state's own, and forgets the lines that were laid over the wider one.
func (s *State) narrow(v, k int, lower, upper float64) {
	b := relax.Box{Lower: slices.Clone(s.box[v].Lower), Upper: slices.Clone(s.box[v].Upper)}
	b.Lower[k], b.Upper[k] = max(b.Lower[k], lower), min(b.Upper[k], upper)
	s.box[v], s.empty = b, s.empty || b.Lower[k] > b.Upper[k]
	for i, w := range s.net.values {
		if slices.Contains(w.in, v) {
			s.lines[i], s.forms[i] = nil, nil
		}
	}
}

// Empty tells that bounds cross: no input lies in the part.
func (s *State) Empty() bool { return s.empty }

// flat is a copy of the boxes of some values, one behind the other.
func (s *State) flat(values []int) (b relax.Box) {
	for _, i := range values {
		b.Lower, b.Upper = append(b.Lower, s.box[i].Lower...), append(b.Upper, s.box[i].Upper...)
	}
	return b
}

// laid are the lines of a value over what enters it.
func (s *State) laid(i int) *relax.Lines {
	v := s.net.values[i]
	if s.lines[i] == nil {
		l := &relax.Lines{LoSlope: make([]float64, v.n), LoIcept: make([]float64, v.n), UpSlope: make([]float64, v.n), UpIcept: make([]float64, v.n)}
		in := s.box[v.in[0]]
		v.lines(relax.SlopeAdaptive, in.Lower, in.Upper, l)
		for k := range v.n {
			l.Tidy(k, s.box[i].Lower[k], s.box[i].Upper[k])
		}
		s.lines[i] = l
	}
	return s.lines[i]
}

// formed are the forms of a value over a node's inputs: its box where there are none.
func (s *State) formed(i int) *relax.Relaxation {
	v := s.net.values[i]
	if s.forms[i] == nil {
		s.forms[i] = relax.ConstantForms(s.box[i])
		infinite := func(x float64) bool { return !sound.Finite(x) }
		b := s.flat(v.in)
		if v.relax == nil || slices.ContainsFunc(b.Lower, infinite) || slices.ContainsFunc(b.Upper, infinite) {
			return s.forms[i]
		}
		if f, err := v.relax(relax.SlopeAdaptive, s.boxes(v)); err == nil {
			s.forms[i] = f
		}
	}
	return s.forms[i]
}

// boxes are those of a node's inputs, constants too.
func (s *State) boxes(v *value) []relax.Box {
	in := make([]relax.Box, len(v.args))
	for i, a := range v.args {
		if a >= 0 {
			in[i] = s.box[a]
			continue
		}
		if x := v.node.Inputs[i]; x != nil {
			if f, err := x.Const.Float64s(); err == nil {
				in[i] = relax.Box{Lower: f, Upper: f}
			}
		}
	}
	return in
}
