package onnxio_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// A file is read, looked at, and run.
func Example() {
	m, err := onnxio.Load("../testdata/fmnist-conv-ts.onnx")
	if err != nil {
		log.Fatal(err)
	}
	var ops []string
	for _, n := range m.Graph.Nodes {
		ops = append(ops, n.Op)
	}
	fmt.Println(ops)
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	const batch = 3
	grey := onnxio.NewTensor(onnxio.Float, batch, 1, 28, 28)
	out, err := s.Run(context.Background(), []*onnxio.Tensor{grey})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("from", s.Inputs()[0].Name, "to", s.Outputs()[0].Name, out[0].Shape)
	// Output:
	// [Conv Relu Conv Relu Flatten Gemm Relu Gemm]
	// from input to logits [3 10]
}

// A file that is written back keeps every byte that nobody changed.
func ExampleModel_Save() {
	const file = "../testdata/fmnist-conv-ts.onnx"
	m, err := onnxio.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "copy.onnx")
	if err := m.Save(path, onnxio.SaveOptions{}); err != nil {
		log.Fatal(err)
	}
	again, err := onnxio.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same bytes:", m.SHA256 == again.SHA256)
	// Output:
	// the same bytes: true
}
