//go:build cgo

package engine

import (
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestPortsSayWhatFilesDo: a file that tells nothing of an output's shape does not say that it is a number without axes.
func TestPortsSayWhatFilesDo(t *testing.T) {
	silent, number := &onnxio.Value{Name: "y", DType: onnxio.Float}, &onnxio.Value{Name: "y", DType: onnxio.Float, HasShape: true}
	if p := ortPort(silent, false); p.Shape != nil {
		t.Errorf("a shape that is not told is %v", p.Shape)
	}
	if p := ortPort(number, false); p.Shape == nil || len(p.Shape) != 0 {
		t.Errorf("the shape of a number is %#v", p.Shape)
	}
}
