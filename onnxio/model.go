package onnxio

import "errors"

// Model is an ONNX file: the graph, and what the file says around it.
type Model struct {
	Path     string // where it was loaded from; empty for bytes
	SHA256   string // of the file's bytes as stored (the .onnx inside, where it was gzipped), hexadecimal
	Graph    *Graph
	IR       int64
	Opsets   map[string]int // by domain; "" is the standard's
	Producer string         // name and version
	Metadata map[string]string
}

// Load reads a .onnx or .onnx.gz file and its external data.
func Load(path string) (*Model, error) { return nil, errors.New("being written") }

// Parse reads a model from bytes. External data is looked for in dir.
func Parse(data []byte, dir string) (*Model, error) { return nil, errors.New("being written") }
