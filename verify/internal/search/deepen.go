package search

import (
	"context"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// maxCovers is how many parts covers may have together: 256 MiB, and more where they are deep.
const maxCovers = 1 << 21

// deepen bounds the neurons of one slot by cases: each one's worst part is halved where its row loses most, over and over, in rounds. Slopes stay as
// they were found for the whole, and splits get no multipliers: on mnist_fc a step of either on every part takes as long as several parts, and
// leaves less known in the same time.
// Source of the idea: bounds of neurons by mixed-integer programmes, in Tjeng et al. 2019.
type deepen struct {
	ctx     context.Context
	s       *bound.Snapshot
	slot    int
	threads int
	until   time.Time
	trees   []*covered
	parts   int
	told    func(Covered) // nil for nobody
}

// covered is a neuron's cover.
type covered struct {
	c     *bound.Cover
	alpha [][]float64 // by slot below
	next  []toSplit   // by part
	other *covered    // of the same neuron's other end
}

// toSplit is where a part is to be halved; ok is false where no hinge is left.
type toSplit struct {
	at bound.Split
	ok bool
}

// settled tells whether the neuron's side is known.
func (t *covered) settled(s *bound.Snapshot, slot int) bool {
	if s.Each(slot) != 1 { // a curve has no sides
		return false
	}
	low, _ := t.c.Lower()
	return low >= 0
}

// half is a part of a cover at work.
type half struct {
	t    *covered
	part int
}

// add gives a neuron of a problem two covers, and the slopes that rows over it begin with: for its lower end and for its upper one.
func (d *deepen) add(problem int, elem int32, lower, upper [][]float64) {
	a := &covered{c: bound.NewCover(d.s, problem, d.slot, elem, 1), alpha: lower, next: make([]toSplit, 1)}
	b := &covered{c: bound.NewCover(d.s, problem, d.slot, elem, -1), alpha: upper, next: make([]toSplit, 1), other: a}
	a.other = b
	d.trees = append(d.trees, a, b)
}

func (d *deepen) run() error {
	var work []half
	for _, t := range d.trees {
		if !d.done(t) {
			work = append(work, half{t, 0})
		}
	}
	for len(work) > 0 {
		batch := min(512, d.s.Fits())
		for from := 0; from < len(work) && time.Now().Before(d.until); from += batch {
			if err := d.bound(work[from:min(from+batch, len(work))]); err != nil {
				return err
			}
		}
		if !time.Now().Before(d.until) || d.parts > maxCovers {
			break
		}
		work = work[:0]
		for _, t := range d.trees {
			_, part := t.c.Lower()
			if d.done(t) || !t.next[part].ok {
				continue
			}
			a, b := t.c.Halve(part, t.next[part].at)
			t.next[a] = toSplit{}
			t.next = append(t.next, toSplit{})
			work = append(work, half{t, a}, half{t, b})
			d.parts++
		}
	}
	for _, t := range d.trees {
		if d.told == nil || d.tell(t) {
			t.c.Tighten()
		}
	}
	return nil
}

func (d *deepen) done(t *covered) bool { return t.settled(d.s, d.slot) || t.other.settled(d.s, d.slot) }

func (d *deepen) bound(work []half) error {
	nodes, cs, parts := make([]bound.Node, len(work)), make([]*bound.Cover, len(work)), make([]int, len(work))
	for i, w := range work {
		nodes[i], cs[i], parts[i] = w.t.c.Node(w.part), w.t.c, w.part
	}
	l, err := bound.Lay(d.ctx, nodes, d.threads)
	if err != nil {
		return err
	}
	defer l.Close()
	for i, w := range work {
		for k, a := range w.t.alpha {
			if d.told == nil || d.s.Each(k) == 1 { // else the usual lines of this part
				copy(l.Alpha(i, k), a)
			}
		}
		l.Moved(i)
	}
	var t bound.Trace
	if _, err := l.Cover(d.slot, cs, parts, &t); err != nil {
		return err
	}
	pts, err := l.Points(&t)
	if err != nil {
		return err
	}
	for i, w := range work {
		w.t.next[w.part] = d.choose(l, nodes[i].Problem, pts, i)
	}
	return nil
}

// choose gives the hinge or curve at which row i loses most.
func (d *deepen) choose(l *bound.Laid, problem int, pts *bound.Points, i int) (q toSplit) {
	score := make([][]float64, d.slot)
	for k := range score {
		score[k] = losses(d.s, problem, l, pts, i, k)
	}
	q.at, _, q.ok = most(d.s, problem, l, i, score)
	return q
}
