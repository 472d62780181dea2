package falsify_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// Images are certified, and attacked where the cheapest bounds leave them open: here, what is not proven comes with a counterexample.
func Example() {
	ctx := context.Background()
	model, err := onnxio.Load("../../testdata/fmnist-conv-dyn-robust.onnx")
	if err != nil {
		log.Fatal(err)
	}
	images, err := dataset.Open("fmnist:../../testdata/fmnist", dataset.Options{Range: "1:7"})
	if err != nil {
		log.Fatal(err)
	}
	f, err := falsify.Open(ctx, model, falsify.Options{Search: attack.SearchOptions{Rounds: 3}})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	v, err := verify.Open(ctx, model, verify.Options{Method: verify.DeepPoly, Falsifier: f, DropSoftmax: true})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	x := make([]float32, images.Size())
	for i, label := range images.Labels {
		if err := images.Pixels(x, i, false); err != nil {
			log.Fatal(err)
		}
		r, err := v.Verify(ctx, verify.Robust(verify.Ball{Center: x, Eps: 0.15}, label, 10))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print("image ", i, " of class ", label, " is ", r.Verdict)
		if r.Verdict == verify.Falsified { // r.Counterexample.Inputs is an image of the ball
			best := 0
			for k, y := range r.Counterexample.Outputs {
				if y > r.Counterexample.Outputs[best] {
					best = k
				}
			}
			fmt.Print(": class ", best, " inside the ball")
		}
		fmt.Println()
	}
	// Output:
	// image 0 of class 2 is verified
	// image 1 of class 1 is falsified: class 0 inside the ball
	// image 2 of class 1 is falsified: class 0 inside the ball
	// image 3 of class 6 is falsified: class 2 inside the ball
	// image 4 of class 1 is falsified: class 0 inside the ball
	// image 5 of class 4 is falsified: class 2 inside the ball
}

// How large a ball around one image is proven, and how small a one holds a counterexample.
func ExampleUpperRadius() {
	ctx := context.Background()
	model, err := onnxio.Load("../../testdata/fmnist-conv-dyn-robust.onnx")
	if err != nil {
		log.Fatal(err)
	}
	images, err := dataset.Open("fmnist:../../testdata/fmnist", dataset.Options{Range: "1:2"})
	if err != nil {
		log.Fatal(err)
	}
	x, scale := make([]float32, images.Size()), make([]float64, images.Size())
	if err := images.Pixels(x, 0, false); err != nil {
		log.Fatal(err)
	}
	for k := range scale {
		scale[k] = 1 // pixels are the model's inputs
	}
	f, err := falsify.Open(ctx, model, falsify.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	v, err := verify.Open(ctx, model, verify.Options{Method: verify.DeepPoly, DropSoftmax: true})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	property := func(eps float64) verify.Property {
		return verify.Robust(verify.Ball{Center: x, Eps: eps}, images.Labels[0], 10)
	}
	proven, _, err := v.Radius(ctx, property, verify.RadiusOptions{Max: 0.4, Tol: 0.001})
	if err != nil {
		log.Fatal(err)
	}
	broken, err := falsify.UpperRadius(ctx, v, f, falsify.Radii{Property: property, Centre: x, Scale: scale,
		Proven: proven, Known: math.Inf(1), Most: 0.4, Tol: 0.001, Steps: 9})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("proven up to %.2f, broken at %.2f\n", proven, broken)
	// Output:
	// proven up to 0.15, broken at 0.16
}
