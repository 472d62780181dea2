package prune

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Score says what a unit is worth; the least goes first. A unit's score is the sum over all its filters in all its layers.
type Score string

const (
	// L1 is the sum of the absolute weights of a filter, without its bias (Li et al. 2017, section 3.1).
	L1 Score = "l1"
	// L2 is the root of the sum of squared weights over all filters of the unit.
	L2 Score = "l2"
	// Random draws every unit's score from a seed.
	Random Score = "random"
	// BNScale is the sum of the absolute scales of the BatchNormalization behind the filters (Liu et al. 2017). Classes without one are
	// left alone.
	BNScale Score = "bn-scale"
	// Activation is the mean absolute value of a unit's features over data, where other nodes sum over them.
	Activation Score = "activation"
	// ProvenDead removes exactly the units whose features are proven to be zero, where other nodes sum over them, for all valid inputs.
	// The ratio and the thresholds do not matter to it.
	ProvenDead Score = "proven-dead"
)

// Scores lists them.
func Scores() []Score { return []Score{L1, L2, Random, BNScale, Activation, ProvenDead} }

// score gives every unit of a class its worth; nil where the score says nothing of the class.
func (c *Coupling) score(cl *Class, s Score, seed uint64) ([]float64, error) {
	out := make([]float64, len(cl.units))
	switch s {
	case Random:
		h := fnv.New64a() // by name, so that other classes do not matter
		h.Write([]byte(cl.Layers[0].Name))
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
		for i := range out {
			out[i] = rng.Float64()
		}
		return out, nil
	case BNScale:
		if len(cl.scales) == 0 {
			return nil, nil
		}
		return out, c.addNorms(out, cl, cl.scales, math.Abs)
	case L1, L2:
		power := math.Abs
		if s == L2 {
			power = func(x float64) float64 { return x * x }
		}
		var axes []op.Axis
		for _, l := range cl.Layers {
			axes = append(axes, l.axis)
		}
		if err := c.addNorms(out, cl, axes, power); err != nil {
			return nil, err
		}
		if s == L2 {
			for i := range out {
				out[i] = math.Sqrt(out[i])
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("score %q is none of %v", s, Scores())
}

// addNorms adds f of every weight of a unit's slots on the given axes.
func (c *Coupling) addNorms(out []float64, cl *Class, axes []op.Axis, f func(float64) float64) error {
	sums := map[op.Axis][]float64{}
	for _, a := range axes {
		s, err := c.sumsAlong(a, f)
		if err != nil {
			return fmt.Errorf("weights %q: %w", a.Value.Name, err)
		}
		sums[a] = s
	}
	for i, u := range cl.units {
		for _, r := range u.slots {
			if s := sums[c.axes[r.axis]]; s != nil {
				out[i] += s[r.index]
			}
		}
	}
	return nil
}

// sumsAlong adds f of all elements of a constant, of the numbers that quantised ones stand for, with the same index along an axis.
func (c *Coupling) sumsAlong(a op.Axis, f func(float64) float64) ([]float64, error) {
	if filter := c.packed[a]; filter != nil {
		out := make([]float64, a.Size())
		for i := range out {
			for _, x := range filter(i) {
				out[i] += f(x)
			}
		}
		return out, nil
	}
	t, axis := a.Value.Const, a.Axis
	size, inner := t.Shape[axis], onnxio.NumElements(t.Shape[axis+1:])
	out := make([]float64, size)
	add := func(at func(int) float64) {
		for i := range t.Len() {
			out[i/inner%size] += f(at(i))
		}
	}
	if d := t.F32(); d != nil { // without a copy: networks are large
		add(func(i int) float64 { return float64(d[i]) })
		return out, nil
	}
	d, err := t.Float64s()
	if err == nil {
		reals := c.reals(a.Value)
		add(func(i int) float64 { return reals(i, d[i]) })
	}
	return out, err
}
