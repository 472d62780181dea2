package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestVectorLoops compares every level with plain loops; sums may differ by the order of summation, bounded by n*u times the sum of
// magnitudes. Elementwise results must be equal to the bit.
func TestVectorLoops(t *testing.T) {
	defer func(l level) { using = l }(using)
	for _, l := range levels() {
		using = l
		rng := rand.New(rand.NewPCG(uint64(l), 3))
		for _, n := range []int{0, 1, 5, 31, 32, 33, 63, 64, 65, 100, 257} {
			row, a, b, c, d := random[float64](rng, n), random[float64](rng, n), random[float64](rng, n), random[float64](rng, n), random[float64](rng, n)
			if n > 3 {
				row[n/2], row[n/3] = 0, math.Copysign(0, -1)
			}
			sums := map[string][3]float64{} // got, want, magnitude
			note := func(name string, got float64, term func(i int) float64) {
				want, mag := 0.0, 0.0
				for i := range n {
					want += term(i)
					mag += math.Abs(term(i))
				}
				sums[name] = [3]float64{got, want, mag}
			}
			note("Dot", Dot(row, a), func(i int) float64 { return row[i] * a[i] })
			note("AbsDot", AbsDot(row, a), func(i int) float64 { return math.Abs(row[i]) * a[i] })
			pick := func(x, lo, up float64) float64 {
				if x >= 0 {
					return lo
				}
				return up
			}
			note("BoxMin", BoxMin(row, a, b), func(i int) float64 { return row[i] * pick(row[i], a[i], b[i]) })
			for _, x := range []float64{0, 0.3, -2} {
				turned := func(of []float64) func(i int) float64 {
					return func(i int) float64 {
						if b[i]+x*a[i] >= 0 {
							return of[i]
						}
						return -of[i]
					}
				}
				sb, sa := Turned(x, b, a)
				note(fmt.Sprint("Turned a at ", x), sa, turned(a))
				note(fmt.Sprint("Turned b at ", x), sb, turned(b))
			}
			ym, yr, yg := make([]float64, 1), make([]float64, 1), make([]float64, 1)
			MidRad(1, n, row, n, a, b, c, ym, yr, yg)
			note("MidRad mid", ym[0], func(i int) float64 { return row[i] * a[i] })
			note("MidRad rad", yr[0], func(i int) float64 { return math.Abs(row[i]) * b[i] })
			note("MidRad mag", yg[0], func(i int) float64 { return math.Abs(row[i]) * c[i] })
			scaled := append([]float64{}, row...)
			note("ReluRow", ReluRow(scaled, a, b, c, d), func(i int) float64 { return row[i] * pick(row[i], c[i], d[i]) })
			for i := range n {
				if want := row[i] * pick(row[i], a[i], b[i]); scaled[i] != want {
					t.Fatalf("%s ReluRow: element %d of %d is %v, want %v", Level(), i, n, scaled[i], want)
				}
			}
			chosen, line := make([]float64, n), make([]float64, n)
			Pick(chosen, row, a, b)
			Line(line, row, d, a, b, c, d)
			for i := range n {
				if want := pick(row[i], a[i], b[i]); chosen[i] != want {
					t.Fatalf("%s Pick: element %d of %d is %v, want %v", Level(), i, n, chosen[i], want)
				}
				slope, icept := pick(row[i], a[i], b[i]), pick(row[i], c[i], d[i])
				if want := slope*d[i] + icept; !(math.Abs(line[i]-want) <= 0x1p-51*(math.Abs(slope*d[i])+math.Abs(icept))) {
					t.Fatalf("%s Line: element %d of %d is %v, want %v", Level(), i, n, line[i], want)
				}
			}
			climbs(t, rng, row, a)
			inSingle(t, rng, n)
			for name, s := range sums {
				if !(math.Abs(s[0]-s[1]) <= 2*float64(n+1)*0x1p-53*s[2]) {
					t.Errorf("%s %s of %d: %v, want %v", Level(), name, n, s[0], s[1])
				}
			}
			plus := append([]float64{}, a...)
			Plus(0.7, b, plus)
			for i := range n {
				if want := a[i] + 0.7*b[i]; math.Abs(plus[i]-want) > 0x1p-51*(math.Abs(a[i])+math.Abs(b[i])) {
					t.Fatalf("%s Plus: element %d of %d is %v, want %v", Level(), i, n, plus[i], want)
				}
			}
			dst := append([]float64{}, a...)
			AddTo(dst, b)
			for i := range n {
				if dst[i] != a[i]+b[i] {
					t.Fatalf("%s AddTo: element %d of %d", Level(), i, n)
				}
			}
			f := random[float32](rng, n)
			g := append([]float32{}, f...)
			AddTo(g, f)
			for i := range n {
				if g[i] != 2*f[i] {
					t.Fatalf("%s AddTo float32: element %d of %d", Level(), i, n)
				}
			}
		}
	}
}

