package student

import (
	"math/rand/v2"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/student/tape"
)

// fill writes a batch's samples as the augmentation leaves them, and their labels and logits. Each sample has random numbers of its own.
func (t *Trainer) fill(epoch, step int, index []int) {
	d, size := t.train, t.train.Size()
	images := tape.Elements[float32](t.targets.X)
	t.pool.Each(len(index), 8, func(_, from, to int) {
		for i := from; i < to; i++ {
			x := images[i*size : (i+1)*size]
			t.pixels.Sample(x, index[i])
			if t.cfg.Augment != (Augment{}) {
				augment(x, d.Shape, t.cfg.Augment, stream(t.cfg.Seed, purposeAugment, epoch<<20+step, i))
			}
		}
	})
	k := d.Classes
	rows := func(to *tape.Node, from []float32) {
		for i, at := range index {
			copy(tape.Elements[float32](to)[i*k:(i+1)*k], from[at*k:(at+1)*k])
		}
	}
	if t.targets.Labels != nil {
		oneHot := tape.Elements[float32](t.targets.Labels)
		clear(oneHot)
		for i, at := range index {
			oneHot[i*k+d.label(at)] = 1
		}
	}
	if t.targets.Teacher != nil {
		rows(t.targets.Teacher, d.Logits)
	}
	if t.targets.Numbers != nil {
		rows(t.targets.Numbers, d.Targets)
	}
}

// augment moves and mirrors one image [H,W,C] in place. shape is C, H, W.
func augment(x []float32, shape [3]int, a Augment, rng *rand.Rand) {
	dy, dx := 0, 0
	if a.Shift > 0 {
		dy, dx = rng.IntN(2*a.Shift+1)-a.Shift, rng.IntN(2*a.Shift+1)-a.Shift
	}
	flip := a.Flip && rng.IntN(2) == 1
	c, h, w := shape[0], shape[1], shape[2]
	old := append([]float32(nil), x...)
	clear(x)
	for y := max(0, dy); y < min(h, h+dy); y++ {
		for col := max(0, dx); col < min(w, w+dx); col++ {
			from := col - dx
			if flip {
				from = w - 1 - from
			}
			copy(x[(y*w+col)*c:(y*w+col+1)*c], old[((y-dy)*w+from)*c:])
		}
	}
}

// lastData is the images' data channels last: turned once, not in every step.
func lastData(p *tape.Pool, d *Data) *Data {
	if d.Shape[0] == 1 {
		return d
	}
	out := &Data{Shape: d.Shape, Classes: d.Classes}
	c, area := d.Shape[0], d.Shape[1]*d.Shape[2]
	if out.Bytes = make([]uint8, len(d.Bytes)); d.Bytes == nil {
		out.Bytes, out.Inputs = nil, make([]float32, len(d.Inputs))
	}
	p.Each(d.Len(), 64, func(_, from, to int) {
		for i := from * c * area; i < to*c*area; i += c * area {
			if d.Bytes != nil {
				kernel.Transpose(c, area, d.Bytes[i:i+c*area], out.Bytes[i:i+c*area])
			} else {
				kernel.Transpose(c, area, d.Inputs[i:i+c*area], out.Inputs[i:i+c*area])
			}
		}
	})
	return out
}

// channelsLast copies [N,C,H,W] to [N,H,W,C].
func channelsLast(p *tape.Pool, dst, src []float32, n int, shape [3]int) {
	c, area := shape[0], shape[1]*shape[2]
	size := c * area
	p.Each(n, max(1, tape.ElementsEach/size), func(_, from, to int) {
		for i := from; i < to; i++ {
			kernel.Transpose(c, area, src[i*size:(i+1)*size], dst[i*size:(i+1)*size])
		}
	})
}

// channelsFirst copies [N,H,W,C] to [N,C,H,W].
func channelsFirst(p *tape.Pool, dst, src []float32, n int, shape [3]int) {
	c, area := shape[0], shape[1]*shape[2]
	size := c * area
	p.Each(n, max(1, tape.ElementsEach/size), func(_, from, to int) {
		for i := from; i < to; i++ {
			kernel.Transpose(area, c, src[i*size:(i+1)*size], dst[i*size:(i+1)*size])
		}
	})
}
