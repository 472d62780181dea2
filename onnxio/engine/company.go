package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Trying shows whether samples change each other where operators do not say: some of a batch's samples go through the graph together and in two
// parts, in float64, as they are and with numbers that are drawn around theirs.

// triedSamples is how many samples go together: an odd number, so that the parts differ in size.
const triedSamples = 5

// sameAlone is how far two float64 runs of one function may be apart, relative to the largest output: 2^22 roundings.
const sameAlone = 0x1p-30

// tryCut is apart where every output of the samples together is what the parts give, one after the other, and mixed where it is not, or where one of
// the runs does not come through.
func (s *goSession) tryCut(ctx context.Context, inputs []*onnxio.Tensor, n int) (verdict, error) {
	some := min(n, triedSamples)
	half := (some + 1) / 2
	plans := map[int]*plan{}
	for _, size := range []int{some, half, some - half} {
		if plans[size] != nil {
			continue
		}
		g, err := infer.Prepare(ctx, s.graph, infer.Options{Batch: size, Float64: true, Reading: s.o.Reading})
		if err == nil {
			plans[size], err = newPlan(ctx, g, nil, true)
		}
		if err != nil {
			return s.notTried(ctx, err)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(some), 41))
	for try := range 3 {
		x := make([]*onnxio.Tensor, len(inputs))
		for i, t := range inputs {
			if x[i] = t; s.whole(i) {
				continue
			}
			x[i] = chosen(t, n, some)
			if try > 0 {
				drawAround(x[i], rng, float64(try))
			}
		}
		var joined []*onnxio.Tensor
		together, err := s.through(ctx, plans[some], x, 0, some)
		if err != nil {
			return s.notTried(ctx, err)
		}
		for _, at := range []int{0, half} {
			size := half
			if at > 0 {
				size = some - half
			}
			part, err := s.through(ctx, plans[size], x, at, some)
			if err != nil {
				return s.notTried(ctx, err)
			}
			if joined == nil {
				joined = make([]*onnxio.Tensor, len(part))
			}
			for k, t := range part {
				if len(t.Shape) == 0 || t.Shape[0]%size != 0 || t.Len()/size*some != together[k].Len() {
					return mixed, nil
				}
				if err := join(s.out[k].Name, &joined[k], t, piece{size: size, from: at, step: half, batch: some}); err != nil {
					return mixed, nil // pieces that cannot be put together are none
				}
			}
		}
		for k, t := range together {
			if !sameNumbers(t, joined[k]) {
				return mixed, nil
			}
		}
	}
	return apart, nil
}

// notTried is the verdict on a graph that does not run on a few samples: it stays whole, unless there is no time or memory left to run it at all.
func (s *goSession) notTried(ctx context.Context, err error) (verdict, error) {
	var full *budget.Error
	if ctx.Err() != nil || errors.As(err, &full) {
		return unclear, err
	}
	return mixed, nil
}

// through runs the samples from number at on of some, as many as the plan takes, and copies the outputs.
func (s *goSession) through(ctx context.Context, p *plan, x []*onnxio.Tensor, at, some int) ([]*onnxio.Tensor, error) {
	for i, t := range x {
		from := 0
		if !s.whole(i) {
			from = at * perSample(t, some)
		}
		if err := p.load(i, t, from); err != nil {
			return nil, err
		}
	}
	if err := budget.Do(ctx, func() error { return p.run(ctx) }); err != nil {
		return nil, err
	}
	out := make([]*onnxio.Tensor, len(p.out))
	for k, t := range p.out {
		out[k] = onnxio.NewTensor(t.DType, t.Shape...)
		reflect.Copy(reflect.ValueOf(out[k].Data), reflect.ValueOf(t.Data))
	}
	return out, nil
}

// chosen are some of n samples, spread over all of them.
func chosen(t *onnxio.Tensor, n, some int) *onnxio.Tensor {
	shape := slices.Clone(t.Shape)
	shape[0] = t.Shape[0] / n * some
	out := onnxio.NewTensor(t.DType, shape...)
	from, to, w := reflect.ValueOf(t.Data), reflect.ValueOf(out.Data), t.Len()/n
	for k := range some {
		i := k * (n - 1) / max(1, some-1)
		reflect.Copy(to.Slice(k*w, (k+1)*w), from.Slice(i*w, (i+1)*w))
	}
	return out
}

// drawAround changes real numbers by up to so many times themselves and the largest of them; others, which may be names of things, stay.
func drawAround(t *onnxio.Tensor, rng *rand.Rand, by float64) {
	most := 0.0
	f, err := t.Float64s()
	if err != nil {
		return
	}
	for _, v := range f {
		if !math.IsInf(v, 0) && v == v {
			most = max(most, math.Abs(v))
		}
	}
	if most == 0 {
		most = 1
	}
	for i := range f {
		f[i] = f[i]*(1+by*(2*rng.Float64()-1)) + by*most*rng.NormFloat64()/4
	}
	switch d := t.Data.(type) {
	case []float32:
		for i := range d {
			d[i] = float32(f[i])
		}
	case []float64:
		copy(d, f)
	}
}

// sameNumbers tells whether two outputs are the same but for rounding.
func sameNumbers(a, b *onnxio.Tensor) bool {
	v, err := a.Float64s()
	w, err2 := b.Float64s()
	if err != nil || err2 != nil || !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	most := 0.0
	for _, f := range v {
		if !math.IsInf(f, 0) && f == f {
			most = max(most, math.Abs(f))
		}
	}
	for i := range v {
		if v[i] != w[i] && (v[i] == v[i] || w[i] == w[i]) && !(math.Abs(v[i]-w[i]) <= sameAlone*most) {
			return false
		}
	}
	return true
}
