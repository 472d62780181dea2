package operators

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestHostilePartsNeverPanic writes nodes of nonsense in parts: whatever a file says must end in an error or in nodes.
func TestHostilePartsNeverPanic(t *testing.T) {
	seed := uint64(23)
	if s, err := strconv.ParseUint(os.Getenv("SHOAL_SEED"), 10, 64); err == nil {
		seed = s
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	ctx := budget.With(context.Background(), budget.New(1<<26))
	number := func() int64 { return []int64{0, 1, 2, 3, 4, 8, -1, 1 << 40, -1 << 31}[rng.IntN(9)] }
	list := func() []int64 {
		out := make([]int64, rng.IntN(5))
		for i := range out {
			out[i] = number()
		}
		return out
	}
	tensor := func() *onnxio.Tensor {
		shape := make([]int, rng.IntN(6))
		for i := range shape {
			shape[i] = rng.IntN(4)
		}
		return onnxio.NewTensor([]onnxio.DType{onnxio.Float, onnxio.Int64, onnxio.Bool, onnxio.Uint8}[rng.IntN(4)], shape...)
	}
	made, tried := 0, 0
	for _, d := range All() {
		if d.Parts == nil {
			continue
		}
		rounds := 1500
		if testing.Short() {
			rounds = 300
		}
		for range rounds {
			n := &onnxio.Node{Name: "n", Op: d.Name, Domain: d.Domain, Opset: 28, Attrs: onnxio.Attrs{}, Outputs: make([]*onnxio.Value, 1+rng.IntN(4))}
			for i := range n.Outputs {
				n.Outputs[i] = &onnxio.Value{Name: "y"}
			}
			for _, name := range slices.Sorted(maps.Keys(d.Attrs)) { // a seed draws the same nodes every time
				switch rng.IntN(6) {
				case 0:
					n.Attrs[name] = number()
				case 1:
					n.Attrs[name] = list()
				case 2:
					n.Attrs[name] = float32(number())
				case 3:
					n.Attrs[name] = []string{"NONE", "circular", "delta", "SAME_UPPER", "Relu"}[rng.IntN(5)]
				}
			}
			base := tensor()
			for range rng.IntN(8) {
				x := tensor()
				if rng.IntN(3) > 0 {
					x = onnxio.NewTensor(onnxio.Float, base.Shape...)
				}
				v := &onnxio.Value{Name: "x", DType: x.DType, Shape: x.Shape}
				if rng.IntN(2) == 0 {
					v.Const = x
				}
				if rng.IntN(6) == 0 {
					v = nil
				}
				n.Inputs = append(n.Inputs, v)
			}
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Fatalf("%s, seed %d: %v\n%v", op.Key(d.Domain, d.Name), seed, r, n.Attrs)
					}
				}()
				if !d.Apart(n) {
					return
				}
				tried++
				hung := time.AfterFunc(time.Minute, func() {
					panic(fmt.Sprintf("%s, seed %d: not done after a minute\n%v", op.Key(d.Domain, d.Name), seed, n.Attrs))
				})
				defer hung.Stop()
				if _, err := Table().PartTypes(ctx, d, n, 28); err == nil {
					made++
				}
			}()
		}
	}
	if made < 20 {
		t.Errorf("only %d of %d were written", made, tried)
	}
}
