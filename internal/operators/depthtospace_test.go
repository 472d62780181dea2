package operators

import (
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestSpaceToDepthOrders: two channels of 2x2 pixels in one block each. DCR has the channels next to each other, CRD the pixels.
func TestSpaceToDepthOrders(t *testing.T) {
	x := []float64{0, 1, 2, 3, 10, 11, 12, 13}
	for mode, want := range map[string][]float64{"": {0, 10, 1, 11, 2, 12, 3, 13}, "DCR": {0, 10, 1, 11, 2, 12, 3, 13}, "CRD": x} {
		attrs := onnxio.Attrs{"blocksize": int64(2)}
		if mode != "" {
			attrs["mode"] = mode
		}
		got := run(t, node(t, "SpaceToDepth", 28, attrs, variable(1, 2, 2, 2)), x)[0]
		if !slices.Equal(got, want) {
			t.Errorf("mode %q: %v, want %v", mode, got, want)
		}
	}
}
