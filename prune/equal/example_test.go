package equal_test

import (
	"context"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// A model for dark images alone, with pixels in [0, 0.1], is made smaller twice: by what is proven dead there, which gives the same function, and by
// some of what is not, which gives another one that differs by no more than is said.
func Example() {
	ctx := context.Background()
	m, err := onnxio.Load("../../testdata/fmnist-conv-dyn-robust.onnx")
	if err != nil {
		log.Fatal(err)
	}
	dark := equal.Ranges{{0, 0.1}}
	bounds := verify.Options{Method: verify.Interval}
	for _, o := range []prune.Options{
		{Choice: prune.Choice{Score: prune.ProvenDead}, Bounds: equal.Bounds(dark, verify.Options{Method: verify.Interval, Semantics: verify.Float32})},
		{Choice: prune.Choice{Score: prune.L1, Ratio: 0.05}},
	} {
		r, err := prune.Run(ctx, m.Graph, o)
		if err != nil {
			log.Fatal(err)
		}
		c, err := equal.Compare(ctx, m, &onnxio.Model{Graph: r.Graph}, dark, bounds)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d filters removed by %s: equal %v, scores differ by at most %.3g\n", r.Plan.Removed(), o.Choice.Score, c.Equal, c.Delta)
	}
	// Output:
	// 119 filters removed by proven-dead: equal true, scores differ by at most 0
	// 8 filters removed by l1: equal false, scores differ by at most 0.304
}
