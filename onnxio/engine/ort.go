//go:build cgo

package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// ORTBuiltIn tells whether this binary can load onnxruntime.
const ORTBuiltIn = true

// ortBatch is the number of samples given to onnxruntime at once where the batch is free.
const ortBatch = 64

// environment is the one library that a process can hold.
var environment struct {
	sync.Mutex
	path string
}

// loadORT loads the library once. onnxruntime keeps threads and devices for as long as the process lives.
func loadORT(path string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.path != "" {
		if environment.path != path {
			return fmt.Errorf("onnxruntime %s is loaded from %s already; a process holds one library, not %s too", ort.GetVersion(), environment.path, path)
		}
		return nil
	}
	if err := ortlib.Trusted(path, true); err != nil { // the last gate: a path without a folder would be searched for by the loader
		return fmt.Errorf("onnxruntime's library: %w", err)
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("onnxruntime in %s cannot be used (shoal needs version 1.24 or newer): %w", path, err)
	}
	environment.path = path
	if err := ort.DisableTelemetry(); err != nil { // builds by Microsoft for some systems report usage
		return err
	}
	return nil
}

// ORTVersion loads the library and says which version it is.
func ORTVersion(path string) (string, error) {
	if err := loadORT(path); err != nil {
		return "", err
	}
	return ort.GetVersion(), nil
}

// ortNames are the names that onnxruntime's call for any provider takes.
var ortNames = map[string]string{"webgpu": "WebGPU", "openvino": "OpenVINO", "qnn": "QNN", "xnnpack": "XNNPACK", "coreml": "CoreML", "azure": "AZURE",
	"migraphx": "MIGraphX", "webnn": "WEBNN", "js": "JS", "vitisai": "VitisAI", "directml": "DML", "dml": "DML"}

// Providers are those that ORTProviders looks for.
var Providers = []string{"cpu", "cuda", "tensorrt", "webgpu", "coreml", "directml", "openvino", "qnn", "xnnpack", "migraphx"}

// ORTProviders lists the providers that the library was built with. A provider's driver may still be missing; only a session tells.
func ORTProviders(path string) ([]string, error) {
	if err := loadORT(path); err != nil {
		return nil, err
	}
	return ortProviders(), nil
}

func ortProviders() []string {
	var has []string
	for _, p := range Providers {
		o, err := ort.NewSessionOptions()
		if err != nil {
			continue
		}
		if err := appendProvider(o, p, 0); err == nil {
			has = append(has, p)
		}
		o.Destroy()
	}
	return has
}

// appendProvider asks for a provider before the CPU, which onnxruntime always adds.
func appendProvider(o *ort.SessionOptions, provider string, device int) error {
	id := map[string]string{"device_id": strconv.Itoa(device)}
	switch provider {
	case "cpu":
		return nil
	case "cuda":
		c, err := ort.NewCUDAProviderOptions()
		if err != nil {
			return err
		}
		defer c.Destroy()
		if err := c.Update(id); err != nil {
			return err
		}
		return o.AppendExecutionProviderCUDA(c)
	case "tensorrt":
		c, err := ort.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer c.Destroy()
		if err := c.Update(id); err != nil {
			return err
		}
		return o.AppendExecutionProviderTensorRT(c)
	case "directml", "dml":
		return o.AppendExecutionProviderDirectML(device)
	case "webgpu":
		if device == 0 {
			return o.AppendExecutionProvider("WebGPU", nil)
		}
		return o.AppendExecutionProvider("WebGPU", map[string]string{"deviceId": strconv.Itoa(device)})
	}
	name := ortNames[provider]
	if name == "" {
		name = provider
	}
	return o.AppendExecutionProvider(name, nil)
}

// ortSession runs a model in onnxruntime.
type ortSession struct {
	ports
	provider string
	step     int
	graph    *onnxio.Graph // for the shapes of float16 outputs
	inType   []onnxio.DType
	outType  []onnxio.DType // the file's, where the ports say float32 for float16

	mu      sync.RWMutex // read while running, written when closing
	session *ort.DynamicAdvancedSession
}

