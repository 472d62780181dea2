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

// TestReferenceBounds compares with auto_LiRPA's bounds: with the extra tightenings off, equal or tighter to 1e-6 relative for
// the same relaxation; and never above the sampled minimum, for any domain.
//
// Smooth activations and max pooling have several valid lines: there only soundness is compared.
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
			other := false
			for _, n := range m.Graph.Nodes {
				switch n.Op {
				case "Sigmoid", "Tanh", "MaxPool":
					other = true
				}
			}
			box := Box{Lower: c.RawLower, Upper: c.RawUpper}
			for _, k := range []struct {
				m     Method
				plain bool
				ref   string
			}{{Interval, false, "ibp"}, {FastLin, true, "fastlin"}, {DeepPoly, true, "crown"}, {DeepPoly, false, ""}} {
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
				for i, low := range res.Lower {
					// The reference samples in float64 without accounting: its own rounding is below this.
					if low > c.Sampled[i]+1e-9*(1+math.Abs(c.Sampled[i])) {
						t.Errorf("%s: row %d is bounded by %v above the sampled minimum %v", k.m, i, low, c.Sampled[i])
					}
					if ref == nil || other {
						continue
					}
					if d := (ref[i] - low) / math.Max(1, math.Abs(ref[i])); d > 1e-6 {
						t.Errorf("%s: row %d: %v, the reference has %v (relative %.2g looser)", k.m, i, low, ref[i], d)
					}
				}
			}
		})
	}
}
