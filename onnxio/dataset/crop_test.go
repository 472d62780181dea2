package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cifar100Record is one record: a class among 20, one among 100, and planes whose bytes tell their place.
func cifar100Record(fine, salt byte) []byte {
	out := []byte{fine / 5, fine}
	for i := range 3 * 1024 {
		out = append(out, byte(i)+byte(i/1024)*7+salt)
	}
	return out
}

// TestCIFAR100IsReadInParts reads train, test and both, and a range of both.
func TestCIFAR100IsReadInParts(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, records ...[]byte) {
		var all []byte
		for _, r := range records {
			all = append(all, r...)
		}
		if err := os.WriteFile(filepath.Join(dir, name), all, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("train.bin", cifar100Record(99, 0), cifar100Record(5, 1))
	write("test.bin", cifar100Record(42, 2))
	write("bad.bin", cifar100Record(100, 0))
	for _, c := range []struct {
		path   string
		o      Options
		labels []int
		fault  string
	}{
		{dir, Options{Split: "train"}, []int{99, 5}, ""},
		{dir, Options{}, []int{42}, ""},
		{dir, Options{Split: "all"}, []int{99, 5, 42}, ""},
		{dir, Options{Split: "all", Range: "1:3"}, []int{5, 42}, ""},
		{filepath.Join(dir, "test.bin"), Options{}, []int{42}, ""},
		{filepath.Join(dir, "bad.bin"), Options{}, nil, "label 100 in record 0"},
		{dir, Options{Split: "extra"}, nil, "split \"extra\": want test, train or all"},
	} {
		s, err := Open("cifar100:"+c.path, c.o)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%+v: %v", c.o, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if len(s.Labels) != len(c.labels) || s.Labels[0] != c.labels[0] || s.Labels[len(s.Labels)-1] != c.labels[len(c.labels)-1] {
			t.Errorf("%+v: %v, want %v", c.o, s.Labels, c.labels)
		}
		x := make([]float32, s.Size())
		if err := s.Pixels(x, s.Len()-1, false); err != nil {
			t.Fatal(err)
		}
		salt := map[int]byte{99: 0, 5: 1, 42: 2}[s.Labels[s.Len()-1]]
		for i, v := range x {
			if want := byte255[cifar100Record(0, salt)[2+i]]; v != want {
				t.Fatalf("%+v: pixel %d is %v, want %v", c.o, i, v, want)
			}
		}
	}
}

// TestCropIsAWindow compares every pixel of a window with the whole image's, in both orders.
func TestCropIsAWindow(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "test.bin")
	if err := os.WriteFile(file, cifar100Record(3, 9), 0o644); err != nil {
		t.Fatal(err)
	}
	whole, err := Open("cifar100:"+file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCrop("17x30+7+1")
	if err != nil {
		t.Fatal(err)
	}
	part, err := Open("cifar100:"+file, Options{Crop: c})
	if err != nil || part.Width != 17 || part.Height != 30 || part.SHA256 == whole.SHA256 {
		t.Fatalf("%+v, %v", part, err)
	}
	for _, last := range []bool{false, true} {
		x, y := make([]float32, whole.Size()), make([]float32, part.Size())
		if err := whole.Pixels(x, 0, last); err != nil {
			t.Fatal(err)
		}
		if err := part.Pixels(y, 0, last); err != nil {
			t.Fatal(err)
		}
		at := func(v []float32, w, h, ch, row, col int) float32 {
			if last {
				return v[(row*w+col)*3+ch]
			}
			return v[(ch*h+row)*w+col]
		}
		for ch := range 3 {
			for row := range 30 {
				for col := range 17 {
					if a, b := at(x, 32, 32, ch, row+1, col+7), at(y, 17, 30, ch, row, col); a != b {
						t.Fatalf("channel %d, row %d, column %d: %v, want %v", ch, row, col, b, a)
					}
				}
			}
		}
	}
	for _, bad := range []string{"", "17x32", "17x32+7", "17x32+-1+0", "0x3+1+1", "17x32+a+0"} {
		if c, err := ParseCrop(bad); err == nil {
			t.Errorf("%q is %v", bad, c)
		}
	}
	for _, c := range []Crop{{17, 32, 16, 0}, {33, 1, 0, 0}, {1, 1, 0, 32}} {
		if _, err := Open("cifar100:"+file, Options{Crop: c}); err == nil {
			t.Errorf("%v is taken", c)
		}
	}
}

// TestSVHNFolders finds the parts by their names, extra too.
func TestSVHNFolders(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.mat"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "extra_32x32.mat"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open("svhn:"+dir, Options{Split: "extra"})
	if err != nil || s.Len() == 0 {
		t.Errorf("%v", err)
	}
	if _, err := Open("svhn:"+dir, Options{Split: "train"}); err == nil || !strings.Contains(err.Error(), "train_32x32.mat") {
		t.Error(err)
	}
}
