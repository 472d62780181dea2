package verify

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"
)

// TestRadiusGoesOnByProofs: three numbers of at most eps whose sum is next to 0 have magnitudes of 2*eps in all, of 3*eps without that condition.
// Bounds of single constraints end at a third; complete proofs go on to next to a half, and never beyond.
func TestRadiusGoesOnByProofs(t *testing.T) {
	patiently(t, radiiByProofs)
}

// radiiByProofs is a turn of it.
func radiiByProofs(t *testing.T, slow time.Duration) (little string) {
	small := big.NewRat(1, 1024)
	property := func(eps float64) Property {
		most := Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(-1, 1)}, Bound: big.NewRat(-1, 1)}
		return Property{Cases: []Case{{Box: cube(3, -eps, eps), Constraints: []Constraint{most, atMost(1, small), atMost(2, small)}}}}
	}
	const truth = 0.5 * (1 - 1.0/1024)
	for _, c := range []struct {
		method      Method
		within      time.Duration
		least, most float64
	}{{Auto, -1, 0.33, 0.34}, {DeepPoly, 0, 0.33, 0.34}, {Alpha, 0, 0.33, 0.34}, {Auto, 20 * time.Second, 0.47, truth}, {Complete, 0, 0.47, truth}} {
		within := c.within
		if within > 0 {
			within *= slow
		}
		v, err := Open(context.Background(), sums(t, 3), Options{Method: c.method, Within: within})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), slow*time.Minute)
		asked := 0
		r, upper, err := v.Radius(ctx, property, RadiusOptions{Max: 1, Tol: 0.02, Break: func(_ context.Context, proven, upper float64) (float64, error) {
			asked++
			return min(upper, 0.51), nil
		}})
		cancel()
		v.Close()
		said := fmt.Sprintf("%+v: the attack was asked %d times, radius %v, falsified at %v, %v", c, asked, r, upper, err)
		searches := c.least > 0.4
		switch {
		case r > c.most || upper < truth || asked > 1 || asked > 0 && !searches || err != nil && !errors.Is(err, context.DeadlineExceeded):
			t.Error(said)
		case err != nil || r < c.least || searches && (asked == 0 || upper-r > 0.03):
			return said
		}
	}
	return ""
}
