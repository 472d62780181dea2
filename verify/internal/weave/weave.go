package weave

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

const (
	// fewInputs is how many inputs may vary for boxes to be halved.
	fewInputs = 24
	// exactInputs is up to how many no search over sides is asked.
	exactInputs = 12
	// anewHinges is how many hinges a network may have for every part to be bounded anew.
	anewHinges = 300
	// rootSteps and partSteps are how often parameters are moved for the whole box, for each part, and for each row of a hinge.
	rootSteps, partSteps, rowSteps = 60, 50, 10
	maxDepth                       = 1800
)

// weaver writes the trees of one certificate.
type weaver struct {
	ctx    context.Context
	net    *plain.Network
	p      certificate.Property // in normal form
	out    *certificate.Writer
	hinges []plain.Hinge
	curves []plain.Curve
	bends  []plain.Hinge // hinges and curves in order; At counts both
	curved map[int]bool  // values that some curve reads
	values []int
	parts  int
	first  []float64 // widths of the box that a tree begins with
	rows   map[int]*refutation
	ends   map[End][]byte
	covers map[End]Cover
	around int  // covers around what is written
	fresh  bool // boxes were derived on the very part that is written
	opened bool // it is known that slopes alone do not prove the box
	told   Told
}

// Told is what a certificate's proofs may be made of. Nothing of it is trusted.
type Told struct {
	Sides  bool                           // hinges are split however few inputs vary, and Search is asked in any case
	Times  [][]int                        // by case and constraint: by which power of two a search has it larger; nil for none
	Ready  func(box int) (Findings, bool) // what a search found of a box while it decided it
	Search Search                         // what a search finds of a box that bounds alone do not prove; nil for none
	Kept   func(box int) *Tree            // the tree that a search kept of a box, nil where it kept none
}

// Proof writes the trees of a property that holds; the writer's head has the names that net.Splits gives. It ends with an error where the
// context ends, or where a part cannot be split any further. n is how many parts are done.
func Proof(ctx context.Context, net *plain.Network, p certificate.Property, out *certificate.Writer, told Told) (n int, err error) {
	w := &weaver{ctx: ctx, net: net, p: p, out: out, hinges: net.HingesOf(), curves: net.CurvesOf(), told: told}
	w.bend()
	sides := told.Sides
	w.values, _ = net.Splits()
	for i, b := range p.Boxes {
		var cases []*open
		for k, c := range p.Cases {
			if c.Box == i {
				cases = append(cases, &open{number: k})
			}
		}
		s, varying, err := start(net, b)
		if err != nil {
			return w.parts, err
		}
		w.begin(s)
		if t := told.Kept(i); t != nil && w.holds(s, t) {
			if err := w.kept(s, t); err != nil {
				return w.parts, err
			}
			continue
		}
		var known map[int]*refutation
		w.rows, w.ends, w.covers, w.opened, w.fresh = nil, nil, nil, false, false
		if found, ok := told.Ready(i); ok {
			known = w.take(cases, found)
		} else if sides || varying > exactInputs {
			if known, err = w.searched(s, i, cases, told.Search, sides); err != nil {
				return w.parts, err
			}
		}
		switch {
		case len(known) > 0:
			err = w.again(s, cases, known)
		case varying <= fewInputs && !sides:
			err = w.boxes(s, cases, 0)
		default:
			err = w.sides(s, cases, 0)
		}
		if err != nil {
			return w.parts, err
		}
	}
	return w.parts, out.Close()
}

// bend finds what can be split.
func (w *weaver) bend() {
	w.bends, w.curved = slices.Clone(w.hinges), map[int]bool{}
	for _, c := range w.curves {
		w.bends, w.curved[c.In] = append(w.bends, plain.Hinge{Value: c.Value, In: c.In}), true
	}
	slices.SortFunc(w.bends, func(a, b plain.Hinge) int { return a.Value - b.Value })
	at := 0
	for i := range w.bends {
		w.bends[i].At = at
		at += w.net.Elements(w.bends[i].Value)
	}
}

// begin notes how wide the box is that a tree begins with.
func (w *weaver) begin(s *plain.State) {
	w.first = nil
	for k := range w.net.In {
		v, e := w.net.Input(k)
		l, u := s.Range(v, e)
		w.first = append(w.first, u-l)
	}
}

// start is what is known on a box, and how many inputs vary.
func start(net *plain.Network, b certificate.Box) (*plain.State, int, error) {
	n := len(b.Lower)
	l, u, varying := make([]float64, n), make([]float64, n), 0
	for i := range n {
		l[i], u[i] = sound.RatDown(b.Lower[i]), sound.RatUp(b.Upper[i])
		if l[i] < u[i] {
			varying++
		}
	}
	s, err := net.Start(l, u).Bound(false)
	return s, varying, err
}