// openORT opens a file's bytes. dir is where its external data lies.
func openORT(_ context.Context, m *onnxio.Model, provider string, o Options) (Session, error) {
	if o.Float64 {
		return nil, fmt.Errorf("onnxruntime computes in the types of the file; float64 needs --engine go")
	}
	if provider == "" {
		provider = "cpu"
	}
	if err := loadORT(o.Library); err != nil {
		return nil, err
	}
	data, err := m.Bytes()
	if v := m.Opsets[""]; err == nil && v < op.MinOpset { // of which it has few operators
		if up, e := onnxio.Raise(data); e == nil {
			data = up
		}
	}
	if err != nil {
		return nil, err
	}
	g := m.Graph
	s := &ortSession{provider: provider, step: ortBatch, graph: g, ports: ports{fixed: infer.FixedBatch(g)}}
	if o.MaxBatch > 0 {
		s.step = o.MaxBatch
	}
	var in, out []string
	for _, v := range g.Inputs {
		if v.Const != nil {
			continue
		}
		if _, err := ortType(v.DType); err != nil {
			return nil, fmt.Errorf("input %q: %w", v.Name, err)
		}
		in, s.inType = append(in, v.Name), append(s.inType, v.DType)
		s.in = append(s.in, ortPort(v, s.fixed == 0))
	}
	for _, v := range g.Outputs {
		out, s.outType = append(out, v.Name), append(s.outType, v.DType)
		s.out = append(s.out, ortPort(v, s.fixed == 0))
	}
	if len(in) == 0 {
		return nil, errors.New("a model without inputs is not given to onnxruntime; use --engine go")
	}
	so, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer so.Destroy()
	if err := configure(so, provider, o, m.Dir()); err != nil {
		return nil, err
	}
	if s.session, err = ort.NewDynamicAdvancedSessionWithONNXData(data, in, out, so); err != nil {
		return nil, explain(err, provider)
	}
	return s, nil
}

func configure(so *ort.SessionOptions, provider string, o Options, dir string) error {
	if o.Threads > 0 {
		if err := so.SetIntraOpNumThreads(kernel.Workers(o.Threads)); err != nil {
			return err
		}
	}
	// What a provider cannot do goes to the CPU, which is right and slow; onnxruntime's notes about it are not the user's concern.
	if err := so.SetLogSeverityLevel(ort.LoggingLevelFatal); err != nil {
		return err
	}
	if dir != "" {
		if err := so.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", dir); err != nil {
			return err
		}
	}
	if err := appendProvider(so, provider, o.Device); err != nil {
		return &ProviderError{Provider: provider, Version: ort.GetVersion(), Library: environment.path, Has: ortProviders(), Err: err}
	}
	return nil
}

// explain makes onnxruntime's messages say what to do.
func explain(err error, provider string) error {
	text := err.Error()
	lower := strings.ToLower(text)
	switch {
	case strings.Contains(lower, "out of memory") || strings.Contains(lower, "failed to allocate memory") || strings.Contains(lower, "bad allocation"):
		return fmt.Errorf("onnxruntime %s (%s) ran out of memory; use a smaller batch, or another provider: %w", ort.GetVersion(), provider, err)
	case provider != "cpu" && (strings.Contains(lower, "vulkan") || strings.Contains(lower, "adapter") || strings.Contains(lower, "cuda driver") ||
		strings.Contains(lower, "no cuda")):
		return &ProviderError{Provider: provider, Version: ort.GetVersion(), Library: environment.path, Has: ortProviders(), Err: err}
	}
	return fmt.Errorf("onnxruntime %s (%s): %w", ort.GetVersion(), provider, err)
}

