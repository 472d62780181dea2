package bound

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
)

// Snapshot is what a pass knows of its problems, kept: boxes, lines and magnitudes of every value. It never changes, so that any number of
// goroutines may lay rows over it, and all parts of a problem share it.
type Snapshot struct {
	net     *Network
	family  *int // the same for snapshots whose problems are parts of those of one
	o       Options
	n       int // problems
	st      []*state
	shared  []shared
	beyond  []*value
	empty   []bool
	divided []bool        // by problem: it lies behind splits or cuts
	cuts    [][]storedCut // by problem; nil for none at all

	less   []bool // by problem: see pass
	making bool   // the pass is still under way, and bounds of neurons tighten it

	slots    []*value         // hinges and curves, whose lines may be chosen, in order
	unstable [][][]int32      // by slot and problem: elements of which there is something to choose, in stored order
	ends     [][][]relax.Ends // by slot and problem, for the same elements: of curves
}

// Keep makes a snapshot of bounds that rows were substituted for. The memory of the pass is the snapshot's from here on; the bounds may still be
// used, and must be closed.
func (b *Bounds) Keep() *Snapshot {
	b.p.kept = true
	return b.View()
}

// View is the snapshot that Keep makes, good only until the bounds are closed.
func (b *Bounds) View() *Snapshot { return b.p.snapshot(b.p.net.values) }

// Unstable counts the hinges whose side is not known over a problem.
func (b *Bounds) Unstable(problem int) int {
	n := 0
	for _, v := range b.p.net.values {
		if !v.chosen() || v.family != nil {
			continue
		}
		in := b.p.at(v.in[0], problem)
		for i, l := range in.lo {
			if l < 0 && in.up[i] > 0 {
				n++
			}
		}
	}
	return n
}

// snapshot shows the pass up to some values.
func (p *pass) snapshot(values []*value) *Snapshot {
	s := &Snapshot{net: p.net, o: p.o, n: p.n, st: p.st, shared: p.shared, beyond: p.beyond, empty: p.empty, less: p.less,
		divided: make([]bool, p.n), cuts: p.cuts}
	s.family = new(int)
	if len(p.of) > 0 && p.of[0].Known != nil {
		s.family = p.of[0].Known.family
	}
	for i := range p.of {
		s.divided[i] = p.of[i].divided()
	}
	for _, v := range values {
		if !v.chosen() {
			continue
		}
		s.slots = append(s.slots, v)
		of, ends := make([][]int32, p.n), make([][]relax.Ends, p.n)
		for b := range p.n {
			if v.family != nil {
				of[b], ends[b] = s.open(v, b)
				continue
			}
			in := s.at(v.in[0], b)
			for i, l := range in.lo {
				if l < 0 && in.up[i] > 0 {
					of[b] = append(of[b], int32(i))
				}
			}
		}
		s.unstable, s.ends = append(s.unstable, of), append(s.ends, ends)
	}
	return s
}

func (s *Snapshot) at(id, problem int) *state { return s.st[id*s.n+problem] }

// Problems is how many problems the snapshot is of.
func (s *Snapshot) Problems() int { return s.n }

// Slots is how many layers of hinges and curves there are: their numbers go from the inputs to the outputs.
func (s *Snapshot) Slots() int { return len(s.slots) }

// Width is how many elements a slot has.
func (s *Snapshot) Width(slot int) int { return s.slots[slot].n }

// Unstable lists the elements of a slot whose side is not known over a problem, or whose curve's lines may be chosen, in the order that Laid's
// parameters have. Not to be changed.
func (s *Snapshot) Unstable(slot, problem int) []int32 { return s.unstable[slot][problem] }

// Each is how many parameters an unstable element of a slot has: 1 for a hinge, the slope of its lower line; 2 for a curve, one for each line.
func (s *Snapshot) Each(slot int) int {
	if s.slots[slot].family != nil {
		return 2
	}
	return 1
}

// Range is what is known of the input of a hinge or curve over a problem.
func (s *Snapshot) Range(slot, problem int, elem int32) (lo, up float64) {
	x := s.at(s.slots[slot].in[0], problem)
	return x.lo[elem], x.up[elem]
}

// Settled lists the sides of hinges that are unstable over a problem of another snapshot, and known in this one.
func (s *Snapshot) Settled(problem int, than *Snapshot, of int) []Split {
	var out []Split
	for k := range s.slots {
		if s.slots[k].family != nil { // a side of a curve is any number
			continue
		}
		in := s.at(s.slots[k].in[0], problem)
		for _, j := range than.unstable[k][of] {
			switch {
			case in.lo[j] >= 0:
				out = append(out, Split{Slot: int32(k), Elem: j, On: true})
			case in.up[j] <= 0:
				out = append(out, Split{Slot: int32(k), Elem: j})
			}
		}
	}
	return out
}

// Slopes are the parameters of the snapshot's own lines at the unstable elements of a slot.
func (s *Snapshot) Slopes(slot, problem int) []float64 {
	if s.slots[slot].family != nil {
		return usual(s.ends[slot][problem])
	}
	own := s.at(s.slots[slot].id, problem).lines.LoSlope
	out := make([]float64, len(s.unstable[slot][problem]))
	for k, j := range s.unstable[slot][problem] {
		out[k] = own[j]
	}
	return out
}

// Box is the input box of a problem, flat in the model's order.
func (s *Snapshot) Box(problem int) Box {
	box := Box{Lower: make([]float64, s.net.nIn), Upper: make([]float64, s.net.nIn)}
	at := 0
	for _, id := range s.net.inputs {
		v, x := s.net.values[id], s.at(id, problem)
		v.order.Load(box.Lower[at:at+v.n], x.lo)
		v.order.Load(box.Upper[at:at+v.n], x.up)
		at += v.n
	}
	return box
}

// Outputs are the boxes of all outputs over a problem, flat in the model's order.
func (s *Snapshot) Outputs(problem int) Box {
	return (&Bounds{p: &pass{net: s.net, o: s.o, n: s.n, st: s.st, beyond: s.beyond}}).Outputs(problem)
}

// livePlaces maps stored elements to their places in a live list, -1 where they are not in it.
func livePlaces(live []int32, n int) []int32 {
	at := slices.Repeat([]int32{-1}, n)
	for k, j := range live {
		at[j] = int32(k)
	}
	return at
}

// Side is a split of a hinge or curve, counted in the standard's order of elements among those of all slots.
type Side struct {
	Hinge int
	At    float64 // of a curve
	On    bool
}

// Sides are splits as sides.
func (s *Snapshot) Sides(splits []Split) []Side {
	out := make([]Side, 0, len(splits))
	for _, q := range splits {
		at := 0
		for _, v := range s.slots[:q.Slot] {
			at += v.n
		}
		out = append(out, Side{at + s.slots[q.Slot].order.At(int(q.Elem)), q.At, q.On})
	}
	return out
}

// Spread gives the parameters of a slot's unstable hinges, over the snapshot's first problem, to all elements in the standard's order: rest to
// others.
func (s *Snapshot) Spread(slot int, of []float64, rest float64) []float64 {
	v := s.slots[slot]
	stored, out := slices.Repeat([]float64{rest}, v.n), make([]float64, v.n)
	for k, j := range s.unstable[slot][0] {
		stored[j] = of[k]
	}
	v.order.Load(out, stored)
	return out
}
