package dataset

import (
	"fmt"
	"math"
	"slices"
)

// aim takes an array as what a model should give for n samples: [n], or [n,...] with as many numbers for each. nil says nothing of any.
func (s *Set) aim(y *Array, n int) error {
	s.Labels = slices.Repeat([]int{-1}, n)
	if y == nil {
		return nil
	}
	if len(y.Shape) == 0 || y.Shape[0] != n || len(y.Floats)+len(y.Ints) == 0 {
		return fmt.Errorf("labels of shape %v for %d samples; want a number or more for each", y.Shape, n)
	}
	for i, v := range y.Floats {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("label %v of sample %d is no finite number", v, i/(len(y.Floats)/n))
		}
	}
	s.targets = y
	return nil
}

// Target is what a model should give for sample i, flat, as the labels array of an npz file that was opened with Options.Targets has it; nil where
// nothing says.
func (s *Set) Target(i int) []float64 {
	if s.targets == nil || i < 0 || i >= len(s.Index) {
		return nil
	}
	at := s.Index[i]
	n := (len(s.targets.Floats) + len(s.targets.Ints)) / s.targets.Shape[0]
	if s.targets.Ints == nil {
		return slices.Clone(s.targets.Floats[at*n : (at+1)*n])
	}
	out := make([]float64, n)
	for k, v := range s.targets.Ints[at*n : (at+1)*n] {
		out[k] = float64(v)
	}
	return out
}
