package student

import (
	"math/rand/v2"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// fill writes a batch's samples as the augmentation leaves them, [N,C,H,W], and their labels and logits. Each sample has random numbers of
// its own.
func (t *Trainer) fill(epoch, step int, index []int) {
	d, size := t.train, t.train.Size()
	t.pool.each(len(index), 8, func(_ *kernel.Work, _, from, to int) {
		for i := from; i < to; i++ {
			x := t.images[i*size : (i+1)*size]
			d.Sample(x, index[i])
			if t.cfg.Augment != (Augment{}) {
				augment(x, d.Shape, t.cfg.Augment, stream(t.cfg.Seed, purposeAugment, epoch<<20+step, i))
			}
		}
	})
	k := d.Classes
	oneHot := Elements[float32](t.targets.Labels)
	clear(oneHot)
	for i, at := range index {
		oneHot[i*k+d.label(at)] = 1
		if t.targets.Teacher != nil {
			copy(Elements[float32](t.targets.Teacher)[i*k:(i+1)*k], d.Logits[at*k:(at+1)*k])
		}
	}
}

// augment moves and mirrors one image [C,H,W] in place.
func augment(x []float32, shape [3]int, a Augment, rng *rand.Rand) {
	dy, dx := 0, 0
	if a.Shift > 0 {
		dy, dx = rng.IntN(2*a.Shift+1)-a.Shift, rng.IntN(2*a.Shift+1)-a.Shift
	}
	flip := a.Flip && rng.IntN(2) == 1
	c, h, w := shape[0], shape[1], shape[2]
	old := append([]float32(nil), x...)
	clear(x)
	for k := range c {
		for y := range h {
			sy := y - dy
			if sy < 0 || sy >= h {
				continue
			}
			for col := range w {
				sx := col - dx
				if sx < 0 || sx >= w {
					continue
				}
				if flip {
					sx = w - 1 - sx
				}
				x[(k*h+y)*w+col] = old[(k*h+sy)*w+sx]
			}
		}
	}
}

// channelsLast copies [N,C,H,W] to [N,H,W,C].
func channelsLast(p *Pool, dst, src []float32, n int, shape [3]int) {
	c, area := shape[0], shape[1]*shape[2]
	size := c * area
	p.each(n, max(1, elementsEach/size), func(_ *kernel.Work, _, from, to int) {
		for i := from; i < to; i++ {
			kernel.Transpose(c, area, src[i*size:(i+1)*size], dst[i*size:(i+1)*size])
		}
	})
}

// channelsFirst copies [N,H,W,C] to [N,C,H,W].
func channelsFirst(p *Pool, dst, src []float32, n int, shape [3]int) {
	c, area := shape[0], shape[1]*shape[2]
	size := c * area
	p.each(n, max(1, elementsEach/size), func(_ *kernel.Work, _, from, to int) {
		for i := from; i < to; i++ {
			kernel.Transpose(area, c, src[i*size:(i+1)*size], dst[i*size:(i+1)*size])
		}
	})
}
