package report

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestAShareOfNeitherAllNorNoneSaysNeither(t *testing.T) {
	for _, c := range []struct {
		share    float64
		decimals int
		want     string
	}{
		{1, 1, "100.0"}, {0, 1, "0.0"}, {0.5, 0, "50"}, {1999. / 2000, 1, "99.95"}, {1. / 2000, 1, "0.1"}, {1. / 10000, 1, "0.01"}, {0.123, 1, "12.3"},
		{9999. / 10000, 2, "99.99"}, {99999. / 100000, 2, "99.999"}, {0.996, 0, "99.6"}, {math.NaN(), 1, "-"}, {-0.0001, 0, "-0.01"}, {1.0001, 1, "100.01"},
	} {
		if got := Percent(c.share, c.decimals); got != c.want {
			t.Errorf("%v with %d decimals: %s, want %s", c.share, c.decimals, got, c.want)
		}
	}
	if got := Share(0.99996, 4); got != "0.99996" {
		t.Errorf("0.99996: %s", got)
	}
	rng := rand.New(rand.NewPCG(1, 4))
	for range 100000 {
		of := 1 + rng.IntN(1<<rng.IntN(31))
		k := rng.IntN(of + 1)
		if rng.IntN(2) == 0 {
			k = max(0, of-rng.IntN(3))
		}
		for _, all := range []float64{1, 100} {
			d := rng.IntN(5)
			text := faithful(all*float64(k)/float64(of), all, d)
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || (v == all) != (k == of) || (v == 0) != (k == 0) || math.Abs(v-all*float64(k)/float64(of)) > 0.5*math.Pow10(-d)+1e-12 {
				t.Fatalf("%d of %d with %d decimals: %s", k, of, d, text)
			}
		}
	}
}
