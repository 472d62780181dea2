package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTrainingGoesOnWhereItWasCutOff interrupts a training in the middle, spoils its checkpoint once, and compares the end with one that ran
// through.
func TestTrainingGoesOnWhereItWasCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	spec, err := Parse(fmt.Appendf(nil, tiny, 200, 1))
	if err != nil {
		t.Fatal(err)
	}
	spec.Seeds, spec.Techniques, spec.Prune, spec.Attacks, spec.Certify, spec.Claims = []uint64{0}, spec.Techniques[:1], nil, nil, nil, nil
	options := func(dir string) Options {
		return Options{Dir: dir, Base: filepath.Join("..", "..", "testdata"), Version: "test"}
	}
	whole, cut := t.TempDir(), ""
	want, err := Run(context.Background(), spec, options(whole))
	if err != nil {
		t.Fatal(err)
	}
	checkpoints := func() []string {
		list, err := filepath.Glob(filepath.Join(cut, "cache", "*.checkpoint"))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	var list []string
	for try := 0; len(list) != 1; try++ {
		if try == 20 {
			t.Fatalf("it was to be cut off; checkpoints: %v", list)
		}
		cut = t.TempDir() // where it was done sooner than it was seen to have begun, it begins again
		ctx, cancel := context.WithCancel(context.Background())
		done, seen := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(seen)
			for len(checkpoints()) == 0 {
				select {
				case <-done:
					return
				case <-time.After(2 * time.Millisecond):
				}
			}
			cancel()
		}()
		_, err := Run(ctx, spec, options(cut))
		close(done)
		<-seen
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		list = checkpoints()
	}
	for _, spoil := range []bool{false, true} {
		if spoil {
			for _, pattern := range []string{"train-*.json", "train-*.onnx"} {
				made, err := filepath.Glob(filepath.Join(cut, "cache", pattern))
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range made {
					if err := os.Remove(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := os.WriteFile(list[0], []byte("spoilt"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Run(context.Background(), spec, options(cut))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Models) != 2 || got.Models[1].SHA256 != want.Models[1].SHA256 {
			t.Errorf("spoilt %t: other weights: %+v", spoil, got.Failures)
		}
		if len(checkpoints()) != 0 {
			t.Error("the checkpoint is left")
		}
	}
}
