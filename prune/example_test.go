package prune_test

import (
	"context"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// Half of the channels go, with all that is coupled to them; the rest of the file stays as it is.
func Example() {
	m, err := onnxio.Load("../testdata/cifar-residual-dyn.onnx")
	if err != nil {
		log.Fatal(err)
	}
	r, err := prune.Run(context.Background(), m.Graph, prune.Options{Choice: prune.Choice{Score: prune.L1, Ratio: 0.5}})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range r.Plan.Classes {
		fmt.Printf("%d of %d channels go from", c.Removed, c.Units)
		for _, l := range c.Layers {
			fmt.Printf(" %s", l.Name)
		}
		fmt.Println()
	}
	before, _, err := r.Coupling.Costs(m.Graph)
	if err != nil {
		log.Fatal(err)
	}
	after, _, err := r.Coupling.Costs(r.Graph)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(before.Parameters, "parameters before,", after.Parameters, "after")
	m.Graph = r.Graph // m.Save writes the smaller file
	// Output:
	// 6 of 12 channels go from node_conv2d node_conv2d_2
	// 6 of 12 channels go from node_conv2d_1
	// 16 of 32 channels go from node_conv2d_3 node_conv2d_5
	// 16 of 32 channels go from node_conv2d_4
	// 30466 parameters before, 9118 after
}
