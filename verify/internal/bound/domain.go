package bound

import (
	"context"
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/relax"
)

// Box bounds every element of a tensor; of inputs flat in the model's order, several one behind the other.
type Box = relax.Box

// Options are what a caller chooses beside the domain. The zero value is usable.
type Options struct {
	Float32  bool // bounds hold for every float32 execution, and not for the real network alone
	Threads  int  // 0 means all cores
	MemoryMB int  // working memory for rows per thread; 0 means 256
	// Plain switches off what goes beyond the published domain (intersecting with interval bounds), to compare with other implementations.
	Plain bool
	// Ahead is from how many open neurons of a value on equations in the inputs go ahead of rows, where few inputs vary; 0 means what pays.
	// See ahead.go.
	Ahead int
	// Near bounds values as the plain pass does that certificates are checked with: of the two ends of what a hinge reads the one nearer to 0 first, and
	// the other only where that leaves the sign open; and rows by rows alone.
	Near bool
	// Refine, if set, is asked about every slot of a pass once its boxes are known and before lines are laid over them: what Laid.Neurons finds there
	// on nodes without splits tightens the boxes. Source of the idea: Xu et al. 2021 (alpha-CROWN), where intermediate bounds are optimised too.
	Refine func(s *Snapshot, slot int) error
}

// Problem is what rows are bounded over.
type Problem struct {
	Box Box // Lower <= Upper, finite, as long as the network's inputs together

	// Known is a snapshot of which the problem is a part: its box lies in that of problem Of there. Bounds of that hold for all of its
	// parts. nil for none.
	Known *Snapshot
	Of    int
	// Splits are what else is known of the part: the problem is the points of Box at which they hold. With Known only.
	Splits []Split
	// Cuts are half-spaces in which the points that matter lie. With Known only.
	Cuts []Cut
	// Sides are what is known of hinges over a box that holds Box; nil for nothing.
	Sides *Sides
	// Around are what is known of hinges' boxes over a box that holds Box; nil for nothing.
	Around *Around
}

// Domain is a way of bounding a network.
type Domain interface {
	Name() string
	// Bound bounds every value of the network over each problem. The result must be closed. A domain that takes problems one by one gives an
	// error for several: see Alone.
	Bound(ctx context.Context, net *Network, o Options, problems []Problem) (*Bounds, error)
	// Alone tells that Bound takes one problem at a time.
	Alone() bool
}

// Bounds is what a domain knows of a network over some problems. It is used by one goroutine at a time; its own work is spread over threads.
type Bounds struct {
	p     *pass
	lower func(rows [][]float64, owner []int32, t *Trace) ([]float64, error)

	spread []spread // by problem: of those that Together was asked about
}

// Close gives the memory back.
func (b *Bounds) Close() { b.p.close() }

// Lower bounds rows over the flat outputs from below, row i over problem owner[i]. -Inf says that nothing is known. A trace, unless nil, gets the
// linear forms in the inputs at which rows end; the interval domain has none.
// It comes back when the context of Bound ends, whatever is at work; what was bounded is of no use then.
func (b *Bounds) Lower(rows [][]float64, owner []int32, t *Trace) ([]float64, error) {
	var low []float64
	err := budget.Do(b.p.ctx, func() error {
		bounds, err := b.lower(rows, owner, t)
		low = bounds
		return err
	})
	if err != nil {
		b.p.lost = true
		return nil, err
	}
	return low, nil
}

// Outputs are the boxes of all outputs over a problem, flat in the model's order.
func (b *Bounds) Outputs(problem int) Box {
	net := b.p.net
	out := Box{Lower: make([]float64, net.nOut), Upper: make([]float64, net.nOut)}
	at := 0
	for _, id := range net.outputs {
		x, s := net.values[id], b.p.at(id, problem)
		x.order.Load(out.Lower[at:at+x.n], s.lo)
		x.order.Load(out.Upper[at:at+x.n], s.up)
		at += x.n
	}
	if b.p.beyond[problem] != nil {
		unknown(out)
	}
	return out
}

// Empty tells that no point is left of a problem: its splits contradict each other, or its bounds.
func (b *Bounds) Empty(problem int) bool { return b.p.empty[problem] }

// Beyond says in words why nothing is known of float32 executions over a problem, or "" where something is.
func (b *Bounds) Beyond(problem int) string { return b.p.beyondReason(problem) }

// Layer is the input of one nonlinear node and its box, in the standard's order.
type Layer struct {
	Node, Op string
	Box      Box
}

// Layers are the boxes of what enters nonlinear nodes, over the first problem.
func (b *Bounds) Layers() []Layer {
	var out []Layer
	for _, v := range b.p.net.values {
		if !v.nonlinear() {
			continue
		}
		in := b.p.net.values[v.in[0]]
		s := b.p.at(in.id, 0)
		l := Layer{Node: v.node.Name, Op: v.node.Op, Box: Box{Lower: make([]float64, in.n), Upper: make([]float64, in.n)}}
		in.order.Load(l.Box.Lower, s.lo)
		in.order.Load(l.Box.Upper, s.up)
		out = append(out, l)
	}
	return out
}

// rowsOver splits rows over the flat outputs into one batch per output value, in stored order.
func (p *pass) rowsOver(rows [][]float64) []*affine.Rows {
	out := make([]*affine.Rows, len(p.net.outputs))
	at := 0
	for o, id := range p.net.outputs {
		x := p.net.values[id]
		g := x.order.Geom
		r := &affine.Rows{N: len(rows), H: g.H, W: g.W, C: g.C, Full: g, Data: make([]float64, len(rows)*x.n)}
		for i, row := range rows {
			x.order.Store(r.Data[i*x.n:(i+1)*x.n], row[at:at+x.n])
		}
		out[o] = r
		at += x.n
	}
	return out
}

// checkAlone is the error of several problems for a domain that takes one.
func checkAlone(d Domain, problems []Problem) error {
	if len(problems) != 1 {
		return fmt.Errorf("bound: %s takes one problem at a time, not %d", d.Name(), len(problems))
	}
	return nil
}
