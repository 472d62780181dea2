// Package engine runs models: one interface, one engine a file.
package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
)

// Options configures a session. The zero value runs the Go engine in float32 on all cores.
type Options struct {
	// Engine is go (also ""), ort (onnxruntime on the CPU), ort:PROVIDER (cpu, cuda, tensorrt, webgpu, or any other name that the library
	// knows), or auto: a GPU where onnxruntime finds one, else the Go engine, else onnxruntime on the CPU.
	Engine  string
	Float64 bool // compute in float64; the Go engine only
	// Reading is whose word counts where the standard's and onnxruntime's differ; the Go engine only.
	Reading onnxio.Reading
	Threads int // 0 means all cores
	// MaxBatch is the largest number of samples given to the graph at once where its batch size is free; 0 means a default.
	MaxBatch int

	// Once tells the Go engine that the session serves for a run or two: weights are then not packed, which saves time and memory at the
	// start and costs both later.
	Once bool

	// Library names onnxruntime's library or its folder; "" looks for it (see package ortlib).
	Library string
	Device  int // of a GPU provider
	// Notice, where set, is told what auto chose and why.
	Notice func(string)
}

// Port is an input or output of a session. Shape[0] is -1 where the batch size is free; others are -1 only in onnxruntime's sessions.
type Port struct {
	Name  string
	DType onnxio.DType
	Shape []int
}

// Session is an opened model. Run may be called from several goroutines at once.
type Session interface {
	// Engine names what runs the model: go, or ort:PROVIDER.
	Engine() string
	Inputs() []Port
	Outputs() []Port
	// Run computes all outputs. The first dimension of the inputs is the batch: any size works, also where the file fixes it
	// to 1 (the samples then run one by one, on all cores) or to another number (it must divide the batch). Where it is free and samples
	// change each other, they go through the graph together.
	Run(ctx context.Context, inputs []*onnxio.Tensor) ([]*onnxio.Tensor, error)
	Close() error
}

// ProviderError tells that onnxruntime cannot run on a device.
type ProviderError struct {
	Provider         string
	Version, Library string
	Has              []string // what the library was built with
	Err              error
}

func (e *ProviderError) Error() string {
	return fmt.Sprintf("onnxruntime %s in %s cannot use provider %q; it has %s: %v", e.Version, e.Library, e.Provider, strings.Join(e.Has, ", "), e.Err)
}

func (e *ProviderError) Unwrap() error { return e.Err }

// Open opens a model.
func Open(ctx context.Context, m *onnxio.Model, o Options) (Session, error) {
	if m == nil {
		return nil, errors.New("there is no model")
	}
	if err := m.Graph.Check(); err != nil {
		return nil, err
	}
	name, provider, _ := strings.Cut(o.Engine, ":")
	switch name {
	case "", "go":
		return openGo(ctx, m.Graph, o)
	case "auto":
		return openAuto(ctx, m, o)
	case "ort":
		lib, err := findORT(o, true)
		if err != nil {
			return nil, err
		}
		o.Library = lib
		return openORT(ctx, m, provider, o)
	}
	return nil, fmt.Errorf("engine %q is not known; want auto, go, ort or ort:PROVIDER", o.Engine)
}

// OpenGraph opens a graph on the Go engine.
func OpenGraph(ctx context.Context, g *onnxio.Graph, o Options) (Session, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	return openGo(ctx, g, o)
}

// findORT names the library to load. python lets it ask the interpreters in PATH.
func findORT(o Options, python bool) (string, error) {
	if !ORTBuiltIn {
		_, err := ORTVersion("")
		return "", err
	}
	found, err := ortlib.Find(ortlib.Request{Given: o.Library, Python: python})
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("onnxruntime is not on this machine; get it with shoal runtime install, or name it with --onnxruntime FILE")
	}
	return found[0].Path, nil
}

// gpuProviders in the order in which auto tries them. TensorRT compiles a network for minutes, so it is never chosen unasked.
var gpuProviders = []string{"cuda", "webgpu", "coreml", "directml"}

// openAuto takes a GPU if onnxruntime has one that works, else the Go engine, else onnxruntime's CPU for what the Go engine lacks.
func openAuto(ctx context.Context, m *onnxio.Model, o Options) (Session, error) {
	say := func(format string, args ...any) {
		if o.Notice != nil {
			o.Notice(fmt.Sprintf(format, args...))
		}
	}
	lib, noLib := findORT(o, false)
	if o.Library != "" && noLib != nil { // a library that was asked for must be there
		return nil, noLib
	}
	if noLib == nil && !o.Float64 {
		o.Library = lib
		version, err := ORTVersion(lib)
		if err != nil {
			noLib = err
		} else {
			has, _ := ORTProviders(lib)
			for _, p := range gpuProviders {
				if !slices.Contains(has, p) {
					continue
				}
				if s, err := openORT(ctx, m, p, o); err == nil {
					say("engine ort:%s: onnxruntime %s has this GPU provider and it took the model", p, version)
					return s, nil
				}
			}
		}
	}
	s, err := openGo(ctx, m.Graph, o)
	if err == nil {
		switch {
		case o.Float64:
			say("engine go: it alone computes in float64")
		case noLib != nil:
			say("engine go: no onnxruntime (%v)", noLib)
		default:
			say("engine go: onnxruntime has no GPU that works here")
		}
		return s, nil
	}
	if noLib == nil && !o.Float64 {
		if s, ortErr := openORT(ctx, m, "cpu", o); ortErr == nil {
			say("engine ort:cpu: the Go engine does not take the model (%v)", err)
			return s, nil
		}
	}
	return nil, err
}
