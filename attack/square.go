package attack

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
)

// Square changes random squares of the image and keeps what lowers the margin. It needs no gradient. Andriushchenko et al. 2020, "Square
// Attack: a query-efficient black-box adversarial attack via random search".
type Square struct {
	Queries int     `json:"queries"` // 0 means 5000
	Share   float64 `json:"share"`   // of the image's area that the first squares cover; 0 means 0.8, as in AutoAttack
}

// Name implements Attack.
func (Square) Name() string { return "square" }

// squareShare is the share of the area at a query, of 10,000 in the paper's schedule (section 3, "sampling distribution").
func (a Square) squareShare(query int) float64 {
	at := float64(query) / float64(a.Queries) * 10000
	for _, s := range []struct{ until, by float64 }{{10, 1}, {50, 2}, {200, 4}, {500, 8}, {1000, 16}, {2000, 32}, {4000, 64}, {6000, 128}, {8000, 256}} {
		if at <= s.until {
			return a.Share / s.by
		}
	}
	return a.Share / 512
}

func (a Square) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(Square)
	j.begin(a.Queries)
	m := j.samples.Image
	if m == (Image{}) {
		m = Image{Channels: 1, Height: 1, Width: j.size}
	}
	idx := j.open()
	d, next := j.zeros(len(idx)), j.zeros(len(idx))
	rngs := make([]*rand.Rand, len(idx))
	margin := make([]float64, len(idx))
	for r, i := range idx {
		rngs[r] = j.rng(i, "squares")
		if j.threat.Norm == L2 {
			squareTiles(m, d[r], j.threat.Eps, rngs[r])
		} else {
			squareStripes(m, d[r], j.threat.Eps, rngs[r])
		}
		j.clip(i, d[r], false)
	}
	for query := range a.Queries {
		if len(idx) == 0 {
			return nil
		}
		j.tick()
		try := d
		if query > 0 {
			share := a.squareShare(query)
			for r := range idx {
				copy(next[r], d[r])
				if j.threat.Norm == L2 {
					squareMove(m, next[r], j.threat.Eps, share, rngs[r])
				} else {
					squarePaint(m, next[r], j.threat.Eps, share, rngs[r])
				}
				j.clip(idx[r], next[r], false)
			}
			try = next
		}
		z, err := j.outputs(ctx, idx, try, false)
		if err != nil {
			return err
		}
		kept := 0
		for r, i := range idx {
			l := j.marginOf(i, z[r*j.classes:(r+1)*j.classes])
			if query == 0 || l < margin[r] {
				margin[r] = l
				if query > 0 {
					d[r], next[r] = next[r], d[r]
				}
			}
			if !j.found[i] {
				idx[kept], d[kept], next[kept], rngs[kept], margin[kept] = i, d[r], next[r], rngs[r], margin[r]
				kept++
			}
		}
		idx, d, next, rngs, margin = idx[:kept], d[:kept], next[:kept], rngs[:kept], margin[:kept]
	}
	return nil
}

func (a Square) settings(Threat) Attack {
	a.Queries, a.Share = cmp.Or(a.Queries, 5000), cmp.Or(a.Share, 0.8)
	return a
}

func (a Square) with(e Effort) Attack {
	a.Queries = e.Steps
	return a
}

func (Square) norms() []Norm { return []Norm{Linf, L2} }

func (Square) blind() bool { return true }

func (a Square) numbers() Attack { return a }

// marginOf is what a random search makes smaller: how far the label is ahead, or for a goal how far the goal is behind; of numbers what is
// left of the tolerance.
func (j *job) marginOf(i int, z []float32) float64 {
	if j.values != nil {
		return j.values.tolerance - j.deviation(i, z)
	}
	c, sign := j.samples.Labels[i], 1.0
	if j.goal[i] >= 0 {
		c, sign = j.goal[i], -1
	}
	best := math.Inf(-1)
	for k, v := range z {
		if k != c {
			best = max(best, float64(v))
		}
	}
	return sign * (float64(z[c]) - best)
}

// squareStripes starts with columns of +Eps or -Eps in every channel.
func squareStripes(m Image, d []float32, eps float64, rng *rand.Rand) {
	for c := range m.Channels {
		for x := range m.Width {
			v := randomSign(rng) * float32(eps)
			for y := range m.Height {
				d[m.at(c, y, x)] = v
			}
		}
	}
}

func randomSign(rng *rand.Rand) float32 {
	if rng.IntN(2) == 0 {
		return -1
	}
	return 1
}

