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
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// TestMarginsOfOneMethodNeverGrow asks about growing balls around the images of real teachers: among the answers that name one method the margin
// falls. It is that method's bound, and no mixture with what cheaper ones proved before it.
func TestMarginsOfOneMethodNeverGrow(t *testing.T) {
	const root = "../../shared/teachers"
	var manifest []struct {
		File      string
		Mean, Std []float64
	}
	text, err := os.ReadFile(filepath.Join(root, "manifest.json"))
	if err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip("the data in ../shared is missing")
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	images := 6
	if testing.Short() {
		images = 2
	}
	compared := 0
	for _, m := range manifest {
		if !strings.HasPrefix(m.File, "fmnist-conv") {
			continue
		}
		model, err := onnxio.Load(filepath.Join(root, m.File))
		if err != nil {
			t.Fatal(err)
		}
		arrays, err := dataset.ReadNPZ(filepath.Join(root, strings.TrimSuffix(m.File, ".onnx")+".npz"))
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), model, Options{DropSoftmax: true, Within: -1}) // a search's margin is as far as it came
		if err != nil {
			t.Fatal(err)
		}
		most := 0.02
		if strings.Contains(m.File, "robust") {
			most = 0.3
		}
		x, size := arrays["inputs"].Float32s(), v.Info().Inputs
		for i := range images {
			seen := map[Method]float64{}
			for k := 1; k <= 24; k++ {
				eps := most * float64(k) / 24
				r, err := v.Verify(context.Background(), Robust(Ball{Center: x[i*size : (i+1)*size], Eps: eps}, int(arrays["labels"].Ints[i]), 10))
				if err != nil {
					t.Fatal(err)
				}
				last, again := seen[r.Method]
				if again && !math.IsNaN(r.Margin) {
					compared++
				}
				if !math.IsNaN(r.Margin) && !strings.Contains(r.Reason, string(r.Method)) {
					t.Errorf("%s, image %d, eps %v: the reason %q does not name %s", m.File, i, eps, r.Reason, r.Method)
				}
				if again && r.Margin > last {
					t.Errorf("%s, image %d: the margin of %s grows from %v to %v at eps %v (%s)", m.File, i, r.Method, last, r.Margin, eps, r.Reason)
				}
				seen[r.Method] = r.Margin
			}
		}
		v.Close()
	}
	if compared < 30*images {
		t.Errorf("only %d margins were compared", compared)
	}
}
