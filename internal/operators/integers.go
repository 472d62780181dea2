package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// Products of 8-bit integers: operands less their zero points, summed in integers, and for the QLinear operators scaled and rounded again.

// integerSums is the geometry of a node whose outputs are such sums. Scales and zero points belong to the whole operand, or to its rows (a)
// or columns (b).
type integerSums struct {
	n     int
	taps  func(i int, to []int32) []int32 // appends the places of the operands of output i, pair by pair
	row   func(i int) int                 // which row and column output i belongs to
	col   func(i int) int
	shape []int
	pairs []int32 // of the output in work
}

// matmulSums are those of a matrix product.
func matmulSums(a, b []int) (*integerSums, error) {
	d, err := readMatmul(a, b)
	if err != nil {
		return nil, err
	}
	rows := 1
	if len(a) > 1 {
		rows = a[len(a)-2]
	}
	return &integerSums{
		n: len(d.a) * d.m * d.n, shape: d.out,
		taps: func(i int, to []int32) []int32 {
			s, r, j := i/(d.m*d.n), i/d.n%d.m, i%d.n
			for p := range d.k {
				to = append(to, int32(d.a[s]+r*d.k+p), int32(d.b[s]+p*d.n+j))
			}
			return to
		},
		row: func(i int) int { return i / d.n % d.m % rows },
		col: func(i int) int { return i % d.n },
	}, nil
}

// convSums are those of a convolution: what lies in the padding is the zero point, and adds nothing.
func convSums(n *onnxio.Node, x, w []int) (*integerSums, error) {
	g, groups, err := convWindow(n, x, w)
	if err != nil {
		return nil, err
	}
	m, cg, area := w[0], w[1], g.oh*g.ow
	s := &integerSums{
		n: g.n * m * area, shape: g.shape(m),
		taps: func(i int, to []int32) []int32 {
			o, oy, ox := i/area%m, i%area/g.ow, i%g.ow
			first := i/(area*m)*g.c + o/(m/groups)*cg
			for c := range cg {
				for ky := range g.kh {
					iy := oy*g.sh - g.top + ky*g.dh
					if iy < 0 || iy >= g.h {
						continue
					}
					for kx := range g.kw {
						if ix := ox*g.sw - g.left + kx*g.dw; ix >= 0 && ix < g.w {
							to = append(to, int32(((first+c)*g.h+iy)*g.w+ix), int32(((o*cg+c)*g.kh+ky)*g.kw+kx))
						}
					}
				}
			}
			return to
		},
		row: func(int) int { return 0 },
		col: func(i int) int { return i / area % m },
	}
	return s, checkSizes(s.shape)
}

// perLine is entry k of scales or zero points, which are one for all or one for each line.
func perLine(count, k int) int {
	if count == 1 {
		return 0
	}
	return k
}

// lineAt reads entry k of a tensor of scales or zero points; def where it is absent.
func lineAt(t *onnxio.Tensor, k int, def float64) float64 {
	if t == nil {
		return def
	}
	return numberAt(t, perLine(t.Len(), k))
}

// checkLines8 wants one entry, or one for each of the lines.
func checkLines8(n *onnxio.Node, input, lines int) error {
	v := n.Input(input)
	if v == nil {
		return nil
	}
	if v.Shape == nil || product(v.Shape) != 1 && (len(v.Shape) != 1 || v.Shape[0] != lines) {
		return op.Unsupported(n, "", fmt.Sprintf("input %d of shape %v where one number or %d are read", input, v.Shape, lines))
	}
	return nil
}

// check8 wants 8-bit integers.
func check8(n *onnxio.Node, inputs ...int) error {
	for _, i := range inputs {
		v := n.Input(i)
		if v == nil || v.DType != onnxio.Int8 && v.DType != onnxio.Uint8 {
			return op.Unsupported(n, "", fmt.Sprintf("input %d must be of 8-bit integers", i))
		}
	}
	return nil
}

// sum adds the products of output i, each operand less its zero point.
func (s *integerSums) sum(i int, a, b, za, zb *onnxio.Tensor) int64 {
	p, q := int64(lineAt(za, s.row(i), 0)), int64(lineAt(zb, s.col(i), 0))
	var sum int64
	s.pairs = s.taps(i, s.pairs[:0])
	for k := 0; k < len(s.pairs); k += 2 {
		sum += (int64(numberAt(a, int(s.pairs[k]))) - p) * (int64(numberAt(b, int(s.pairs[k+1]))) - q)
	}
	return sum
}

// bounds bounds the sum of output i. The operands are integers, and sums of those that float64 holds are exact; of larger ones nothing is
// told.
func (s *integerSums) bounds(i int, a, b, za, zb relax.Box) (lo, up float64) {
	zero := func(z relax.Box, k int) (float64, float64) {
		if len(z.Lower) == 0 {
			return 0, 0
		}
		k = perLine(len(z.Lower), k)
		return math.Ceil(z.Lower[k]), math.Floor(z.Upper[k])
	}
	pl, pu := zero(za, s.row(i))
	ql, qu := zero(zb, s.col(i))
	mag := 0.0
	s.pairs = s.taps(i, s.pairs[:0])
	for k := 0; k < len(s.pairs); k += 2 {
		x, y := s.pairs[k], s.pairs[k+1]
		al, au := math.Ceil(a.Lower[x])-pu, math.Floor(a.Upper[x])-pl
		bl, bu := math.Ceil(b.Lower[y])-qu, math.Floor(b.Upper[y])-ql
		l, u := min(al*bl, al*bu, au*bl, au*bu), max(al*bl, al*bu, au*bl, au*bu)
		lo, up, mag = lo+l, up+u, mag+max(-l, u)
	}
	if !(mag < 1<<50) {
		return math.Inf(-1), math.Inf(1)
	}
	return lo, up
}

// boxOf is the box of an optional input.
func boxOf(in []relax.Box, i int) relax.Box {
	if i < len(in) {
		return in[i]
	}
	return relax.Box{}
}

// requantise rounds a scaled sum and adds the zero point, within the range of the output's type.
func requantise(v, zero float64, d onnxio.DType) float64 {
	least, most := integerRange(d)
	return min(max(math.RoundToEven(v)+zero, least), most)
}

// requantiseRoom is the relative error that we allow the scaled sum: three float32 roundings of the scales and two of the product are less
// than 2^-21, and integer multipliers of 31 bits are nearer. It covers both ways to round a half.
const requantiseRoom = 0x1p-20

// requantised bounds a scaled and rounded sum in [lo, up], for scales and zero points in boxes.
func requantised(lo, up float64, as, bs, ys, yz [2]float64, d onnxio.DType) (float64, float64) {
	fl, fu := relax.MulBounds(as[0], as[1], bs[0], bs[1])
	fl, fu = divBounds(fl, fu, ys[0], ys[1])
	lo, up = relax.MulBounds(lo, up, fl, fu)
	e := max(math.Abs(lo), math.Abs(up))*requantiseRoom + 0x1p-100
	least, most := integerRange(d)
	if !sound.Finite(e) {
		return least, most
	}
	return requantise(lo-e, yz[0], d), requantise(up+e, yz[1], d)
}

// boxLine is entry k of a box of scales or zero points; def where it is absent.
func boxLine(b relax.Box, k int, def float64) [2]float64 {
	if len(b.Lower) == 0 {
		return [2]float64{def, def}
	}
	k = perLine(len(b.Lower), k)
	return [2]float64{b.Lower[k], b.Upper[k]}
}
