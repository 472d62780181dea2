package dataset

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// stored are the files of testdata/pictures.zip, see testdata/pictures.py.
func stored(t *testing.T) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join("testdata", "pictures.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = limited(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func array(t *testing.T, d []byte) *Array {
	t.Helper()
	a, err := ParseNPY(d)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestPicturesAreThoseOfPillow: pixels of every form lie within 3/255 of Pillow's, and within 0.3/255 on average, over all JPEG samplings
// and odd sizes; files without loss are the same.
func TestPicturesAreThoseOfPillow(t *testing.T) {
	files := stored(t)
	lossy := 0
	for name, d := range files {
		ref, ok := files[name+".npy"]
		if !ok || name == "deep.png" {
			continue
		}
		want := array(t, ref).Ints
		p, err := decodeBytes(d, name)
		if err != nil {
			t.Error(err)
			continue
		}
		if gray := strings.Contains(name, "gray"); gray != (p.channels == 1) {
			t.Errorf("%s has %d channels", name, p.channels)
		}
		worst, sum := 0.0, 0.0
		for i := range p.w * p.h {
			var v [3]float32
			recolour(v[:], p.pix[i*p.channels:(i+1)*p.channels])
			for c := range 3 {
				e := math.Abs(255*float64(v[c]) - float64(want[3*i+c]))
				worst, sum = max(worst, e), sum+e
			}
		}
		most, mean := 3.01, 0.3
		switch {
		case strings.HasSuffix(name, ".jpg"), strings.HasPrefix(name, "lossy"):
			lossy++
		default:
			most, mean = 1e-4, 1e-4
		}
		if p.w*p.h < 64 && !strings.HasSuffix(name, ".jpg") { // too few numbers for a mean
			mean = most
		}
		if mean = sum/float64(3*p.w*p.h) - mean; worst > most || mean > 0 {
			t.Errorf("%s: a pixel is off by %.2f, the mean over its limit by %.3f", name, worst, mean)
		}
	}
	if lossy < 40 {
		t.Errorf("only %d pictures", lossy)
	}
}

func TestSixteenBitsStay(t *testing.T) {
	files := stored(t)
	p, err := decodeBytes(files["deep.png"], "deep.png")
	if err != nil || p.channels != 1 || !p.deep {
		t.Fatalf("%+v, %v", p, err)
	}
	for i, v := range array(t, files["deep.png.npy"]).Ints {
		if p.pix[i] != float32(v)/65535 {
			t.Fatalf("pixel %d is %v, not %d/65535", i, p.pix[i], v)
		}
	}
}

func TestLumaAndResizeAreThoseOfPillow(t *testing.T) {
	files := stored(t)
	p, err := decodeBytes(files["full.png"], "full.png")
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range array(t, files["luma.npy"]).Ints {
		var gray [1]float32
		if recolour(gray[:], p.pix[3*i:3*i+3]); gray[0] != byte255[v] {
			t.Fatalf("pixel %d: %v, not %d/255", i, gray[0], v)
		}
	}
	seen := 0
	for name, d := range files {
		var w, h int
		if n, _ := fmt.Sscanf(name, "resized-%dx%d.npy", &w, &h); n != 2 {
			continue
		}
		seen++
		q := p.resize(w, h)
		for i, v := range array(t, d).Ints {
			if e := math.Abs(255*float64(q.pix[i]) - float64(v)); e > 1.01 { // weights of Pillow's are rounded
				t.Fatalf("%s: number %d is off by %.2f", name, i, e)
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d sizes", seen)
	}
}

// TestRecolourKeepsGray: gray that becomes colours becomes the same gray again, for every byte and any 16-bit sample.
func TestRecolourKeepsGray(t *testing.T) {
	for k := range 65536 {
		v := float32(k) / 65535
		if k < 256 {
			v = byte255[k]
		}
		var four [4]float32
		recolour(four[:], []float32{v})
		var back [1]float32
		recolour(back[:], four[:3])
		if four != [4]float32{v, v, v, 1} || math.Abs(float64(back[0]-v)) > 1e-7 || k < 256 && back[0] != v {
			t.Fatalf("%v became %v and %v", v, four, back)
		}
	}
}

// exifOf is EXIF data that say how a camera was held.
func exifOf(o int, order binary.AppendByteOrder) []byte {
	d := []byte("II*\x00")
	if order.String() == "BigEndian" {
		d = []byte("MM\x00*")
	}
	d = order.AppendUint32(d, 8)
	d = order.AppendUint16(d, 1)
	d = order.AppendUint16(d, 0x0112)
	d = order.AppendUint16(d, 3)
	d = order.AppendUint32(d, 1)
	d = order.AppendUint16(d, uint16(o))
	return append(d, 0, 0, 0, 0, 0, 0)
}

// TestUprightUndoesOrientation: a scene that a camera stored turned or mirrored, as each of the eight orientations has it, comes out upright.
func TestUprightUndoesOrientation(t *testing.T) {
	scene := [][]float32{{1, 2, 3}, {4, 5, 6}}
	// Where rows and columns of the stored picture begin in the scene, by EXIF 2.32: first row, first column.
	at := map[int]func(y, x, h, w int) (int, int){ // the scene's place of a stored pixel; h and w are the scene's
		1: func(y, x, h, w int) (int, int) { return y, x },
		2: func(y, x, h, w int) (int, int) { return y, w - 1 - x },
		3: func(y, x, h, w int) (int, int) { return h - 1 - y, w - 1 - x },
		4: func(y, x, h, w int) (int, int) { return h - 1 - y, x },
		5: func(y, x, h, w int) (int, int) { return x, y },                 // row 0 is the left side, column 0 the top
		6: func(y, x, h, w int) (int, int) { return x, w - 1 - y },         // row 0 is the right side, column 0 the top
		7: func(y, x, h, w int) (int, int) { return h - 1 - x, w - 1 - y }, // row 0 is the right side, column 0 the bottom
		8: func(y, x, h, w int) (int, int) { return h - 1 - x, y },         // row 0 is the left side, column 0 the bottom
	}
	for o := range 10 {
		f := at[o]
		if f == nil {
			f = at[1]
		}
		p := &raster{w: 3, h: 2, channels: 1}
		if o >= 5 && o <= 8 {
			p.w, p.h = 2, 3
		}
		for y := range p.h {
			for x := range p.w {
				sy, sx := f(y, x, 2, 3)
				p.pix = append(p.pix, scene[sy][sx])
			}
		}
		q := p.upright(o)
		if q.w != 3 || q.h != 2 || fmt.Sprint(q.pix) != "[1 2 3 4 5 6]" {
			t.Errorf("orientation %d: %dx%d %v", o, q.w, q.h, q.pix)
		}
	}
}

// TestOrientationIsFoundInEveryForm reads it from JPEG, PNG, WebP and TIFF data in both byte orders, and cut anywhere no form panics.
func TestOrientationIsFoundInEveryForm(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 2, 3))
	var j, p bytes.Buffer
	if err := jpeg.Encode(&j, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, img); err != nil {
		t.Fatal(err)
	}
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			e := exifOf(o, order)
			body := append([]byte("Exif\x00\x00"), e...)
			app := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(body))), body...)
			chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(e))), append([]byte("eXIf"), e...)...)
			web := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 \x01\x00\x00\x00x\x00EXIF"), binary.LittleEndian.AppendUint32(nil, uint32(len(e)))...)
			for form, d := range map[string][]byte{
				"jpeg": append(append(append([]byte{}, j.Bytes()[:2]...), app...), j.Bytes()[2:]...),
				"png":  append(append(append([]byte{}, p.Bytes()[:33]...), append(chunk, 0, 0, 0, 0)...), p.Bytes()[33:]...),
				"webp": append(web, e...), "tiff": e,
			} {
				if got := orientation(d); got != o {
					t.Errorf("%s, %s: %d for %d", form, order, got, o)
				}
				for n := range d {
					orientation(d[:n])
				}
			}
		}
	}
	if got := orientation(j.Bytes()); got != 1 {
		t.Errorf("without EXIF: %d", got)
	}
}

