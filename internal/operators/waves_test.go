package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// waveIntervals are of all widths up to three periods, and around extremes and inflection points.
func waveIntervals(rng *rand.Rand) [][2]float64 {
	var iv [][2]float64
	for k := range rounds(400) {
		at := rng.NormFloat64() * []float64{1, 2, 4, 10}[k%4]
		w := 6 * math.Pi * rng.Float64() * rng.Float64()
		switch k % 5 {
		case 1: // from a special place on
			at = float64(rng.IntN(41)-20) * math.Pi / 2
		case 2: // up to one
			at = float64(rng.IntN(41)-20)*math.Pi/2 - w
		case 3:
			w *= 1e-6
		}
		iv = append(iv, [2]float64{at, at + w})
	}
	for k := range 9 {
		x := float64(k-4) * math.Pi / 2
		iv = append(iv, [2]float64{x, x}, [2]float64{sound.Down(x), sound.Up(x)}, [2]float64{x - 1e-9, x + 1e-9}, [2]float64{x - math.Pi, x + math.Pi})
	}
	return iv
}

func TestLinesHoldWaves(t *testing.T) {
	for name, truth := range map[string]func(*big.Float) *big.Float{"Sin": sine, "Cos": cosine} {
		n := node(t, name, 13, nil, variable(1))
		f := func(x float64) *big.Float { return truth(wide(x)) }
		iv := waveIntervals(rand.New(rand.NewPCG(61, 62)))
		checkLines(t, name, linesOf(t, n), f, iv)
		checkBox(t, name, n, f, iv)
	}
}

// TestWaveLinesAreTight: in the middle the lines are at the hull of the graph, but for rounding and the grid.
func TestWaveLinesAreTight(t *testing.T) {
	for name, f := range map[string]func(float64) float64{"Sin": math.Sin, "Cos": math.Cos} {
		lines := linesOf(t, node(t, name, 13, nil, variable(1)))
		out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
		for _, iv := range waveIntervals(rand.New(rand.NewPCG(63, 64)))[:120] {
			l, u := iv[0], iv[1]
			lines(relax.SlopeAdaptive, iv[:1], iv[1:], &out)
			m := l + (u-l)/2
			up, lo := hullAt(f, l, u, m), -hullAt(func(x float64) float64 { return -f(x) }, l, u, m)
			room := 1e-3*(u-l) + 1e-10
			if a, b := out.LoSlope[0]*m+out.LoIcept[0], out.UpSlope[0]*m+out.UpIcept[0]; u-l < relax.WaveTurns*math.Pi && (b > up+room || a < lo-room) {
				t.Errorf("%s on [%v, %v]: %v to %v in the middle, lines can have %v to %v", name, l, u, a, b, lo, up)
			}
		}
	}
}
