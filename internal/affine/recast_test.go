package affine

import (
	"slices"
	"testing"
)

// TestStepsThatKeepStorageKeepCoefficients: a window over an image of one channel, taken through a step of another geometry, keeps every
// coefficient at its element.
func TestStepsThatKeepStorageKeepCoefficients(t *testing.T) {
	w := &Work{}
	window := func() *Rows {
		return &Rows{N: 2, H: 2, W: 2, C: 1, Y: []int32{1, -1}, X: []int32{1, 0}, Full: Geom{3, 3, 1}, Data: []float64{1, 2, 3, 4, 0, 0, 5, 6}}
	}
	want := [][]float64{{0, 0, 0, 0, 1, 2, 0, 3, 4}, {5, 6, 0, 0, 0, 0, 0, 0, 0}}
	flat := Geom{1, 1, 9}
	twice := slices.Repeat([]float64{2}, 9)
	for i, r := range []*Rows{(&SameStep{flat}).Back(window(), nil, w), NewDiagStep(flat, twice).Back(window(), nil, w)} {
		for k := range want {
			for j, x := range want[k] {
				if got := r.Row(k)[j]; got != x*float64(1+i) {
					t.Errorf("step %d: coefficient %d of row %d is %v, want %v", i, j, k, got, x*float64(1+i))
				}
			}
		}
	}
}
