package opset_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/opset"
)

// A file of opset 20 is written for opset 17; one with Gelu, which came with 20, cannot be.
func ExampleConvert() {
	file := func(op string) *onnxio.Model {
		x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 2}}}
		n := &onnxio.Node{Name: "layer", Op: op, Opset: 20, Inputs: []*onnxio.Value{x}, Attrs: onnxio.Attrs{}}
		y := &onnxio.Value{Name: "y", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 2}}, Producer: n}
		n.Outputs = []*onnxio.Value{y}
		m, err := onnxio.NewModel(&onnxio.Graph{Name: "g", Nodes: []*onnxio.Node{n}, Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}}, "example")
		if err != nil {
			log.Fatal(err)
		}
		return m
	}
	for _, op := range []string{"Relu", "Gelu"} {
		m := file(op)
		data, err := m.Bytes()
		if err != nil {
			log.Fatal(err)
		}
		data, err = opset.Convert(m, data, 17, nil)
		var form *opset.Error
		if errors.As(err, &form) {
			fmt.Println(form)
			fmt.Println(form.Do)
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		now, err := onnxio.Parse(data, "")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(op, "in opset", now.Opsets[""])
	}
	// Output:
	// Relu in opset 17
	// node "layer": operator Gelu cannot be written for opset 19 instead of 20: it exists only since opset 20
	// --opset 20 is the lowest for this file
}
