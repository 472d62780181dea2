package search

import (
	"context"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// neuronRate is the rate of slopes of rows over neurons: larger than that of outputs, for they get few steps.
const neuronRate = 0.35

// Refining gives bound.Options.Refine: boxes of hinges are tightened by rows whose slopes are moved some steps each, as long as the time lasts; zero
// means without end.
func Refining(ctx context.Context, threads, steps int, within time.Duration) func(s *bound.Snapshot, slot int) error {
	return (&hinges{ctx: ctx, threads: threads, steps: steps, within: within}).refine()
}

// Covering is Refining that then bounds hinges by cases, for a time that all slots share.
func Covering(ctx context.Context, threads, steps int, within, cover time.Duration, slots int) func(s *bound.Snapshot, slot int) error {
	return (&hinges{ctx: ctx, threads: threads, steps: steps, within: within, cover: cover, slots: slots}).refine()
}

// hinges tightens the boxes of hinges over the whole of a problem.
type hinges struct {
	ctx     context.Context
	threads int
	steps   int           // of each row
	within  time.Duration // for rows; 0 for no end
	f       *influence    // that learns; nil for none
	cover   time.Duration // for covers
	slots   int           // that there are
	told    func(End)     // of every row; nil for nobody
	covered func(Covered) // of every end that a cover bounds better; nil for nobody
}

func (h *hinges) refine() func(s *bound.Snapshot, slot int) error {
	start := time.Now()
	var covered time.Duration
	return func(s *bound.Snapshot, slot int) error {
		if h.f != nil {
			h.f.begin(s, slot)
		}
		r := refiner{ctx: h.ctx, s: s, slot: slot, threads: h.threads, steps: h.steps, f: h.f, told: h.told, keep: h.cover > 0 || h.told != nil}
		if h.within > 0 {
			r.until = start.Add(h.within + covered)
		}
		for p := range s.Problems() {
			for _, j := range s.Unstable(slot, p) {
				r.nodes = append(r.nodes, bound.Node{Of: s, Problem: p}, bound.Node{Of: s, Problem: p})
				r.elems, r.sign = append(r.elems, j, j), append(r.sign, 1, -1)
			}
		}
		batch := min(512, s.Fits())
		whole := true
		for from := 0; from < len(r.nodes) && whole; from += batch {
			if whole = h.within == 0 || time.Since(start)-covered <= h.within; !whole {
				break
			}
			if err := r.rows(from, min(from+batch, len(r.nodes))); err != nil {
				return err
			}
		}
		if h.cover == 0 || slot == 0 || !whole { // what the first ones read is exact
			return nil
		}
		at := time.Now()
		// Every slot gains from those in front of it.
		d := &deepen{ctx: h.ctx, s: s, slot: slot, threads: h.threads, told: h.covered, until: at.Add((h.cover - covered) / time.Duration(h.slots-slot))}
		for i := 0; i < len(r.nodes); i += 2 {
			if lo, up := s.Range(slot, r.nodes[i].Problem, r.elems[i]); lo < 0 && up > 0 {
				d.add(r.nodes[i].Problem, r.elems[i], r.alpha[i], r.alpha[i+1])
			}
		}
		err := d.run()
		covered += time.Since(at)
		return err
	}
}

// refiner works on one slot.
type refiner struct {
	ctx            context.Context
	s              *bound.Snapshot
	slot           int
	threads, steps int
	until          time.Time // zero means without end
	f              *influence
	told           func(End)

	nodes []bound.Node
	elems []int32
	sign  []float64
	keep  bool
	alpha [][][]float64 // by node and slot: slopes at the end, if kept
}

func (r *refiner) late() bool { return !r.until.IsZero() && time.Now().After(r.until) }

func (r *refiner) rows(from, to int) error {
	nodes, elems, sign := r.nodes[from:to], r.elems[from:to], r.sign[from:to]
	l, err := bound.Lay(r.ctx, nodes, r.threads)
	if err != nil {
		return err
	}
	defer l.Close()
	steps := r.steps
	p := ending(neuronRate, steps)
	p.usual = r.told != nil
	sought, err := l.SeekNeurons(r.slot, elems, sign, p.seeking(steps, r.until))
	if err != nil {
		return err
	}
	if sought { // one bound, at the best of them
		steps = 0
	}
	c := newClimber(len(nodes), p)
	t := &bound.Trace{}
	if sought && r.f == nil {
		t = nil
	}
	for step := 0; ; step++ {
		low, err := l.Neurons(r.slot, elems, sign, t)
		if err != nil {
			return err
		}
		last := step == steps || r.late()
		if last {
			for i := 0; i < len(nodes) && r.keep; i++ {
				a := make([][]float64, r.slot)
				for k := range a {
					a[k] = slices.Clone(l.Alpha(i, k))
				}
				r.alpha = append(r.alpha, a)
				r.tell(nodes[i].Problem, elems[i], sign[i], low[i], a)
			}
			if r.f == nil {
				return nil
			}
		}
		pts, err := l.Points(t)
		if err != nil {
			return err
		}
		if last {
			r.f.learn(r.s, l, pts, r.slot, elems, sign)
			return nil
		}
		at := c.next()
		for i := range nodes {
			c.climb(at, l, pts, i, r.slot, nil)
		}
	}
}
