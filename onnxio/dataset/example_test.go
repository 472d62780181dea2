package dataset_test

import (
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// Images are decoded one by one, as numbers in [0,1].
func Example() {
	set, err := dataset.Open("fmnist:../../testdata/fmnist", dataset.Options{Range: "10:13"})
	if err != nil {
		log.Fatal(err)
	}
	x := make([]float32, set.Size())
	for i, label := range set.Labels {
		if err := set.Pixels(x, i, false); err != nil {
			log.Fatal(err)
		}
		brightest := float32(0)
		for _, v := range x {
			brightest = max(brightest, v)
		}
		fmt.Printf("image %d of the file, %d×%d, class %d, brightest pixel %.2f\n", set.Index[i], set.Height, set.Width, label, brightest)
	}
	// Output:
	// image 10 of the file, 28×28, class 4, brightest pixel 1.00
	// image 11 of the file, 28×28, class 5, brightest pixel 1.00
	// image 12 of the file, 28×28, class 7, brightest pixel 1.00
}