// TestResizeOfAConstantIsConstant, and of any picture stays within its range.
func TestResizeStaysInRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := &raster{w: 1 + rng.IntN(20), h: 1 + rng.IntN(20), channels: 1 + 2*rng.IntN(2), deep: rng.IntN(2) == 0}
		low, high := float32(1), float32(0)
		constant := rng.IntN(3) == 0
		for range p.w * p.h * p.channels {
			v := byte255[rng.IntN(256)]
			if constant && len(p.pix) > 0 {
				v = p.pix[0]
			}
			p.pix = append(p.pix, v)
			low, high = min(low, v), max(high, v)
		}
		q := p.resize(1+rng.IntN(30), 1+rng.IntN(30))
		if len(q.pix) != q.w*q.h*q.channels {
			t.Fatalf("%d numbers for %dx%dx%d", len(q.pix), q.w, q.h, q.channels)
		}
		for _, v := range q.pix {
			if v < low-1e-6 || v > high+1e-6 {
				t.Fatalf("%v beyond [%v,%v]", v, low, high)
			}
		}
	}
}

// TestImageSetsOfAllForms: a folder of mixed forms is one set; EXIF swaps sizes on request; a wrong size names the file and both sizes.
func TestImageSetsOfAllForms(t *testing.T) {
	files := stored(t)
	dir := t.TempDir()
	write(t, dir, "a/1.bmp", files["full.bmp"])
	write(t, dir, "b/2.tif", files["packed.tif"])
	write(t, dir, "b/3.webp", files["lossless.webp"])
	write(t, dir, "c/4.png", files["gray-alpha.png"])
	s, err := Open("images:"+dir, Options{})
	if err != nil || s.Check() != nil || s.Len() != 4 || s.Channels != 3 || s.Width != 9 || s.Height != 7 {
		t.Fatalf("%+v, %v", s, err)
	}
	write(t, dir, "d/5.png", picture(4, 5, color.NRGBA{1, 2, 3, 255}))
	if s, err = Open("images:"+dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "d/5.png is 4 wide and 5 high; a/1.bmp is 9 wide and 7 high") {
		t.Errorf("%v", err)
	}
	if s, err = Open("images:"+dir, Options{Range: "4:"}); err != nil || s.Check() != nil || s.Width != 4 || s.Channels != 3 {
		t.Errorf("the range of the other alone: %+v, %v", s, err)
	}
	if s, err = Open("images:"+dir, Options{Resize: [2]int{6, 3}}); err != nil || s.Check() != nil || s.Width != 6 || s.Height != 3 {
		t.Fatalf("resized: %v", err)
	}
	x := make([]float32, s.Size())
	if err := s.Pixels(x, 4, true); err != nil || x[0] != byte255[1] || x[len(x)-1] != byte255[3] {
		t.Errorf("%v, %v", x, err)
	}
}
