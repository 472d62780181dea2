package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/onnxio"
)

// Array is a numpy array as float64s or int64s, in row-major order; exactly one of the two is set.
type Array struct {
	Shape  []int
	Floats []float64
	Ints   []int64
}

// Float32s returns the numbers as float32.
func (a *Array) Float32s() []float32 {
	if a.Ints != nil {
		out := make([]float32, len(a.Ints))
		for i, v := range a.Ints {
			out[i] = float32(v)
		}
		return out
	}
	out := make([]float32, len(a.Floats))
	for i, v := range a.Floats {
		out[i] = float32(v)
	}
	return out
}

var (
	npyDescr = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'descr':\s*'([<>|=])([a-zA-Z])(\d*)'`) })
	npyAny   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'descr':\s*(\S.*?), 'fortran_order'`) })
	npyOrder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'fortran_order':\s*(True|False)`) })
	npyShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'shape':\s*\(([^)]*)\)`) })
)

// noNumbers is the error of an array that holds something else: text, Python objects, records, dates.
type noNumbers struct{ descr string }

func (e *noNumbers) Error() string {
	return fmt.Sprintf("a .npy array of %s, which are no numbers", e.descr)
}

// ParseNPY reads a .npy file, versions 1 to 3, of numbers in either byte order, in C or Fortran order: f2, f4, f8, i1 to i8, u1 to u8 and bool.
// Source: the numpy documentation, numpy.lib.format.
func ParseNPY(d []byte) (*Array, error) {
	if len(d) < 10 || string(d[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("not a .npy file")
	}
	at, n := 10, int(binary.LittleEndian.Uint16(d[8:]))
	if d[6] > 1 {
		if len(d) < 12 {
			return nil, fmt.Errorf("a truncated .npy header")
		}
		at, n = 12, int(binary.LittleEndian.Uint32(d[8:]))
	}
	if d[6] < 1 || d[6] > 3 || n > len(d)-at {
		return nil, fmt.Errorf("a .npy header of version %d and %d bytes", d[6], n)
	}
	head := string(d[at : at+n])
	data := d[at+n:]
	descr, order, shape := npyDescr().FindStringSubmatch(head), npyOrder().FindStringSubmatch(head), npyShape().FindStringSubmatch(head)
	if descr != nil && !strings.Contains("fiub", descr[2]) || descr == nil && npyAny().MatchString(head) {
		what := ""
		if m := npyAny().FindStringSubmatch(head); m != nil {
			what = m[1]
		}
		return nil, &noNumbers{fmt.Sprintf("type %.60s", what)}
	}
	if descr == nil || order == nil || shape == nil {
		return nil, fmt.Errorf("a .npy header that is not understood: %.80q", head)
	}
	a := &Array{}
	size, bound := 1, 1 // bound counts sizes of 0 as 1, so that no product of some of the sizes overflows
	for _, f := range strings.Split(shape[1], ",") {
		if f = strings.TrimSpace(f); f == "" {
			continue
		}
		k, err := strconv.Atoi(f)
		if err != nil || k < 0 || k > maxFile/bound {
			return nil, fmt.Errorf("a .npy shape (%s)", shape[1])
		}
		a.Shape = append(a.Shape, k)
		size *= k
		bound *= max(k, 1)
	}
	width, err := strconv.Atoi(descr[3])
	if err != nil || width < 1 || width > 8 || size*width != len(data) {
		return nil, fmt.Errorf("%d bytes for shape %v of elements %s%s", len(data), a.Shape, descr[2], descr[3])
	}
	var bytes binary.ByteOrder = binary.LittleEndian
	if descr[1] == ">" {
		bytes = binary.BigEndian
	}
	if err := a.decode(data, bytes, descr[2]+descr[3], size, width); err != nil {
		return nil, err
	}
	if order[1] == "True" && len(a.Shape) > 1 {
		a.Floats, a.Ints = rowMajor(a.Floats, a.Shape), rowMajor(a.Ints, a.Shape)
	}
	return a, nil
}

// rowMajor puts numbers that stand in Fortran order, the first index changing fastest, into C order.
func rowMajor[T any](data []T, shape []int) []T {
	if data == nil {
		return nil
	}
	out := make([]T, len(data))
	at := make([]int, len(shape))
	for i := range out {
		from, step := 0, 1
		for k, n := range shape {
			from += at[k] * step
			step *= n
		}
		out[i] = data[from]
		for k := len(shape) - 1; k >= 0; k-- { // the next index, the last changing fastest
			if at[k]++; at[k] < shape[k] {
				break
			}
			at[k] = 0
		}
	}
	return out
}

func (a *Array) decode(data []byte, le binary.ByteOrder, kind string, size, width int) error {
	var float func([]byte) float64
	var integer func([]byte) int64
	switch kind {
	case "f2":
		float = func(b []byte) float64 { return float64(onnxio.HalfValue(le.Uint16(b))) }
	case "f4":
		float = func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	case "f8":
		float = func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
	case "i1":
		integer = func(b []byte) int64 { return int64(int8(b[0])) }
	case "u1", "b1":
		integer = func(b []byte) int64 { return int64(b[0]) }
	case "i2":
		integer = func(b []byte) int64 { return int64(int16(le.Uint16(b))) }
	case "u2":
		integer = func(b []byte) int64 { return int64(le.Uint16(b)) }
	case "i4":
		integer = func(b []byte) int64 { return int64(int32(le.Uint32(b))) }
	case "u4":
		integer = func(b []byte) int64 { return int64(le.Uint32(b)) }
	case "u8":
		for i := range size {
			if le.Uint64(data[i*8:]) > math.MaxInt64 {
				return fmt.Errorf("element %d of a uint64 array does not fit in int64", i)
			}
		}
		fallthrough
	case "i8":
		integer = func(b []byte) int64 { return int64(le.Uint64(b)) }
	default:
		return fmt.Errorf("a .npy array of elements %q", kind)
	}
	if float != nil {
		a.Floats = make([]float64, size)
		for i := range a.Floats {
			a.Floats[i] = float(data[i*width:])
		}
		return nil
	}
	a.Ints = make([]int64, size)
	for i := range a.Ints {
		a.Ints[i] = integer(data[i*width:])
	}
	return nil
}

// AppendNPY appends the array as a .npy file, version 1: '<f8', or '<i8' where Ints is set.
func (a *Array) AppendNPY(out []byte) []byte {
	descr, n := "<f8", len(a.Floats)
	if a.Ints != nil {
		descr, n = "<i8", len(a.Ints)
	}
	shape := ""
	for _, d := range a.Shape {
		shape += strconv.Itoa(d) + ", "
	}
	if len(a.Shape) > 1 {
		shape = strings.TrimSuffix(shape, ", ")
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n" // data begin at a multiple of 64
	out = append(out, "\x93NUMPY\x01\x00"...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(head)))
	out = append(out, head...)
	for i := range n {
		if a.Ints != nil {
			out = binary.LittleEndian.AppendUint64(out, uint64(a.Ints[i]))
		} else {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(a.Floats[i]))
		}
	}
	return out
}
