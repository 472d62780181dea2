package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestFormsOfNumpy: arrays of every type, byte order and order of storage are the numbers that NumPy wrote; text, records and dates beside
// them stop nobody.
func TestFormsOfNumpy(t *testing.T) {
	all, err := ReadNPZ(filepath.Join("testdata", "forms.npz"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, a := range all {
		ref := all[name+"_ref"]
		if ref == nil {
			if !strings.HasSuffix(name, "_ref") {
				t.Errorf("%s was read as %+v", name, a)
			}
			continue
		}
		seen++
		if !slices.Equal(a.Shape, ref.Shape) || !slices.Equal(a.Ints, ref.Ints) || !slices.Equal(a.Floats, ref.Floats) {
			t.Errorf("%s: %+v, not %+v", name, a, ref)
		}
	}
	if seen != 45 {
		t.Errorf("%d arrays", seen)
	}
}

// written encodes an array in a form of its own making: any type, byte order and order of storage.
func written(kind string, order binary.ByteOrder, fortran bool, shape []int, at func(index []int) float64) []byte {
	n := 1
	for _, d := range shape {
		n *= d
	}
	width := int(kind[1] - '0')
	data := make([]byte, 0, n*width)
	index := make([]int, len(shape))
	for range n {
		v := at(index)
		var bits uint64
		switch kind {
		case "f2":
			bits = uint64(onnxio.HalfBits(float32(v)))
		case "f4":
			bits = uint64(math.Float32bits(float32(v)))
		case "f8":
			bits = math.Float64bits(v)
		default:
			bits = uint64(int64(v))
		}
		for b := range width {
			shift := 8 * b
			if order == binary.BigEndian {
				shift = 8 * (width - 1 - b)
			}
			data = append(data, byte(bits>>shift))
		}
		for step := range shape {
			k := len(shape) - 1 - step
			if fortran {
				k = step
			}
			if index[k]++; index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
	}
	end, f := "<", "False"
	if order == binary.BigEndian {
		end = ">"
	}
	if fortran {
		f = "True"
	}
	dims := strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]")
	head := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': %s, 'shape': (%s,), }", end, kind, f, dims)
	out := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(out[8:], uint16(len(head)))
	return append(append(out, head...), data...)
}

// TestSetsOfAllForms: samples and labels are the same whatever form NumPy, pandas and Keras give the arrays; what is no class is an error.
func TestSetsOfAllForms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	for seed := range 300 {
		rng := rand.New(rand.NewPCG(uint64(seed), 5))
		pick := func(of ...string) string { return of[rng.IntN(len(of))] }
		order := func() binary.ByteOrder {
			if rng.IntN(2) == 0 {
				return binary.BigEndian
			}
			return binary.LittleEndian
		}
		n, classes := 1+rng.IntN(5), 2+rng.IntN(4)
		shape := []int{n}
		for range 1 + rng.IntN(3) {
			shape = append(shape, 1+rng.IntN(4))
		}
		value := func(index []int) float64 {
			v := 0
			for k, i := range index {
				v = v*shape[k] + i
			}
			return float64(v % 100)
		}
		want := make([]int, n)
		for i := range want {
			want[i] = rng.IntN(classes)
		}
		kind := pick("f2", "f4", "f8", "i1", "u1", "i2", "i4", "i8", "u8")
		form := pick("flat", "column", "one-hot")
		lshape, label := []int{n}, func(index []int) float64 { return float64(want[index[0]]) }
		switch form {
		case "column":
			lshape = []int{n, 1}
		case "one-hot":
			lshape = []int{n, classes}
			label = func(index []int) float64 {
				if want[index[0]] == index[1] {
					return 1
				}
				return 0
			}
		}
		files := map[string][]byte{
			"inputs.npy": written(kind, order(), rng.IntN(2) == 0, shape, value),
			"labels.npy": written(pick("f2", "f4", "f8", "i1", "u1", "i4", "i8"), order(), rng.IntN(2) == 0, lshape, label),
			"names.npy":  npy("<U3", "3,", make([]byte, 36)), "junk.npy": []byte("not an array"),
		}
		if err := os.WriteFile(path, zipped(files), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open("npz:"+path, Options{})
		if err != nil {
			t.Fatalf("seed %d: %s, labels %s: %v", seed, kind, form, err)
		}
		if !slices.Equal(s.Labels, want) {
			t.Fatalf("seed %d: labels %s are %v, not %v", seed, form, s.Labels, want)
		}
		x := make([]float32, s.Size())
		for i := range n {
			if err := s.Pixels(x, i, false); err != nil {
				t.Fatal(err)
			}
			ints, reals := s.Numbers(i)
			if (ints == nil) == (reals == nil) {
				t.Fatalf("seed %d: %v and %v", seed, ints, reals)
			}
			for k, v := range x {
				if want := float32((i*s.Size() + k) % 100); v != want || ints != nil && float32(ints[k]) != want || reals != nil && float32(reals[k]) != want {
					t.Fatalf("seed %d: %s of shape %v: number %d of sample %d is %v, not %v", seed, kind, shape, k, i, v, want)
				}
			}
		}
	}
}

func TestLabelsThatAreNoClasses(t *testing.T) {
	for _, c := range []struct {
		a    Array
		n    int
		want string
	}{
		{Array{Shape: []int{2}, Floats: []float64{0, 0.5}}, 2, "label 0.5 of sample 1 is no whole number"},
		{Array{Shape: []int{1}, Floats: []float64{math.NaN()}}, 1, "label NaN of sample 0"},
		{Array{Shape: []int{1}, Floats: []float64{1e300}}, 1, "sample 0"},
		{Array{Shape: []int{1}, Ints: []int64{1 << 40}}, 1, "is no class"},
		{Array{Shape: []int{3}, Ints: []int64{0, 1, 2}}, 2, "labels of shape [3] for 2 samples"},
		{Array{Ints: []int64{0}}, 1, "labels of shape []"},
		{Array{Shape: []int{1, 2}, Ints: []int64{1, 1}}, 1, "not one-hot: the row of sample 0"},
		{Array{Shape: []int{2, 2}, Floats: []float64{0, 1, 0.3, 0.7}}, 2, "not one-hot: the row of sample 1"},
		{Array{Shape: []int{1, 2}, Ints: []int64{0, 0}}, 1, "not one-hot"},
		{Array{Shape: []int{1, 2}, Ints: []int64{1, -1}}, 1, "not one-hot"},
		{Array{Shape: []int{1, 0}, Ints: []int64{}}, 1, "labels of shape [1 0]"},
		{Array{Shape: []int{1, 1, 1}, Ints: []int64{0}}, 1, "labels of shape [1 1 1]"},
	} {
		if got, err := c.a.labels(c.n); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, %v; want %q", c.a, got, err, c.want)
		}
	}
}

// TestEmptySetsAreErrorsInWords, and so are files that lack what is needed.
func TestEmptySetsAreErrorsInWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	for want, files := range map[string]map[string][]byte{
		"there are no samples":                               {"inputs.npy": npy("<f4", "0, 4", nil), "labels.npy": npy("<i8", "0,", nil)},
		"samples hold no numbers":                            {"inputs.npy": npy("<f4", "1, 0", nil), "labels.npy": npy("<i8", "1,", make([]byte, 8))},
		"want arrays named inputs and labels; it holds x, y": {"x.npy": npy("<f4", "1,", make([]byte, 4)), "y.npy": npy("<f4", "1,", make([]byte, 4))},
		"it holds nothing":                                   {},
		"array labels.npy: a .npy array of type '<U3', which are no numbers": {"inputs.npy": npy("<f4", "1, 1", make([]byte, 4)),
			"labels.npy": npy("<U3", "1,", make([]byte, 12))},
	} {
		if err := os.WriteFile(path, zipped(files), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open("npz:"+path, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}
