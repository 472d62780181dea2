package onnxio

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// ParseTensor reads a TensorProto message, as the standard's test data holds them.
func ParseTensor(data []byte) (*Tensor, error) {
	p := &pb.TensorProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		return nil, &FormatError{Offset: -1, Why: "this is not a tensor: " + cleanProtoError(err)}
	}
	return decodeTensor(p, "")
}

// ParseTensor reads a TensorProto message of m's file: as the package's function does, with external data from the model's folder. RawTensor
// gives its numbers' bytes instead, as raw_data has them, also of types that a Tensor does not hold.
func (m *Model) ParseTensor(data []byte) (*Tensor, error) {
	p := &pb.TensorProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		return nil, &FormatError{Offset: -1, Why: "this is not a tensor: " + cleanProtoError(err)}
	}
	return decodeTensor(p, m.dir)
}

// RawTensor gives the bytes of a TensorProto message's numbers; see ParseTensor.
func (m *Model) RawTensor(data []byte) ([]byte, error) {
	p := &pb.TensorProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		return nil, &FormatError{Offset: -1, Why: "this is not a tensor: " + cleanProtoError(err)}
	}
	if p.GetDataLocation() != 1 {
		return inlineData(p)
	}
	_, n, err := sizesOf(p)
	if err != nil {
		return nil, err
	}
	return externalData(p, m.dir, DType(p.GetDataType()).bytes(n))
}

// maxElements limits one tensor, so that sizes fit in an int32 index.
const maxElements = math.MaxInt32

// decodeTensor reads a constant. The declared size is checked against the data that is there before anything is allocated.
func decodeTensor(p *pb.TensorProto, dir string) (*Tensor, error) {
	shape, n, err := sizesOf(p)
	if err != nil {
		return nil, err
	}
	dt := DType(p.GetDataType())
	if !dt.Held() && dt != Float16 && dt != BFloat16 {
		return nil, &UnsupportedError{Why: fmt.Sprintf("elements of type %v, which shoal does not hold", dt)}
	}
	raw := p.RawData
	if p.GetDataLocation() == 1 {
		if raw, err = externalData(p, dir, dt.bytes(n)); err != nil {
			return nil, err
		}
	}
	if raw != nil {
		return decodeRaw(dt, shape, int(n), raw)
	}
	return decodeTyped(p, dt, shape, int(n))
}

// sizesOf are a tensor's declared shape and number of elements.
func sizesOf(p *pb.TensorProto) (shape []int, n int64, err error) {
	shape = make([]int, len(p.Dims))
	n = 1
	for i, d := range p.Dims {
		if d < 0 || d > maxElements || (n > 0 && d > 0 && n > maxElements/d) {
			return nil, 0, fmt.Errorf("shape %v is negative or too large", p.Dims)
		}
		n *= d
		shape[i] = int(d)
	}
	return shape, n, nil
}

func countError(dt DType, shape []int, n, got int) error {
	return fmt.Errorf("%d %s elements of data where shape %v needs %d", got, dt, shape, n)
}

