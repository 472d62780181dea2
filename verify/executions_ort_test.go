//go:build cgo

package verify

import (
	"os"
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
	return ""
})

// withoutORT says why onnxruntime is missing; "" where it is there. It fails where SHOAL_REQUIRE says that it must be.
func withoutORT(t testing.TB) string {
	t.Helper()
	why := loadORT()
	if why != "" && strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
		t.Fatalf("SHOAL_REQUIRE asks for onnxruntime: %s", why)
	}
	return why
}

// ortExecutions opens a model twice, with optimisations off and on.
func ortExecutions(t testing.TB, m *onnxio.Model, g *onnxio.Graph) (list []execution, refused error) {
	t.Helper()
	if withoutORT(t) != "" {
		return nil, nil
	}
	data, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, level := range []ort.GraphOptimizationLevel{ort.GraphOptimizationLevelDisableAll, ort.GraphOptimizationLevelEnableAll} {
		e, err := openLevel(data, g, level)
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
func openLevel(data []byte, g *onnxio.Graph, level ort.GraphOptimizationLevel) (e execution, err error) {
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
	for _, set := range []error{so.SetGraphOptimizationLevel(level), so.SetIntraOpNumThreads(1), so.SetInterOpNumThreads(1), so.SetLogSeverityLevel(ort.LoggingLevelFatal)} {
		if set != nil {
			return e, set
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
	return execution{name, func(x []float32) ([]float32, error) {
		for i, part := range splitInputs(g, x) {
			copy(in[i].GetData(), part)
		}
		if err := s.Run(); err != nil {
			return nil, err
		}
		return slices.Clone(y.GetData()), nil
	}, release}, nil
}
