package bound

import "slices"

// cuts adds to rows that have come down to the inputs about the multiples of their problems' cuts that they are bounded best with.
func (k *seeker) cuts() {
	sc, p := k.sc, k.sc.l.p
	if p.cuts == nil {
		return
	}
	for _, id := range p.net.inputs {
		if !sc.vals[id].need || !k.has[id] { // they would have to end there too
			return
		}
	}
	for i := range k.n {
		node := k.from + i
		for c := range p.cuts[node] {
			k.meets(i, &p.cuts[node][c])
			by := k.meeting.multiple()
			k.by[i][c] = float32(by)
			for at, id := range p.net.inputs {
				n := p.net.values[id].n
				row := k.coef[id][i*n : (i+1)*n]
				for j, g := range p.cuts[node][c].coef[at] {
					row[j] += float32(by * g)
				}
			}
		}
	}
}

// meets has a node's row meet a cut.
func (k *seeker) meets(i int, c *storedCut) {
	p := k.sc.l.p
	k.meeting.begin(c)
	k.wide = slices.Grow(k.wide[:0], p.net.nIn)
	for at, id := range p.net.inputs {
		n, from := p.net.values[id].n, len(k.wide)
		for _, x := range k.coef[id][i*n : (i+1)*n] {
			k.wide = append(k.wide, float64(x))
		}
		k.meeting.add(k.wide[from:], at, 0)
	}
}

// beyond is what a node's cuts add to its row at the corner.
func (k *seeker) beyond(i int) float64 {
	p, sum := k.sc.l.p, 0.0
	for c, by := range k.by[i] {
		if by == 0 {
			continue
		}
		cut := &p.cuts[k.from+i][c]
		over := -cut.most
		for at, id := range p.net.inputs {
			n := p.net.values[id].n
			x := k.vals[id][i*n : (i+1)*n]
			for j, g := range cut.coef[at] {
				over += g * float64(x[j])
			}
		}
		sum += float64(by) * over
	}
	return sum
}
