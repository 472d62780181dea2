package plain

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
)

// State is what is known on a part of the input set: a box of every value, and the sides that the part was given. A state is not changed
// once another was made of it; they share what does not differ.
type State struct {
	net    *Network
	box    []relax.Box
	lost   [][]float64 // by affine value: what a row may lose on its way through an element, for each 1 in front of it
	least  []float64   // by affine value: what it loses beside, to numbers below the normal ones
	thin   []*matrix   // by affine value: its matrix without what is 0 on the part; nil where it goes whole
	lines  [][]line
	forms  []*relax.Relaxation
	sides  []Side
	empty  bool
	half   *half   // where inputs lie that matter; nil for everywhere
	spare  *[]*row // rows that ended, for their memory: of all states that were made of one
	breaks *breaks // as that
}

// Side says that element Index of a value is at least At on the part, or at most.
type Side struct {
	Value, Index int
	At           float64
	Above        bool
}

// cut is a box of the value without what lies on the other side.
func (q Side) cut(b relax.Box) {
	if q.Above {
		b.Lower[q.Index] = max(b.Lower[q.Index], q.At)
	} else {
		b.Upper[q.Index] = min(b.Upper[q.Index], q.At)
	}
}

// Start is what is known over a box of inputs before anything is bounded.
func (net *Network) Start(lower, upper []float64) *State {
	n := len(net.values)
	s := &State{net: net, box: make([]relax.Box, n), lost: make([][]float64, n), least: make([]float64, n), thin: make([]*matrix, n),
		lines: make([][]line, n), forms: make([]*relax.Relaxation, n), spare: new([]*row), breaks: new(breaks)}
	for i, v := range net.values {
		s.box[i] = relax.Box{Lower: slices.Repeat([]float64{math.Inf(-1)}, v.n), Upper: slices.Repeat([]float64{math.Inf(1)}, v.n)}
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
	c.box, c.lost, c.least, c.thin = slices.Clone(s.box), slices.Clone(s.lost), slices.Clone(s.least), slices.Clone(s.thin)
	c.lines, c.forms, c.sides = slices.Clone(s.lines), slices.Clone(s.forms), slices.Clip(s.sides)
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

// Values is the number of the last value that an activation reads, and how many values there are.
func (s *State) Values() (last, n int) { return s.net.last, len(s.net.values) }

// Elements is the number of elements of a value.
func (net *Network) Elements(value int) int { return net.values[value].n }

// Half is the part of a state where an element lies on a side of a number; with the other side it is the whole. Of an element that is not an
// input the side is kept, and rows may use it.
func (s *State) Half(q Side) *State {
	c := s.clone()
	if c.narrow(q); !s.net.values[q.Value].input() {
		c.sides = append(c.sides, q)
	}
	return c
}

// narrow cuts an element's interval, in memory of the state's own, and forgets the lines that were laid over the wider one.
func (s *State) narrow(q Side) {
	b := s.box[q.Value].Clone()
	q.cut(b)
	s.box[q.Value], s.empty = b, s.empty || b.Lower[q.Index] > b.Upper[q.Index]
	for i, w := range s.net.values {
		if slices.Contains(w.in, q.Value) {
			s.lines[i], s.forms[i] = nil, nil
		}
	}
}

// Empty tells that bounds cross: no input lies in the part.
func (s *State) Empty() bool { return s.empty }

// line is what element k lies between: a lower line and an upper one.
type line struct {
	k            int
	slope, icept [2]float64
	size         float64 // the magnitude of what they are of
	free         bool    // of max(x, 0) where the sign of x is not known: the lower slope may be any from 0 to 1
}

// laid are the lines of a value over what enters it, but of elements that are 0 on the part: whatever stands in front of them is gone there.
func (s *State) laid(i int) []line {
	v := s.net.values[i]
	if s.lines[i] == nil {
		l := &relax.Lines{LoSlope: make([]float64, v.n), LoIcept: make([]float64, v.n), UpSlope: make([]float64, v.n), UpIcept: make([]float64, v.n)}
		in := s.box[v.in[0]]
		v.lines(relax.SlopeAdaptive, in.Lower, in.Upper, l)
		s.lines[i] = make([]line, 0, v.n)
		for k := range v.n {
			if l.Tidy(k, s.box[i].Lower[k], s.box[i].Upper[k]); s.box[i].Lower[k] != 0 || s.box[i].Upper[k] != 0 {
				slopes, icepts := [2]float64{l.LoSlope[k], l.UpSlope[k]}, [2]float64{l.LoIcept[k], l.UpIcept[k]}
				s.lines[i] = append(s.lines[i], line{k, slopes, icepts, in.Magnitude(k), v.hinge && in.Lower[k] < 0 && in.Upper[k] > 0})
			}
		}
	}
	return s.lines[i]
}

// formed are the forms of a value over a node's inputs: its box where there are none.
func (s *State) formed(i int) *relax.Relaxation {
	v := s.net.values[i]
	if s.forms[i] == nil {
		s.forms[i] = relax.ConstantForms(s.box[i])
		in := s.boxes(v)
		if v.relax == nil || slices.ContainsFunc(in, func(b relax.Box) bool { return !b.Finite() }) {
			return s.forms[i]
		}
		if f, err := v.relax(relax.SlopeAdaptive, in); err == nil {
			s.forms[i] = f
		}
	}
	return s.forms[i]
}

// boxes are those of a node's inputs, constants too.
func (s *State) boxes(v *value) []relax.Box {
	in := make([]relax.Box, len(v.args))
	for i, a := range v.args {
		if x := v.node.Inputs[i]; a >= 0 {
			in[i] = s.box[a]
		} else if x != nil {
			f, _ := x.Const.Float64s() // nothing of what is no number
			in[i] = relax.Box{Lower: f, Upper: f}
		}
	}
	return in
}
