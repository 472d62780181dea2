package engine

import (
	"context"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// A batch may be cut where each sample has alone what it has in company. What operators say of slots (op.CoupleFunc) settles that for most graphs:
// samples are followed from the inputs to the outputs. Where an operator sums over them the batch stays whole; where nobody says, trying shows (see
// company.go).

// verdict is what operators say of a batch that is cut.
type verdict int

const (
	unclear verdict = iota // somebody does not say
	apart                  // each sample goes its own way, and lies along the first axis of every output
	mixed                  // an output of one sample looks at others
)

// lie tells along which axis of a value samples lie: slot j is of sample (j/run) mod n. An axis of -1 stands for a value that is the same for all.
type lie struct{ axis, run int }

var nobodys = lie{-1, 0}

// lies are those of the values of a graph; constants have none.
type lies map[*onnxio.Value]lie

func (m lies) of(v *onnxio.Value) lie {
	if l, ok := m[v]; ok && v.Const == nil {
		return l
	}
	return nobodys
}

// samplesOf follows n samples through a graph that is made ready for them. each are the inputs that have samples along their first axis. Where the
// verdict is apart, the lies of all values come with it.
func samplesOf(g *onnxio.Graph, each map[string]bool, n int) (lies, verdict) {
	at := lies{}
	for _, v := range g.Inputs {
		at[v] = nobodys
		if v.Const == nil && each[v.Name] {
			if len(v.Shape) == 0 || v.Shape[0] != n {
				return nil, unclear
			}
			at[v] = lie{0, 1}
		}
	}
	result := apart
	for _, node := range g.Nodes {
		switch followed(node, at, n) {
		case mixed:
			return nil, mixed
		case unclear: // what comes behind it is not known, and none of it can show that samples are mixed
			return nil, unclear
		}
	}
	for _, v := range g.Outputs {
		if l := at.of(v); l.axis != 0 || v.Shape[0] != n*l.run {
			result = mixed // or the same for all, or along another axis: pieces cannot be put together again
		}
	}
	return at, result
}

// followed finds out where the samples lie in a node's outputs.
func followed(node *onnxio.Node, at lies, n int) verdict {
	def, err := operators.Lookup(node)
	if err != nil {
		return unclear
	}
	some := false
	for _, v := range node.Inputs {
		some = some || v != nil && at.of(v).axis >= 0
	}
	for _, v := range node.Outputs {
		if v != nil {
			at[v] = nobodys
		}
	}
	if !some {
		if def.NoFold {
			return unclear
		}
		return apart
	}
	if def.Couple == nil && !def.SameNumbers {
		return unclear
	}
	s := &slots{n: n, up: map[slot]slot{}, of: map[slot]int{}, at: at}
	for _, v := range node.Inputs {
		if v == nil || at.of(v).axis < 0 {
			continue
		}
		for j := range v.Shape[at[v].axis] {
			s.of[slot{v, at[v].axis, j}] = j / at[v].run % n
		}
	}
	if def.SameNumbers { // whatever its other inputs say
		s.Regroup(axesOf(node.Inputs[0]), axesOf(node.Outputs[0]))
	} else {
		def.Couple(node, s)
	}
	return s.settle(node)
}

func axesOf(v *onnxio.Value) []op.Axis {
	out := make([]op.Axis, len(v.Shape))
	for k := range out {
		out[k] = op.Axis{Value: v, Axis: k}
	}
	return out
}

// slot is an index along an axis of a value.
type slot struct {
	v       *onnxio.Value
	axis, i int
}

// slots is the op.Coupler that follows samples through one node.
type slots struct {
	n      int
	at     lies
	up     map[slot]slot
	of     map[slot]int // the sample of the slots that are tied to this one
	clash  bool         // slots of two samples go together
	pinned []op.Axis
	single []slot
	ended  []op.Axis
	lost   bool // a reshape takes samples where no axis tells them
}

func (s *slots) find(k slot) slot {
	for {
		p, ok := s.up[k]
		if !ok {
			return k
		}
		k = p
	}
}

// Tie implements op.Coupler.
func (s *slots) Tie(a op.Axis, i int, b op.Axis, j int) {
	p, q := s.find(slot{a.Value, a.Axis, i}), s.find(slot{b.Value, b.Axis, j})
	if p == q {
		return
	}
	mine, ok := s.of[p]
	other, also := s.of[q]
	s.clash = s.clash || ok && also && mine != other
	if also && !ok {
		s.of[p] = other
	}
	s.up[q] = p
}

// Pin implements op.Coupler.
func (s *slots) Pin(a op.Axis, _ string) { s.pinned = append(s.pinned, a) }

// PinSlot implements op.Coupler.
func (s *slots) PinSlot(a op.Axis, i int, _ string) {
	s.single = append(s.single, slot{a.Value, a.Axis, i})
}

// Ends implements op.Coupler.
func (s *slots) Ends(a op.Axis) { s.ended = append(s.ended, a) }

// Quantised implements op.Coupler.
func (s *slots) Quantised(_, _, _ *onnxio.Value, _ int) {}

// Filters implements op.Coupler.
func (s *slots) Filters(op.Axis) {}

// PackedFilters implements op.Coupler.
func (s *slots) PackedFilters(op.Axis, func(int) []float64) {}

// Scales implements op.Coupler.
func (s *slots) Scales(op.Axis) {}

// Regroup implements op.Coupler. In row-major order samples come in runs of equal length, again and again; the axis behind has to cut between runs
// and to hold whole rounds.
func (s *slots) Regroup(a, b []op.Axis) {
	from := slices.IndexFunc(a, func(x op.Axis) bool { return s.at.of(x.Value).axis == x.Axis })
	if from < 0 {
		return
	}
	run := s.at[a[from].Value].run * stride(a, from)
	round := run * s.n
	for k, x := range b {
		inner := stride(b, k)
		if run%inner != 0 || x.Size()*inner%round != 0 {
			continue
		}
		for j := range x.Size() {
			s.of[s.find(slot{x.Value, x.Axis, j})] = j * inner / run % s.n
		}
		return
	}
	s.lost = true
}

// stride is the number of elements from a slot of an axis to the next.
func stride(axes []op.Axis, k int) int {
	n := 1
	for _, x := range axes[k+1:] {
		n *= x.Size()
	}
	return max(1, n)
}

// settle reads the lies of a node's outputs off what its face said.
func (s *slots) settle(node *onnxio.Node) verdict {
	owned := func(a op.Axis) bool {
		for i := range a.Size() {
			if _, ok := s.of[s.find(slot{a.Value, a.Axis, i})]; ok {
				return true
			}
		}
		return false
	}
	if s.clash || slices.ContainsFunc(s.ended, owned) {
		return mixed
	}
	if s.lost || slices.ContainsFunc(s.pinned, owned) || slices.ContainsFunc(s.single, func(k slot) bool { _, ok := s.of[s.find(k)]; return ok }) {
		return unclear
	}
	for _, v := range node.Inputs { // constants for each sample, who then is told from others
		if v == nil || s.at.of(v).axis >= 0 {
			continue
		}
		for k := range v.Shape {
			if owned(op.Axis{Value: v, Axis: k}) {
				return unclear
			}
		}
	}
	for _, v := range node.Outputs {
		if v == nil {
			continue
		}
		for k := range v.Shape {
			a := op.Axis{Value: v, Axis: k}
			if !owned(a) {
				continue
			}
			l, ok := s.along(a)
			if !ok || s.at[v].axis >= 0 {
				return unclear
			}
			s.at[v] = l
		}
	}
	return apart
}

// along is the lie of a value whose axis has samples.
func (s *slots) along(a op.Axis) (lie, bool) {
	sample := func(j int) int {
		if i, ok := s.of[s.find(slot{a.Value, a.Axis, j})]; ok {
			return i
		}
		return -1
	}
	run := 0
	for run < a.Size() && sample(run) == 0 {
		run++
	}
	if run == 0 || a.Size()%(run*s.n) != 0 {
		return lie{}, false
	}
	for j := range a.Size() {
		if sample(j) != j/run%s.n {
			return lie{}, false
		}
	}
	return lie{a.Axis, run}, true
}

// sameForFewer tells whether the graph of a piece is what the whole batch's graph is for each of its samples: the same nodes, sizes that differ where
// samples lie and nowhere else, and the same constants. What a reshape is told counts by the shape that it gives.
func sameForFewer(whole, part *onnxio.Graph, at lies, n, fewer int) bool {
	if len(whole.Nodes) != len(part.Nodes) || len(whole.Outputs) != len(part.Outputs) {
		return false
	}
	for i, a := range whole.Nodes {
		b := part.Nodes[i]
		if a.Op != b.Op || a.Domain != b.Domain || len(a.Inputs) != len(b.Inputs) || len(a.Outputs) != len(b.Outputs) {
			return false
		}
		for k, v := range a.Outputs {
			w := b.Outputs[k]
			if (v == nil) != (w == nil) || v != nil && !fewerOf(v.Shape, w.Shape, at.of(v), n, fewer) {
				return false
			}
		}
		for k, v := range a.Inputs {
			w := b.Inputs[k]
			if (v == nil) != (w == nil) || v != nil && (v.Const == nil) != (w.Const == nil) {
				return false
			}
			if v != nil && v.Const != nil && v.Const != w.Const && !(k > 0 && keepsNumbers(a)) && !sameConstant(v.Const, w.Const) {
				return false
			}
		}
	}
	return true
}

// keepsNumbers tells that of a node's inputs but the first nothing counts beside the shape that they give.
func keepsNumbers(n *onnxio.Node) bool {
	def, err := operators.Lookup(n)
	return err == nil && def.SameNumbers
}

func fewerOf(whole, part []int, l lie, n, fewer int) bool {
	if len(whole) != len(part) {
		return false
	}
	for k := range whole {
		if k == l.axis && whole[k]/n*fewer != part[k] || k != l.axis && whole[k] != part[k] {
			return false
		}
	}
	return true
}

func sameConstant(a, b *onnxio.Tensor) bool {
	if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	v, err := a.Float64s()
	w, err2 := b.Float64s()
	if err != nil || err2 != nil {
		return false
	}
	for i := range v {
		if v[i] != w[i] && (v[i] == v[i] || w[i] == w[i]) {
			return false
		}
	}
	return true
}

// cut tells whether a batch of n may go through the graph in pieces: what was found out before, or what operators say, or what trying shows. Where
// samples go their own ways in a large batch, as one alone does, they do in all smaller ones.
func (s *goSession) cut(ctx context.Context, inputs []*onnxio.Tensor, n int) (bool, error) {
	some := min(n, triedSamples)
	s.mu.Lock()
	v, most, tried := s.word, s.most, s.cuts[some]
	s.mu.Unlock()
	var err error
	if n > most && (most == 0 || v != mixed) {
		if v, err = s.said(ctx, n); err != nil {
			return false, err
		}
		s.mu.Lock()
		s.word, s.most = v, n
		s.mu.Unlock()
	}
	if v != unclear {
		return v == apart, nil
	}
	if tried == unclear {
		if tried, err = s.tryCut(ctx, inputs, n); err != nil {
			return false, err
		}
		s.mu.Lock()
		s.cuts[some] = tried
		s.mu.Unlock()
	}
	return tried == apart, nil
}

// said is what the operators say of a batch.
func (s *goSession) said(ctx context.Context, n int) (verdict, error) {
	each := map[string]bool{}
	for i, p := range s.in {
		each[p.Name] = !s.whole(i)
	}
	var graphs [2]*onnxio.Graph
	for i, size := range []int{n, 1} {
		g, err := infer.Prepare(ctx, s.graph, infer.Options{Batch: size, Float64: s.o.Float64, Reading: s.o.Reading})
		if ctx.Err() != nil {
			return unclear, err
		}
		if err != nil { // a batch that the graph does not take whole may be taken in pieces, which trying shows
			return unclear, nil
		}
		graphs[i] = g
	}
	at, v := samplesOf(graphs[0], each, n)
	if v == apart && !sameForFewer(graphs[0], graphs[1], at, n, 1) {
		v = unclear
	}
	return v, nil
}
