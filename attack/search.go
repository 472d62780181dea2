package attack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Region is a question to Search: an input in the box whose outputs meet all constraints of one case.
type Region struct {
	Lower, Upper []float64 // of the inputs, flat
	Cases        [][]Constraint
}

// SearchOptions configures Search. The zero value is quick.
type SearchOptions struct {
	Points int // searched side by side for each case; 0 means 4, or 8 with a Duration
	Most   int // of all searched side by side, those nearest to their case; 0 means 16, or 128 with a Duration
	Steps  int // of gradient descent from each; 0 means 20, or 40 with a Duration
	Random int // points tried before, of which the best are taken; 0 means 8 for each of Points
	// Rounds is how often all of that is done, from new points; 0 means once. For a duration > 0 the rounds go on until it is over.
	Rounds   int
	Duration time.Duration
	Seed     uint64
}

// Found is a point of Search and the case that it meets, as the engine's float32 outputs have it. It is a candidate: whoever asked rounds
// it into the exact box and runs the model once more.
type Found struct {
	Input []float32
	Case  int
}

// Search looks for a point of the region by descent on the largest violated constraint of each case, from the best of many points: random
// ones, the box's corners, and such that differ in their outputs. Without gradients it moves single coordinates at random. It returns nil
// where it finds nothing.
func (t *Target) Search(ctx context.Context, r *Region, o SearchOptions) (*Found, error) {
	if r == nil {
		return nil, errors.New("there is no region")
	}
	if len(r.Lower) != t.size || len(r.Upper) != t.size {
		return nil, fmt.Errorf("a box of %d and %d numbers for a model of %d inputs", len(r.Lower), len(r.Upper), t.size)
	}
	thorough := func(v *int, quick, long int) {
		if *v <= 0 {
			if *v = quick; o.Duration > 0 {
				*v = long
			}
		}
	}
	thorough(&o.Points, 4, 8)
	thorough(&o.Most, 16, 128)
	thorough(&o.Steps, 20, 40)
	if o.Random <= 0 {
		o.Random = 8 * o.Points
	}
	s := &search{t: t, r: r, o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x5ea))}
	s.lower, s.upper = make([]float32, t.size), make([]float32, t.size)
	for k := range s.lower {
		s.lower[k], s.upper[k] = sound.Float32Above(r.Lower[k]), -sound.Float32Above(-r.Upper[k])
		if s.lower[k] > s.upper[k] { // no float32 inside: the search goes on at the nearest
			near := float32(r.Lower[k]/2 + r.Upper[k]/2)
			s.lower[k], s.upper[k] = near, near
		}
	}
	for c, list := range r.Cases {
		for _, q := range list {
			if len(q.Row) != t.outputs {
				return nil, fmt.Errorf("case %d: a constraint over %d outputs of a model of %d", c, len(q.Row), t.outputs)
			}
		}
	}
	end := time.Now().Add(o.Duration)
	for round := 0; ; round++ {
		if f, err := s.round(ctx, round); f != nil || err != nil {
			return f, err
		}
		if o.Duration > 0 && time.Now().After(end) || o.Duration <= 0 && round+1 >= o.Rounds {
			return nil, nil
		}
	}
}

type search struct {
	t            *Target
	r            *Region
	o            SearchOptions
	rng          *rand.Rand
	lower, upper []float32
}

// probe is one point on its way: it aims at a case.
type probe struct {
	x, best, g []float32
	last       []float32
	aim        int
	worst      int     // the aim's largest constraint at x
	value      float64 // its value there: met at 0 and below
	bestValue  float64
	checked    float64
	step       float64 // as a share of the box's width
}

// violation is the largest a*z-b of a case's constraints, and which one it is. A case without constraints is met.
func violation(c []Constraint, z []float32) (worst int, value float64) {
	worst, value = -1, math.Inf(-1)
	for k, q := range c {
		sum := -q.Bound
		for i, w := range q.Row {
			if w != 0 {
				sum += w * float64(z[i])
			}
		}
		if math.IsNaN(sum) {
			sum = math.Inf(1)
		}
		if sum > value {
			worst, value = k, sum
		}
	}
	return worst, value
}

