package verify_test

import (
	"context"
	"fmt"
	"log"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

// Images out of a data set, certified at one radius.
func Example() {
	ctx := context.Background()
	model, err := onnxio.Load("../testdata/fmnist-conv-dyn-robust.onnx")
	if err != nil {
		log.Fatal(err)
	}
	images, err := dataset.Open("fmnist:../testdata/fmnist", dataset.Options{Range: "0:5"})
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.Open(ctx, model, verify.Options{DropSoftmax: true})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	x := make([]float32, images.Size())
	for i, label := range images.Labels {
		if err := images.Pixels(x, i, false); err != nil {
			log.Fatal(err)
		}
		r, err := v.Verify(ctx, verify.Robust(verify.Ball{Center: x, Eps: 0.13}, label, 10))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("image", i, "of class", label, r.Verdict)
	}
	// Output:
	// image 0 of class 9 falsified
	// image 1 of class 2 verified
	// image 2 of class 1 verified
	// image 3 of class 1 unknown
	// image 4 of class 6 falsified
}

// The largest radius that is proven for one image, and the numbers that the classes' scores stay between there.
func ExampleVerifier_Radius() {
	ctx := context.Background()
	model, err := onnxio.Load("../testdata/fmnist-conv-dyn-robust.onnx")
	if err != nil {
		log.Fatal(err)
	}
	images, err := dataset.Open("fmnist:../testdata/fmnist", dataset.Options{Range: "1:2"})
	if err != nil {
		log.Fatal(err)
	}
	x := make([]float32, images.Size())
	if err := images.Pixels(x, 0, false); err != nil {
		log.Fatal(err)
	}
	v, err := verify.Open(ctx, model, verify.Options{Method: verify.DeepPoly, DropSoftmax: true})
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	property := func(eps float64) verify.Property {
		return verify.Robust(verify.Ball{Center: x, Eps: eps}, images.Labels[0], 10)
	}
	radius, _, err := v.Radius(ctx, property, verify.RadiusOptions{Max: 0.2, Tol: 0.001})
	if err != nil {
		log.Fatal(err)
	}
	box, _ := verify.Ball{Center: x, Eps: radius}.Boxes()
	scores, err := v.Outputs(ctx, box)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("radius %.2f; class %d scores at least %.1f\n", radius, images.Labels[0], scores.Lower[images.Labels[0]])
	// Output:
	// radius 0.15; class 2 scores at least 1.1
}

// A network of two outputs that are numbers: what they can be around a sample, and whether they stay close to their values there.
func ExampleWithin() {
	ctx := context.Background()
	model, err := onnxio.Load("../cmd/shoal/testdata/models/subject/regress.onnx")
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.Open(ctx, model, verify.Options{}) // a last softmax is a part of what is asked about
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	ball := verify.Ball{Center: []float32{0.5, 0.25, 0.75}, Eps: 0.05}
	y, err := v.Predict(ctx, ball.Center)
	if err != nil {
		log.Fatal(err)
	}
	box, _ := ball.Boxes()
	r, err := v.Reach(ctx, box)
	if err != nil {
		log.Fatal(err)
	}
	for i := range y {
		fmt.Printf("output %d is %.3f, in the ball from %.3f to %.3f\n", i, y[i], r.Lower[i], r.Upper[i])
	}
	for _, tolerance := range []*big.Rat{big.NewRat(1, 8), big.NewRat(1, 20)} {
		res, err := v.Verify(ctx, verify.Within(ball, y, tolerance))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("within", tolerance, "of these:", res.Verdict)
	}
	// Output:
	// output 0 is -0.125, in the ball from -0.161 to -0.091
	// output 1 is 0.750, in the ball from 0.681 to 0.819
	// within 1/8 of these: verified
	// within 1/20 of these: falsified
}

// TestReadmeShowsTheTestedExample compares the README's program with Example.
func TestReadmeShowsTheTestedExample(t *testing.T) {
	own, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(own), "func Example() {\n")
	body, _, _ = strings.Cut(body, "\t// Output:")
	body = strings.ReplaceAll(strings.ReplaceAll("\n"+body, "\n\t", "\n"), "../testdata", "testdata")
	_, shown, _ := strings.Cut(string(readme), "```go\n")
	shown, _, _ = strings.Cut(shown, "```")
	if len(shown) < 100 || strings.TrimSpace(shown) != strings.TrimSpace(body) {
		t.Errorf("README.md shows\n%s\nwhere the tested example is\n%s", shown, body)
	}
}
