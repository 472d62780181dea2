package operators

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestTreesStayInTheirBoxes: labels and scores of classifiers, by every way to finish sums, at corners of boxes, inside, and beside each split.
func TestTreesStayInTheirBoxes(t *testing.T) {
	rng := rand.New(rand.NewPCG(163, 164))
	for _, after := range []string{"NONE", "SOFTMAX", "LOGISTIC"} {
		for range rounds(60) {
			n, splits := randomForest(rng, after)
			d, err := Lookup(n)
			if err != nil {
				t.Fatal(err)
			}
			types, err := d.Shape(n)
			if err != nil {
				t.Fatal(err)
			}
			for i, ty := range types {
				n.Outputs = append(n.Outputs, &onnxio.Value{Name: string(rune('a' + i)), DType: ty.DType, Shape: ty.Shape})
			}
			for range 10 {
				b := relax.NewBox(6)
				for j := range b.Lower {
					p, q := rng.NormFloat64(), rng.NormFloat64()
					if rng.IntN(3) == 0 {
						p, q = splits[rng.IntN(len(splits))], splits[rng.IntN(len(splits))]
					}
					b.Lower[j], b.Upper[j] = min(p, q), max(p, q)
				}
				out, err := d.Interval(n, []relax.Box{b})
				if err != nil {
					t.Fatal(err)
				}
				for range 60 {
					x := pointIn(rng, n, []relax.Box{b})[0]
					if j, s := rng.IntN(6), splits[rng.IntN(len(splits))]; b.Lower[j] <= s && s < b.Upper[j] {
						x[j] = []float64{s, math.Nextafter(s, 9)}[rng.IntN(2)]
					}
					values := map[*onnxio.Value]*onnxio.Tensor{n.Inputs[0]: onnxio.FromFloat64(x, 2, 3)}
					evalNodes(t, []*onnxio.Node{n}, values)
					for o, v := range n.Outputs {
						got, _ := values[v].Float64s()
						for i, y := range got {
							if !(out[o].Lower[i] <= y && y <= out[o].Upper[i]) {
								t.Fatalf("%s: output %d[%d] is %v outside of [%v, %v] at %v in %v", after, o, i, y, out[o].Lower[i], out[o].Upper[i], x, b)
							}
						}
					}
				}
			}
		}
	}
}

// randomForest is a classifier of three features by four trees of three splits each; votes of a leaf may be several for one class.
func randomForest(rng *rand.Rand, after string) (*onnxio.Node, []float64) {
	var trees, ids, features, yes, no, voteTrees, voteNodes, voteFor []int64
	var modes []string
	var values, weights []float32
	var splits []float64
	for tree := range int64(4) {
		for id := range int64(7) {
			trees, ids, features = append(trees, tree), append(ids, id), append(features, int64(rng.IntN(3)))
			v := float32(rng.NormFloat64())
			if id < 3 {
				modes = append(modes, []string{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"}[rng.IntN(4)])
				yes, no, splits = append(yes, 2*id+1), append(no, 2*id+2), append(splits, float64(v))
			} else {
				modes, yes, no = append(modes, "LEAF"), append(yes, 0), append(no, 0)
				for range 1 + rng.IntN(4) {
					voteTrees, voteNodes, voteFor = append(voteTrees, tree), append(voteNodes, id), append(voteFor, int64(rng.IntN(3)))
					weights = append(weights, float32(rng.NormFloat64()))
				}
			}
			values = append(values, v)
		}
	}
	n := &onnxio.Node{Name: "n", Op: "TreeEnsembleClassifier", Domain: "ai.onnx.ml", Opset: 1, Inputs: []*onnxio.Value{variable(2, 3)}}
	n.Attrs = onnxio.Attrs{
		"nodes_treeids": trees, "nodes_nodeids": ids, "nodes_featureids": features, "nodes_modes": modes, "nodes_values": values,
		"nodes_truenodeids": yes, "nodes_falsenodeids": no, "class_treeids": voteTrees, "class_nodeids": voteNodes, "class_ids": voteFor,
		"class_weights": weights, "classlabels_int64s": []int64{5, -3, 8}, "post_transform": after}
	return n, splits
}
