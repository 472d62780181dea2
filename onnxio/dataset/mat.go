package dataset

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// Element types of MAT-File level 5. Source: MathWorks, "MAT-File Format", tables 1-1 and 1-3.
const (
	miInt8, miUint8, miInt16, miUint16, miInt32, miUint32 = 1, 2, 3, 4, 5, 6
	miSingle, miDouble, miInt64, miUint64                 = 7, 9, 12, 13
	miMatrix, miCompressed                                = 14, 15
)

// openSVHN reads SVHN's cropped digits: variables X, uint8 [32,32,3,N], and y [N,1], where label 10 means 0. A folder means the split's file in it.
func openSVHN(ctx context.Context, path string, o Options) (*Set, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		path = filepath.Join(path, o.Split+"_32x32.mat")
	}
	d, err := readFile(ctx, path)
	if err != nil {
		return nil, err
	}
	vars, err := parseMAT(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x, y := vars["X"], vars["y"]
	if x == nil || y == nil || len(x.dims) != 4 || x.kind != miUint8 || x.dims[2] != 3 || len(y.dims) != 2 || y.dims[0]*y.dims[1] != x.dims[3] ||
		len(x.data) == 0 {
		return nil, fmt.Errorf("%s: want variables X, uint8 [H,W,3,N], and y [N,1]", path)
	}
	h, w, n := x.dims[0], x.dims[1], x.dims[3]
	s := &Set{Height: h, Width: w, Channels: 3, SHA256: hash(d)}
	for i := range n {
		l, err := y.integer(i)
		if err != nil || l < 0 || l > 10 {
			return nil, fmt.Errorf("%s: label %d of sample %d", path, l, i)
		}
		s.Labels = append(s.Labels, l%10)
	}
	s.pixels = func(dst []float32, at int) error {
		img := x.data[at*h*w*3 : (at+1)*h*w*3] // column-major: [row + h*(column + w*channel)]
		for r := range h {
			for c := range w {
				for ch := range 3 {
					dst[(r*w+c)*3+ch] = byte255[img[r+h*(c+w*ch)]]
				}
			}
		}
		return nil
	}
	return s, nil
}

// matVar is a numeric array, column-major, as stored.
type matVar struct {
	dims []int
	kind uint32
	data []byte
}

var matSize = map[uint32]int{miInt8: 1, miUint8: 1, miInt16: 2, miUint16: 2, miInt32: 4, miUint32: 4, miSingle: 4, miDouble: 8, miInt64: 8,
	miUint64: 8}

func (v *matVar) integer(i int) (int, error) {
	le := binary.LittleEndian
	b := v.data[i*matSize[v.kind]:]
	switch v.kind {
	case miInt8:
		return int(int8(b[0])), nil
	case miUint8:
		return int(b[0]), nil
	case miInt16:
		return int(int16(le.Uint16(b))), nil
	case miUint16:
		return int(le.Uint16(b)), nil
	case miInt32:
		return int(int32(le.Uint32(b))), nil
	case miUint32:
		return int(le.Uint32(b)), nil
	case miDouble:
		f := math.Float64frombits(le.Uint64(b))
		if f != float64(int(f)) {
			return 0, fmt.Errorf("%v is no integer", f)
		}
		return int(f), nil
	}
	return 0, fmt.Errorf("labels of MAT type %d", v.kind)
}

// parseMAT reads the numeric arrays of a MAT-File version 5 (little-endian).
func parseMAT(ctx context.Context, d []byte) (map[string]*matVar, error) {
	if len(d) < 128 || d[126] != 'I' || d[127] != 'M' {
		return nil, fmt.Errorf("not a little-endian MAT-File of version 5 (version 7.3 is HDF5: save it with -v7)")
	}
	out := map[string]*matVar{}
	rest := d[128:]
	for len(rest) >= 8 {
		kind, body, next, err := matElement(rest, true)
		if err != nil {
			return nil, err
		}
		rest = next
		if kind == miCompressed {
			z, err := zlib.NewReader(bytes.NewReader(body))
			if err != nil {
				return nil, fmt.Errorf("a compressed element: %w", err)
			}
			raw, err := limited(ctx, z)
			if err != nil {
				return nil, fmt.Errorf("a compressed element: %w", err)
			}
			if kind, body, _, err = matElement(raw, false); err != nil {
				return nil, err
			}
		}
		if kind != miMatrix {
			continue
		}
		name, v, err := matMatrix(body)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[name] = v
		}
	}
	return out, nil
}

// matElement cuts one element off. Small elements hold up to four bytes in their tag; others are padded to eight bytes, except
// compressed ones.
func matElement(d []byte, top bool) (kind uint32, body, rest []byte, err error) {
	if len(d) < 8 {
		return 0, nil, nil, fmt.Errorf("a truncated element")
	}
	tag := binary.LittleEndian.Uint32(d)
	if n := tag >> 16; n != 0 && !top {
		if n > 4 {
			return 0, nil, nil, fmt.Errorf("a small element of %d bytes", n)
		}
		return tag & 0xffff, d[4 : 4+n], d[8:], nil
	}
	n := int64(binary.LittleEndian.Uint32(d[4:]))
	if n > int64(len(d)-8) {
		return 0, nil, nil, fmt.Errorf("an element of %d bytes where %d are left", n, len(d)-8)
	}
	end := 8 + n
	if tag != miCompressed {
		end = min((end+7)&^7, int64(len(d)))
	}
	return tag, d[8 : 8+n], d[end:], nil
}

// matMatrix reads a numeric array; other classes give nil.
func matMatrix(d []byte) (string, *matVar, error) {
	_, flags, d, err := matElement(d, false)
	if err != nil {
		return "", nil, err
	}
	if len(flags) < 8 || flags[0] < 6 || flags[0] > 15 || flags[1]&0x08 != 0 { // not a real numeric array
		return "", nil, nil
	}
	_, dims, d, err := matElement(d, false)
	if err != nil {
		return "", nil, err
	}
	v := &matVar{}
	size, bound := int64(1), int64(1) // bound counts sizes of 0 as 1
	for i := 0; i+4 <= len(dims); i += 4 {
		n := int64(int32(binary.LittleEndian.Uint32(dims[i:])))
		if n < 0 || n > maxFile/bound {
			return "", nil, fmt.Errorf("an array of dimension %d", n)
		}
		size *= n
		bound *= max(n, 1)
		v.dims = append(v.dims, int(n))
	}
	_, name, d, err := matElement(d, false)
	if err != nil {
		return "", nil, err
	}
	v.kind, v.data, _, err = matElement(d, false)
	if err != nil {
		return "", nil, err
	}
	if w := matSize[v.kind]; w == 0 || size*int64(w) != int64(len(v.data)) {
		return "", nil, fmt.Errorf("array %q: %d bytes for dimensions %v of type %d", name, len(v.data), v.dims, v.kind)
	}
	return string(name), v, nil
}
