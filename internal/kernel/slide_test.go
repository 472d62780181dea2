package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// checkSlide compares with plain sums in float64, and looks for writes outside of the outputs.
func checkSlide[T Float](t *testing.T, rng *rand.Rand, unit float64) {
	t.Helper()
	m, run, rows, cols := 1+rng.IntN(70), 1+rng.IntN(9), 1+rng.IntN(4), 1+rng.IntN(30)
	offsets := make([]int, 1+rng.IntN(4))
	reach := 0
	for i := range offsets {
		offsets[i] = rng.IntN(40)
		reach = max(reach, offsets[i]+run)
	}
	weights := random[T](rng, m*len(offsets)*run)
	f := NewFilter(m, run, offsets, func(o, s, i int) T { return weights[(o*len(offsets)+s)*run+i] })
	s := Windows[T]{From: rng.IntN(5), Rows: rows, Cols: cols, RowStep: rng.IntN(50), Step: rng.IntN(7), To: rng.IntN(5), YStep: m + rng.IntN(3),
		Lo: T(math.Inf(-1)), Hi: Inf[T](), Acc: rng.IntN(3) == 0}
	s.YRowStep = cols*s.YStep + rng.IntN(3)
	if rng.IntN(2) == 0 {
		s.Lo, s.Hi = -0.5, 0.75
	}
	if rng.IntN(3) > 0 {
		s.Bias = random[T](rng, f.Padded())
	}
	s.X = random[T](rng, s.From+(rows-1)*s.RowStep+(cols-1)*s.Step+reach)
	before := random[T](rng, s.To+(rows-1)*s.YRowStep+(cols-1)*s.YStep+m)
	s.Y = append([]T{}, before...)
	use := offsets
	if rng.IntN(3) == 0 {
		s.Skip = rng.IntN(len(offsets))
		s.Use = 1 + rng.IntN(len(offsets)-s.Skip)
		use = offsets[s.Skip : s.Skip+s.Use]
	}
	f.Slide(&s, nil)
	written := make([]bool, len(s.Y))
	for r := range rows {
		for c := range cols {
			for o := range m {
				at := s.To + r*s.YRowStep + c*s.YStep + o
				written[at] = true
				sum, size := 0.0, 0.0
				if s.Acc {
					sum = float64(before[at])
				} else if s.Bias != nil {
					sum = float64(s.Bias[o])
				}
				size = math.Abs(sum)
				for k, off := range use {
					for i := range run {
						p := float64(weights[(o*len(offsets)+s.Skip+k)*run+i]) * float64(s.X[s.From+r*s.RowStep+c*s.Step+off+i])
						sum += p
						size += math.Abs(p)
					}
				}
				sum = min(max(sum, float64(s.Lo)), float64(s.Hi))
				if d := math.Abs(float64(s.Y[at]) - sum); !(d <= unit*size*float64(len(offsets)*run+2)) {
					t.Fatalf("m %d run %d segments %v rows %d cols %d step %d acc %v: y[%d,%d,%d] = %v, want %v", m, run, offsets, rows,
						cols, s.Step, s.Acc, r, c, o, s.Y[at], sum)
				}
			}
		}
	}
	for i, w := range written {
		if !w && s.Y[i] != before[i] {
			t.Fatalf("element %d was written and is no output", i)
		}
	}
}

func TestSlideEveryLevel(t *testing.T) {
	defer func(l level) { using = l }(using)
	for _, l := range levels() {
		using = l
		t.Run(Level(), func(t *testing.T) {
			for seed := range uint64(3000) {
				rng := rand.New(rand.NewPCG(seed, 7))
				checkSlide[float32](t, rng, 0x1p-23)
				checkSlide[float64](t, rng, 0x1p-52)
			}
		})
	}
}

func TestSlideKeepsNaN(t *testing.T) {
	defer func(l level) { using = l }(using)
	for _, l := range levels() {
		using = l
		f := NewFilter(3, 2, []int{0}, func(o, s, i int) float64 { return 1 })
		y := make([]float64, 6)
		f.Slide(&Windows[float64]{X: []float64{math.NaN(), 1, 1}, Rows: 1, Cols: 2, Step: 1, Y: y, YStep: 3, Lo: 0, Hi: 1}, nil)
		if !math.IsNaN(y[0]) || y[3] != 1 {
			t.Errorf("%s: %v", Level(), y)
		}
	}
}

// An output does not depend on how many windows are asked for at once: batches and single samples give the same bits.
func TestSlideWindowsDoNotDependOnEachOther(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	w := random[float32](rng, 40*50)
	f := NewFilter(40, 50, []int{0}, func(o, s, i int) float32 { return w[o*50+i] })
	x := random[float32](rng, 31*50)
	all, one := make([]float32, 31*40), make([]float32, 40)
	win := func(x, y []float32, n int) *Windows[float32] {
		return &Windows[float32]{X: x, Rows: 1, Cols: n, Step: 50, Y: y, YStep: 40, Lo: -Inf[float32](), Hi: Inf[float32]()}
	}
	f.Slide(win(x, all, 31), nil)
	for i := range 31 {
		f.Slide(win(x[i*50:], one, 1), nil)
		for j, v := range one {
			if all[i*40+j] != v {
				t.Fatalf("window %d, output %d: %v alone, %v among others", i, j, v, all[i*40+j])
			}
		}
	}
}

func TestSlideRefusesWindowsOutside(t *testing.T) {
	f := NewFilter(3, 4, []int{0}, func(o, s, i int) float32 { return 1 })
	for name, s := range map[string]Windows[float32]{
		"input":  {X: make([]float32, 7), Rows: 1, Cols: 2, Step: 4, Y: make([]float32, 6), YStep: 3},
		"output": {X: make([]float32, 8), Rows: 1, Cols: 2, Step: 4, Y: make([]float32, 5), YStep: 3},
		"bias":   {X: make([]float32, 8), Rows: 1, Cols: 1, Step: 4, Y: make([]float32, 3), YStep: 3, Bias: make([]float32, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f.Slide(&s, nil)
		})
	}
}

// A 3x3 convolution of 28x28 pixels; the metric is multiply-adds a nanosecond.
func BenchmarkSlide(b *testing.B) {
	for _, c := range []struct{ in, out, width int }{{1, 16, 28}, {16, 32, 14}, {32, 64, 14}, {64, 64, 7}, {64, 10, 14}} {
		b.Run(fmt.Sprintf("%dx%dx%d", c.in, c.out, c.width), func(b *testing.B) {
			w := c.width + 2
			off := []int{0, w * c.in, 2 * w * c.in}
			f := NewFilter(c.out, 3*c.in, off, func(o, s, i int) float32 { return 1 })
			s := &Windows[float32]{X: make([]float32, w*w*c.in), Rows: c.width, Cols: c.width, RowStep: w * c.in, Step: c.in,
				Y:        make([]float32, c.width*c.width*c.out),
				YRowStep: c.width * c.out, YStep: c.out, Hi: Inf[float32]()}
			var work Work
			for b.Loop() {
				f.Slide(s, &work)
			}
			b.ReportMetric(float64(c.width*c.width*c.out*9*c.in)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "mac/ns")
		})
	}
}
