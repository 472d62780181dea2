// Command outside is a module of its own that does what every command of shoal does, with public packages alone.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// bench is what all have: files, and a few images as the model takes them.
type bench struct {
	ctx    context.Context
	data   string // testdata of the checkout
	out    string // a folder to write to
	path   string
	model  *onnxio.Model
	images *dataset.Set
	x      [][]float32
}

// commands are called as shoal's are.
var commands = map[string]func(*bench) error{
	"certify": certify, "recheck": prove, "radius": radius, "attack": search, "gradient": gradient, "bounds": bounds, "vnnlib": queries, // proofs.go
	"run": run, "inspect": inspect, "compare": compare, "runtime": runtimes, // runs.go
	"simplify": simplify, "prune": shrink, "convert": convert, // files.go
	"distill": distill, "sweep": sweep, // students.go
}

func main() {
	if err := all(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func all(data, out string) (err error) {
	b := &bench{ctx: context.Background(), data: data, out: out, path: filepath.Join(data, "fmnist-conv-dyn-robust.onnx")}
	if b.model, err = onnxio.LoadContext(b.ctx, b.path); err != nil {
		return err
	}
	if b.images, err = dataset.OpenContext(b.ctx, "fmnist:"+filepath.Join(data, "fmnist"), dataset.Options{Range: "0:8"}); err != nil {
		return err
	}
	for i := range b.images.Len() {
		x := make([]float32, b.images.Size())
		if err := b.images.Pixels(x, i, false); err != nil {
			return err
		}
		b.x = append(b.x, x)
	}
	var names []string
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := commands[name](b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(name)
	}
	return nil
}

// expect is an error where something does not hold.
func expect(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}
