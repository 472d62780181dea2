package dataset

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"strings"
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
	s.pixels = func(dst []float32, at int) error {
		copy(dst, data[at*n:(at+1)*n])
		return nil
	}
	return s, nil
}
