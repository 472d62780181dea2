package dataset

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/output"
)

// ReadNPZ reads all arrays of a .npz file.
func ReadNPZ(path string) (map[string]*Array, error) {
	d, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parseNPZ(d)
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

func parseNPZ(d []byte) (map[string]*Array, error) {
	z, err := zip.NewReader(bytes.NewReader(d), int64(len(d)))
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	out := map[string]*Array{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", f.Name, err)
		}
		b, err := limited(r)
		r.Close()
		if err == nil {
			out[strings.TrimSuffix(f.Name, ".npy")], err = ParseNPY(b)
		}
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", f.Name, err)
		}
	}
	return out, nil
}

// openNPZ reads arrays inputs [N,...], as the model takes them, and labels [N].
func openNPZ(path, _ string) (*Set, error) {
	d, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := parseNPZ(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x, y := m["inputs"], m["labels"]
	if x == nil || y == nil || len(x.Shape) < 2 || len(y.Shape) != 1 || y.Ints == nil || x.Shape[0] != y.Shape[0] {
		return nil, fmt.Errorf("%s: want arrays inputs [N,...] and integer labels [N]", path)
	}
	s := &Set{Raw: true, RawShape: x.Shape[1:], SHA256: hash(d)}
	for _, l := range y.Ints {
		s.Labels = append(s.Labels, int(l))
	}
	data, n := x.Float32s(), s.Size()
	s.Valid = ofNumbers(x.Shape, data)
	s.pixels = func(dst []float32, at int) error {
		copy(dst, data[at*n:(at+1)*n])
		return nil
	}
	return s, nil
}