// ortPort is a port as the file declares it; sizes that it leaves open are -1, a shape that it does not tell is nil. float16 is given and taken
// as float32.
func ortPort(v *onnxio.Value, free bool) Port {
	p := Port{Name: v.Name, DType: v.DType, Shape: []int{}}
	if p.DType.Half() {
		p.DType = onnxio.Float
	}
	if !v.HasShape && len(v.Dims) == 0 {
		p.Shape = nil
	}
	for i, d := range v.Dims {
		if !d.Known() || i == 0 && free && v.Producer != nil {
			p.Shape = append(p.Shape, -1)
		} else {
			p.Shape = append(p.Shape, d.Size)
		}
	}
	return p
}

// Run implements Session.
func (s *ortSession) Run(ctx context.Context, inputs []*onnxio.Tensor) ([]*onnxio.Tensor, error) {
	batch, err := s.check(inputs)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.session == nil {
		return nil, errors.New("the session is closed")
	}
	step := s.fixed
	if step == 0 {
		step = min(s.step, batch)
	}
	out := make([]*onnxio.Tensor, len(s.out))
	for from := 0; from < batch; from += step {
		n := min(step, batch-from)
		part, err := s.runPiece(ctx, inputs, from, n, batch)
		if err != nil {
			return nil, err
		}
		if n == batch {
			return part, nil
		}
		for k := range out {
			if err := join(s.out[k].Name, &out[k], part[k], piece{size: n, from: from, step: step, batch: batch}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (s *ortSession) runPiece(ctx context.Context, inputs []*onnxio.Tensor, from, n, batch int) ([]*onnxio.Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := make([]ort.Value, 0, len(inputs))
	out := make([]ort.Value, len(s.out))
	defer func() {
		for _, v := range append(in, out...) {
			if v != nil && !reflect.ValueOf(v).IsNil() { // the binding leaves typed nils where it fails
				v.Destroy()
			}
		}
	}()
	for i, t := range inputs {
		at, part, of := from*perSample(t, batch), n, batch
		if s.whole(i) {
			at, part, of = 0, 1, 1
		}
		v, err := toORT(t, s.inType[i], at, part, of)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", s.in[i].Name, err)
		}
		in = append(in, v)
	}
	if err := s.places(ctx, out, n); err != nil {
		return nil, err
	}
	ro, err := ort.NewRunOptions()
	if err != nil {
		return nil, err
	}
	defer ro.Destroy()
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { ro.Terminate(); close(stopped) })
	err = s.session.RunWithOptions(in, out, ro)
	if !stop() {
		<-stopped // ro must outlive the call
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, explain(err, s.provider)
	}
	result := make([]*onnxio.Tensor, len(out))
	for k, v := range out {
		if result[k], err = fromORT(v); err != nil {
			return nil, fmt.Errorf("output %q: %w", s.out[k].Name, err)
		}
	}
	return result, nil
}

// places gives scalar and float16 outputs their memory: the binding refuses scalars that onnxruntime allocates, and copies too few bytes
// of float16.
func (s *ortSession) places(ctx context.Context, out []ort.Value, n int) error {
	var g *onnxio.Graph
	for k, d := range s.outType {
		if v := s.graph.Outputs[k]; v.HasShape && len(v.Dims) == 0 {
			out[k] = emptyScalar(d)
			continue
		}
		if !d.Half() {
			continue
		}
		if g == nil {
			var err error
			if g, err = infer.Prepare(ctx, s.graph, infer.Options{Batch: n}); err != nil {
				return fmt.Errorf("output %q is %v and its shape is not known: %w", s.out[k].Name, d, err)
			}
		}
		shape := ort.Shape{}
		for _, size := range g.Outputs[k].Shape {
			shape = append(shape, int64(size))
		}
		var err error
		if out[k], err = ort.NewCustomDataTensor(shape, make([]byte, 2*shape.FlattenedSize()), ort.TensorElementDataType(d)); err != nil {
			return err
		}
	}
	return nil
}

// Engine implements Session.
func (s *ortSession) Engine() string { return "ort:" + s.provider }

// Close implements Session. It waits for runs to end.
func (s *ortSession) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	err := s.session.Destroy()
	s.session = nil
	return err
}