// side is the length of a square that covers a share of the image, at most the image's.
func (m Image) side(share float64) (h, w int) {
	s := max(1, int(math.Round(math.Sqrt(share*float64(m.Height*m.Width)))))
	if m.Height == 1 { // a row of numbers: the square is a piece of it
		s = max(1, int(math.Round(share*float64(m.Width))))
	}
	return min(s, max(1, m.Height)), min(s, m.Width)
}

// squarePaint gives every channel of a random square a new +Eps or -Eps.
func squarePaint(m Image, d []float32, eps, share float64, rng *rand.Rand) {
	h, w := m.side(share)
	y0, x0 := rng.IntN(m.Height-h+1), rng.IntN(m.Width-w+1)
	for c := range m.Channels {
		v := randomSign(rng) * float32(eps)
		for y := y0; y < y0+h; y++ {
			for x := x0; x < x0+w; x++ {
				d[m.at(c, y, x)] = v
			}
		}
	}
}

// bump is the paper's pattern eta for l2 on an area of h by w: two pyramids of opposite sign, one above the other, of length 1.
func bump(h, w int, rng *rand.Rand) []float64 {
	pyramid := func(h, w int) []float64 {
		out := make([]float64, h*w)
		cy, cx := h/2, w/2
		for layer := 0; layer <= max(cy, cx); layer++ {
			v := 1 / float64((max(cy, cx)-layer+1)*(max(cy, cx)-layer+1))
			for y := max(0, layer); y < h-layer; y++ {
				for x := max(0, layer); x < w-layer; x++ {
					out[y*w+x] += v
				}
			}
		}
		return out
	}
	top := h / 2
	out := make([]float64, h*w)
	if top > 0 {
		copy(out, pyramid(top, w))
	}
	for i, v := range pyramid(h-top, w) {
		out[top*w+i] = -v
	}
	if h == w && rng.IntN(2) == 0 { // turned by a quarter
		t := make([]float64, h*w)
		for y := range h {
			for x := range w {
				t[x*h+y] = out[y*w+x]
			}
		}
		out = t
	}
	sum := 0.0
	for _, v := range out {
		sum += v * v
	}
	for i := range out {
		out[i] /= math.Sqrt(sum)
	}
	return out
}

// squareTiles starts for l2 with bumps of random sign side by side over the image, together of length Eps.
func squareTiles(m Image, d []float32, eps float64, rng *rand.Rand) {
	h, w := max(1, m.Height/5), max(1, m.Width/5)
	for y0 := 0; y0+h <= m.Height; y0 += h {
		for x0 := 0; x0+w <= m.Width; x0 += w {
			b := bump(h, w, rng)
			for c := range m.Channels {
				s := randomSign(rng)
				for i, v := range b {
					d[m.at(c, y0+i/w, x0+i%w)] += s * float32(v)
				}
			}
		}
	}
	if r := L2.norm(d); r > 0 {
		for k := range d {
			d[k] *= float32(eps / r)
		}
	}
}

// squareMove takes the length that two random windows have, and what is unused of Eps, and puts it as a bump into the first one.
// Algorithm 3 of the paper.
func squareMove(m Image, d []float32, eps, share float64, rng *rand.Rand) {
	h, w := m.side(share)
	if m.Height > 1 {
		h, w = min(max(3, h|1), m.Height), min(max(3, w|1), m.Width)
	}
	y1, x1 := rng.IntN(m.Height-h+1), rng.IntN(m.Width-w+1)
	y2, x2 := rng.IntN(m.Height-h+1), rng.IntN(m.Width-w+1)
	window := func(c, y0, x0 int, f func(i, k int)) {
		for i := range h * w {
			f(i, m.at(c, y0+i/w, x0+i%w))
		}
	}
	total := L2.norm(d)
	free := max(0, eps*eps-total*total)
	b := bump(h, w, rng)
	for c := range m.Channels {
		both, first := 0.0, 0.0
		window(c, y1, x1, func(_, k int) { v := float64(d[k]); both += v * v; first += v * v })
		window(c, y2, x2, func(_, k int) { v := float64(d[k]); both += v * v })
		length := math.Sqrt(both + free/float64(m.Channels))
		// The new pattern is the old one's direction plus a bump of random sign.
		s, sum := float64(randomSign(rng)), 0.0
		fresh := make([]float64, h*w)
		window(c, y1, x1, func(i, k int) {
			fresh[i] = s * b[i]
			if first > 0 {
				fresh[i] += float64(d[k]) / math.Sqrt(first)
			}
			sum += fresh[i] * fresh[i]
		})
		if sum == 0 {
			continue
		}
		window(c, y2, x2, func(_, k int) { d[k] = 0 })
		window(c, y1, x1, func(i, k int) { d[k] = float32(fresh[i] / math.Sqrt(sum) * length) })
	}
}
