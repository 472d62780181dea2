// Package engine runs models: one interface, one engine a file.
package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// Options configures a session. The zero value runs the Go engine in float32 on all cores.
type Options struct {
	Engine  string // "", "auto" or "go"
	Float64 bool   // compute in float64
	Threads int    // 0 means all cores
	// MaxBatch is the largest number of samples given to the graph at once where its batch size is free; 0 means a default.
	MaxBatch int
}

// Port is an input or output of a session. Shape[0] is -1 where the batch size is free.
type Port struct {
	Name  string
	DType onnxio.DType
	Shape []int
}

// Session is an opened model. Run may be called from several goroutines at once.
type Session interface {
	Inputs() []Port
	Outputs() []Port
	// Run computes all outputs. The first dimension of the inputs is the batch: any size works, also where the file fixes it
	// to 1 (the samples then run one by one, on all cores) or to another number (it must divide the batch).
	Run(ctx context.Context, inputs []*onnxio.Tensor) ([]*onnxio.Tensor, error)
	Close() error
}

// Open opens a model.
func Open(ctx context.Context, m *onnxio.Model, o Options) (Session, error) {
	return OpenGraph(ctx, m.Graph, o)
}

// OpenGraph opens a graph that is not from a file.
func OpenGraph(ctx context.Context, g *onnxio.Graph, o Options) (Session, error) {
	switch name, _, _ := strings.Cut(o.Engine, ":"); name {
	case "", "auto", "go":
		return openGo(ctx, g, o)
	case "ort":
		return nil, fmt.Errorf("the onnxruntime engine is not built in yet; use --engine go")
	}
	return nil, fmt.Errorf("engine %q is not known; want auto or go", o.Engine)
}
