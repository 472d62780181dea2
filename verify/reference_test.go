package verify

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// sharedDir finds a folder of the public data beside the repository, or skips.
func sharedDir(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", name)
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatalf("SHOAL_REQUIRE asks for ../shared/%s, which is missing", name)
		}
		t.Skipf("../shared/%s is not at hand", name)
	}
	return dir
}

// refCase is one file of the reference bounds; see the README beside them.
type refCase struct {
	Model        string               `json:"model"`
	Lower, Upper []float64            `json:"-"`
	RawLower     []float64            `json:"lower"`
	RawUpper     []float64            `json:"upper"`
	Rows         [][]float64          `json:"rows"`
	Bounds       map[string][]float64 `json:"bounds"`
	Sampled      []float64            `json:"sampled_min"`
	Seconds      map[string]float64   `json:"seconds"`
	Softmax      bool                 `json:"last_softmax_dropped"`
}

func refCases(t testing.TB) (dir string, names []string) {
	dir = filepath.Join(sharedDir(t, "bench"), "bounds", "cases")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	return filepath.Dir(dir), files
}

func readRef(t testing.TB, file string) *refCase {
	t.Helper()
	d, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &refCase{}
	if err := json.Unmarshal(d, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// How much looser than the reference a row may be, relative to it, with the extra tightenings off.
const (
	// The same relaxation: two roundings of one number.
	sameLines = 1e-6
	// Sigmoid has the same lines but for the points at which tangents touch, which the reference looks up in a table of steps of 0.01.
	tabledLines = 2e-3
)

// TestReferenceBounds compares every case with auto_LiRPA's bounds: row by row and with the extra tightenings off, equal or tighter for the
// same relaxation; in the mean over the rows, and with the tightenings on, no looser whatever the lines are; and never above the
// sampled minimum, for any domain.
//
// Max pooling has other lines than the reference's: one row may be looser, not the mean.
func TestReferenceBounds(t *testing.T) {
	dir, files := refCases(t)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		t.Run(name, func(t *testing.T) {
			c := readRef(t, f)
			if testing.Short() && len(c.RawLower) > 1000 {
				t.Skip("a large network; not with -short")
			}
			m, err := onnxio.Load(filepath.Join(dir, c.Model))
			if err != nil {
				t.Fatal(err)
			}
			looser, inMean := sameLines, sameLines
			for _, n := range m.Graph.Nodes {
				switch n.Op {
				case "Sigmoid", "Tanh":
					looser, inMean = max(looser, tabledLines), tabledLines
				case "MaxPool":
					looser = math.Inf(1)
				}
			}
			box := Box{Lower: c.RawLower, Upper: c.RawUpper}
			for _, k := range []struct {
				m     Method
				plain bool
				ref   string
			}{{Interval, false, "ibp"}, {FastLin, true, "fastlin"}, {DeepPoly, true, "crown"}, {DeepPoly, false, "crown"}} {
				v, err := Open(context.Background(), m, Options{Method: k.m, Plain: k.plain, DropSoftmax: c.Softmax})
				if err != nil {
					t.Fatal(err)
				}
				res, err := v.Bounds(context.Background(), box, c.Rows, false)
				v.Close()
				if err != nil {
					t.Fatal(err)
				}
				ref := c.Bounds[k.ref]
				if len(ref) != len(c.Rows) {
					t.Fatalf("the reference has %d rows of %s, want %d", len(ref), k.ref, len(c.Rows))
				}
				ours, theirs := mean(res.Lower), mean(ref)
				if d := (theirs - ours) / math.Max(1, math.Abs(theirs)); d > inMean {
					t.Errorf("%s, plain %v: the mean is %v, the reference has %v (relative %.2g looser)", k.m, k.plain, ours, theirs, d)
				}
				for i, low := range res.Lower {
					// The reference samples in float64 without accounting: its own rounding is below this.
					if low > c.Sampled[i]+1e-9*(1+math.Abs(c.Sampled[i])) {
						t.Errorf("%s: row %d is bounded by %v above the sampled minimum %v", k.m, i, low, c.Sampled[i])
					}
					if k.m == DeepPoly && !k.plain {
						continue // tighter boxes may choose other lines
					}
					if d := (ref[i] - low) / math.Max(1, math.Abs(ref[i])); d > looser {
						t.Errorf("%s: row %d: %v, the reference has %v (relative %.2g looser)", k.m, i, low, ref[i], d)
					}
				}
			}
		})
	}
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}
