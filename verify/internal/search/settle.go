package search

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// settling decides small parts of a halved box at once, by sides of hinges (Neurons), where that is cheaper than to halve on. What it is cheaper for
// is found by trying: of some parts that were settled, the halves are followed all the same, until they are done or have cost many times as much.
// Means decide: most parts are cheap to halve, and a few take more than all the others.
//
// It never changes what is proven: a part is settled where Neurons ended with a proof of it.
type settling struct {
	mu     sync.Mutex
	off    bool          // the network has curves, or it never helped
	after  int           // parts that are halved first
	least  time.Duration // that settling a part may take
	most   float64       // hinges that may be unstable: less where parts were not settled, more where they were
	part   float64       // seconds of halving a part
	halved float64       // seconds that halving took in trials, each weighing less than the next
	solved float64       // seconds that settling took, likewise
	parts  int           // that were settled
	trials int           // that have ended
	now    int           // that are under way
	extra  float64       // seconds that went into them beside what the search would have done
	all    float64       // seconds that went into all parts
}

const (
	// settleAfter is how many parts are halved first: most questions are decided by then.
	settleAfter = 4000
	// settleFirst is how many hinges may be unstable in the first part that is settled, settleFewest how many must be for it to be worth the while.
	settleFirst, settleFewest = 120, 6
	// settleLong is the longest that settling a part takes, in parts that could have been halved.
	settleLong = 300
	// trialRoom is how many times what settling took the halves of a part may take in a trial, trialsAtOnce how many are under way at a time,
	// fewTrials how many there must have been for settling to begin, and trialShare what they may take of the search.
	trialRoom, trialsAtOnce, fewTrials, trialShare = 20, 2, 4, 0.1
	// fewParts are bounded together where most are settled.
	fewParts = 4
	// trialFade is what a trial weighs beside the one after it.
	trialFade = 0.95
)

// trial is a part that was settled, and whose halves are followed all the same.
type trial struct {
	s     *settling
	mu    sync.Mutex
	took  float64 // seconds that settling took
	parts int     // that the halves have cost so far
	room  int     // that they may cost
	left  int     // that are open
	over  bool    // what is left of them is settled
	// Where the tree is kept, node is what the part hangs as that it was cut from, at place, with the proof; stands says that it is needed.
	place  record.Place
	node   record.Node
	stands sync.Once
}

// worked notes what parts have cost, of which some were halved.
func (s *settling) worked(halving, settling time.Duration, parts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	each := halving.Seconds() / float64(parts)
	if s.part == 0 {
		s.part = each
	}
	s.part += 0.05 * (each - s.part)
	s.all += (halving + settling).Seconds()
}

// pays tells whether parts are settled.
func (s *settling) pays() bool { return s.trials >= fewTrials && s.halved > s.solved }

// few parts the first ones from those that others may take meanwhile: settling takes long.
func (s *settling) few(ps []*part) (now, later []*part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(ps) <= fewParts || !s.pays() {
		return ps, nil
	}
	return ps[:fewParts], ps[fewParts:]
}

// due tells whether a part of so many unstable hinges is to be settled, for how long at most, and whether its halves are followed.
func (s *settling) due(done, unstable int) (long time.Duration, both, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off || done < s.after || s.part == 0 {
		return 0, false, false
	}
	if s.most == 0 {
		s.most = settleFirst
	}
	if float64(unstable) > s.most {
		return 0, false, false
	}
	both = s.now < trialsAtOnce && s.extra <= trialShare*s.all
	if ok = both || s.pays(); ok && both {
		s.now++
	}
	return max(s.least, time.Duration(settleLong*s.part*float64(time.Second))), both, ok
}

// ended notes whether a part of so many unstable hinges was settled, in some time, of which a trial was to be made or not.
func (s *settling) ended(unstable int, ok, both bool, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if both && !s.pays() {
		s.extra += took.Seconds()
	}
	if ok {
		s.parts++
		s.most = max(s.most, min(1.02*s.most, 1.5*float64(unstable)))
		return
	}
	s.solved += took.Seconds()
	if both {
		s.now--
	}
	if s.most = min(s.most, 0.85*float64(unstable)); s.most < settleFewest {
		s.off = true
	}
}

