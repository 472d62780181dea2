package trial

import (
	"math"
	"testing"
)

// TestNewtonFindsRootsAndGivesUp: of functions whose roots are known, of one that has none, and of one whose slope leads away.
func TestNewtonFindsRootsAndGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(x float64) float64
		root float64 // NaN where there is none
	}{
		"a line":          {func(x float64) float64 { return 20*x - 1 }, 0.05},
		"a parabola":      {func(x float64) float64 { return 2*x*x + 10*x - 1.02 }, 0.1},
		"a long step":     {func(x float64) float64 { return 100*x*x - 1 }, math.NaN()}, // alpha stays as small as the first step made it
		"a bend":          {func(x float64) float64 { return math.Max(10*x-1, 60*x-6) }, 0.1},
		"none":            {func(x float64) float64 { return 1 + x*x }, math.NaN()},
		"below 0":         {func(x float64) float64 { return 1 + x }, math.NaN()},
		"nothing changes": {func(float64) float64 { return -1 }, math.NaN()},
	} {
		eps, ok, err := newton(func(x float64) (float64, error) { return c.f(x), nil })
		if err != nil || ok != !math.IsNaN(c.root) || ok && (math.Abs(eps-c.root) > 1e-4 || math.Abs(c.f(eps)) > newtonClose) {
			t.Errorf("%s: %v, %t, %v", name, eps, ok, err)
		}
	}
}
