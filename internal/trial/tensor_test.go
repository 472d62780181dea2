package trial

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// ranges are what types hold, as float64s where they have them.
var ranges = map[onnxio.DType][2]float64{onnxio.Int8: {-128, 127}, onnxio.Uint8: {0, 255}, onnxio.Int16: {-32768, 32767}, onnxio.Uint16: {0, 65535},
	onnxio.Int32: {-1 << 31, 1<<31 - 1}, onnxio.Uint32: {0, 1<<32 - 1}, onnxio.Int64: {-1 << 63, 1 << 62},
	onnxio.Uint64: {0, 1 << 62}, onnxio.Bool: {0, 1}}

// TestTensorsHoldTheFilesNumbers: whatever the file holds and the net takes, a tensor is exactly the file's numbers or there is none.
func TestTensorsHoldTheFilesNumbers(t *testing.T) {
	none, _ := dataset.ParsePixelRange("none")
	exact, refused := 0, 0
	for seed := range 3000 {
		rng := rand.New(rand.NewPCG(uint64(seed), 11))
		var ints []int64
		var reals []float64
		for range 4 {
			v := int64(rng.IntN(300) - 40)
			switch rng.IntN(6) {
			case 0:
				v = rng.Int64() >> rng.IntN(63)
			case 1:
				v = int64(rng.IntN(2))
			}
			ints = append(ints, v)
			r := float64(v)
			switch rng.IntN(12) {
			case 0:
				r += 0.5
			case 1:
				r = []float64{math.NaN(), math.Inf(1), 1e300, -0.25}[rng.IntN(4)]
			}
			reals = append(reals, r)
		}
		real := rng.IntN(2) == 0
		src := source([][]float32{make([]float32, 4)}, none)
		src.Numbers = func(int) ([]int64, []float64) {
			if real {
				return nil, reals
			}
			return ints, nil
		}
		s, err := Join(src, []int{1, 4}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for dtype, r := range ranges {
			fits := true
			for k := range 4 {
				v := float64(ints[k])
				if real {
					v = reals[k]
				}
				fits = fits && v == math.Trunc(v) && v >= r[0] && v <= r[1]
			}
			x, err := s.Tensor(dtype, []int{1, 4}, []int{0})
			if (err == nil) != fits && !(dtype == onnxio.Int64 || dtype == onnxio.Uint64) {
				t.Fatalf("seed %d: %v, %v as %v: %v", seed, ints, reals, dtype, err)
			}
			if err != nil {
				refused++
				continue
			}
			exact++
			for k := range 4 {
				want := fmt.Sprint(ints[k])
				if real {
					want = fmt.Sprintf("%.0f", reals[k])
				}
				if got := element(x, k); got != want {
					t.Fatalf("seed %d: %s became %s in %v", seed, want, got, dtype)
				}
			}
		}
		x, err := s.Tensor(onnxio.Double, []int{1, 4}, []int{0})
		if err == nil {
			for k, v := range x.F64() {
				if real && math.Float64bits(v) != math.Float64bits(reals[k]) || !real && int64(v) != ints[k] {
					t.Fatalf("seed %d: %v became %v", seed, ints[k], v)
				}
			}
		} else if real {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if exact < 1000 || refused < 1000 {
		t.Errorf("%d exact and %d refused: too one-sided", exact, refused)
	}
}

func element(t *onnxio.Tensor, k int) string {
	switch d := t.Data.(type) {
	case []bool:
		if d[k] {
			return "1"
		}
		return "0"
	case []int8:
		return fmt.Sprint(d[k])
	case []uint8:
		return fmt.Sprint(d[k])
	case []int16:
		return fmt.Sprint(d[k])
	case []uint16:
		return fmt.Sprint(d[k])
	case []int32:
		return fmt.Sprint(d[k])
	case []uint32:
		return fmt.Sprint(d[k])
	case []int64:
		return fmt.Sprint(d[k])
	case []uint64:
		return fmt.Sprint(d[k])
	}
	return "?"
}

// TestPixelsOfImagesAreBytesForIntegerNets: a net that takes integers gets pictures as they are stored; pixels that are no bytes are refused.
func TestPixelsOfImagesAreBytesForIntegerNets(t *testing.T) {
	unit, _ := dataset.ParsePixelRange("0:1")
	x := make([]float32, 256)
	for i := range x {
		x[i] = float32(i) / 255
	}
	src := source([][]float32{x}, unit)
	src.Channels, src.Height, src.Width = 1, 16, 16
	s, err := Join(src, []int{1, 1, 16, 16}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, dtype := range []onnxio.DType{onnxio.Uint8, onnxio.Int32, onnxio.Int64} {
		got, err := s.Tensor(dtype, []int{1, 1, 16, 16}, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		for k := range 256 {
			if element(got, k) != fmt.Sprint(k) {
				t.Fatalf("%v: byte %d became %s", dtype, k, element(got, k))
			}
		}
	}
	if _, err := s.Tensor(onnxio.Int8, []int{1, 1, 16, 16}, []int{0}); err == nil {
		t.Error("bytes above 127 went into int8")
	}
	x[7] = 0.1234
	if _, err := s.Tensor(onnxio.Uint8, []int{1, 1, 16, 16}, []int{0}); err == nil {
		t.Error("a pixel that is no byte became one")
	}
}
