package dataset

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shared finds a folder of the public data beside the repository.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			p := filepath.Join(dir, "..", "shared", "data", name)
			if _, err := os.Stat(p); errors.Is(err, os.ErrNotExist) {
				t.Skipf("%s is not at hand", p)
			}
			return p
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

func sample(t *testing.T, s *Set, i int, last bool) []float32 {
	t.Helper()
	x := make([]float32, s.Size())
	if err := s.Pixels(x, i, last); err != nil {
		t.Fatal(err)
	}
	for _, v := range x {
		if !s.Raw && !(v >= 0 && v <= 1) {
			t.Fatalf("pixel %v", v)
		}
	}
	return x
}

// TestMNISTIsMNIST checks what is known of the test split: its size, its first labels, and its mean pixel (0.1325).
func TestMNISTIsMNIST(t *testing.T) {
	s, err := Open("mnist:"+shared(t, "mnist"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 10000 || s.Height != 28 || s.Width != 28 || !slices.Equal(s.Labels[:10], []int{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}) {
		t.Fatalf("%d samples of %dx%d, labels %v", s.Len(), s.Height, s.Width, s.Labels[:10])
	}
	sum := 0.0
	for i := range s.Len() {
		for _, v := range sample(t, s, i, false) {
			sum += float64(v)
		}
	}
	if mean := sum / 7840000; math.Abs(mean-0.1325) > 0.0001 {
		t.Errorf("mean pixel %v", mean)
	}
	if _, err := Open("mnist:"+shared(t, "mnist"), Options{Split: "train"}); err == nil || !strings.Contains(err.Error(), "train") {
		t.Errorf("a train split that is not there: %v", err)
	}
}

// TestCIFARFormsAgree compares the binary form with JPEG copies of the same images: labels equal, pixels near.
func TestCIFARFormsAgree(t *testing.T) {
	dir := shared(t, "cifar10")
	bin, err := Open("cifar10:"+dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	jpeg, err := Open("images:"+filepath.Join(dir, "cifar10_jpeg_test.zip"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if bin.Len() != 1017 || jpeg.Len() != 10000 || !slices.Equal(bin.Classes, jpeg.Classes) {
		t.Fatalf("%d and %d samples, classes %v and %v", bin.Len(), jpeg.Len(), bin.Classes, jpeg.Classes)
	}
	if !slices.Equal(bin.Labels[:8], []int{3, 8, 8, 0, 6, 6, 1, 6}) {
		t.Errorf("labels %v", bin.Labels[:8])
	}
	// Every binary image has a JPEG of its class that is nearer than JPEG's usual loss.
	byClass := map[int][][]float32{}
	for i := range jpeg.Len() {
		byClass[jpeg.Labels[i]] = append(byClass[jpeg.Labels[i]], sample(t, jpeg, i, true))
	}
	for i := range 20 {
		x := sample(t, bin, i, true)
		best := math.Inf(1)
		for _, y := range byClass[bin.Labels[i]] {
			d := 0.0
			for k, v := range x {
				d += math.Abs(float64(v - y[k]))
			}
			best = min(best, d/float64(len(x)))
		}
		if best > 0.05 {
			t.Errorf("image %d of class %s: the nearest JPEG is off by %v per pixel", i, bin.Classes[bin.Labels[i]], best)
		}
	}
	train, err := Open("cifar10:"+dir, Options{Split: "train", Range: "1010:1030"})
	if err != nil || train.Len() != 20 || train.Index[0] != 1010 {
		t.Fatalf("train: %v", err)
	}
	if all, _ := Open("cifar10:"+dir, Options{Split: "train"}); all.Len() != 5*1017 || all.Labels[1010] != train.Labels[0] {
		t.Error("the train split")
	}
}

// TestScipyMAT reads a file that scipy wrote (testdata/make.py).
func TestScipyMAT(t *testing.T) {
	s, err := Open("svhn:testdata/svhn.mat", Options{Range: "1:"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 2 || !slices.Equal(s.Labels, []int{4, 1}) || s.Height != 32 || s.Width != 32 || len(s.SHA256) != 64 {
		t.Fatalf("%+v", s)
	}
	if all, err := Open("svhn:testdata/svhn.mat", Options{}); err != nil || all.Labels[0] != 0 {
		t.Errorf("label 10 is 0: %v", err)
	}
	for i := range 2 {
		first, last := sample(t, s, i, false), sample(t, s, i, true)
		for r := range 32 {
			for c := range 32 {
				for ch := range 3 {
					want := float32((7*r+13*c+50*ch+101*(i+1))%256) / 255
					if first[(ch*32+r)*32+c] != want || last[(r*32+c)*3+ch] != want {
						t.Fatalf("sample %d row %d column %d channel %d: %v and %v, want %v", i, r, c, ch, first[(ch*32+r)*32+c], last[(r*32+c)*3+ch], want)
					}
				}
			}
		}
	}
}

// TestNumpyNPZ reads a file that numpy wrote (testdata/make.py), and what WriteNPZ made of it.
func TestNumpyNPZ(t *testing.T) {
	m, err := ReadNPZ("testdata/arrays.npz")
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.npz")
	if err := WriteNPZ(copied, m); err != nil {
		t.Fatal(err)
	}
	again, err := ReadNPZ(copied)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []map[string]*Array{m, again} {
		for _, k := range []string{"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", "?"} {
			want := []float32{0, 1, 100}
			if k == "?" {
				want[2] = 1
			}
			if a := m[k]; a == nil || !slices.Equal(a.Float32s(), want) || !slices.Equal(a.Shape, []int{1, 3}) || (a.Ints == nil) != (k[0] == 'f') {
				t.Errorf("%s: %+v", k, a)
			}
		}
		if a := m["scalar"]; len(a.Shape) != 0 || a.Floats[0] != 2.5 {
			t.Errorf("scalar: %+v", a)
		}
	}
	for _, p := range []string{"testdata/arrays.npz", copied} {
		s, err := Open("npz:"+p, Options{Range: "1:2"})
		if err != nil {
			t.Fatal(err)
		}
		if x := sample(t, s, 0, false); !slices.Equal(x, []float32{0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875}) || s.Labels[0] != 0 || s.Index[0] != 1 {
			t.Errorf("%s: %v %v", p, x, s.Labels)
		}
	}
	if err := WriteNPZ(copied, map[string]*Array{"a": {Shape: []int{2}, Ints: []int64{1}}}); err == nil {
		t.Error("an array that does not fill its shape was written")
	}
}

// TestHostileSizes: dimensions whose product overflows are refused before anything is allocated.
func TestHostileSizes(t *testing.T) {
	for _, dims := range [][]int{{1 << 31, 2, 1 << 31, 2}, {0, 1 << 31, 1 << 31}, {1 << 31, 1 << 31}, {0}} {
		if _, _, err := parseIDX(idxBytes(dims, nil)); err == nil {
			t.Errorf("idx %v was read", dims)
		}
	}
	for _, shape := range []string{"4294967296, 4294967296", "2147483648, 8589934592", "4294967296, 4294967296, 0", "0, 4294967296, 2147483648"} {
		if a, err := ParseNPY(npy("|u1", shape, nil)); err == nil {
			t.Errorf("npy (%s) was read: %v", shape, a.Shape)
		}
	}
	big := matFile(matrix("X", []int{1<<31 - 1, 1<<31 - 1, 3, 0}, nil), matrix("y", []int{0, 1}, nil))
	if s, err := Open("svhn:"+write(t, t.TempDir(), "x.mat", big), Options{}); err == nil {
		t.Errorf("mat was read: %d", s.Size())
	}
}

// TestRanges lists what ranges select of ten samples.
func TestRanges(t *testing.T) {
	for r, want := range map[string][2]int{"": {0, 10}, "2:5": {2, 5}, ":3": {0, 3}, "7:": {7, 10}, ":": {0, 10}, "8:99": {8, 10}} {
		if a, b, err := parseRange(r, 10); err != nil || a != want[0] || b != want[1] {
			t.Errorf("%q: %d:%d %v", r, a, b, err)
		}
	}
	for _, r := range []string{"5", "a:b", "-1:3", "3:3", "10:11", "1:2:3", "99999999999999999999:"} {
		if a, b, err := parseRange(r, 10); err == nil {
			t.Errorf("%q gives %d:%d", r, a, b)
		}
	}
}

// TestImagesSHA256DependsOnPixels: the hash is of the images, not of their names.
func TestImagesSHA256DependsOnPixels(t *testing.T) {
	hashes := map[string]bool{}
	for k := range 3 {
		dir := t.TempDir()
		write(t, dir, "a/1.png", picture(2, 2, rgb(uint8(min(k, 1)))))
		s, err := Open("images:"+dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		hashes[s.SHA256] = true
	}
	if len(hashes) != 2 {
		t.Errorf("%d hashes of two contents", len(hashes))
	}
}

func FuzzImageZip(f *testing.F) {
	f.Add(zipped(map[string][]byte{"a/1.png": picture(2, 2, rgb(1)), "b/2.png": picture(2, 2, rgb(2))}))
	f.Fuzz(func(t *testing.T, d []byte) {
		p := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(p, d, 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := Open("images:"+p, Options{})
		if err != nil {
			return
		}
		x := make([]float32, s.Size())
		for i := range s.Len() {
			if err := s.Pixels(x, i, false); err != nil && !strings.Contains(fmt.Sprint(err), p) {
				t.Fatalf("an error that does not name the file: %v", err)
			}
		}
	})
}
