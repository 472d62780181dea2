package plain

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
)

// matrix is y = Ax. Row i of A is made of segments [start[i], start[i+1]): consecutive columns from at[s] on, with the coefficients
// coef[off[s]:off[s]+n[s]].
type matrix struct {
	in, out    int
	start      []int32
	at, off, n []int32
	coef       []float64
	terms      int       // the most coefficients in a row
	column     int       // the most coefficients in a column
	whole      bool      // every row is one segment, of all columns
	moves      bool      // every row is an element, or none
	same       bool      // it is the identity
	left       []int     // the columns that are left of whole rows; nil for all
	sum        []float64 // memory for what a row is in these
}

// maxSegments limits what a file's sizes can ask for.
const maxSegments = 1 << 27

func (m *matrix) add(at, off, n int) {
	m.at, m.off, m.n = append(m.at, int32(at)), append(m.off, int32(off)), append(m.n, int32(n))
}

func (m *matrix) close() { m.start = append(m.start, int32(len(m.at))) }

// newMatrix writes a map's rows down. Coefficients are the map's own memory where they can be.
func newMatrix(a affine.Map) (*matrix, error) {
	in, out := a.Dims()
	m := &matrix{in: in, out: out, start: []int32{0}}
	switch a := a.(type) {
	case *affine.Identity:
		m.coef = []float64{1}
		for i := range out {
			m.add(i, 0, 1)
			m.close()
		}
	case *affine.Diag:
		m.coef = a.D
		for i := range out {
			m.add(i, i, 1)
			m.close()
		}
	case *affine.Dense:
		m.coef, m.whole = a.W, a.Blocks == 1
		for b := range a.Blocks {
			for i := range a.Out {
				m.add(b*a.In, i*a.In, a.In)
				m.close()
			}
		}
	case *affine.Sparse:
		m.sparse(a)
	case *affine.Conv:
		if out > maxSegments/max(1, a.C/a.Groups*a.KH) {
			return nil, fmt.Errorf("a convolution of %d outputs is too large", out)
		}
		m.conv(a)
	case *affine.Transposed:
		c, err := newMatrix(a.Conv)
		if err != nil {
			return nil, err
		}
		m.transpose(c)
	default:
		return nil, fmt.Errorf("a map of kind %T is not known", a)
	}
	return m, m.count()
}

func (m *matrix) sparse(a *affine.Sparse) {
	m.coef = a.Coef
	for i := range m.out {
		for t := a.Start[i]; t < a.Start[i+1]; t++ {
			m.add(int(a.Index[t]), int(t), 1)
			if a.Coef == nil {
				m.coef, m.off[len(m.off)-1] = []float64{1}, 0
			}
		}
		m.close()
	}
}

// conv gives output (o, y, x) one segment for each channel and row of the kernel, or for each tap where taps lie apart.
func (m *matrix) conv(a *affine.Conv) {
	m.coef = a.Weights
	per, group, most := a.C/a.Groups, a.M/a.Groups, m.out*(a.C/a.Groups)*a.KH // segments, of kernels without holes
	m.start, m.at, m.off, m.n = slices.Grow(m.start, m.out), make([]int32, 0, most), make([]int32, 0, most), make([]int32, 0, most)
	for o := range a.M {
		for y := range a.OH {
			for x := range a.OW {
				for c := range per {
					for ky := range a.KH {
						row := y*a.StrideH - a.PadTop + ky*a.DilationH
						if row < 0 || row >= a.H {
							continue
						}
						from := ((o/group*per+c)*a.H + row) * a.W
						weights := ((o*per+c)*a.KH + ky) * a.KW
						for kx := range a.KW {
							col := x*a.StrideW - a.PadLeft + kx*a.DilationW
							if col >= 0 && col < a.W {
								m.tap(from+col, weights+kx, m.start[len(m.start)-1])
							}
						}
					}
				}
				m.close()
			}
		}
	}
}

// tap adds a coefficient, to the last segment where it goes on with it.
func (m *matrix) tap(at, off int, first int32) {
	if k := len(m.at) - 1; k >= int(first) && int(m.at[k]+m.n[k]) == at && int(m.off[k]+m.n[k]) == off {
		m.n[k]++
		return
	}
	m.add(at, off, 1)
}

