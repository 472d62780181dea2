package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

var staircases = map[string]func(float64) float64{"Floor": math.Floor, "Ceil": math.Ceil, "Round": math.RoundToEven, "Sign": signOf}

func stairIntervals(rng *rand.Rand) [][2]float64 {
	var iv [][2]float64
	for k := range rounds(300) {
		at, w := rng.NormFloat64()*3, rng.ExpFloat64()*[]float64{0.1, 1, 5, 1000}[k%4]
		if k%3 == 0 {
			at = math.Round(2*at) / 2
		}
		if k%7 == 0 {
			w = math.Round(2*w) / 2
		}
		iv = append(iv, [2]float64{at, at + w})
	}
	for _, x := range []float64{-1, -0.5, 0, 0.5, 1, 1.5, 1e15, 1 << 51, 1 << 53} {
		iv = append(iv, [2]float64{x, x}, [2]float64{sound.Down(x), x}, [2]float64{x, sound.Up(x)}, [2]float64{sound.Down(x), sound.Up(x)},
			[2]float64{x - 2, x + 3})
	}
	return iv
}

// TestLinesHoldStairs asks at the steps and beside them.
func TestLinesHoldStairs(t *testing.T) {
	for name, f := range staircases {
		var inside []float64
		for k := range 41 {
			x := float64(k-20) / 2
			inside = append(inside, x, sound.Down(x), sound.Up(x))
		}
		truth := func(x float64) *big.Float { return bigFloat(f(x)) }
		iv := stairIntervals(rand.New(rand.NewPCG(71, 72)))
		checkLines(t, name, linesOf(t, node(t, name, 13, nil, variable(1))), truth, iv, inside...)
	}
}

// TestStairLinesAreTight: in the middle the lines are at the hull of the graph, but for the grid, which sees the side of a step that it meets.
func TestStairLinesAreTight(t *testing.T) {
	for name, f := range staircases {
		lines := linesOf(t, node(t, name, 13, nil, variable(1)))
		out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
		for _, iv := range stairIntervals(rand.New(rand.NewPCG(73, 74)))[:60] {
			l, u := iv[0], iv[1]
			if u-l > 20 {
				continue
			}
			lines(relax.SlopeAdaptive, iv[:1], iv[1:], &out)
			m := l + (u-l)/2
			// Values at steps count from both sides.
			up := hullAt(func(x float64) float64 { return max(f(x), f(min(u, x+(u-l)/600))) }, l, u, m)
			lo := -hullAt(func(x float64) float64 { return -min(f(x), f(max(l, x-(u-l)/600))) }, l, u, m)
			room := 0.02 * (1 + u - l)
			if a, b := out.LoSlope[0]*m+out.LoIcept[0], out.UpSlope[0]*m+out.UpIcept[0]; b > up+room || a < lo-room {
				t.Errorf("%s on [%v, %v]: %v to %v in the middle, lines can have %v to %v", name, l, u, a, b, lo, up)
			}
		}
	}
}