// follow begins a trial: a part was settled in some time.
func (s *settling) follow(took time.Duration) *trial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &trial{s: s, took: took.Seconds(), room: int(trialRoom * took.Seconds() / s.part), left: 1}
}

// learn takes a trial's end in.
func (s *settling) learn(t *trial) {
	s.mu.Lock()
	defer s.mu.Unlock()
	halved := float64(t.parts) * s.part
	if s.pays() {
		s.extra += halved
	}
	s.halved, s.solved = trialFade*s.halved+halved, trialFade*s.solved+t.took
	s.trials++
	s.now--
}

// became tells that a part of the trial is some others now, and whether what is left of it counts as settled from here on; a part of none says
// nothing.
func (t *trial) became(kids int) (settled bool) {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.parts++
	t.left += kids - 1
	if !t.over && (t.left == 0 || t.parts >= t.room) {
		t.over, settled = true, t.left > 0
		t.s.learn(t)
	}
	return settled
}

// became tells a trial what a part of it is now.
func (r *run) became(t *trial, kids int) {
	if t.became(kids) {
		r.stands(t)
	}
}

// stands has the tree that is kept say how a part was settled, in the place of its halves.
func (r *run) stands(t *trial) {
	if r.s.Record != nil {
		t.stands.Do(func() { r.s.Record.Put(t.place, t.node); t.node = record.Node{} })
	}
}

// ended tells whether what is left of the trial counts as settled.
func (t *trial) ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.over
}

// bySides is how a part was settled.
type bySides struct {
	found []record.Found // where the tree is kept: what proved it, cases as the goal counts them
	over  bool           // that was too much
}

// maxSettled is how many numbers of a part's proofs are kept at a time, 2 MiB: a part that takes more is halved on.
const maxSettled = 1 << 18

// told keeps what proves a part, and ends the search for it where that takes too much.
func (q *bySides) told(open []int, end func()) func(Proof) {
	size := 0
	return func(p Proof) {
		f := p.Found(open[p.Case])
		if size += f.Size(); size > maxSettled {
			q.over = true
			end()
			return
		}
		q.found = append(q.found, f)
	}
}

// settle decides a part of problem i by sides of hinges, if that is worth trying. It gives how it is proven, nil where it is not, and a trial if its
// halves are to be followed all the same: whatever becomes of them, it is proven then. Where the tree is kept it is proven by linear programs alone
// and as the plain pass bounds it, so that the certificate can say how.
func (r *run) settle(p *part, b *bound.Bounds, i int) (*bySides, *trial, error) {
	r.mu.Lock()
	done := r.done
	r.mu.Unlock()
	unstable := b.Unstable(i)
	long, both, ok := r.settling.due(done, unstable)
	if !ok {
		return nil, nil, nil
	}
	g := Goal{Box: p.box, Try: func(_ context.Context, x []float64) (bool, []float64, error) { return r.outputs(x) }}
	for _, c := range p.open {
		g.Cases = append(g.Cases, r.g.Cases[c])
	}
	ctx, cancel := context.WithTimeout(r.ctx, long)
	defer cancel()
	how, with := &bySides{}, Settings{Threads: 1, First: long}
	if r.s.Record != nil {
		with.Told, with.Plainly, with.Around = how.told(p.open, cancel), true, b.Around(i)
	}
	start := time.Now()
	out, err := Neurons(ctx, r.net, r.o, g, with)
	var full *budget.Error
	if errors.As(err, &full) { // halving may do with what there is
		out, err = Outcome{}, nil
	}
	if err != nil || r.ctx.Err() != nil || r.isFound() {
		return nil, nil, r.mild(err) // the search ends
	}
	proven := out.Proven && !how.over
	r.settling.ended(unstable, proven, both, time.Since(start))
	if !proven {
		return nil, nil, nil
	}
	if both {
		return how, r.settling.follow(time.Since(start)), nil
	}
	r.proved(p.volume, out.Least)
	return how, nil, nil
}

// left takes out parts that count as settled since a trial has ended.
func (r *run) left(ps []*part) []*part {
	kept := ps[:0:0]
	for _, p := range ps {
		if p.trial != nil && p.trial.ended() {
			r.proved(p.volume, 0)
			continue
		}
		kept = append(kept, p)
	}
	return kept
}
