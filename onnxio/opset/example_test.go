package opset_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/opset"
)

// Files of opset 20 are written for opset 13: a Gelu, which came with 20, becomes what it is a function of; a Trilu, which came with 14, cannot be.
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
	for _, op := range []string{"Relu", "Gelu", "Trilu"} {
		m := file(op)
		data, err := m.Bytes()
		if err != nil {
			log.Fatal(err)
		}
		data, err = opset.Convert(m, data, 13, nil)
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
		fmt.Println(op, "in opset", now.Opsets[""], "with", len(now.Graph.Nodes), "nodes")
	}
	// Output:
	// Relu in opset 13 with 1 nodes
	// Gelu in opset 13 with 6 nodes
	// node "layer": operator Trilu cannot be written for opset 13 instead of 14: it exists only since opset 14
	// --opset 14 is the lowest for this file
}
