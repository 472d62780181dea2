package study

import (
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// TestFirstImagesAreOfMostClasses: a folder's images lie class by class, so that its first hundred say nothing of the others.
func TestFirstImagesAreOfMostClasses(t *testing.T) {
	sorted := &images{set: &dataset.Set{}}
	for i := range 1000 {
		sorted.set.Labels, sorted.index = append(sorted.set.Labels, i/100), append(sorted.index, i)
	}
	mixed := &images{set: sorted.set}
	for i := range 1000 {
		mixed.index = append(mixed.index, i%10*100+i/10)
	}
	for _, c := range []struct {
		of     *images
		n      int
		refuse string
	}{
		{sorted, 100, "of 1 of 10 classes; data.test.samples: 1000 takes"}, {sorted, 500, "of 5 of 10 classes"}, {sorted, 1001, "1001 of 1000 test images"},
		{sorted, 0, ""}, {sorted, 1000, ""}, {mixed, 20, ""}, {mixed, 100, ""},
		{sorted, 5, ""}, // which cannot be of all of them
	} {
		err := c.of.enough(c.n)
		if (err == nil) != (c.refuse == "") || err != nil && !strings.Contains(err.Error(), c.refuse) {
			t.Errorf("%d images: %v, want %q", c.n, err, c.refuse)
		}
	}
}
