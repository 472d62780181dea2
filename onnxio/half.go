package onnxio

import "math"

// HalfBits rounds to float16, to nearest and ties to even (IEEE 754), and gives its bits.
func HalfBits(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 // NaN
	case b >= 0x47800000: // 65536 and above; 65520 rounds there below
		return sign | 0x7c00
	case b < 0x38800000: // subnormal in float16: units of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*0x1p24))
	}
	b += 0xfff + b>>13&1 // ties to even; a carry runs into the exponent, as it should
	return sign | uint16(b>>13-(127-15)<<10)
}

// HalfValue widens float16 bits, exactly.
func HalfValue(h uint16) float32 { return widen(Float16, h) }

// Round gives the number of float16 or bfloat16 next to v, ties to even. Other types keep v.
func (d DType) Round(v float32) float32 {
	switch d {
	case Float16:
		return widen(d, HalfBits(v))
	case BFloat16:
		return widen(d, BFloat16Bits(v))
	}
	return v
}

// Computed is the type that numbers of type d are computed in: float32 for float16 and bfloat16, else d.
func (d DType) Computed() DType {
	if d.Half() {
		return Float
	}
	return d
}

// Half tells whether the type is float16 or bfloat16, whose numbers are held as float32.
func (d DType) Half() bool { return d == Float16 || d == BFloat16 }

// BFloat16Bits rounds to bfloat16, to nearest and ties to even.
func BFloat16Bits(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}
