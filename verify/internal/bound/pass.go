package bound

import (
	"context"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/relax"
)

// pass bounds some boxes together: they share the weights, so their rows stand in one matrix. It belongs to one call; its rows are
// computed by several workers.
type pass struct {
	net      *Network
	o        Options
	of       []Problem
	rows     bool        // neurons are bounded by rows, and lines laid for them
	alone    bool        // what relus read has the bounds of its rows, whatever intervals say
	slope    relax.Slope // of unstable neurons' lower lines
	n        int         // boxes
	st       []*state    // by value and box, see at
	shared   []shared
	work     []*affine.Work
	beyond   []*value      // per box: the first value that a float32 execution may make infinite, or of which nothing is known; nil for none
	splits   [][]splitAt   // by value: what is known of the sides of its elements, see Laid; nil for nothing
	beta     [][]float64   // by node and split
	ceilings [][]ceilingAt // by value: forms above its elements, see Ceiling; nil for none
	joins    int           // how many values have some
	cuts     [][]storedCut // by box; nil for none at all
	empty    []bool        // per box: what is known of it holds nowhere
	front    [][]Box       // per box, by value: what equations in the inputs know ahead of rows, in stored order; see ahead
	less     []bool        // per box: more is known of it by now than its snapshot knew
	ctx      context.Context
	arena    *arena
	kept     bool // the memory belongs to a Snapshot
	lost     bool // the context ended and something may still be at work: its memory goes to nobody else
}

// at is what the pass knows of a value for box b.
func (p *pass) at(id, b int) *state { return p.st[id*p.n+b] }

// newPass is a pass that knows nothing yet.
func newPass(ctx context.Context, net *Network, o Options, boxes int) (*pass, error) {
	p, err := stateless(ctx, net, o, boxes)
	if err != nil {
		return nil, err
	}
	own := make([]state, len(p.st))
	for i := range own {
		p.st[i] = &own[i]
	}
	return p, nil
}

// stateless is a pass whose states are still to come: its own, or those of a snapshot that it only reads.
func stateless(ctx context.Context, net *Network, o Options, boxes int) (*pass, error) {
	p := &pass{net: net, o: o, n: boxes, st: make([]*state, len(net.values)*boxes), shared: make([]shared, len(net.values)),
		beyond: make([]*value, boxes), empty: make([]bool, boxes), less: make([]bool, boxes), ctx: ctx}
	if err := p.ask(); err != nil {
		return nil, err
	}
	p.arena = arenaPool.Get().(*arena)
	if o.Float32 {
		net.measured.Do(net.measure)
	}
	for range kernel.Workers(o.Threads) {
		p.work = append(p.work, workPool.Get().(*affine.Work))
	}
	return p, nil
}

func (p *pass) close() {
	if p.lost {
		return
	}
	for _, w := range p.work {
		workPool.Put(w)
	}
	if p.arena != nil && !p.kept {
		p.arena.at, p.arena.free = 0, nil
		arenaPool.Put(p.arena)
	}
	p.arena = nil
}

// run bounds every value over the boxes, in topological order.
func (p *pass) run(problems []Problem) error {
	p.of = problems
	if err := p.related(); err != nil {
		return err
	}
	for b, q := range problems {
		if len(q.Cuts) > 0 {
			if p.cuts == nil {
				p.cuts = make([][]storedCut, p.n)
			}
			p.cuts[b] = p.net.storeCuts(q.Cuts)
		}
	}
	at := 0
	for _, v := range p.net.values {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		var err error
		switch v.kind {
		case kindInput:
			for b, q := range problems {
				p.input(v, p.at(v.id, b), q.Box, at)
			}
			at += v.n
			if at == p.net.nIn && p.cuts != nil {
				for b := range problems {
					p.less[b] = p.less[b] || len(p.cuts[b]) > 0
					p.overBox(b)
					p.empty[b] = p.empty[b] || p.beside(b, p.cuts[b])
				}
			}
		case kindAffine:
			if v.copies() {
				p.shared[v.id].live = p.shared[v.in[0]].live
			}
			for b := range problems {
				if err := p.affine(v, b); err != nil {
					return err
				}
			}
		case kindAct:
			err = p.act(v)
		default:
			err = p.relaxed(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
