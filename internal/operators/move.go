package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// move copies a box of elements from one row-major tensor to another:
//
//	dst[dst0 + sum_d i_d*dims[d].dst] = src[src0 + sum_d i_d*dims[d].src]   for all 0 <= i_d < dims[d].n
//
// Transpose, Slice, Expand, Concat, Split and Pad are such moves: strides are permuted, scaled, negative or zero.
type move struct {
	in, out    int // index of the node's input and output
	src0, dst0 int
	dims       []moveDim
}

type moveDim struct{ n, src, dst int }

// simplify drops sizes of 1 and joins neighbours that are one run in both tensors, so that inner loops are long.
func (m *move) simplify() {
	out := m.dims[:0]
	for _, d := range m.dims {
		if d.n == 0 {
			m.dims = []moveDim{{}}
			return
		}
		if d.n == 1 {
			continue
		}
		if k := len(out) - 1; k >= 0 && out[k].src == d.n*d.src && out[k].dst == d.n*d.dst {
			out[k] = moveDim{out[k].n * d.n, d.src, d.dst}
			continue
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		out = append(out, moveDim{1, 1, 1})
	}
	m.dims = out
}

// tile is the edge of the squares in which transpositions go, so that both sides stay in the cache.
const tile = 16

// runMove carries out a simplified move.
func runMove[T any](dst, src []T, m *move) { walk(dst, src, m.dims, m.dst0, m.src0) }

func walk[T any](dst, src []T, dims []moveDim, d0, s0 int) {
	d := dims[0]
	if len(dims) == 1 {
		switch {
		case d.n == 0:
		case d.src == 1 && d.dst == 1:
			copy(dst[d0:d0+d.n], src[s0:s0+d.n])
		case d.src == 0 && d.dst == 1:
			v := src[s0]
			row := dst[d0 : d0+d.n]
			for i := range row {
				row[i] = v
			}
		case d.dst == 1:
			row := dst[d0 : d0+d.n]
			for i := range row {
				row[i] = src[s0]
				s0 += d.src
			}
		default:
			for range d.n {
				dst[d0] = src[s0]
				d0 += d.dst
				s0 += d.src
			}
		}
		return
	}
	if len(dims) == 2 && d.src == 1 && dims[1].src > 1 {
		transposeTiles(dst, src, d, dims[1], d0, s0)
		return
	}
	for range d.n {
		walk(dst, src, dims[1:], d0, s0)
		d0 += d.dst
		s0 += d.src
	}
}

func transposeTiles[T any](dst, src []T, a, b moveDim, d0, s0 int) {
	for i0 := 0; i0 < a.n; i0 += tile {
		i1 := min(i0+tile, a.n)
		for j0 := 0; j0 < b.n; j0 += tile {
			j1 := min(j0+tile, b.n)
			for i := i0; i < i1; i++ {
				d, s := d0+i*a.dst+j0*b.dst, s0+i*a.src+j0*b.src
				for j := j0; j < j1; j++ {
					dst[d] = src[s]
					d += b.dst
					s += b.src
				}
			}
		}
	}
}

// moveData is runMove on tensors' data of any type; both must be of the same.
func moveData(dst, src any, m *move) error {
	switch s := src.(type) {
	case []float32:
		if d, ok := dst.([]float32); ok {
			runMove(d, s, m)
			return nil
		}
	case []float64:
		if d, ok := dst.([]float64); ok {
			runMove(d, s, m)
			return nil
		}
	case []int64:
		if d, ok := dst.([]int64); ok {
			runMove(d, s, m)
			return nil
		}
	case []int32:
		if d, ok := dst.([]int32); ok {
			runMove(d, s, m)
			return nil
		}
	case []int16:
		if d, ok := dst.([]int16); ok {
			runMove(d, s, m)
			return nil
		}
	case []int8:
		if d, ok := dst.([]int8); ok {
			runMove(d, s, m)
			return nil
		}
	case []uint64:
		if d, ok := dst.([]uint64); ok {
			runMove(d, s, m)
			return nil
		}
	case []uint32:
		if d, ok := dst.([]uint32); ok {
			runMove(d, s, m)
			return nil
		}
	case []uint16:
		if d, ok := dst.([]uint16); ok {
			runMove(d, s, m)
			return nil
		}
	case []uint8:
		if d, ok := dst.([]uint8); ok {
			runMove(d, s, m)
			return nil
		}
	case []bool:
		if d, ok := dst.([]bool); ok {
			runMove(d, s, m)
			return nil
		}
	case []onnxio.Code:
		if d, ok := dst.([]onnxio.Code); ok {
			runMove(d, s, m)
			return nil
		}
	case []string:
		if d, ok := dst.([]string); ok {
			runMove(d, s, m)
			return nil
		}
	}
	return fmt.Errorf("cannot copy %T to %T", src, dst)
}

// moveState keeps a node's moves from run to run.
type moveState struct {
	shapes [][]int
	moves  []move
}

// evalMoves is the Eval face of operators that only move elements: plan works out the moves from the shapes and the
// arguments (inputs from index `args` on), once if these are constant. Elements that no move writes are left alone.
func evalMoves(c *op.Call, args int, plan func(c *op.Call) ([]move, error)) error {
	s, _ := c.State.(*moveState)
	if s == nil || !s.fits(c, args) {
		moves, err := plan(c)
		if err != nil {
			return err
		}
		s = &moveState{moves: moves}
		for _, t := range c.In {
			if t == nil {
				s.shapes = append(s.shapes, nil)
			} else {
				s.shapes = append(s.shapes, slices.Clone(t.Shape))
			}
		}
		c.State = s
	}
	for i := range s.moves {
		m := &s.moves[i]
		if c.Out[m.out] == nil {
			continue
		}
		if err := moveData(c.Out[m.out].Data, c.In[m.in].Data, m); err != nil {
			return err
		}
	}
	return nil
}

// fits tells whether the kept moves are right for this call.
func (s *moveState) fits(c *op.Call, args int) bool {
	if len(s.shapes) != len(c.In) {
		return false
	}
	for i, t := range c.In {
		if t == nil {
			continue
		}
		if i >= args && !c.Const(i) || !slices.Equal(s.shapes[i], t.Shape) {
			return false
		}
	}
	return true
}
