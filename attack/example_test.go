package attack_test

import (
	"context"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// A few images under projected gradient ascent.
func Example() {
	ctx := context.Background()
	m, err := onnxio.Load("../testdata/fmnist-conv-ts.onnx")
	if err != nil {
		log.Fatal(err)
	}
	t, err := attack.Open(ctx, m, attack.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()
	images, err := dataset.Open("fmnist:../testdata/fmnist", dataset.Options{Range: "0:6"})
	if err != nil {
		log.Fatal(err)
	}
	s := &attack.Samples{Size: t.InputSize(), Labels: images.Labels, X: make([]float32, images.Len()*images.Size())}
	for i := range images.Labels {
		if err := images.Pixels(s.X[i*s.Size:][:s.Size], i, false); err != nil {
			log.Fatal(err)
		}
	}
	r, err := attack.Run(ctx, t, s, attack.Threat{Eps: 0.1}, attack.PGD{Restarts: 2}, attack.RunOptions{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	broken := 0
	for _, o := range r.Outcomes {
		if o.Adversarial {
			broken++ // o.Point is an image within 0.1 of the given one that the model takes for o.Class
		}
	}
	fmt.Println(broken, "of", len(r.Outcomes), "images get another class")
	// Output:
	// 4 of 6 images get another class
}
