package operators

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestChosenElementsHoldEveryPlace: boxes of places hold every place in them, those that count from the end too; all are tried.
func TestChosenElementsHoldEveryPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(161, 162))
	for _, axis := range []int64{0, 1, -1} {
		places := &onnxio.Value{Name: "p", DType: onnxio.Int64, Shape: []int{2, 2}}
		n := node(t, "GatherElements", 13, onnxio.Attrs{"axis": axis}, variable(2, 3), places)
		d, _ := Lookup(n)
		l, err := d.Linear(n)
		if err != nil {
			t.Fatal(err)
		}
		size := 3
		if axis == 0 {
			size = 2
		}
		for range rounds(200) {
			boxes := randomBoxes(rng, n)
			for j := range boxes[1].Lower {
				a, b := rng.IntN(2*size)-size, rng.IntN(2*size)-size
				boxes[1].Lower[j], boxes[1].Upper[j] = float64(min(a, b))-rng.Float64()*0.9, float64(max(a, b))+rng.Float64()*0.9
			}
			out, err := d.Interval(n, boxes)
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Relax(relax.SlopeAdaptive, boxes)
			if err != nil {
				t.Fatal(err)
			}
			x := pointIn(rng, n, boxes)[0]
			place := make([]float64, 4)
			for j := range place { // one place at a time, through all that it can be; the others are at their first
				place[j] = math.Ceil(max(boxes[1].Lower[j], float64(-size)))
			}
			for j := range place {
				for k := place[j]; k <= min(boxes[1].Upper[j], float64(size-1)); k++ {
					was := place[j]
					place[j] = k
					y := evaluated(t, n, x, place)
					for i, v := range y {
						if !(out[0].Lower[i] <= v && v <= out[0].Upper[i]) {
							t.Fatalf("axis %d: element %d is %v outside of [%v, %v] at places %v in %v", axis, i, v, out[0].Lower[i], out[0].Upper[i], place, boxes)
						}
						if all := [][]float64{x, place}; form(&r.Lower, i, all).Cmp(bigFloat(v)) > 0 || form(&r.Upper, i, all).Cmp(bigFloat(v)) < 0 {
							t.Fatalf("axis %d: element %d is %v outside of its forms at places %v in %v", axis, i, v, place, boxes)
						}
					}
					place[j] = was
				}
			}
		}
	}
}

// evaluated is what a node gives, without run's look at allocations: tables of places that vary are made anew.
func evaluated(t *testing.T, n *onnxio.Node, data ...[]float64) []float64 {
	t.Helper()
	values := map[*onnxio.Value]*onnxio.Tensor{}
	for i, v := range n.Inputs {
		values[v] = onnxio.NewTensor(v.DType, v.Shape...)
		if err := convertData(values[v].Data, data[i]); err != nil {
			t.Fatal(err)
		}
	}
	evalNodes(t, []*onnxio.Node{n}, values)
	return values[n.Outputs[0]].F64()
}

// TestSortedElementsHaveAGradient: elements at the places of a sort, several of one among them, go back to where they came from.
func TestSortedElementsHaveAGradient(t *testing.T) {
	for _, opset := range []int{16, 21} {
		x := variable(2, 4)
		sorted := nodeWith(t, "TopK", opset, nil, 2, x, ints(3))
		twice := node(t, "Concat", opset, onnxio.Attrs{"axis": int64(1)}, sorted.Outputs[1], fixed(onnxio.FromInt64([]int64{0, 3}, 2, 1)))
		taken := node(t, "GatherElements", opset, onnxio.Attrs{"axis": int64(1)}, x, twice.Outputs[0])
		nodes := []*onnxio.Node{sorted, twice, taken}
		g := &onnxio.Graph{Inputs: []*onnxio.Value{x}, Nodes: nodes, Outputs: taken.Outputs}
		e := op.NewEmitter(context.Background(), Table(), g, "g/")
		w := []float64{1, 2, 3, 4, 5, 6, 7, 8}
		dx, err := op.Backward(e, nodes, map[*onnxio.Value]*onnxio.Value{taken.Outputs[0]: floats(w, 2, 4)}, g.Inputs)
		if err != nil {
			t.Fatal(err)
		}
		values := map[*onnxio.Value]*onnxio.Tensor{x: onnxio.FromFloat64([]float64{0.5, 9, -1, 3, 7, 0, 8, 1}, 2, 4)}
		evalNodes(t, nodes, values)
		evalNodes(t, e.Nodes, values)
		// Row 0 is sorted to places 1, 3, 0 and then 0; row 1 to 2, 0, 3 and then 3.
		want := []float64{3 + 4, 1, 0, 2, 6, 0, 5, 7 + 8}
		if got := values[dx[0]].F64(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("opset %d: %v, want %v", opset, got, want)
		}
	}
}
