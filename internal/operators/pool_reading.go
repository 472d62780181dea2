package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

// poolDeparts compares where the windows lie, and what their means are divided by.
func poolDeparts(n *onnxio.Node) string {
	a, err := poolOf(n.Under(onnxio.Standard))
	b, err2 := poolOf(n.Under(onnxio.ONNXRuntime))
	same := err == nil && err2 == nil && a.oh == b.oh && a.ow == b.ow && a.top == b.top && a.left == b.left
	if same && n.Op == "AveragePool" {
		same = fmt.Sprint(a.counts(includesPads(n))) == fmt.Sprint(b.counts(includesPads(n)))
	}
	switch {
	case same || err != nil && err2 != nil:
		return ""
	case n.Attrs.String("auto_pad", "") == "VALID":
		return "takes ceil_mode beside auto_pad VALID"
	case a != nil && (a.dh > 1 || a.dw > 1):
		return "takes the pads of auto_pad SAME from the kernel without its dilations"
	}
	return "has negative pads for auto_pad SAME where the stride is larger than the kernel, and mostly refuses them"
}
