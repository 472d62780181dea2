package bound

import (
	"math"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
)

// TestNothingIsKnownOfSumsThatAreTooLong: a float32 sum of 2^23 terms and more may be off by all that it adds up, and no bound may be made of a
// formula whose denominator has passed 0.
func TestNothingIsKnownOfSumsThatAreTooLong(t *testing.T) {
	for _, terms := range []int{1 << 23, 1 << 24, 1<<24 + 1, 1 << 30} {
		v := &value{kind: kindAffine, terms: terms, n: terms, exec: op.Sums(0, 1, "test")}
		v.setGamma()
		if !math.IsInf(v.gamma3, 1) || !(v.gamma > 0 && v.gamma < 1e-5) {
			t.Errorf("%d terms: float32 may be off by %v, float64 by %v", terms, v.gamma3, v.gamma)
		}
	}
	v := &value{kind: kindAffine, terms: 100, n: 100, exec: op.Sums(0, 1, "test")}
	if v.setGamma(); !(v.gamma3 > 115*0x1p-24 && v.gamma3 < 116*0x1p-24) {
		t.Errorf("100 terms: %v", v.gamma3)
	}
}
