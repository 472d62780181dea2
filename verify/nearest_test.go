package verify

import (
	"math"
	"math/big"
	"testing"

	"github.com/shallow-waters/shoal/internal/sound"
)

// TestNearestIsExactOnlyWhereItIs compares with the rational number of the float64 that is given, at both ends of the range.
func TestNearestIsExactOnlyWhereItIs(t *testing.T) {
	for _, m := range []int64{1, -1, 3, 1<<52 + 1, 1<<53 - 1, 1<<60 + 1} {
		for e := -3000; e <= 1100; e += 1 + e*e/3000000*6 {
			r := new(big.Rat).SetInt64(m)
			p := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(e, -e))))
			if e < 0 {
				p.Inv(p)
			}
			r.Mul(r, p)
			f, exact := sound.Nearest(r)
			is := !math.IsInf(f, 0) && new(big.Rat).SetFloat64(f).Cmp(r) == 0
			if exact != is {
				t.Errorf("%d*2^%d: %v is said to be exact: %v", m, e, f, exact)
			}
			if down, up := sound.RatDown(r), sound.RatUp(r); !math.IsInf(up, 0) && new(big.Rat).SetFloat64(up).Cmp(r) < 0 || !math.IsInf(down, 0) &&
				new(big.Rat).SetFloat64(down).Cmp(r) > 0 {
				t.Errorf("%d*2^%d: rounded to %v and %v", m, e, down, up)
			}
		}
	}
}
