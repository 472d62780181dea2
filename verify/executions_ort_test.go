//go:build cgo

package verify

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
)

// loadORT loads onnxruntime once, and says why not where it cannot.
var loadORT = sync.OnceValue(func() string {
	found, err := ortlib.Find(ortlib.Request{Given: os.Getenv("SHOAL_ONNXRUNTIME"), Python: true})
	if err != nil {
		return err.Error()
	}
	if len(found) == 0 {
		return "onnxruntime is not on this machine"
	}
	if _, err := engine.ORTVersion(found[0].Path); err != nil {
		return err.Error()
	}
	if err := startFlushing(); err != nil {
		return err.Error()
	}
	return ""
})

// flushing runs functions on a thread whose processor takes subnormal numbers for zeros. The first session that a process opens decides that
// of its own thread alone, and this is the one that asks for it.
var flushing chan func()

func startFlushing() error {
	b, x := newBuilder(nil, 1, 1)
	y := b.node("Identity", nil, x)
	y.Shape = []int{1, 1}
	b.g.Outputs = []*onnxio.Value{y}
	m, err := onnxio.NewModel(b.g, "test")
	if err != nil {
		return err
	}
	data, err := m.Bytes()
	if err != nil {
		return err
	}
	flushing = make(chan func())
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else may run here
		_, err := openLevel(data, b.g, ort.GraphOptimizationLevelDisableAll, "session.set_denormal_as_zero")
		opened <- err
		for f := range flushing {
			f()
		}
	}()
	return <-opened
}

// flushed is an execution on that thread. It is asked about points without subnormal inputs alone: these are given, not computed.
func flushed(e execution) execution {
	return execution{"onnxruntime, flushing", true, func(x []float32) (y []float32, err error) {
		done := make(chan bool)
		flushing <- func() { y, err = e.run(x); done <- true }
		<-done
		return y, err
	}, e.close}
}

// withoutORT says why onnxruntime is missing; "" where it is there. It fails where SHOAL_REQUIRE says that it must be.
func withoutORT(t testing.TB) string {
	t.Helper()
	why := loadORT()
	if why != "" && strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
		t.Fatalf("SHOAL_REQUIRE asks for onnxruntime: %s", why)
	}
	return why
}

// ortExecutions opens a model with optimisations off and on, and with subnormal results flushed to zero.
func ortExecutions(t testing.TB, m *onnxio.Model, g *onnxio.Graph) (list []execution, refused error) {
	t.Helper()
	if withoutORT(t) != "" {
		return nil, nil
	}
	data, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for i, level := range []ort.GraphOptimizationLevel{ort.GraphOptimizationLevelDisableAll, ort.GraphOptimizationLevelEnableAll,
		ort.GraphOptimizationLevelDisableAll} {
		// onnxruntime would turn float weights between DequantizeLinear and QuantizeLinear into 8 bits: another network, which float32 does not
		// cover (docs/soundness.md).
		e, err := openLevel(data, g, level, "session.disable_quant_qdq")
		if i == 2 {
			e = flushed(e)
		}
		if err != nil {
			for _, e := range list {
				e.close()
			}
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// openLevel opens a session over tensors of its own, into which each run copies its point.
func openLevel(data []byte, g *onnxio.Graph, level ort.GraphOptimizationLevel, on ...string) (e execution, err error) {
	var values []interface{ Destroy() error }
	release := func() {
		for _, v := range slices.Backward(values) {
			v.Destroy()
		}
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	so, err := ort.NewSessionOptions()
	if err != nil {
		return e, err
	}
	defer so.Destroy()
	for _, set := range []error{so.SetGraphOptimizationLevel(level), so.SetIntraOpNumThreads(1), so.SetInterOpNumThreads(1),
		so.SetLogSeverityLevel(ort.LoggingLevelFatal)} {
		if set != nil {
			return e, set
		}
	}
	for _, key := range on {
		if err := so.AddSessionConfigEntry(key, "1"); err != nil {
			return e, err
		}
	}
	var in []*ort.Tensor[float32]
	var inNames []string
	var inValues []ort.Value
	for _, v := range g.Inputs {
		shape := ort.Shape{}
		for _, d := range v.Dims {
			shape = append(shape, int64(d.Size))
		}
		x, err := ort.NewEmptyTensor[float32](shape)
		if err != nil {
			return e, err
		}
		values, in, inNames, inValues = append(values, x), append(in, x), append(inNames, v.Name), append(inValues, x)
	}
	last := g.Outputs[0]
	y, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(last.Shape[0]), int64(last.Shape[1])))
	if err != nil {
		return e, err
	}
	values = append(values, y)
	s, err := ort.NewAdvancedSessionWithONNXData(data, inNames, []string{last.Name}, inValues, []ort.Value{y}, so)
	if err != nil {
		return e, err
	}
	values = append(values, s)
	name := "onnxruntime, plain"
	if level == ort.GraphOptimizationLevelEnableAll {
		name = "onnxruntime, optimised"
	}
	return execution{name, false, func(x []float32) ([]float32, error) {
		for i, part := range splitInputs(g, x) {
			copy(in[i].GetData(), part)
		}
		if err := s.Run(); err != nil {
			return nil, err
		}
		return slices.Clone(y.GetData()), nil
	}, release}, nil
}