func (m *matrix) transpose(c *matrix) {
	columns := make([][]int32, m.out)
	for i := range c.out {
		for s := c.start[i]; s < c.start[i+1]; s++ {
			for k := range c.n[s] {
				m.coef = append(m.coef, c.coef[c.off[s]+k])
				columns[c.at[s]+k] = append(columns[c.at[s]+k], int32(i), int32(len(m.coef)-1))
			}
		}
	}
	for _, list := range columns {
		for k := 0; k < len(list); k += 2 {
			m.add(int(list[k]), int(list[k+1]), 1)
		}
		m.close()
	}
}

// lean is a matrix of segments of what is not 0, where that is little; else the matrix itself.
func (m *matrix) lean() *matrix {
	if !m.whole {
		return m
	}
	s, left := &matrix{in: m.in, out: m.out, start: []int32{0}, coef: m.coef}, 0
	for i := range m.out {
		for t := m.start[i]; t < m.start[i+1]; t++ {
			for k := range m.n[t] {
				if m.coef[m.off[t]+k] != 0 {
					s.tap(int(m.at[t]+k), int(m.off[t]+k), s.start[i])
					left++
				}
			}
		}
		s.close()
	}
	if 8*left > len(m.coef) || s.count() != nil {
		return m
	}
	return s
}

// without is a matrix of whole rows without some columns, or without those that another one was: was where nearly all is left, or rows are not
// whole.
func (m *matrix) without(column func(k int) bool, was *matrix) *matrix {
	t := *m
	t.left = []int{} // not nil, where none is left
	for k := 0; k < m.in && m.whole; k++ {
		if !column(k) {
			t.left = append(t.left, k)
		}
	}
	if !m.whole || 10*len(t.left) > 9*m.in {
		return was
	}
	t.coef, t.off, t.sum = make([]float64, 0, m.out*len(t.left)), make([]int32, m.out), make([]float64, len(t.left))
	for r, from := range m.off {
		t.off[r] = int32(len(t.coef))
		for _, k := range t.left {
			t.coef = append(t.coef, m.coef[int(from)+k])
		}
	}
	return &t
}

// count finds the sums' lengths, and that every segment lies inside: rows and columns are trusted behind it.
func (m *matrix) count() error {
	column := make([]int, m.in)
	m.moves, m.same = true, m.in == m.out && len(m.at) == m.in
	for i := range m.out {
		terms := 0
		for s := m.start[i]; s < m.start[i+1]; s++ {
			if m.at[s] < 0 || int(m.at[s]+m.n[s]) > m.in || int(m.off[s]+m.n[s]) > len(m.coef) {
				return fmt.Errorf("output %d of a map of %d inputs reads beyond them", i, m.in)
			}
			terms += int(m.n[s])
			m.same = m.same && int(m.at[s]) == i
			for k := range m.n[s] {
				j := m.at[s] + k
				m.moves = m.moves && terms == 1 && m.coef[m.off[s]+k] == 1
				column[j]++
				m.column = max(m.column, column[j])
			}
		}
		m.terms = max(m.terms, terms)
	}
	m.same = m.same && m.moves && m.column <= 1
	return nil
}

// down adds row*A to dst, but in columns that are left out: the sum of the others is one operation more, which State.affine has room for.
func (m *matrix) down(dst, row []float64) {
	if m.left == nil {
		m.sums(dst, row)
		return
	}
	clear(m.sum)
	m.sums(m.sum, row)
	for n, k := range m.left {
		dst[k] += m.sum[n]
	}
}

// sums adds row*A to the columns that are left. Of a matrix of whole rows four are added up before a column is read and written once.
func (m *matrix) sums(dst, row []float64) {
	var a [4][]float64
	var x [4]float64
	waiting := 0
	for i, r := range row {
		if r == 0 {
			continue
		}
		if m.whole {
			a[waiting], x[waiting] = m.coef[m.off[i]:][:len(dst)], r
			if waiting++; waiting == len(a) {
				p, q, s, t := a[0], a[1][:len(dst)], a[2][:len(dst)], a[3][:len(dst)]
				x0, x1, x2, x3 := x[0], x[1], x[2], x[3]
				for k, w := range p[:len(dst)] {
					dst[k] += w*x0 + q[k]*x1 + (s[k]*x2 + t[k]*x3)
				}
				waiting = 0
			}
			continue
		}
		for s := m.start[i]; s < m.start[i+1]; s++ {
			c := m.coef[m.off[s] : m.off[s]+m.n[s]]
			d := dst[m.at[s]:][:len(c)]
			for k, w := range c {
				d[k] += r * w
			}
		}
	}
	for i := range waiting {
		for k, w := range a[i] {
			dst[k] += x[i] * w
		}
	}
}
