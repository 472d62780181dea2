package attack

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// job is one attack on some samples: where they may move, what was found, and the way to the model.
//
// Attacks move perturbations d, in pixel units, around the samples. The model is given x + scale*d, rounded to float32 and clipped to the
// sample's box; whatever is evaluated inside the ball and is classified wrongly is kept.
type job struct {
	target  *Target
	threat  Threat
	samples *Samples
	seed    uint64
	name    string

	n, size, classes int
	lower, upper     [][]float32 // ball and valid inputs
	least, most      [][]float32 // valid inputs alone
	goal             []int       // the class to reach; -1 means any other
	clean            []int       // predictions of the samples themselves
	values           *values     // where outputs are numbers; nil where they are scores of classes

	found  []bool
	point  [][]float32 // the adversarial inputs
	method []string    // which attack found them

	flat   int    // gradients of nothing but zeros, for the flags
	asked  int    // gradients in all
	few    string // what could not be done for want of classes
	both   bool   // attacks with and without gradients took part
	random bool   // the model is not a function of its input

	watch                 func(Progress) // nil where nobody does
	component, components int
	steps, of             int
}

func newJob(t *Target, s *Samples, threat Threat, seed uint64, name string) *job {
	j := &job{target: t, threat: threat, samples: s, seed: seed, name: name, n: s.Len(), size: s.Size, classes: t.outputs}
	j.found, j.point, j.goal, j.method = make([]bool, j.n), make([][]float32, j.n), make([]int, j.n), make([]string, j.n)
	for i := range j.n {
		lo, hi := s.box(i, threat)
		j.lower, j.upper = append(j.lower, lo), append(j.upper, hi)
		if threat.Norm == Linf {
			lo, hi = s.box(i, Threat{Norm: L2})
		}
		j.least, j.most = append(j.least, lo), append(j.most, hi)
		j.goal[i] = -1
	}
	return j
}

// rng is a sample's own source of random numbers.
func (j *job) rng(i int, what string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(j.name + "/" + what))
	index := i
	if j.samples.Index != nil {
		index = j.samples.Index[i]
	}
	return rand.New(rand.NewPCG(j.seed^h.Sum64(), uint64(index)))
}

// open lists the samples that are still to be broken.
func (j *job) open() []int {
	var out []int
	for i, f := range j.found {
		if !f {
			out = append(out, i)
		}
	}
	return out
}

// zeros makes perturbations of nothing.
func (j *job) zeros(n int) [][]float32 {
	flat := make([]float32, n*j.size)
	out := make([][]float32, n)
	for i := range out {
		out[i] = flat[i*j.size : (i+1)*j.size : (i+1)*j.size]
	}
	return out
}

// clip brings a perturbation of sample i back to what the model may be given, measured in pixel units. wide allows all valid inputs
// whatever their distance.
func (j *job) clip(i int, d []float32, wide bool) {
	if !wide {
		j.threat.Norm.project(d, j.threat.Eps)
	}
	lo, hi := j.lower[i], j.upper[i]
	if wide {
		lo, hi = j.least[i], j.most[i]
	}
	x := j.origin(i)
	for k, v := range d {
		s := j.samples.scale(k)
		d[k] = max((lo[k]-x[k])/s, min((hi[k]-x[k])/s, v))
	}
}

func (j *job) origin(i int) []float32 { return j.samples.X[i*j.size : (i+1)*j.size] }

// input writes what the model is given for a perturbation of sample i.
func (j *job) input(to []float32, i int, d []float32, wide bool) {
	lo, hi := j.lower[i], j.upper[i]
	if wide {
		lo, hi = j.least[i], j.most[i]
	}
	x := j.origin(i)
	for k, v := range d {
		to[k] = max(lo[k], min(hi[k], x[k]+j.samples.scale(k)*v))
	}
}

// valid tells whether an input of sample i lies in ball and pixel range.
func (j *job) valid(i int, x []float32) bool {
	lo, hi := j.lower[i], j.upper[i]
	origin := j.origin(i)
	sum := 0.0
	for k, v := range x {
		if !(v >= lo[k] && v <= hi[k]) {
			return false
		}
		d := math.Abs(float64(v)-float64(origin[k])) / float64(j.samples.scale(k))
		if j.threat.Norm == L1 {
			sum += d
		} else {
			sum += d * d
		}
	}
	switch j.threat.Norm {
	case L2:
		return sum <= j.threat.Eps*j.threat.Eps
	case L1:
		return sum <= j.threat.Eps
	}
	return true
}

