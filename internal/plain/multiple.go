package plain

import "github.com/shallow-waters/shoal/internal/sound"

// breaks are where the slope of a row's bound drops, as a function of a half-space's multiple, and by how much.
type breaks struct{ at, drop []float64 }

// multiple is the multiple of a half-space's form with which a row that has come down to the inputs is bounded best, but for rounding: its bound is
// concave and piecewise linear in that. No proof rests on it.
func (r *row) multiple(h *half) float64 {
	b := r.s.breaks
	b.at, b.drop = b.at[:0], b.drop[:0]
	slope, e := -h.most, 0 // of the bound, at 0: by how much the corner where the row is least lies beyond the half-space
	for _, i := range r.s.net.inputs {
		c := r.into(i)
		for k, lower := range r.s.box[i].Lower {
			a, x, upper := h.a[e], c[k], r.s.box[i].Upper[k]
			e++
			switch {
			case a == 0:
			case x > 0 || x == 0 && a > 0:
				if slope += a * lower; a < 0 {
					b.add(-x/a, -a*(upper-lower))
				}
			default:
				if slope += a * upper; a > 0 {
					b.add(-x/a, a*(upper-lower))
				}
			}
		}
	}
	if !(slope > 0) {
		return 0
	}
	return b.reach(slope)
}

func (b *breaks) add(at, drop float64) {
	if drop > 0 && sound.Finite(at) {
		b.at, b.drop = append(b.at, at), append(b.drop, drop)
	}
}

// reach is the place up to which all drops make the slope 0: quickselect by weight. Where they never do the last place is given, from where on the
// bound only rises.
func (b *breaks) reach(slope float64) (last float64) {
	at, drop := b.at, b.drop
	for len(at) > 0 {
		pivot, below, same, n := at[len(at)/2], 0.0, 0.0, 0
		for i, x := range at { // those below the pivot first
			if x < pivot {
				below += drop[i]
				at[i], at[n], drop[i], drop[n] = at[n], at[i], drop[n], drop[i]
				n++
			}
		}
		if below >= slope {
			at, drop = at[:n], drop[:n]
			continue
		}
		above := n
		for i := n; i < len(at); i++ {
			if at[i] == pivot {
				same += drop[i]
				at[i], at[above], drop[i], drop[above] = at[above], at[i], drop[above], drop[i]
				above++
			}
		}
		if last = pivot; below+same >= slope {
			return last
		}
		slope -= below + same
		at, drop = at[above:], drop[above:]
	}
	return last
}
