package attack

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// Outputs may be numbers that decide no class. An attack then drives them away from what they are at the sample: it is through where one of them is
// farther from that value than a tolerance. APGD climbs max_i |z_i - y_i| (Away) from random starts, which ends wherever it is largest nearby. The
// others aim at one output at a time, upward or downward (Linear), as attacks with targets do for classes: at the sample itself, where many begin,
// the distance is 0 and gives no direction.

// NoNumbersError tells that a method is for classes, or for numbers, and was asked for the other.
type NoNumbersError struct{ Method, Why string }

func (e *NoNumbersError) Error() string { return e.Method + " is for " + e.Why }

// ForNumbers is a method as it attacks outputs that decide no class. One that has no such form is a *NoNumbersError.
func ForNumbers(a Attack) (Attack, error) {
	if a == nil {
		return nil, nil
	}
	if b := a.numbers(); b != nil {
		return b, nil
	}
	return nil, &NoNumbersError{a.Name(), "classes"}
}

// values are what the outputs of a job's samples are unchanged, and how far they are to be driven from there.
type values struct {
	tolerance float64
	at        []float32 // a row for each sample
	rounded   bool      // outputs are float64s, which float32s stand for here

	far   []float64   // by sample: the largest deviation so far
	point [][]float32 // where
}

// valuesOf are those of a job whose samples have outputs at.
func valuesOf(j *job, at []float32, tolerance float64) *values {
	return &values{tolerance: tolerance, at: at, rounded: j.target.double, far: make([]float64, j.n), point: make([][]float32, j.n)}
}

// deviation is how far the outputs z of sample i are from its own, the largest; no more than it really is where outputs were rounded, and NaN where
// one is no number.
func (j *job) deviation(i int, z []float32) float64 {
	worst := 0.0
	for k, v := range j.values.at[i*j.classes : (i+1)*j.classes] {
		d := math.Abs(float64(z[k]) - float64(v))
		if j.values.rounded { // by half a unit in the last place each
			d -= 0x1p-23 * (math.Abs(float64(z[k])) + math.Abs(float64(v)))
		}
		if !(d <= worst) {
			worst = d
		}
	}
	return worst
}

// beyond tells, exactly, whether an output of sample i is farther than the tolerance from its value.
func (j *job) beyond(i int, z []float32) bool {
	d := j.deviation(i, z)
	if j.values.rounded || math.IsNaN(d) || math.IsInf(d, 0) {
		return d > j.values.tolerance && !math.IsInf(d, 0)
	}
	t := new(big.Rat).SetFloat64(j.values.tolerance)
	for k, v := range j.values.at[i*j.classes : (i+1)*j.classes] {
		r := new(big.Rat).SetFloat64(float64(z[k]))
		if r.Sub(r, new(big.Rat).SetFloat64(float64(v))); r.Abs(r).Cmp(t) > 0 {
			return true
		}
	}
	return false
}

// note keeps the input of the largest deviation.
func (j *job) note(i int, x, z []float32) {
	if d := j.deviation(i, z); d > j.values.far[i] && !math.IsInf(d, 0) && j.valid(i, x) {
		j.values.far[i] = d
		j.values.point[i] = append(j.values.point[i][:0], x...)
	}
}

// An aim is an output and a direction: 2k is output k upward, 2k+1 downward.

// aimed writes the weights of Linear for an aim.
func aimed(w []float32, aim int) {
	w[aim/2] = float32(1 - 2*(aim%2))
}

// aimProbes is how many random points of each ball say which aims are tried first.
const aimProbes = 4

// aims orders for every sample at most so many aims, first those that random points of its ball get farthest towards.
func (j *job) aims(ctx context.Context, most int) ([][]int, error) {
	best := make([][]float64, j.n)
	for i := range best {
		best[i] = slices.Repeat([]float64{math.Inf(-1)}, 2*j.classes)
	}
	all := make([]int, j.n)
	for i := range all {
		all[i] = i
	}
	for probe := range aimProbes {
		d := j.zeros(j.n)
		for i := range d {
			j.start(i, d[i], j.rng(i, fmt.Sprint("aim ", probe)))
		}
		z, err := j.outputs(ctx, all, d, false)
		if err != nil {
			return nil, err
		}
		for i := range all {
			for k, v := range j.values.at[i*j.classes : (i+1)*j.classes] {
				up := float64(z[i*j.classes+k]) - float64(v)
				best[i][2*k], best[i][2*k+1] = max(best[i][2*k], up), max(best[i][2*k+1], -up)
			}
		}
	}
	out := make([][]int, j.n)
	for i := range out {
		for aim := range best[i] {
			out[i] = append(out[i], aim)
		}
		slices.SortStableFunc(out[i], func(a, b int) int { return cmp.Compare(best[i][b], best[i][a]) })
		out[i] = out[i][:min(most, len(out[i]))]
	}
	return out, nil
}

// mostAims limits the aims of attacks that have no setting for it.
const mostAims = 9

// confirmFar runs the original model on the points of the largest deviations that are not through, so that what is reported of them is what it gives.
func (j *job) confirmFar(ctx context.Context, res *Result) error {
	var x []float32
	var idx []int
	for i, p := range j.values.point {
		if p != nil && !res.Outcomes[i].Adversarial {
			idx, x = append(idx, i), append(x, p...)
		}
	}
	z, err := j.target.Replay(ctx, x)
	if err != nil {
		return err
	}
	for r, i := range idx {
		if d := j.deviation(i, z[r*j.classes:(r+1)*j.classes]); d > 0 && !math.IsInf(d, 0) {
			res.Outcomes[i].Deviation = d
		}
	}
	return nil
}