// wrong tells whether logits are what the attack wants.
func (j *job) wrong(i int, z []float32) bool {
	if j.values != nil {
		return j.beyond(i, z)
	}
	p := kernel.Largest(z)
	if j.goal[i] >= 0 {
		return p == j.goal[i]
	}
	return p != j.samples.Labels[i]
}

// keep notes an adversarial input.
func (j *job) keep(i int, x, z []float32) {
	if j.values != nil {
		j.note(i, x, z)
	}
	if !j.found[i] && j.wrong(i, z) && j.valid(i, x) {
		j.found[i], j.point[i], j.method[i] = true, append([]float32{}, x...), j.name
	}
}

// slopes evaluates a loss and its gradient in pixel units at perturbations d of the samples idx. class gives the class that the loss
// reads for each; other its target, or where outputs are numbers its aim. Results are rows in idx's order.
func (j *job) slopes(ctx context.Context, loss *Loss, idx []int, d [][]float32, class, other []int, wide bool) (*Slopes, error) {
	x := make([]float32, len(idx)*j.size)
	w := make([]float32, len(idx)*j.classes)
	var t []float32
	if loss.Kind.targeted() {
		t = make([]float32, len(w))
	}
	for r, i := range idx {
		j.input(x[r*j.size:(r+1)*j.size], i, d[r], wide)
		row := w[r*j.classes : (r+1)*j.classes]
		if j.values != nil && loss.Kind == Linear {
			aimed(row, other[r])
			continue
		} else if j.values != nil {
			copy(row, j.values.at[i*j.classes:])
			continue
		}
		row[class[r]] = 1
		switch {
		case t != nil:
			t[r*j.classes+other[r]] = 1
		case loss.Kind == Linear && other != nil: // z_other - z_class
			w[r*j.classes+class[r]] = -1
			w[r*j.classes+other[r]] = 1
		}
	}
	s, err := j.target.Gradient(ctx, loss, x, w, t)
	if err != nil {
		return nil, err
	}
	for r, i := range idx {
		j.keep(i, x[r*j.size:(r+1)*j.size], s.Logits[r*j.classes:(r+1)*j.classes])
		if j.samples.Scale != nil {
			for k := range j.size {
				s.Gradient[r*j.size+k] *= j.samples.Scale[k]
			}
		}
		j.asked++
		if !slices.ContainsFunc(s.Gradient[r*j.size:(r+1)*j.size], func(v float32) bool { return v != 0 }) {
			j.flat++
		}
	}
	return s, nil
}

// outputs evaluates logits at perturbations of the samples idx.
func (j *job) outputs(ctx context.Context, idx []int, d [][]float32, wide bool) ([]float32, error) {
	x := make([]float32, len(idx)*j.size)
	for r, i := range idx {
		j.input(x[r*j.size:(r+1)*j.size], i, d[r], wide)
	}
	z, err := j.target.Logits(ctx, x)
	if err != nil {
		return nil, err
	}
	for r, i := range idx {
		j.keep(i, x[r*j.size:(r+1)*j.size], z[r*j.classes:(r+1)*j.classes])
	}
	return z, nil
}

// labels are the classes of samples.
func (j *job) labels(idx []int) []int {
	out := make([]int, len(idx))
	for r, i := range idx {
		out[r] = j.samples.Labels[i]
	}
	return out
}

// start draws a random perturbation in the ball: uniform for linf; for l2 and l1 of the largest length in a random direction.
func (j *job) start(i int, d []float32, rng *rand.Rand) {
	for k := range d {
		switch j.threat.Norm {
		case Linf:
			d[k] = float32((2*rng.Float64() - 1) * j.threat.Eps)
		default:
			d[k] = float32(rng.NormFloat64())
		}
	}
	if j.threat.Norm != Linf {
		if r := j.threat.Norm.norm(d); r > 0 {
			for k := range d {
				d[k] *= float32(j.threat.Eps / r)
			}
		}
	}
	j.clip(i, d, false)
}

// signFor is +1 where attacks climb the loss, -1 where a goal lets them descend.
func (j *job) signFor(i int) float32 {
	if j.goal[i] >= 0 {
		return -1
	}
	return 1
}

// lossClasses are the classes that the loss reads: the goals where there are some, else the labels.
func (j *job) lossClasses(idx []int) []int {
	out := j.labels(idx)
	for r, i := range idx {
		if j.goal[i] >= 0 {
			out[r] = j.goal[i]
		}
	}
	return out
}
