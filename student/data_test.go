package student

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/student/tape"
)

// TestSplitPartsTheData finds every sample on exactly one side, always the same for a seed.
func TestSplitPartsTheData(t *testing.T) {
	d := &Data{Shape: [3]int{1, 1, 1}, Classes: 200}
	for i := range 200 {
		d.Bytes, d.Labels = append(d.Bytes, uint8(i)), append(d.Labels, i)
		for k := range 200 {
			d.Logits = append(d.Logits, float32(i*200+k))
		}
	}
	a, b := Split(d, 0.25, 7)
	if a.Len() != 150 || b.Len() != 50 || a.Validate() != nil || b.Validate() != nil {
		t.Fatal(a.Len(), b.Len(), a.Validate(), b.Validate())
	}
	seen := map[int]bool{}
	for _, part := range []*Data{a, b} {
		for i, l := range part.Labels {
			if int(part.Bytes[i]) != l || part.Logits[i*200] != float32(l*200) || seen[l] {
				t.Fatalf("sample %d of label %d", i, l)
			}
			seen[l] = true
		}
	}
	again, _ := Split(d, 0.25, 7)
	other, _ := Split(d, 0.25, 8)
	if !slices.Equal(a.Labels, again.Labels) || slices.Equal(a.Labels, other.Labels) {
		t.Error("the seed does not decide")
	}
	if _, none := Split(d, 0, 7); none != nil {
		t.Error("a share of 0 gives validation data")
	}
}

func TestDataRefusesWhatDoesNotFit(t *testing.T) {
	good := func() *Data {
		return &Data{Shape: [3]int{1, 1, 2}, Classes: 2, Inputs: make([]float32, 4), Labels: []int{0, 1}, Logits: make([]float32, 4)}
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for word, change := range map[string]func(*Data){
		"numbers for":       func(d *Data) { d.Inputs = d.Inputs[1:] },
		"3 logits":          func(d *Data) { d.Logits = d.Logits[1:] },
		"label 2":           func(d *Data) { d.Labels[1] = 2 },
		"label -1":          func(d *Data) { d.Labels[0], d.Logits = -1, nil },
		"sample 1 is NaN":   func(d *Data) { d.Logits[2] = float32(math.NaN()) },
		"samples of shape":  func(d *Data) { d.Shape[0] = 0 },
		"label -2 of 2 cla": func(d *Data) { d.Labels[0] = -2 },
	} {
		d := good()
		change(d)
		if err := d.Validate(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want %q in it", err, word)
		}
	}
	d := good()
	d.Labels[0] = -1
	if err := d.Validate(); err != nil {
		t.Errorf("a sample that the teacher labels: %v", err)
	}
	bytes := &Data{Shape: d.Shape, Classes: 2, Bytes: []uint8{255, 0}, Labels: []int{1}}
	if err := d.Append(bytes); err != nil || d.Len() != 3 || d.Inputs[4] != 1 || d.Logits != nil {
		t.Errorf("bytes appended to floats: %v %+v", err, d)
	}
	if err := d.Append(&Data{Shape: [3]int{2, 1, 2}}); err == nil {
		t.Error("other shapes were appended")
	}
}

// TestAugmentMovesAndMirrors draws until every shift and both mirrors have been seen, and each result must be one of them.
func TestAugmentMovesAndMirrors(t *testing.T) {
	shape := [3]int{2, 4, 5}
	image := make([]float32, 40)
	for i := range image {
		image[i] = float32(i + 1)
	}
	expect := func(dy, dx int, flip bool) []float32 {
		out := make([]float32, 40)
		for c := range 2 {
			for y := range 4 {
				for x := range 5 {
					ty, tx := y+dy, x+dx // where the pixel goes to
					if flip {
						tx = 4 - x + dx
					}
					if ty >= 0 && ty < 4 && tx >= 0 && tx < 5 {
						out[(ty*5+tx)*2+c] = image[(y*5+x)*2+c]
					}
				}
			}
		}
		return out
	}
	left := map[string][]float32{}
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			for _, flip := range []bool{false, true} {
				left[string(rune('a'+dy+1))+string(rune('a'+dx+1))+map[bool]string{true: "m"}[flip]] = expect(dy, dx, flip)
			}
		}
	}
	for i := 0; len(left) > 0 && i < 2000; i++ {
		x := slices.Clone(image)
		augment(x, shape, Augment{Shift: 1, Flip: true}, stream(1, purposeAugment, 0, i))
		known := false
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				for _, flip := range []bool{false, true} {
					if slices.Equal(x, expect(dy, dx, flip)) {
						known = true
						delete(left, string(rune('a'+dy+1))+string(rune('a'+dx+1))+map[bool]string{true: "m"}[flip])
					}
				}
			}
		}
		if !known {
			t.Fatalf("draw %d is no shift of the image: %v", i, x)
		}
	}
	if len(left) > 0 {
		t.Errorf("%d of 18 changes never came", len(left))
	}
}

