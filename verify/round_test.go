package verify

import (
	"math"
	"math/big"
	"testing"

	"github.com/shallow-waters/shoal/internal/sound"
)

// TestRationalsRoundOutward: the nearest float64 on the named side, also beyond the largest and below the smallest numbers.
func TestRationalsRoundOutward(t *testing.T) {
	for _, s := range []string{"0", "0.1", "-0.1", "1/3", "-1/3", "1", "1e400", "-1e400", "1e-400", "-1e-400",
		"0.30000000000000004", "123456789012345678901"} {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		lo, up := sound.RatDown(r), sound.RatUp(r)
		less := func(f float64) int { // f compared with r
			if math.IsInf(f, 0) {
				return int(math.Copysign(1, f))
			}
			return new(big.Rat).SetFloat64(f).Cmp(r)
		}
		if less(lo) > 0 || less(up) < 0 {
			t.Errorf("%s: [%v, %v]", s, lo, up)
		}
		if lo != up && math.Nextafter(lo, math.Inf(1)) != up {
			t.Errorf("%s: [%v, %v] are not neighbours", s, lo, up)
		}
	}
}
