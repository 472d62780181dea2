package dataset

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func idxBytes(dims []int, data []byte) []byte {
	out := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, data...)
}

func write(t *testing.T, dir, name string, d []byte) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, d, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestIDX(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t10k-images-idx3-ubyte", idxBytes([]int{3, 2, 2}, []byte{0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8}))
	write(t, dir, "t10k-labels-idx1-ubyte", idxBytes([]int{3}, []byte{7, 8, 9}))
	s, err := Open("mnist:"+dir, Options{Range: "1:"})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 4)
	if err := s.Pixels(x, 0, false); err != nil {
		t.Fatal(err)
	}
	if s.Len() != 2 || s.Labels[0] != 8 || s.Index[0] != 1 || x[0] != float32(1)/255 || x[3] != float32(4)/255 {
		t.Errorf("%+v %v", s, x)
	}
	write(t, dir, "t10k-images-idx3-ubyte", idxBytes([]int{1 << 30, 1 << 30, 1 << 30}, nil))
	if _, err := Open("mnist:"+dir, Options{}); err == nil || !strings.Contains(err.Error(), "t10k-images") {
		t.Errorf("hostile sizes: %v", err)
	}
}

func TestCIFARLayouts(t *testing.T) {
	rec := make([]byte, 2*(1+cifarPixels))
	rec[(1 + cifarPixels)] = 3
	rec[(1+cifarPixels)+1+2] = 10       // red, pixel 2
	rec[(1+cifarPixels)+1+1024+2] = 20  // green
	rec[(1+cifarPixels)+1+2048+2] = 255 // blue
	p := write(t, t.TempDir(), "x.bin", rec)
	s, err := Open("cifar10:"+p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, last := make([]float32, 3072), make([]float32, 3072)
	if s.Pixels(first, 1, false) != nil || s.Pixels(last, 1, true) != nil {
		t.Fatal("pixels")
	}
	for c, v := range []float32{10. / 255, 20. / 255, 1} {
		if first[c*1024+2] != v || last[2*3+c] != v {
			t.Errorf("channel %d: %v %v, want %v", c, first[c*1024+2], last[2*3+c], v)
		}
	}
	if s.Labels[1] != 3 {
		t.Error(s.Labels)
	}
	if _, err := Open("cifar10:"+write(t, t.TempDir(), "y.bin", rec[:100]), Options{}); err == nil {
		t.Error("a truncated file was read")
	}
}

// matFile writes a version 5 file as the format's document says, elements compressed as scipy does.
func matFile(vars ...[]byte) []byte {
	out := make([]byte, 128)
	copy(out, "MATLAB 5.0 MAT-file")
	out[124], out[125], out[126], out[127] = 0, 1, 'I', 'M'
	for _, v := range vars {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(v)
		w.Close()
		out = append(out, element(miCompressed, z.Bytes())...)
	}
	return out
}

func element(kind uint32, body []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, kind)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, body...)
	for kind != miCompressed && len(out)%8 != 0 {
		out = append(out, 0)
	}
	return out
}

func matrix(name string, dims []int, data []byte) []byte {
	body := element(miUint32, []byte{9, 0, 0, 0, 0, 0, 0, 0})
	var d []byte
	for _, n := range dims {
		d = binary.LittleEndian.AppendUint32(d, uint32(n))
	}
	body = append(body, element(miInt32, d)...)
	small := binary.LittleEndian.AppendUint32(nil, uint32(len(name))<<16|miInt8)
	body = append(body, append(small, []byte(name + "\x00\x00\x00\x00")[:4]...)...)
	body = append(body, element(miUint8, data)...)
	return element(miMatrix, body)
}

func TestSVHN(t *testing.T) {
	const h, w, n = 2, 3, 2
	x := make([]byte, h*w*3*n)
	for i := range x {
		x[i] = byte(i)
	}
	p := write(t, t.TempDir(), "test_32x32.mat", matFile(matrix("X", []int{h, w, 3, n}, x), matrix("y", []int{n, 1}, []byte{10, 4})))
	s, err := Open("svhn:"+p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Labels[0] != 0 || s.Labels[1] != 4 {
		t.Errorf("labels %v", s.Labels)
	}
	got := make([]float32, h*w*3)
	if err := s.Pixels(got, 1, true); err != nil {
		t.Fatal(err)
	}
	for r := range h {
		for c := range w {
			for ch := range 3 {
				if want := float32(x[r+h*(c+w*(ch+3*1))]) / 255; got[(r*w+c)*3+ch] != want {
					t.Fatalf("row %d column %d channel %d: %v, want %v", r, c, ch, got[(r*w+c)*3+ch], want)
				}
			}
		}
	}
}

func npy(descr, shape string, data []byte) []byte {
	h := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }\n"
	out := append([]byte("\x93NUMPY\x01\x00"), byte(len(h)), byte(len(h)>>8))
	return append(append(out, h...), data...)
}