// TestDropoutKeepsTheMean looks at a large mask: the share that is zeroed, the scale of the rest, and that steps and layers have masks of their own.
func TestDropoutKeepsTheMean(t *testing.T) {
	b := tape.NewBuilder[float32](tape.NewPool(2))
	noise := &tape.Noise{Seed: 4}
	x := b.Input("x", 100, 1000)
	for i := range tape.Elements[float32](x) {
		tape.Elements[float32](x)[i] = 1
	}
	y, z := b.Dropout(x, 0.3, 1, noise), b.Dropout(x, 0.3, 2, noise)
	m, err := tape.NewMachine(b, y, z)
	if err != nil {
		t.Fatal(err)
	}
	mask := func(n *tape.Node) []float32 {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return slices.Clone(tape.Elements[float32](n))
	}
	first := mask(y)
	zeros := 0
	for _, v := range first {
		if v == 0 {
			zeros++
		} else if v != float32(1/0.7) {
			t.Fatal(v)
		}
	}
	if share := float64(zeros) / 1e5; math.Abs(share-0.3) > 0.006 { // four standard deviations
		t.Errorf("a share of %v was zeroed", share)
	}
	same := func(a, b []float32) float64 {
		n := 0
		for i := range a {
			if a[i] == b[i] {
				n++
			}
		}
		return float64(n) / float64(len(a))
	}
	if s := same(first, mask(z)); math.Abs(s-0.58) > 0.01 { // 0.3² + 0.7²
		t.Errorf("two layers agree on a share of %v", s)
	}
	noise.Step++
	if s := same(first, mask(y)); math.Abs(s-0.58) > 0.01 {
		t.Errorf("two steps agree on a share of %v", s)
	}
	noise.Step--
	if !slices.Equal(first, mask(y)) {
		t.Error("the same step has another mask")
	}
}

// TestInterruptIsQuick ends the context in the midst of a large step.
func TestInterruptIsQuick(t *testing.T) {
	a, err := Preset("thesis-a-cifar-64-128", [3]int{})
	if err != nil {
		t.Fatal(err)
	}
	d := blobs(a.Input, 10, 128, 1)
	var told func()
	tr, err := Open(a, d, nil, Config{Batch: 128, Epochs: 1000}, Options{Progress: func(Progress) { told() }})
	if err != nil {
		t.Fatal(err)
	}
	var took, whole time.Duration
	for range 20 { // other jobs may take the processor
		ctx, stop := context.WithCancel(context.Background())
		stopped := make(chan time.Time, 1)
		steps, last := 0, time.Now()
		told = func() {
			if steps++; steps == 2 { // the third one is cut off in its first quarter, on a machine of any speed
				whole = time.Since(last)
				time.AfterFunc(whole/4, func() {
					stopped <- time.Now()
					stop()
				})
			}
			last = time.Now()
		}
		if _, err = tr.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if took = time.Since(<-stopped); took < max(100*time.Millisecond, whole/4) {
			return
		}
	}
	t.Errorf("%v passed until the run stopped in a step of %v", took, whole)
}
