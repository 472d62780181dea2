package dataset

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
)

// ReadNPZ reads all arrays of numbers of a .npz file; text and other things are left out.
func ReadNPZ(path string) (map[string]*Array, error) {
	ctx := context.Background()
	d, err := input.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	m, err := parseNPZ(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// WriteNPZ writes arrays, by name, as numpy.savez_compressed does. The same arrays give the same bytes.
func WriteNPZ(path string, arrays map[string]*Array) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		a := arrays[name]
		size := 1
		for _, d := range a.Shape {
			size *= d
		}
		if n := len(a.Floats) + len(a.Ints); n != size || a.Floats != nil && a.Ints != nil {
			return fmt.Errorf("%s: array %s has %d numbers for shape %v", path, name, n, a.Shape)
		}
		w, err := z.Create(name + ".npy")
		if err == nil {
			_, err = w.Write(a.AppendNPY(nil))
		}
		if err != nil {
			return fmt.Errorf("%s: array %s: %w", path, name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return output.Write(path, b.Bytes())
}

func parseNPZ(ctx context.Context, d []byte) (map[string]*Array, error) {
	return arraysOf(ctx, d, func(string) bool { return true })
}

// arraysOf reads the arrays whose names are wanted. One of them that holds no numbers is left out, unless it is asked for by name as inputs and
// labels are.
func arraysOf(ctx context.Context, d []byte, want func(name string) bool) (map[string]*Array, error) {
	z, err := zip.NewReader(bytes.NewReader(d), int64(len(d)))
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	out := map[string]*Array{}
	held := int64(0) // bytes of the arrays so far; an element of a byte becomes one of eight
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		if !want(name) {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", f.Name, err)
		}
		b, err := limited(ctx, r)
		r.Close()
		held += 8 * int64(len(b))
		if err == nil {
			err = budget.Of(ctx).Ask("array "+f.Name, held)
		}
		if err == nil {
			out[name], err = ParseNPY(b)
		}
		var none *noNumbers
		if errors.As(err, &none) && name != "inputs" && name != "labels" {
			delete(out, name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", f.Name, err)
		}
	}
	return out, nil
}

// openNPZ reads arrays inputs [N,...], as the model takes them, and labels: [N] or [N,1] whole numbers, of an integer or a real type, or one-hot
// [N,K]. Other arrays of the file are not looked at.
//
// Options.Choose may take another array of samples, and another axis of it.
func openNPZ(ctx context.Context, path string, o Options) (*Set, error) {
	d, err := input.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	m, err := arraysOf(ctx, d, func(name string) bool { return name == "inputs" || name == "labels" || slices.Contains(o.Names, name) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x, y := m["inputs"], m["labels"]
	delete(m, "labels")
	if o.Choose != nil && len(m) > 0 {
		if x, err = chosen(path, m, y, o); err != nil {
			return nil, err
		}
	}
	if x == nil || y == nil && !o.Targets {
		return nil, fmt.Errorf("%s: want arrays named inputs and labels; it holds %s", path, strings.Join(arrayNames(d), ", "))
	}
	switch {
	case len(x.Shape) < 2:
		return nil, fmt.Errorf("%s: inputs of shape %v; want [N,...]", path, x.Shape)
	case x.Shape[0] == 0:
		return nil, fmt.Errorf("%s: there are no samples: inputs are of shape %v", path, x.Shape)
	case len(x.Floats)+len(x.Ints) == 0:
		return nil, fmt.Errorf("%s: samples hold no numbers: inputs are of shape %v", path, x.Shape)
	}
	s := &Set{Raw: true, RawShape: x.Shape[1:], SHA256: hash(d), numbers: x, Arrays: m}
	if o.Targets {
		err = s.aim(y, x.Shape[0])
	} else {
		s.Labels, err = y.labels(x.Shape[0])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	data, n := x.Float32s(), s.Size()
	s.Valid = ofNumbers(x.Shape, data)
	s.pixels = func(dst []float32, at int) error {
		copy(dst, data[at*n:(at+1)*n])
		return nil
	}
	return s, nil
}

// chosen is the array of samples that Options.Choose takes, with the samples first. It is no longer among the others.
func chosen(path string, m map[string]*Array, labels *Array, o Options) (*Array, error) {
	shapes := map[string][]int{}
	for name, a := range m {
		shapes[name] = slices.Clone(a.Shape)
	}
	n := 0
	if labels != nil && len(labels.Shape) > 0 {
		n = labels.Shape[0]
	}
	name, axis, err := o.Choose(shapes, n)
	if err != nil {
		return nil, err
	}
	x := m[name]
	if x == nil || axis < 0 || axis >= len(x.Shape) {
		return nil, fmt.Errorf("%s: no array %s with an axis %d is there", path, name, axis)
	}
	delete(m, name)
	return x.First(axis), nil
}

// First is the array with one of its axes put in front of the others; the array itself where that is the first.
func (a *Array) First(axis int) *Array {
	if axis <= 0 || axis >= len(a.Shape) {
		return a
	}
	shape := append([]int{a.Shape[axis]}, slices.Delete(slices.Clone(a.Shape), axis, axis+1)...)
	return &Array{Shape: shape, Floats: inFront(a.Floats, a.Shape, axis), Ints: inFront(a.Ints, a.Shape, axis)}
}

func inFront[T any](data []T, shape []int, axis int) []T {
	if data == nil {
		return nil
	}
	inner := 1
	for _, d := range shape[axis+1:] {
		inner *= d
	}
	n := shape[axis]
	out := make([]T, 0, len(data))
	for i := range n {
		for at := i * inner; at < len(data); at += n * inner {
			out = append(out, data[at:at+inner]...)
		}
	}
	return out
}

// arrayNames lists what a .npz file holds.
func arrayNames(d []byte) []string {
	z, err := zip.NewReader(bytes.NewReader(d), int64(len(d)))
	if err != nil || len(z.File) == 0 {
		return []string{"nothing"}
	}
	var out []string
	for _, f := range z.File {
		out = append(out, strings.TrimSuffix(f.Name, ".npy"))
	}
	slices.Sort(out) // whatever order a writer gave them
	return out
}
