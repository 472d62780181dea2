package bound

import "fmt"

// origin says of what is known which network it is of, in which semantics, and over which box: it holds on each of that box' parts.
type origin struct {
	net     *Network
	float32 bool
	box     Box
}

// origin is where what bounds say of a problem comes from; ok is false where that would hold on a part of the box alone, or of nothing that is known.
func (b *Bounds) origin(problem int) (o origin, ok bool) {
	q := &b.p.of[problem]
	return origin{b.p.net, b.p.o.Float32, q.Box}, !q.divided() && b.p.beyond[problem] == nil
}

// over checks that it is of a pass' network and semantics, and of a box that holds the problem's.
func (o *origin) over(p *pass, box Box) error {
	if o.net != p.net || o.float32 != p.o.Float32 {
		return fmt.Errorf("bound: what is known is of another network or of other semantics")
	}
	for k, l := range box.Lower {
		if l < o.box.Lower[k] || box.Upper[k] > o.box.Upper[k] {
			return fmt.Errorf("bound: what is known is of a box that the problem is no part of")
		}
	}
	return nil
}