// round tries random points, and descends from the best for each case and from such as differ in their outputs.
func (s *search) round(ctx context.Context, number int) (*Found, error) {
	x := s.starts(number)
	plain := len(x) / s.t.size
	if s.t.noGrad == nil && s.t.outputs > 1 {
		diverse, f, err := s.diversify(ctx, x[(plain-s.o.Random)*s.t.size:])
		if f != nil || err != nil {
			return f, err
		}
		x = append(x, diverse...)
	}
	n := len(x) / s.t.size
	z, err := s.t.Logits(ctx, x)
	if err != nil {
		return nil, err
	}
	best := make([][]*probe, len(s.r.Cases))
	var apart []*probe // whatever their values are: they are where others do not come
	for i := range n {
		row := z[i*s.t.outputs : (i+1)*s.t.outputs]
		var near *probe
		for c, list := range s.r.Cases {
			worst, value := violation(list, row)
			p := &probe{x: x[i*s.t.size : (i+1)*s.t.size], aim: c, worst: worst, value: value}
			if value <= 0 {
				return &Found{append([]float32{}, p.x...), c}, nil
			}
			best[c] = insert(best[c], p, max(s.o.Points, newtonStarts))
			if near == nil || value < near.value {
				near = p
			}
		}
		if i >= plain && near != nil && len(apart) < s.o.Most/2 {
			apart = append(apart, near)
		}
	}
	var probes, starts []*probe
	for _, list := range best {
		for _, p := range list {
			starts = append(starts, &probe{x: append([]float32{}, p.x...), aim: p.aim})
		}
		probes = append(probes, list[:min(len(list), s.o.Points)]...)
	}
	// The nearest first; later rounds begin elsewhere, where with many cases others have their turn.
	if most := s.o.Most - len(apart); len(probes) > most {
		if number%2 == 1 {
			s.rng.Shuffle(len(probes), func(a, b int) { probes[a], probes[b] = probes[b], probes[a] })
		} else {
			slices.SortStableFunc(probes, func(a, b *probe) int { return cmp.Compare(a.value, b.value) })
		}
		probes = probes[:most]
	}
	for _, p := range apart {
		if !slices.Contains(probes, p) {
			probes = append(probes, p)
		}
	}
	for _, p := range probes {
		p.x = append([]float32{}, p.x...)
		p.last = append([]float32{}, p.x...)
		p.bestValue, p.checked, p.step = math.Inf(1), math.Inf(1), 0.25
	}
	if s.t.noGrad != nil {
		return s.wander(ctx, probes)
	}
	if f, err := s.descend(ctx, probes); f != nil || err != nil {
		return f, err
	}
	// From where the descent ended and, since that may be a dead end, from random points too.
	var ends []*probe
	for _, p := range probes {
		if p.best != nil {
			ends = append(ends, &probe{x: append([]float32{}, p.best...), aim: p.aim})
		}
	}
	return s.steepen(ctx, append(ends, starts...))
}

// insert keeps the n probes of least value.
func insert(list []*probe, p *probe, n int) []*probe {
	at := len(list)
	for at > 0 && list[at-1].value > p.value {
		at--
	}
	if at >= n {
		return list
	}
	list = append(list, nil)
	copy(list[at+1:], list[at:])
	list[at] = p
	return list[:min(len(list), n)]
}

// starts are the centre and corners in the first round, and random points, half of them uniform and half on the box's faces.
func (s *search) starts(number int) []float32 {
	size := s.t.size
	var x []float32
	add := func(f func(k int) float64) {
		for k := range size {
			v := float64(s.lower[k]) + f(k)*(float64(s.upper[k])-float64(s.lower[k]))
			x = append(x, s.clip(k, float32(v)))
		}
	}
	if number == 0 {
		add(func(int) float64 { return 0.5 })
		add(func(int) float64 { return 0 })
		add(func(int) float64 { return 1 })
	}
	for i := range s.o.Random {
		if i%2 == 0 {
			add(func(int) float64 { return s.rng.Float64() })
		} else {
			add(func(int) float64 { return math.Round(s.rng.Float64()) })
		}
	}
	return x
}

