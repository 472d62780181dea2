package operators

import (
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestDecisionsAreExact enumerates small whole boxes: the interval of a comparison or of a logical operator is exactly what its
// values are.
func TestDecisionsAreExact(t *testing.T) {
	for _, c := range []struct {
		name  string
		dtype onnxio.DType
		most  int
		holds func(a, b int) bool
	}{
		{"Less", onnxio.Double, 3, func(a, b int) bool { return a < b }},
		{"LessOrEqual", onnxio.Double, 3, func(a, b int) bool { return a <= b }},
		{"Greater", onnxio.Double, 3, func(a, b int) bool { return a > b }},
		{"GreaterOrEqual", onnxio.Double, 3, func(a, b int) bool { return a >= b }},
		{"And", onnxio.Bool, 1, func(a, b int) bool { return a == 1 && b == 1 }},
		{"Or", onnxio.Bool, 1, func(a, b int) bool { return a == 1 || b == 1 }},
		{"Xor", onnxio.Bool, 1, func(a, b int) bool { return a != b }},
	} {
		value := func() *onnxio.Value { return &onnxio.Value{Name: "v", DType: c.dtype, Shape: []int{1}} }
		n, d := node(t, c.name, 16, nil, value(), value()), known[c.name]
		box := func(l, u int) relax.Box { return relax.Box{Lower: []float64{float64(l)}, Upper: []float64{float64(u)}} }
		for al := range c.most + 1 {
			for au := al; au <= c.most; au++ {
				for bl := range c.most + 1 {
					for bu := bl; bu <= c.most; bu++ {
						lo, hi := 1.0, 0.0
						for a := al; a <= au; a++ {
							for b := bl; b <= bu; b++ {
								if c.holds(a, b) {
									hi = 1
								} else {
									lo = 0
								}
								if got := run(t, n, []float64{float64(a)}, []float64{float64(b)})[0][0]; (got == 1) != c.holds(a, b) {
									t.Errorf("%s(%d, %d) = %v", c.name, a, b, got)
								}
							}
						}
						out, err := d.Interval(n, []relax.Box{box(al, au), box(bl, bu)})
						if err != nil || out[0].Lower[0] != lo || out[0].Upper[0] != hi {
							t.Errorf("%s of [%d, %d] and [%d, %d]: %v %v, want [%v, %v]", c.name, al, au, bl, bu, out, err, lo, hi)
						}
					}
				}
			}
		}
	}
}
