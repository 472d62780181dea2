package verify

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
)

// eager walks a tree as the page about certificates says it, with all rows at every step B. It gives what stands behind the tree.
func (c *certified) eager(net *plain.Network, p certificate.Property, s *plain.State, open []int,
	steps []certificate.Step) (left []certificate.Step, ok bool) {
	values, _ := net.Splits()
	for len(open) > 0 {
		if len(steps) == 0 {
			return nil, false
		}
		step := steps[0]
		steps = steps[1:]
		var err error
		switch step.Kind {
		case certificate.Bound:
			s, err = s.Bound(true)
		case certificate.Row:
			if step.Value >= len(values) || step.Index >= net.Elements(values[step.Value]) {
				return nil, false
			}
			s, _, err = s.Row(values[step.Value], step.Index, step.Proofs[0], nil)
		case certificate.Half:
			if q := step.Proofs[0]; len(open) != 1 || q.Case != open[0] {
				return nil, false
			} else {
				s, err = s.Within(p.Cases[q.Case].Constraints, q)
			}
		case certificate.Apart:
			for _, k := range open {
				if steps, ok = c.eager(net, p, s, []int{k}, steps); !ok {
					return nil, false
				}
			}
			return steps, len(open) > 1
		case certificate.Empty:
			return steps, s.Empty()
		case certificate.Closed, certificate.Exact:
			for _, q := range step.Proofs {
				if !slices.Contains(open, q.Case) {
					return nil, false
				}
				if !s.Empty() {
					if _, _, ok, err = s.Disprove(p.Cases[q.Case].Constraints, q, nil); err != nil || !ok {
						return nil, false
					}
				}
				open = slices.DeleteFunc(slices.Clone(open), func(k int) bool { return k == q.Case })
			}
			if len(step.Proofs) == 0 {
				return nil, false
			}
		default:
			value, index := net.Input(step.Index)
			if step.Kind == certificate.Neuron {
				if step.Value >= len(values) {
					return nil, false
				}
				value, index = values[step.Value], step.Index
			}
			if value < 0 || index >= net.Elements(value) {
				return nil, false
			}
			below, above := s.Halves(value, index, step.At)
			for _, half := range []*plain.State{below, above} {
				if steps, ok = c.eager(net, p, half, open, steps); !ok {
					return nil, false
				}
			}
			return steps, true
		}
		if err != nil {
			return nil, false
		}
	}
	return steps, true
}

// wholeBox is what is known of a box by boxes alone.
func wholeBox(net *plain.Network, b certificate.Box) (*plain.State, error) {
	l, u := make([]float64, net.In), make([]float64, net.In)
	for i := range l {
		l[i], u[i] = sound.RatDown(b.Lower[i]), sound.RatUp(b.Upper[i])
	}
	return net.Start(l, u).Bound(false)
}

// TestWaitingTakesNothingAway: what is proven where every step B derives all rows at once is accepted by who lets them wait.
func TestWaitingTakesNothingAway(t *testing.T) {
	t.Parallel()
	want := draws(t, "SHOAL_WAITING", 1500, 500)
	var d certifying
	tried, proven, more, refused := 0, 0, 0, 0
	for seed := uint64(fromEnv(t, "SHOAL_SEED", 0)); tried < want; seed++ {
		c := d.draw(t, seed, 1, t.Errorf)
		if c == nil {
			continue
		}
		net, _, err := plain.Prepare(context.Background(), c.model, onnxio.Standard, false)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(seed, 81))
		for k := range 20 {
			h, steps, _ := c.mutate(rng)
			if k%2 == 0 {
				steps = c.anyTree(rng, net, c.numbers(), 2*(k/2%2), 0)
			}
			if len(h.Property.Boxes) != 1 {
				continue
			}
			tried++
			s, err := wholeBox(net, h.Property.Boxes[0])
			if err != nil {
				t.Fatal(err)
			}
			left, ok := c.eager(net, h.Property, s, c.numbers(), steps)
			ok = ok && len(left) == 0
			r, err := recheck.Check(context.Background(), bytes.NewReader(putTogether(t, h, steps)), c.model, nil)
			accepted := err == nil && r.Accepted
			switch {
			case ok && !accepted:
				if refused++; refused < 10 {
					t.Errorf("seed %d, %d: refused: %v %s\n%+v\n%s", seed, k, err, r.Reason, steps, describe(c.model.Graph))
				}
			case ok:
				proven++
			case accepted:
				more++
			}
		}
	}
	t.Logf("%d trees, %d proven with all rows at once, %d with rows that wait alone, %d of the former refused", tried, proven, more, refused)
	if proven < tried/20 {
		t.Errorf("only %d of %d trees prove anything", proven, tried)
	}
}
