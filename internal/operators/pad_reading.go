package operators

import "github.com/shallow-waters/shoal/onnxio"

// padDeparts: the standard is silent on what wraps around an axis that is cut at its other end.
func padDeparts(n *onnxio.Node) string {
	pads, err := padOf(n)
	if err != nil || n.Attrs.String("mode", "constant") != "wrap" {
		return ""
	}
	rank := len(pads) / 2
	for a := range rank {
		if lo, hi := pads[a], pads[rank+a]; lo < 0 && hi > 0 || lo > 0 && hi < 0 {
			return "cuts before it wraps"
		}
	}
	return ""
}