func zipped(files map[string][]byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, d := range files {
		w, _ := z.Create(name)
		w.Write(d)
	}
	z.Close()
	return b.Bytes()
}

func TestNPZ(t *testing.T) {
	f := binary.LittleEndian.AppendUint32(nil, 0x3fc00000) // 1.5
	f = binary.LittleEndian.AppendUint32(f, 0xc0000000)    // -2
	p := write(t, t.TempDir(), "x.npz", zipped(map[string][]byte{"inputs.npy": npy("<f4", "2, 1", f), "labels.npy": npy("|u1", "2,", []byte{3, 4})}))
	s, err := Open("npz:"+p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 1)
	if s.Pixels(x, 1, false) != nil || x[0] != -2 || s.Labels[0] != 3 || !s.Raw {
		t.Errorf("%v %v", x, s)
	}
	for _, bad := range [][]byte{npy("<f4", "1000000000, 1000000000", nil), npy("<f4", "-1,", nil), npy("<c16", "1,", make([]byte, 16)),
		[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), nil} {
		if _, err := ParseNPY(bad); err == nil {
			t.Errorf("%.60q was read", bad)
		}
	}
}

func picture(w, h int, c color.Color) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img)
	return b.Bytes()
}

func TestImages(t *testing.T) {
	files := map[string][]byte{
		"b/2.png": picture(2, 2, color.NRGBA{255, 0, 51, 255}),
		"a/1.png": picture(2, 2, color.NRGBA{0, 255, 0, 255}),
		"b/3.png": picture(3, 2, color.NRGBA{0, 0, 0, 255}),
	}
	dir := t.TempDir()
	for name, d := range files {
		write(t, dir, name, d)
	}
	for _, p := range []string{dir, write(t, t.TempDir(), "x.zip", zipped(files))} {
		s, err := Open("images:"+p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, 12)
		if err := s.Pixels(x, 1, false); err != nil {
			t.Fatal(err)
		}
		if s.Labels[0] != 0 || s.Labels[1] != 1 || s.Classes[1] != "b" || x[0] != 1 || x[4] != 0 || x[8] != 0.2 {
			t.Errorf("%v %v", s, x)
		}
		if err := s.Pixels(x, 2, false); err == nil || !strings.Contains(err.Error(), "3.png") {
			t.Errorf("an image of another size: %v", err)
		}
	}
}

func TestOpenNamesTheFault(t *testing.T) {
	for spec, want := range map[string]string{"nope": "KIND:PATH", "mnist:/does/not/exist": "/does/not/exist"} {
		if _, err := Open(spec, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if _, _, err := parseRange("5:2", 10); err == nil {
		t.Error("an empty range")
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idxBytes([]int{1, 2, 2}, []byte{1, 2, 3, 4}))
	f.Fuzz(func(t *testing.T, d []byte) { _, _, _ = parseIDX(d) })
}

func FuzzCIFAR(f *testing.F) {
	f.Add(make([]byte, (1 + cifarPixels)))
	f.Fuzz(func(t *testing.T, d []byte) { _ = cifar10.check(d) })
}

func FuzzMAT(f *testing.F) {
	f.Add(matFile(matrix("y", []int{2, 1}, []byte{1, 2})))
	f.Fuzz(func(t *testing.T, d []byte) {
		vars, err := parseMAT(context.Background(), d)
		if err != nil {
			return
		}
		for _, v := range vars {
			if len(v.data) > 0 && len(v.data) >= matSize[v.kind] {
				_, _ = v.integer(0)
			}
		}
	})
}

func FuzzNPZ(f *testing.F) {
	f.Add(zipped(map[string][]byte{"a.npy": npy("<f4", "1,", []byte{0, 0, 0, 0})}))
	f.Fuzz(func(t *testing.T, d []byte) { _, _ = parseNPZ(context.Background(), d) })
}

func FuzzNPY(f *testing.F) {
	f.Add(npy("<i8", "1,", make([]byte, 8)))
	f.Fuzz(func(t *testing.T, d []byte) {
		a, err := ParseNPY(d)
		if err == nil && len(a.Floats)+len(a.Ints) > len(d) {
			t.Fatal("more numbers than bytes")
		}
	})
}

func FuzzImage(f *testing.F) {
	f.Add(picture(2, 2, color.White))
	f.Fuzz(func(t *testing.T, d []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(d)); err == nil && c.Width*c.Height > 1<<16 {
			return // the standard library's decoder allocates what a header says; decodeBytes limits it to maxImage
		}
		_, _ = decodeBytes(d, "fuzz")
	})
}

func rgb(v uint8) color.Color { return color.NRGBA{v, v, 7, 255} }
