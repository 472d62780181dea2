package affine

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// phase is the part of a transposed convolution that writes the pixels (StrideH*q + py, StrideW*p + px) of a window: each is a sum over
// the source pixels (q - t, p - u) for the taps (t, u) of the phase.
type phase[T kernel.Float] struct {
	py, px  int
	ty      []int // by segment, descending: source rows ascend
	perRow  int   // segments per source row
	filters []*kernel.Filter[T]
}

// spread is the largest t, or u, of any tap.
func spread(k, d, s int) int { return (k - 1) * d / s }

// taps lists the kernel entries of a phase along one axis by ascending source position.
func phaseTaps(k, d, s, p int) (taps, t []int) {
	for i := k - 1; i >= 0; i-- {
		if i*d%s == p {
			taps, t = append(taps, i), append(t, (i*d-p)/s)
		}
	}
	return taps, t
}

// plan packs the weights of every phase for source windows of the given width: offsets depend on it. Weights are shared by widths only
// within one value, so the last few widths are kept.
func plan[T kernel.Float](s *ConvStep, width int) []phase[T] {
	c := s.c
	cols := (width + 2*spread(c.KW, c.DilationW, c.StrideW)) * c.M
	var out []phase[T]
	for py := range c.StrideH {
		kys, tys := phaseTaps(c.KH, c.DilationH, c.StrideH, py)
		for px := range c.StrideW {
			kxs, txs := phaseTaps(c.KW, c.DilationW, c.StrideW, px)
			if len(kys) == 0 || len(kxs) == 0 {
				continue
			}
			ph := phase[T]{py: py, px: px, perRow: 1}
			run := len(kxs) * s.mg
			// Taps of neighbouring source pixels are one segment.
			whole := c.Groups == 1 && txs[0]-txs[len(txs)-1] == len(txs)-1
			if !whole {
				ph.perRow, run = len(kxs), s.mg
			}
			var offsets []int
			for _, t := range tys {
				for i := range ph.perRow {
					offsets = append(offsets, -t*cols-txs[i]*c.M)
					ph.ty = append(ph.ty, t)
				}
			}
			for g := range c.Groups {
				ph.filters = append(ph.filters, kernel.NewFilter(s.cg, run, offsets, func(ch, seg, i int) T {
					ky := kys[seg/ph.perRow]
					kx := kxs[seg%ph.perRow+i/s.mg]
					return T(s.weight(g*s.mg+i%s.mg, ky*c.KW+kx, ch))
				}))
			}
			out = append(out, ph)
		}
	}
	return out
}

// gather computes every window of the result pixel by pixel from the source windows.
func (s *ConvStep) gather(out, src *Rows, w *Work) {
	c := s.c
	phases := s.phasesFor(src.W)
	h := (src.H-1)*c.StrideH + (c.KH-1)*c.DilationH + 1
	wd := (src.W-1)*c.StrideW + (c.KW-1)*c.DilationW + 1
	side := spread(c.KW, c.DilationW, c.StrideW)
	cols := src.W + 2*side
	pad := w.Zero(src.H * cols * c.M)
	covered := c.KH >= c.StrideH && c.KW >= c.StrideW && c.DilationH == 1 && c.DilationW == 1
	for r := range src.N {
		row := src.Row(r)
		for y := range src.H {
			copy(pad[(y*cols+side)*c.M:], row[y*src.W*c.M:(y+1)*src.W*c.M])
		}
		// (y0, x0) is where the window begins in the image; [ya, yb) x [xa, xb) is its part inside.
		y0, x0 := -c.PadTop, -c.PadLeft
		if src.Y != nil {
			y0, x0 = int(src.Y[r])*c.StrideH-c.PadTop, int(src.X[r])*c.StrideW-c.PadLeft
		}
		ya, yb, xa, xb := max(0, -y0), min(h, c.H-y0), max(0, -x0), min(wd, c.W-x0)
		oy, ox := -y0, -x0 // where the result's own window begins, counted like the others
		if out.Y != nil {
			oy, ox = 0, 0
		}
		to := out.Row(r)
		if !covered || ya > oy || xa > ox || yb-oy < out.H || xb-ox < out.W {
			clear(to)
		}
		for i := range phases {
			ph := &phases[i]
			gatherPhase(s, ph, pad, src.H, cols, side, to, out.W, oy, ox, ya, yb, xa, xb, &w.pack.work)
		}
	}
	w.Put(pad)
}

// gatherPhase writes the pixels of one phase inside [ya, yb) x [xa, xb). Pixel (y, x) goes to place (y-oy, x-ox) of the result.
func gatherPhase[T kernel.Float](s *ConvStep, ph *phase[T], pad []T, h, cols, side int, to []T, width, oy, ox, ya, yb, xa, xb int, w *kernel.Work) {
	c := s.c
	q0, q1 := (ya-ph.py+c.StrideH-1)/c.StrideH, (yb-ph.py+c.StrideH-1)/c.StrideH
	p0, p1 := (xa-ph.px+c.StrideW-1)/c.StrideW, (xb-ph.px+c.StrideW-1)/c.StrideW
	q0, p0 = max(q0, 0), max(p0, 0)
	for q := q0; q < q1 && p0 < p1; {
		// Source rows q-t inside [0, h) are a range of segments; neighbouring rows with the same range go together.
		a, b := ph.segments(q, h)
		end := q + 1
		for end < q1 {
			a2, b2 := ph.segments(end, h)
			if a2 != a || b2 != b {
				break
			}
			end++
		}
		for g, f := range ph.filters {
			win := kernel.Windows[T]{
				X: pad, From: (q*cols+p0+side)*c.M + g*s.mg, Rows: end - q, Cols: p1 - p0, RowStep: cols * c.M, Step: c.M,
				Y: to, To: ((q*c.StrideH+ph.py-oy)*width+p0*c.StrideW+ph.px-ox)*c.C + g*s.cg, YRowStep: c.StrideH * width * c.C, YStep: c.StrideW * c.C,
				Lo: -kernel.Inf[T](), Hi: kernel.Inf[T](), Skip: a, Use: b - a,
			}
			if b > a {
				f.Slide(&win, w)
			} else {
				for y := range win.Rows {
					for x := range win.Cols {
						clear(to[win.To+y*win.YRowStep+x*win.YStep:][:s.cg])
					}
				}
			}
		}
		q = end
	}
}

// segments is the range of segments whose source row for window row q lies in [0, h).
func (p *phase[T]) segments(q, h int) (a, b int) {
	for a < len(p.ty) && q-p.ty[a] < 0 {
		a++
	}
	b = a
	for b < len(p.ty) && q-p.ty[b] < h {
		b++
	}
	return a, b
}

// keptPlans is the number of source widths whose packed weights are kept.
const keptPlans = 8

type widthPlan struct {
	width  int
	phases []phase[float64]
}

func (s *ConvStep) phasesFor(width int) []phase[float64] {
	s.planMu.Lock()
	defer s.planMu.Unlock()
	if i := slices.IndexFunc(s.plans, func(p widthPlan) bool { return p.width == width }); i >= 0 {
		return s.plans[i].phases
	}
	p := widthPlan{width, plan[float64](s, width)}
	if len(s.plans) >= keptPlans {
		s.plans = s.plans[1:]
	}
	s.plans = append(s.plans, p)
	return p.phases
}