func (s *search) clip(k int, v float32) float32 { return max(s.lower[k], min(s.upper[k], v)) }

// descend takes signed steps down the worst constraint of each probe's case, with momentum, and halves a probe's step, back at its best
// point, where that brought nothing.
func (s *search) descend(ctx context.Context, probes []*probe) (*Found, error) {
	size, outputs := s.t.size, s.t.outputs
	loss := &Loss{Kind: Linear}
	const check = 5
	for step := range s.o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, w := make([]float32, 0, len(probes)*size), make([]float32, len(probes)*outputs)
		for i, p := range probes {
			x = append(x, p.x...)
			for k, v := range s.row(p) {
				w[i*outputs+k] = float32(v)
			}
		}
		out, err := s.t.Gradient(ctx, loss, x, w, nil)
		if err != nil {
			return nil, err
		}
		for i, p := range probes {
			z := out.Logits[i*outputs : (i+1)*outputs]
			// The gradient is of the constraint that was worst a step ago; the value is of the one that is now.
			worst, value := violation(s.r.Cases[p.aim], z)
			if value <= 0 {
				return &Found{append([]float32{}, p.x...), p.aim}, nil
			}
			p.worst, p.value = worst, value
			g := out.Gradient[i*size : (i+1)*size]
			if value < p.bestValue {
				p.bestValue = value
				p.best = append(p.best[:0], p.x...)
				p.g = append(p.g[:0], g...)
			}
			if step%check == check-1 {
				if !(p.bestValue < p.checked-0.02*math.Abs(p.checked)) {
					p.step /= 2
					copy(p.x, p.best)
					copy(p.last, p.best)
					g = p.g
				}
				p.checked = p.bestValue
			}
			for k, v := range g {
				width := s.upper[k] - s.lower[k]
				old := p.x[k]
				move := old
				if v > 0 {
					move = s.clip(k, old-float32(p.step)*width)
				} else if v < 0 {
					move = s.clip(k, old+float32(p.step)*width)
				}
				p.x[k] = s.clip(k, old+0.75*(move-old)+0.25*(old-p.last[k]))
				p.last[k] = old
			}
		}
	}
	return nil, nil
}

// row is the constraint that a probe descends on.
func (s *search) row(p *probe) []float64 {
	if c := s.r.Cases[p.aim]; p.worst >= 0 {
		return c[p.worst].Row
	}
	return make([]float64, s.t.outputs)
}

// wander moves some coordinates of each probe at random, and keeps what is better.
func (s *search) wander(ctx context.Context, probes []*probe) (*Found, error) {
	size, outputs := s.t.size, s.t.outputs
	for _, p := range probes {
		p.best, p.bestValue = append([]float32{}, p.x...), p.value
	}
	for range s.o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var x []float32
		for _, p := range probes {
			copy(p.x, p.best)
			for range 1 + s.rng.IntN(max(1, size/4)) {
				k := s.rng.IntN(size)
				p.x[k] = s.clip(k, s.lower[k]+float32(s.rng.Float64())*(s.upper[k]-s.lower[k]))
			}
			x = append(x, p.x...)
		}
		z, err := s.t.Logits(ctx, x)
		if err != nil {
			return nil, err
		}
		for i, p := range probes {
			_, value := violation(s.r.Cases[p.aim], z[i*outputs:(i+1)*outputs])
			if value <= 0 {
				return &Found{append([]float32{}, p.x...), p.aim}, nil
			}
			if value < p.bestValue {
				p.bestValue = value
				copy(p.best, p.x)
			}
		}
	}
	return nil, nil
}
