package operators

import (
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// slideRuntime is slide along one axis for MaxPool and AveragePool as onnxruntime has it: the pads of SAME follow from the kernel without its
// dilations and may be negative, and ceil_mode counts with every auto_pad. What would need negative pads is refused.
func slideRuntime(n *onnxio.Node, in, k, s, d int, before, after, out *int) error {
	auto := n.Attrs.String("auto_pad", "NOTSET")
	switch auto {
	case "VALID":
		*before, *after = 0, 0
	case "SAME_UPPER", "SAME_LOWER":
		total := ((in+s-1)/s-1)*s + k - in
		*before = total / 2
		if auto == "SAME_LOWER" {
			*before = (total + 1) / 2
		}
		*after = total - *before
	}
	extent := (k-1)*d + 1
	room := in + *before + *after - extent
	if room < 0 && !strings.HasPrefix(auto, "SAME") {
		return fmt.Errorf("a window of %d does not fit into %d elements with pads of %d and %d", extent, in, *before, *after)
	}
	if room < 0 || *before < 0 {
		return op.Refuse(n, "onnxruntime pads %d elements by %d and %d for a window of %d", in, *before, *after, extent)
	}
	*out = room/s + 1
	if n.Attrs.Int("ceil_mode", 0) != 0 && room%s != 0 && *out*s < in+*before {
		*out++
	}
	if *after < 0 {
		if last := (*out-1)*s - *before + extent; n.Op == "AveragePool" && last > in+*after {
			return op.Refuse(n, "onnxruntime pads %d elements by %d and %d for a window of %d", in, *before, *after, extent)
		}
		*after = 0
	}
	return nil
}
