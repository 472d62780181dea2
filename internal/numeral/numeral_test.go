package numeral

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestFloat(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "0.01": 0.01, " 2/255 ": 2.0 / 255, "1e-4": 1e-4, ".5": 0.5, "5.": 5, "-1/2": -0.5, "+3": 3, "010/4": 2.5, "0.5/2": 0.25, "1e2/1E1": 10,
		"-0": 0, "2 / 255": 2.0 / 255, "1e-400": 0,
	} {
		if got, err := Float(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	long := ""
	for range longest + 1 {
		long += "1"
	}
	for _, text := range []string{"", " ", "/", "1/", "/2", "1/0", "1/0.0", "2/255/3", "nan", "NaN", "inf", "-Inf", "0x10", "0b1", "1_000", "1,5",
		"1e400", "1e401", "1e99999", "1e1000000000", "--1", "1e", "½", long} {
		if got, err := Float(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// TestUpIsNotBelow compares with exact arithmetic: Up is at least the number, and the float64 below it is less.
func TestUpIsNotBelow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		p, q := rng.Int64N(1<<rng.IntN(60)+1), 1+rng.Int64N(1<<rng.IntN(60)+1)
		text := fmt.Sprintf("%d/%d", p, q)
		f, err := Up(text)
		if err != nil {
			t.Fatal(err)
		}
		exact := big.NewRat(p, q)
		if new(big.Rat).SetFloat64(f).Cmp(exact) < 0 {
			t.Fatalf("%s: %v is below", text, f)
		}
		if d, err := Down("-" + text); err != nil || d != -f {
			t.Fatalf("-%s: %v down, %v", text, d, err)
		}
		if below := math.Nextafter(f, math.Inf(-1)); new(big.Rat).SetFloat64(below).Cmp(exact) >= 0 {
			t.Fatalf("%s: %v would do", text, below)
		}
	}
}

func TestYAML(t *testing.T) {
	var doc struct {
		Eps  Reals
		Step Real
	}
	if err := yaml.Unmarshal([]byte("eps: [2/255, 0.1]\nstep: 1/4\n"), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Eps) != 2 || doc.Eps[0] != 2.0/255 || doc.Eps[1] != 0.1 || doc.Step != 0.25 {
		t.Errorf("%+v", doc)
	}
	for _, text := range []string{"step: [1]", "step: .inf", "step: x", "eps: 1", "eps: [a]", "step: {a: 1}"} {
		if err := yaml.Unmarshal([]byte(text), &doc); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
