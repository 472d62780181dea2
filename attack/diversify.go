package attack

import "context"

// diverseSteps is how many steps diversify takes: with steps as wide as the box few are enough, and more end in the same corners.
const diverseSteps = 5

// diversify takes points far apart in the outputs: each follows a random direction of the outputs for some steps, each to the end of the box that
// the gradient's signs say. Where random points all lie in one valley, some of these lie beyond it, and some meet a case on the way.
// Source: Tashiro et al. 2020, Diversity can be transferred: output diversification for white- and black-box attacks, section 3.1.
func (s *search) diversify(ctx context.Context, from []float32) ([]float32, *Found, error) {
	size, outputs := s.t.size, s.t.outputs
	n := len(from) / size
	x := append([]float32{}, from...)
	w := make([]float32, n*outputs)
	for i := range w {
		w[i] = float32(2*s.rng.Float64() - 1)
	}
	loss := &Loss{Kind: Linear}
	for range diverseSteps {
		out, err := s.t.Gradient(ctx, loss, x, w, nil)
		if err != nil {
			return nil, nil, err
		}
		for i := range n {
			for c, list := range s.r.Cases {
				if _, v := violation(list, out.Logits[i*outputs:(i+1)*outputs]); v <= 0 {
					return nil, &Found{append([]float32{}, x[i*size:(i+1)*size]...), c}, nil
				}
			}
		}
		for i, g := range out.Gradient {
			k := i % size
			switch width := s.upper[k] - s.lower[k]; {
			case g > 0:
				x[i] = s.clip(k, x[i]+width)
			case g < 0:
				x[i] = s.clip(k, x[i]-width)
			}
		}
	}
	return x, nil, nil
}