// close writes down what disproves cases of a part, and gives those that are left.
func (w *weaver) close(cases []*open, done []bool) ([]*open, error) {
	var left []*open
	step := certificate.Step{Kind: certificate.Closed}
	for i, c := range cases {
		if done[i] {
			step.Proofs = append(step.Proofs, c.best)
		} else {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		w.parts++
	}
	return left, w.out.Write(step)
}

func (w *weaver) empty() error {
	w.parts++
	return w.out.Write(certificate.Step{Kind: certificate.Empty})
}

func some(done []bool) bool {
	for _, d := range done {
		if d {
			return true
		}
	}
	return false
}

func (w *weaver) ready(depth int) error {
	if depth+w.around > maxDepth {
		return fmt.Errorf("the certificate: a part stays open after %d splits", depth)
	}
	return w.ctx.Err()
}

// boxes proves a part by halving boxes. Each is bounded anew, from what is known of the one that it was cut from: that settles more hinges
// than rows of their own would on leaves alone, and rows of settled ones are saved by who checks it too.
func (w *weaver) boxes(s *plain.State, cases []*open, depth int) error {
	if err := w.ready(depth); err != nil {
		return err
	}
	s, err := s.Bound(true)
	if err != nil {
		return err
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Bound}); err != nil {
		return err
	}
	if s.Empty() {
		return w.empty()
	}
	done := make([]bool, len(cases))
	for i, c := range cases {
		if done[i], err = w.plainly(s, c); err != nil {
			return err
		}
		if !done[i] && len(w.p.Cases[c.number].Constraints) > 1 {
			if done[i], err = w.sum(s, c); err != nil {
				return err
			}
		}
	}
	if some(done) {
		if cases, err = w.close(cases, done); err != nil || len(cases) == 0 {
			return err
		}
	}
	return w.trimmed(s, cases, w.cuts(s, cases), depth)
}