// climbs compares steps of Adam on slopes with its formulas, one number at a time.
func climbs(t *testing.T, rng *rand.Rand, c, z []float64) {
	t.Helper()
	n := len(c)
	x, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = rng.Float64()
	}
	was := append([]float64{}, x...)
	one, two := make([]float64, n), make([]float64, n)
	for step := 1; step <= 5; step++ {
		a := NewAscent(step, 0.1, 0.9, 0.999, 1e-8)
		a.Slopes(x, c, z, m, v)
		for i := range x {
			g := max(c[i], 0) * z[i]
			one[i] = 0.9*one[i] + (1-0.9)*g
			two[i] = 0.999*two[i] + (1-0.999)*g*g
			up := 0.1 * (one[i] / (1 - math.Pow(0.9, float64(step)))) / (math.Sqrt(two[i]/(1-math.Pow(0.999, float64(step)))) + 1e-8)
			if was[i] = min(1, max(0, was[i]+up)); !(math.Abs(x[i]-was[i]) <= 1e-12) {
				t.Fatalf("%s Slopes: step %d, element %d of %d is %v, want %v", Level(), step, i, n, x[i], was[i])
			}
		}
	}
}

// inSingle compares the loops of float32 with plain formulas. Products round once or twice.
func inSingle(t *testing.T, rng *rand.Rand, n int) {
	t.Helper()
	row, a, b, c, d, z := random[float32](rng, n), random[float32](rng, n), random[float32](rng, n), random[float32](rng, n), random[float32](rng, n),
		random[float32](rng, n)
	if n > 3 {
		row[n/2], row[n/3] = 0, float32(math.Copysign(0, -1))
	}
	pick := func(x, lo, up float32) float32 {
		if x >= 0 {
			return lo
		}
		return up
	}
	const past = 7 // what stands behind stays
	chosen, line, sloped := make([]float32, n+1), make([]float32, n+1), make([]float32, n+1)
	chosen[n], line[n], sloped[n] = past, past, past
	Pick32(chosen[:n], row, a, b)
	Line32(line[:n], row, z, a, b, c, d)
	Sloped32(sloped[:n], row, a, b)
	if chosen[n] != past || line[n] != past || sloped[n] != past {
		t.Fatalf("%s: a loop of %d float32s writes behind them", Level(), n)
	}
	for i := range n {
		if want := pick(row[i], a[i], b[i]); chosen[i] != want {
			t.Fatalf("%s Pick32: element %d of %d is %v, want %v", Level(), i, n, chosen[i], want)
		}
		if want := row[i] * pick(row[i], a[i], b[i]); sloped[i] != want {
			t.Fatalf("%s Sloped32: element %d of %d is %v, want %v", Level(), i, n, sloped[i], want)
		}
		slope, icept := float64(pick(row[i], a[i], b[i])), float64(pick(row[i], c[i], d[i]))
		want := slope*float64(z[i]) + icept
		if !(math.Abs(float64(line[i])-want) <= 0x1p-22*(math.Abs(slope*float64(z[i]))+math.Abs(icept))) {
			t.Fatalf("%s Line32: element %d of %d is %v, want %v", Level(), i, n, line[i], want)
		}
	}
	chords(t, rng, row)
	x, m, v := make([]float32, n), make([]float32, n), make([]float32, n)
	wide, coef, at := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = rng.Float32()
		wide[i], coef[i], at[i] = float64(x[i]), float64(row[i]), float64(z[i])
	}
	m64, v64 := make([]float64, n), make([]float64, n)
	for step := 1; step <= 5; step++ {
		s := NewAscent(step, 0.1, 0.9, 0.999, 1e-8)
		s.Slopes32(x, row, z, m, v)
		s.Slopes(wide, coef, at, m64, v64)
		for i := range x {
			if !(math.Abs(float64(x[i])-wide[i]) <= 1e-4) {
				t.Fatalf("%s Slopes32: step %d, element %d of %d is %v, in float64 %v", Level(), step, i, n, x[i], wide[i])
			}
		}
	}
}
