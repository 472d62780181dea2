package onnxio

import (
	"math"
	"sync"
)

// Code is a number of 8 bits or fewer as the standard codes it: see DType.Value and DType.Code. No arithmetic is done on codes.
type Code uint8

// minifloat is a coding in few bits: exponent and mantissa below a sign.
type minifloat struct {
	exponent, mantissa, bias int
	ieee                     bool // the largest exponent is for infinity and NaN
	zeros                    bool // minus zero is NaN, and the only one
	nan                      bool // all ones are NaN
}

var minifloats = map[DType]minifloat{
	Float8E4M3FN:   {exponent: 4, mantissa: 3, bias: 7, nan: true},
	Float8E4M3FNUZ: {exponent: 4, mantissa: 3, bias: 8, zeros: true},
	Float8E5M2:     {exponent: 5, mantissa: 2, bias: 15, ieee: true},
	Float8E5M2FNUZ: {exponent: 5, mantissa: 2, bias: 16, zeros: true},
	Float4E2M1:     {exponent: 2, mantissa: 1, bias: 1},
}

// value is the number without the sign.
func (m minifloat) value(c int) float64 {
	e, f := c>>m.mantissa, c&(1<<m.mantissa-1)
	top := e == 1<<m.exponent-1
	switch {
	case m.ieee && top && f == 0:
		return math.Inf(1)
	case m.ieee && top, m.nan && top && f == 1<<m.mantissa-1:
		return math.NaN()
	case e == 0:
		return math.Ldexp(float64(f), 1-m.bias-m.mantissa)
	}
	return math.Ldexp(float64(f|1<<m.mantissa), e-m.bias-m.mantissa)
}

// finite are the finite numbers without a sign, by code, which they rise with.
func (m minifloat) finite() []float64 {
	var out []float64
	for c := range 1 << (m.exponent + m.mantissa) {
		v := m.value(c)
		if math.IsInf(v, 0) || math.IsNaN(v) {
			break
		}
		out = append(out, v)
	}
	return out
}

var finiteNumbers = sync.OnceValue(func() map[DType][]float64 {
	out := map[DType][]float64{}
	for d, m := range minifloats {
		out[d] = m.finite()
	}
	return out
})

// Value is the number of a code, exactly.
func (d DType) Value(c Code) float64 {
	if d == Float8E8M0 {
		if c == 255 {
			return math.NaN()
		}
		return math.Ldexp(1, int(c)-127)
	}
	m, ok := minifloats[d]
	if !ok {
		return math.NaN()
	}
	bits := m.exponent + m.mantissa
	size, negative := int(c)&(1<<bits-1), int(c)>>bits&1 == 1
	if m.zeros && negative && size == 0 {
		return math.NaN()
	}
	if v := m.value(size); !negative {
		return v
	} else {
		return -v
	}
}

// Code is the code of the nearest number, ties to even. What is too large becomes the largest number where saturate is set, else infinity or NaN,
// whichever the type has. Float8E8M0 holds powers of two: up, down or nearest are what rounding is; others take no notice of it.
func (d DType) Code(x float64, saturate bool, rounding string) Code {
	if d == Float8E8M0 {
		return powerCode(x, saturate, rounding)
	}
	m := minifloats[d]
	bits := m.exponent + m.mantissa
	sign := Code(0)
	if math.Signbit(x) {
		sign = 1 << bits
	}
	numbers := finiteNumbers()[d]
	if len(numbers) == 0 { // a type without codes
		return 0
	}
	last := len(numbers) - 1
	nan := sign | Code(1<<bits-1)
	switch {
	case m.zeros:
		nan = 1 << bits
	case d == Float4E2M1:
		nan = 1 << bits // there is none: minus zero, as the standard's tests have it
	}
	a := math.Abs(x)
	if math.IsNaN(x) {
		return nan
	}
	limit := numbers[last] + (numbers[last]-numbers[last-1])/2
	if a > limit || a == limit && last&1 == 1 {
		switch {
		case saturate || d == Float4E2M1:
			return sign | Code(last)
		case m.ieee:
			return sign | Code(last+1)
		}
		return nan
	}
	k := 0 // the largest number that is not above
	for lo, hi := 0, last; lo <= hi; {
		if mid := (lo + hi) / 2; numbers[mid] <= a {
			k, lo = mid, mid+1
		} else {
			hi = mid - 1
		}
	}
	if k < last {
		if below, above := a-numbers[k], numbers[k+1]-a; above < below || above == below && k&1 == 1 {
			k++
		}
	}
	if k == 0 && m.zeros {
		return 0
	}
	return sign | Code(k)
}

func powerCode(x float64, saturate bool, rounding string) Code {
	switch {
	case math.IsNaN(x) || x < 0:
		return 255
	case math.IsInf(x, 1):
		if saturate {
			return 254
		}
		return 255
	case x == 0:
		return 0
	}
	f, e := math.Frexp(x) // x = f*2^e, f in [0.5, 1)
	e--
	if up := rounding == "up" && f > 0.5 || rounding == "nearest" && f >= 0.75; up {
		e++
	}
	switch {
	case e < -127:
		return 0
	case e > 127 && saturate:
		return 254
	case e > 127:
		return 255
	}
	return Code(e + 127)
}

// unpack gives n elements of fewer than 8 bits, those of a byte from its low end on.
func unpack(d DType, raw []byte, n int) []uint8 {
	bits := d.Bits()
	out := make([]uint8, n)
	for i := range out {
		out[i] = raw[i*bits/8] >> (i * bits % 8) & (1<<bits - 1)
	}
	return out
}

func pack(d DType, v []uint8) []byte {
	bits := d.Bits()
	out := make([]byte, d.bytes(int64(len(v))))
	for i, x := range v {
		out[i*bits/8] |= x & (1<<bits - 1) << (i * bits % 8)
	}
	return out
}

// fewBits makes a tensor of elements of 8 bits or fewer, each in the low bits of its own byte.
func fewBits(d DType, shape []int, v []uint8) *Tensor {
	t := NewTensor(d, shape...)
	switch to := t.Data.(type) {
	case []Code:
		for i, x := range v {
			to[i] = Code(x)
		}
	case []uint8:
		copy(to, v)
	case []int8:
		shift := 8 - d.Bits()
		for i, x := range v {
			to[i] = int8(x<<shift) >> shift
		}
	}
	return t
}

// lowBits is the other direction.
func lowBits(t *Tensor) ([]uint8, bool) {
	switch d := t.Data.(type) {
	case []Code:
		return convert[uint8](d), true
	case []uint8:
		return d, true
	case []int8:
		return convert[uint8](d), true
	}
	return nil, false
}
