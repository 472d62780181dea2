package tape

import (
	"math"
	"slices"
	"testing"
)

// TestMediansOfCauchyNumbersAreNorms: the median of |C v| over k draws estimates the l1 norm of v: over many steps as often from above as from below
// (k odd), with the spread that the median of k such sizes has, and other numbers each time.
func TestMediansOfCauchyNumbersAreNorms(t *testing.T) {
	const samples, size, steps, k = 40, 30, 50, 21
	b := NewBuilder[float64](NewPool(2))
	v := b.Input("v", samples, size)
	w := b.Constant(func(i int) float64 { return math.Sin(float64(i)) }, size, 1) // coefficients
	norms := make([]float64, samples)
	for i := range samples {
		for j := range size {
			Elements[float64](v)[i*size+j] = float64((i*7+j*3)%11) / 11
			norms[i] += math.Abs(math.Sin(float64(j))) * float64((i*7+j*3)%11) / 11
		}
	}
	noise := &Noise{Seed: 5}
	out := b.MedianSize(b.MatMul(false, false, b.Cauchy(v, k, 1, noise), w), k)
	m, err := NewMachine(b, out)
	if err != nil {
		t.Fatal(err)
	}
	above := 0
	var logs []float64
	seen := map[float64]bool{}
	for step := range steps {
		noise.Step = uint64(step)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, e := range Elements[float64](out) {
			if e > norms[i] {
				above++
			}
			logs = append(logs, math.Abs(math.Log(e/norms[i])))
			seen[e] = true
		}
	}
	n := samples * steps
	if len(seen) != n {
		t.Errorf("%d estimates are %d numbers", n, len(seen))
	}
	// 5 standard deviations of n fair coins
	if room := 2.5 * math.Sqrt(float64(n)); math.Abs(float64(above)-float64(n)/2) > room {
		t.Errorf("%d of %d estimates are too large, want half, give or take %.0f", above, n, room)
	}
	// The median of k sizes of standard Cauchy numbers, whose density is 1/pi at its median 1, has a deviation of pi/(2 sqrt(k)); half of all are
	// within 0.674 of it. k is not large, and so a fifth is allowed for.
	slices.Sort(logs)
	want := 0.674 * math.Pi / 2 / math.Sqrt(k)
	if got := logs[n/2]; math.Abs(got-want) > want/5 {
		t.Errorf("half of the estimates are within %.3f of the norm, want %.3f", got, want)
	}
}

// TestMedianSizesAreMedians against sorting.
func TestMedianSizesAreMedians(t *testing.T) {
	for k := 1; k < 24; k++ {
		b := NewBuilder[float64](NewPool(2))
		v := b.Input("v", 3*k, 13)
		for i := range Elements[float64](v) {
			Elements[float64](v)[i] = math.Sin(float64(i * i))
		}
		out := b.MedianSize(v, k)
		m, err := NewMachine(b, out)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			for j := range 13 {
				var sizes []float64
				for r := range k {
					sizes = append(sizes, math.Abs(math.Sin(float64(((i*k+r)*13+j)*((i*k+r)*13+j)))))
				}
				slices.Sort(sizes)
				if got, want := Elements[float64](out)[i*13+j], (sizes[(k-1)/2]+sizes[k/2])/2; got != want {
					t.Errorf("the median of %v is %v", sizes, got)
				}
			}
		}
	}
}

// TestCauchyNumbersAreTangents of what their bits say, and lie below each quarter of the distribution as often as they should.
func TestCauchyNumbersAreTangents(t *testing.T) {
	const n = 40000
	var below [3]int
	for i := range uint64(n) {
		bits := Mix(i)
		x := cauchy(bits)
		want := math.Tan(math.Pi / 4 * (float64(bits>>12) + 0.5) / (1 << 52))
		if bits&2 != 0 {
			want = 1 / want
		}
		if bits&1 != 0 {
			want = -want
		}
		if !(math.Abs(x-want) <= 1e-9*math.Abs(want)) {
			t.Fatalf("%x: %v, want %v", bits, x, want)
		}
		for k, quarter := range []float64{-1, 0, 1} {
			if x < quarter {
				below[k]++
			}
		}
	}
	for k, count := range below {
		p := float64(k+1) / 4
		if math.Abs(float64(count)-n*p) > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%d of %d are below quarter %d", count, n, k+1)
		}
	}
	for _, bits := range []uint64{0, 1, 2, 3, math.MaxUint64} {
		if x := cauchy(bits); x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
			t.Errorf("%x gives %v", bits, x)
		}
	}
}
