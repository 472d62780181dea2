package main

import (
	"math"

	"github.com/shallow-waters/shoal/attack"
)

// batchOf makes samples [from, to) ready for an attack: normalised, with the pixels' range in the model's units.
func (s *samples) batchOf(from, to int) (*attack.Samples, error) {
	out := &attack.Samples{Size: s.elements}
	if m := s.set; !m.Raw {
		out.Image = attack.Image{Channels: m.Channels, Height: m.Height, Width: m.Width, Last: s.last}
	}
	if s.std != nil {
		out.Scale = make([]float32, s.elements)
		for k := range out.Scale {
			out.Scale[k] = float32(1 / s.std[s.channel[k]])
		}
	}
	var pixels [][]float32
	for i := from; i < to; i++ {
		x, err := s.pixels(i)
		if err != nil {
			return nil, err
		}
		pixels = append(pixels, x)
		out.X = append(out.X, s.input(x)...)
		out.Labels = append(out.Labels, s.set.Labels[i])
		out.Index = append(out.Index, s.set.Index[i])
	}
	out.Lower, out.Upper = s.ball(pixels[0], math.MaxFloat32).Floats()
	out.Ball = func(i int, eps float64) (lower, upper []float32) {
		lower, upper = s.ball(pixels[i], eps).Floats()
		x := out.X[i*s.elements : (i+1)*s.elements]
		for k := range lower {
			if lower[k] > upper[k] { // no float32 lies inside: the ball is narrower than their distance
				lower[k], upper[k] = x[k], x[k]
			}
		}
		return lower, upper
	}
	return out, nil
}

// sameLimits is the end of the run of samples from `from` on, at most `to`, that have the same valid range: raw inputs have one or none.
func (s *samples) sameLimits(from, to int) (int, error) {
	if !s.set.Raw {
		return to, nil
	}
	limit := func(i int) (float64, error) {
		x, err := s.pixels(i)
		return s.ball(x, 0).PixelHigh, err
	}
	first, err := limit(from)
	for i := from + 1; i < to && err == nil; i++ {
		var h float64
		if h, err = limit(i); h != first {
			return i, err
		}
	}
	return to, err
}

// spread is how far a pixel moves, in pixel units, for a change of 1 of the model's input: the std of its channel.
func (s *samples) spread() []float64 {
	out := make([]float64, s.elements)
	for k := range out {
		out[k] = 1
		if s.std != nil {
			out[k] = s.std[s.channel[k]]
		}
	}
	return out
}