// halve gives a box two halves.
func (w *weaver) halve(s *plain.State, cases []*open, depth int) error {
	i, at, ok := w.widest(s, cases)
	if !ok {
		return fmt.Errorf("the certificate: a box that is too small to halve stays open")
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Input, Index: i, At: at}); err != nil {
		return err
	}
	v, k := w.net.Input(i)
	below, above := s.Halves(v, k, at)
	for _, half := range []*plain.State{below, above} {
		if err := w.boxes(half, inherit(cases), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// inherit are the cases as a child begins with them.
func inherit(cases []*open) []*open {
	var out []*open
	for _, c := range cases {
		out = append(out, &open{number: c.number, alpha: c.alpha, beta: c.beta, weight: c.weight, low: math.Inf(-1)})
	}
	return out
}

// widthShare weighs an input's width, as a share of the first box', beside what it moves the worst case's row: forms say nothing of the
// curvature that halving removes. More than 1, or one whose form is flat would never be. lackShare is how much of what the row lacks its form must
// move to count in full. Both are verify/internal/search's, with its reasons.
const widthShare, lackShare = 1.6, 0.01

// widest is the input at which a box is halved, and its middle.
func (w *weaver) widest(s *plain.State, cases []*open) (input int, at float64, ok bool) {
	form := s.Form(&worst(cases).trace)
	total := max(0, -lackShare*worst(cases).low)
	if math.IsInf(total, 0) {
		total = 0
	}
	smear := 0.0
	for i, a := range form {
		v, k := w.net.Input(i)
		l, u := s.Range(v, k)
		smear += math.Abs(a) * (u - l)
	}
	total = max(total, smear)
	best := -1.0
	for i, a := range form {
		v, k := w.net.Input(i)
		l, u := s.Range(v, k)
		mid := 0.5*l + 0.5*u
		if !(l < mid && mid < u) {
			continue
		}
		score := widthShare * (u - l) / w.first[i]
		if total > 0 {
			score += math.Abs(a) * (u - l) / total
		}
		if score > best {
			input, at, ok, best = i, mid, true, score
		}
	}
	return input, at, ok
}

// worst is the case that is farthest from a proof.
func worst(cases []*open) *open {
	out := cases[0]
	for _, c := range cases {
		if c.low < out.low {
			out = c
		}
	}
	return out
}

// anew derives the boxes of a part, unless that was done on it: twice in one place is refused.
func (w *weaver) anew(s *plain.State) (*plain.State, error) {
	if w.fresh {
		return s, nil
	}
	s, err := s.Bound(true)
	if err != nil {
		return s, err
	}
	w.fresh = true
	return s, w.out.Write(certificate.Step{Kind: certificate.Bound})
}

// sides proves a part by giving hinges a side.
func (w *weaver) sides(s *plain.State, cases []*open, depth int) error {
	if err := w.ready(depth); err != nil {
		return err
	}
	steps := partSteps
	if depth == 0 {
		steps = rootSteps
	}
	if depth == 0 || w.net.Hinges() <= anewHinges {
		var err error
		if s, err = w.anew(s); err != nil {
			return err
		}
	}
	if depth == 0 {
		proven := false
		if !w.opened {
			var err error
			if proven, err = w.settled(s, cases); err != nil {
				return err
			}
		}
		if !proven {
			return w.refined(s, 0, rowSteps, func(s *plain.State) error { return w.sidesOn(s, cases, depth, steps) })
		}
	}
	return w.sidesOn(s, cases, depth, steps)
}

// sidesOn is sides once hinges are bounded as well as they are.
func (w *weaver) sidesOn(s *plain.State, cases []*open, depth, steps int) error {
	if s.Empty() {
		return w.empty()
	}
	done := make([]bool, len(cases))
	for i, c := range cases {
		var err error
		if depth == 0 {
			if done[i], err = w.plainly(s, c); err != nil {
				return err
			}
		}
		if !done[i] {
			if done[i], err = w.climb(s, c, steps); err != nil {
				return err
			}
		}
	}
	if some(done) {
		var err error
		if cases, err = w.close(cases, done); err != nil || len(cases) == 0 {
			return err
		}
	}
	if depth == 0 && len(w.rows) > 0 {
		return w.cases(s, cases, depth)
	}
	return w.split(s, cases, depth)
}

// split gives a hinge its two sides.
func (w *weaver) split(s *plain.State, cases []*open, depth int) error {
	value, index, at, ok := w.choose(s, cases)
	if !ok {
		return fmt.Errorf("the certificate: every hinge has a side on some part, and bounds do not decide it")
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Neuron, Value: value, Index: index, At: at}); err != nil {
		return err
	}
	below, above := s.Halves(w.values[value], index, at)
	for _, half := range []*plain.State{below, above} {
		w.fresh = false
		if err := w.sides(half, inherit(cases), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// settled tells whether moved slopes alone disprove all cases of a part.
func (w *weaver) settled(s *plain.State, cases []*open) (bool, error) {
	for _, c := range cases {
		done, err := w.plainly(s, c)
		if err == nil && !done {
			done, err = w.climb(s, c, rootSteps)
		}
		if !done || err != nil {
			return false, err
		}
	}
	return true, nil
}

// narrow is the share of its ends that what a curve reads must be wide to be cut.
const narrow = 1e-7

// choose is the hinge or curve whose lines lose most of the worst case's row, and where it is split: by what its line differs from it at the point
// where the row is least, and a share of the most that it can differ.
func (w *weaver) choose(s *plain.State, cases []*open) (value, index int, at float64, ok bool) {
	c := worst(cases)
	t := &c.trace
	y := s.Follow(t, c.best.Slopes, s.Corner(t))
	number := map[int]int{}
	for i, v := range w.values {
		number[v] = i
	}
	const share = 0.1
	best := -1.0
	for _, h := range w.hinges {
		n, named := number[h.In]
		if !named {
			continue
		}
		for k := range w.net.Elements(h.Value) {
			lower, upper := s.Range(h.In, k)
			if lower >= 0 || upper <= 0 {
				continue
			}
			c := 0.0
			if t.At(h.Value) != nil {
				c = t.At(h.Value)[k]
			}
			gap := math.Abs(y[h.Value][k] - max(y[h.In][k], 0))
			x := math.Abs(c) * (gap + share*upper*-lower/(upper-lower))
			if x > best {
				value, index, ok, best = n, k, true, x
			}
		}
	}
	for _, v := range w.curves {
		n, named := number[v.In]
		c := t.At(v.Value)
		if !named || c == nil {
			continue
		}
		gaps, middle := s.Gaps(v, y[v.In], func(k int) bool { return c[k] > 0 })
		for k, gap := range gaps {
			lower, upper := s.Range(v.In, k)
			x := math.Abs(c[k]) * (gap + share*middle[k])
			if !(x > best) || !(upper-lower > narrow*(math.Abs(lower)+math.Abs(upper))) {
				continue
			}
			if t, wide := s.Cut(v, k); wide {
				value, index, at, ok, best = n, k, t, true, x
			}
		}
	}
	return value, index, at, ok
}
