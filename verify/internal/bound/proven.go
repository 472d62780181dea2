package bound

// Sides are the sides of hinges that bounds proved over a box. They hold on each of its parts, where rows need not find them again. They never
// change.
type Sides struct {
	origin
	on, off []uint64 // a bit for each element that hinges read, see hinged
}

// hinged numbers the elements that hinges read: by value, its first number, or -1. count is how many there are.
func (net *Network) hinged() (at []int, count int) {
	net.numbered.Do(func() {
		net.hingeAt = make([]int, len(net.values))
		for i := range net.hingeAt {
			net.hingeAt[i] = -1
		}
		for _, v := range net.values {
			if v.relu && net.hingeAt[v.in[0]] < 0 {
				net.hingeAt[v.in[0]] = net.hinges
				net.hinges += net.values[v.in[0]].n
			}
		}
	})
	return net.hingeAt, net.hinges
}

// Sides are those that are known over a problem, nil where there are none.
func (b *Bounds) Sides(problem int) *Sides {
	own, ok := b.origin(problem)
	at, n := b.p.net.hinged()
	if !ok || n == 0 {
		return nil
	}
	words := (n + 63) / 64
	bits := make([]uint64, 2*words)
	s := &Sides{origin: own, on: bits[:words], off: bits[words:]}
	for id, from := range at {
		if from < 0 {
			continue
		}
		x := b.p.at(id, problem)
		for i, l := range x.lo {
			k := from + i
			switch {
			case l >= 0:
				s.on[k/64] |= 1 << (k % 64)
			case x.up[i] <= 0:
				s.off[k/64] |= 1 << (k % 64)
			}
		}
	}
	return s
}

// proven cuts a value's box to the sides that were proved over boxes around.
func (p *pass) proven(in *value) {
	at, _ := p.net.hinged()
	from := at[in.id]
	if from < 0 {
		return
	}
	for b := range p.of {
		q := p.of[b].Sides
		if q == nil {
			continue
		}
		p.own(in, b)
		s := p.at(in.id, b)
		for i := range s.lo {
			k := from + i
			switch {
			case q.on[k/64]>>(k%64)&1 != 0:
				s.lo[i] = max(s.lo[i], 0)
			case q.off[k/64]>>(k%64)&1 != 0:
				s.up[i] = min(s.up[i], 0)
			default:
				continue
			}
			p.meet(s, b, i)
		}
	}
}
