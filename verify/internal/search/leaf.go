package search

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// leaf is a part of the goal's box on which some hinges have a side, with one case that is open there. Leaves of one parent share what does not
// differ; nothing in one changes once it stands in the frontier.
type leaf struct {
	c      int
	splits []bound.Split
	facts  []bound.Split // sides that bounds proved on the way here: they hold on the whole leaf
	alpha  [][]float64   // by slot, at the root's unstable elements: where the parent's slopes ended; nil for the root's own
	beta   []float64     // by split
	cuts   []bound.Cut   // where points lie that meet the case
	weight []float64     // of the case's constraints in the row that is to disprove it
	worst  float64
	depth  int
	share  float64

	under *fork // where it was split off in an exact search, and on which side; nil for the first of a case
	side  int
}

func (l *leaf) rank() (worst float64, depth int) { return l.worst, l.depth }

func (*leaf) ahead() bool { return false }

// child is the part of a leaf where a hinge has a side.
func (l *leaf) child(q bound.Split, on bool) *leaf {
	q.On = on
	k := *l
	k.splits = append(append(make([]bound.Split, 0, len(l.splits)+1), l.splits...), q)
	k.beta = append(append(make([]float64, 0, len(l.beta)+1), l.beta...), 0)
	k.depth++
	k.share /= 2
	return &k
}

// mixed is a case's constraints added up with weights of at least 0: no point meets the case where
//
//	row*y > limit, or >= where strict,
//
// since the case says that every constraint's row is at most its bound. off bounds what the row's rounding may change over outputs in a box.
type mixed struct {
	row    []float64
	limit  float64
	strict bool
	off    func(out bound.Box) float64 // nil for nothing
}

func (c *Case) mix(weight []float64) mixed {
	one, count := 0, 0
	for k, w := range weight {
		if w > 0 {
			one = k
			count++
		}
	}
	if len(c.Rows) == 1 || count == 1 && weight[one] == 1 {
		m := mixed{row: c.Rows[one], limit: c.Bound[one], strict: c.Strict[one]}
		if c.Loss != nil {
			m.off = func(out bound.Box) float64 { return c.Loss(one, out) }
		}
		return m
	}
	m := mixed{row: make([]float64, len(c.Rows[0]))}
	size := make([]float64, len(m.row)) // sum of the terms' magnitudes
	for k, w := range weight {
		if w == 0 {
			continue
		}
		for j, x := range c.Rows[k] {
			m.row[j] += w * x
			size[j] += w * math.Abs(x)
		}
		m.limit = sound.AddUp(m.limit, sound.MulUp(w, c.Bound[k]))
	}
	g := sound.Gamma(2*count+4) * (1 + 0x1p-20)
	m.off = func(out bound.Box) float64 {
		sum := 0.0
		for j, s := range size {
			if s != 0 {
				lost := sound.AddUp(sound.MulUp(g, s), sound.Tiny) // Tiny for products below the normal numbers
				sum = sound.AddUp(sum, sound.MulUp(lost, max(math.Abs(out.Lower[j]), math.Abs(out.Upper[j]))))
			}
		}
		if c.Loss != nil {
			for k, w := range weight {
				if w > 0 {
					sum = sound.AddUp(sum, sound.MulUp(w, c.Loss(k, out)))
				}
			}
		}
		return sum
	}
	return m
}

// violated is what the row is at most at points that meet the case.
func (m *mixed) violated(out func() bound.Box) float64 {
	if m.off != nil {
		return sound.AddUp(m.limit, m.off(out()))
	}
	return m.limit
}

// margin is by how much a bound of the row rules the case out, not positive where it does not, and whether it does.
func (m *mixed) margin(low float64, out func() bound.Box) (float64, bool) {
	if m.off != nil {
		if e := m.off(out()); e != 0 {
			low = sound.Down(low - e)
		}
	}
	if math.IsNaN(low) {
		return math.Inf(-1), false
	}
	return low - m.limit, low > m.limit || m.strict && low >= m.limit
}

// level are weights that prefer no constraint.
func (c *Case) level() []float64 {
	w := make([]float64, len(c.Rows))
	for k := range w {
		w[k] = 1 / float64(len(w))
	}
	return w
}