func decodeRaw(dt DType, shape []int, n int, raw []byte) (*Tensor, error) {
	size := dt.Size()
	if dt.Bits() == 0 {
		return nil, fmt.Errorf("elements of type %v in raw data", dt)
	}
	if dt.Bits() < 8 || dt.Coded() {
		if want := int(dt.bytes(int64(n))); len(raw) != want {
			return nil, fmt.Errorf("%d bytes of data where shape %v of %v needs %d", len(raw), shape, dt, want)
		}
		if dt.Bits() == 8 {
			return fewBits(dt, shape, raw), nil
		}
		return fewBits(dt, shape, unpack(dt, raw, n)), nil
	}
	if len(raw) != n*size {
		return nil, fmt.Errorf("%d bytes of data where shape %v of %v needs %d", len(raw), shape, dt, n*size)
	}
	le := binary.LittleEndian
	if dt == Float16 || dt == BFloat16 {
		t := NewTensor(Float, shape...)
		for i := range t.F32() {
			t.F32()[i] = widen(dt, le.Uint16(raw[2*i:]))
		}
		return t, nil
	}
	if data, ok := alias(dt, raw, n); ok {
		return &Tensor{DType: dt, Shape: shape, Data: data}, nil
	}
	t := NewTensor(dt, shape...)
	switch d := t.Data.(type) {
	case []float32:
		for i := range d {
			d[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		}
	case []float64:
		for i := range d {
			d[i] = math.Float64frombits(le.Uint64(raw[8*i:]))
		}
	case []int64:
		for i := range d {
			d[i] = int64(le.Uint64(raw[8*i:]))
		}
	case []uint64:
		for i := range d {
			d[i] = le.Uint64(raw[8*i:])
		}
	case []int32:
		for i := range d {
			d[i] = int32(le.Uint32(raw[4*i:]))
		}
	case []uint32:
		for i := range d {
			d[i] = le.Uint32(raw[4*i:])
		}
	case []int16:
		for i := range d {
			d[i] = int16(le.Uint16(raw[2*i:]))
		}
	case []uint16:
		for i := range d {
			d[i] = le.Uint16(raw[2*i:])
		}
	case []int8:
		for i := range d {
			d[i] = int8(raw[i])
		}
	case []uint8:
		copy(d, raw)
	case []bool:
		for i := range d {
			d[i] = raw[i] != 0
		}
	}
	return t, nil
}

// decodeTyped reads the typed fields; small types travel in int32_data.
func decodeTyped(p *pb.TensorProto, dt DType, shape []int, n int) (*Tensor, error) {
	got := map[DType]int{Float: len(p.FloatData), Double: len(p.DoubleData), Int64: len(p.Int64Data), Uint64: len(p.Uint64Data),
		Uint32: len(p.Uint64Data), String: len(p.StringData)}
	have, ok := got[dt]
	if !ok {
		have = len(p.Int32Data)
	}
	if dt.Bits() > 0 && dt.Bits() < 8 || dt.Coded() { // a byte of raw data in each
		raw := make([]byte, have)
		for i, v := range p.Int32Data {
			raw[i] = byte(v)
		}
		return decodeRaw(dt, shape, n, raw)
	}
	if have != n {
		return nil, countError(dt, shape, n, have)
	}
	switch dt {
	case Float:
		return &Tensor{dt, shape, append([]float32{}, p.FloatData...)}, nil
	case Double:
		return &Tensor{dt, shape, append([]float64{}, p.DoubleData...)}, nil
	case Int64:
		return &Tensor{dt, shape, append([]int64{}, p.Int64Data...)}, nil
	case Uint64:
		return &Tensor{dt, shape, append([]uint64{}, p.Uint64Data...)}, nil
	case Uint32:
		return &Tensor{dt, shape, convert[uint32](p.Uint64Data)}, nil
	case Int32:
		return &Tensor{dt, shape, append([]int32{}, p.Int32Data...)}, nil
	case Int16:
		return &Tensor{dt, shape, convert[int16](p.Int32Data)}, nil
	case Uint16:
		return &Tensor{dt, shape, convert[uint16](p.Int32Data)}, nil
	case Int8:
		return &Tensor{dt, shape, convert[int8](p.Int32Data)}, nil
	case Uint8:
		return &Tensor{dt, shape, convert[uint8](p.Int32Data)}, nil
	case Bool:
		t := NewTensor(Bool, shape...)
		for i, v := range p.Int32Data {
			t.Data.([]bool)[i] = v != 0
		}
		return t, nil
	case Float16, BFloat16:
		t := NewTensor(Float, shape...)
		for i, v := range p.Int32Data {
			t.F32()[i] = widen(dt, uint16(v))
		}
		return t, nil
	case String:
		t := NewTensor(String, shape...)
		for i, v := range p.StringData {
			t.Data.([]string)[i] = string(v)
		}
		return t, nil
	}
	return nil, fmt.Errorf("elements of type %v", dt)
}

// widen turns float16 or bfloat16 bits into float32, exactly.
func widen(dt DType, h uint16) float32 {
	if dt == BFloat16 {
		return math.Float32frombits(uint32(h) << 16)
	}
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exp {
	case 0: // zero or subnormal: frac * 2^-24
		f := float32(frac) * 0x1p-24
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// externalData reads a tensor's bytes from a file in the model's folder. Paths and links that leave the folder are refused.
func externalData(p *pb.TensorProto, dir string, want int64) ([]byte, error) {
	location, offset, length := "", int64(0), int64(-1)
	for _, kv := range p.ExternalData {
		var err error
		switch kv.GetKey() {
		case "location":
			location = kv.GetValue()
		case "offset":
			offset, err = strconv.ParseInt(kv.GetValue(), 10, 64)
		case "length":
			length, err = strconv.ParseInt(kv.GetValue(), 10, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("external data: %s %q", kv.GetKey(), kv.GetValue())
		}
	}
	if dir == "" {
		return nil, fmt.Errorf("external data %q without a folder to look in", location)
	}
	if length >= 0 && length != want || want <= 0 && length != 0 || offset < 0 {
		return nil, fmt.Errorf("external data %q: %d bytes from %d where %d are needed", location, length, offset, want)
	}
	root, err := os.OpenRoot(dir) // refuses paths and links that leave dir
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := input.OpenIn(root, filepath.FromSlash(strings.ReplaceAll(location, "\\", "/")))
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() || offset > info.Size() || want > info.Size()-offset {
		return nil, fmt.Errorf("external data %q has no %d bytes at %d", location, want, offset)
	}
	buf := make([]byte, want)
	if _, err := f.ReadAt(buf, offset); err != nil {
		return nil, fmt.Errorf("external data %q: %w", location, err)
	}
	return buf, nil
}
