// Package pb holds the generated messages of an ONNX file.
package pb

//go:generate protoc --go_out=. --go_opt=paths=source_relative onnx.proto
