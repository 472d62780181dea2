package attack

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestSearchLeavesTheValleyOfItsStarts: a box in which descent from random points ends at the same small loss everywhere, and the counterexamples lie
// elsewhere. Of ten seeds most quick searches find one.
func TestSearchLeavesTheValleyOfItsStarts(t *testing.T) {
	const folder = "../../shared/bench/vnncomp/mnist_fc/"
	text, err := os.ReadFile(folder + "vnnlib/prop_1_0.05.vnnlib")
	if err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal(err)
		}
		t.Skip("../shared/bench is not at hand")
	}
	m, err := onnxio.Load(folder + "onnx/mnist-net_256x6.onnx")
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	r := &Region{Lower: make([]float64, 784), Upper: make([]float64, 784)}
	for _, b := range regexp.MustCompile(`\((<=|>=) X_(\d+) ([-\d.e]+)\)`).FindAllSubmatch(text, -1) {
		i, err := strconv.Atoi(string(b[2]))
		if err != nil {
			t.Fatal(err)
		}
		v, err := strconv.ParseFloat(string(b[3]), 64)
		if err != nil {
			t.Fatal(err)
		}
		if string(b[1]) == "<=" {
			r.Upper[i] = v
		} else {
			r.Lower[i] = v
		}
	}
	const class = 7
	for k := range 10 {
		if k != class {
			row := make([]float64, 10)
			row[class], row[k] = 1, -1
			r.Cases = append(r.Cases, []Constraint{{Row: row}})
		}
	}
	found := 0
	for seed := range uint64(10) {
		f, err := target.Search(context.Background(), r, SearchOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if f == nil {
			continue
		}
		found++
		z, err := target.Logits(context.Background(), f.Input)
		if err != nil {
			t.Fatal(err)
		}
		if _, v := violation(r.Cases[f.Case], z); v > 0 {
			t.Errorf("seed %d: the point misses by %v", seed, v)
		}
	}
	if found < 6 {
		t.Errorf("%d of 10 searches found a point", found)
	}
}
