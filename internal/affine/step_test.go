package affine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// matrix writes a map out as a full matrix in row-major order of both values, straight from its definition.
func matrix(m Map) [][]float64 {
	in, out := m.Dims()
	a := make([][]float64, out)
	for i := range a {
		a[i] = make([]float64, in)
	}
	switch m := m.(type) {
	case *Identity:
		for i := range a {
			a[i][i] = 1
		}
	case *Diag:
		for i := range a {
			a[i][i] = m.D[i]
		}
	case *Dense:
		for b := range m.Blocks {
			for i := range m.Out {
				for j := range m.In {
					a[b*m.Out+i][b*m.In+j] = m.W[i*m.In+j]
				}
			}
		}
	case *Sparse:
		for i := range a {
			for t := m.Start[i]; t < m.Start[i+1]; t++ {
				c := 1.0
				if m.Coef != nil {
					c = m.Coef[t]
				}
				a[i][m.Index[t]] += c
			}
		}
	case *Conv:
		cg, mg := m.C/m.Groups, m.M/m.Groups
		for o := range m.M {
			for oy := range m.OH {
				for ox := range m.OW {
					for c := range cg {
						for ky := range m.KH {
							for kx := range m.KW {
								iy, ix := oy*m.StrideH-m.PadTop+ky*m.DilationH, ox*m.StrideW-m.PadLeft+kx*m.DilationW
								if iy < 0 || iy >= m.H || ix < 0 || ix >= m.W {
									continue
								}
								ch := o/mg*cg + c
								a[(o*m.OH+oy)*m.OW+ox][(ch*m.H+iy)*m.W+ix] += m.Weights[((o*cg+c)*m.KH+ky)*m.KW+kx]
							}
						}
					}
				}
			}
		}
	case *Transposed:
		for j, row := range matrix(m.Conv) {
			for i, v := range row {
				a[i][j] = v
			}
		}
	}
	return a
}

func normals(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func shuffled(rng *rand.Rand, n int) Order {
	o := Flat(n)
	for _, i := range rng.Perm(n) {
		o.Perm = append(o.Perm, int32(i))
	}
	return o
}

type mapCase struct {
	name    string
	m       Map
	in, out Order
}

func mapCases(rng *rand.Rand) []mapCase {
	var cs []mapCase
	add := func(name string, m Map, in, out Order) { cs = append(cs, mapCase{name, m, in, out}) }
	add("identity", &Identity{6}, Flat(6), Flat(6))
	add("identity reordered", &Identity{6}, shuffled(rng, 6), Flat(6))
	add("diag", &Diag{normals(rng, 7)}, shuffled(rng, 7), Flat(7))
	o := shuffled(rng, 7)
	add("diag same order", &Diag{normals(rng, 7)}, o, o)
	add("dense", &Dense{In: 9, Out: 5, Blocks: 1, W: normals(rng, 45)}, Flat(9), Flat(5))
	add("dense reordered", &Dense{In: 9, Out: 5, Blocks: 1, W: normals(rng, 45)}, shuffled(rng, 9), shuffled(rng, 5))
	add("dense blocks as they stand", &Dense{In: 3, Out: 4, Blocks: 5, W: normals(rng, 12)}, Flat(15), Flat(20))
	add("dense blocks of a reordered input", &Dense{In: 4, Out: 3, Blocks: 3, W: normals(rng, 12)}, shuffled(rng, 12), Flat(9))
	add("dense blocks", &Dense{In: 3, Out: 4, Blocks: 2, W: normals(rng, 12)}, Flat(6), shuffled(rng, 8))
	add("sparse", &Sparse{In: 4, Start: []int32{0, 2, 2, 3, 5}, Index: []int32{1, 1, 3, 0, 2}, Coef: normals(rng, 5)},
		shuffled(rng, 4), shuffled(rng, 4))
	add("pick", Pick(5, []int32{4, -1, 0, 0}), Flat(5), Flat(4))
	for i := range 400 {
		g := 1 + rng.IntN(3)
		cg, mg := 1+rng.IntN(3), 1+rng.IntN(3)
		if i%2 == 0 { // enough channels for gathering
			g, cg = 1+rng.IntN(2), gatherChannels+rng.IntN(4)
		}
		c := &Conv{C: g * cg, M: g * mg, Groups: g, H: 1 + rng.IntN(7), W: 1 + rng.IntN(7), KH: 1 + rng.IntN(4), KW: 1 + rng.IntN(4),
			StrideH: 1 + rng.IntN(3), StrideW: 1 + rng.IntN(3), DilationH: 1 + rng.IntN(3), DilationW: 1 + rng.IntN(3),
			PadTop: rng.IntN(3), PadLeft: rng.IntN(3)}
		if i%5 == 0 { // depthwise
			c.C, c.M, c.Groups = 3, 3, 3
			cg, mg = 1, 1
		}
		c.OH = (c.H+c.PadTop+rng.IntN(3)-(c.KH-1)*c.DilationH-1)/c.StrideH + 1
		c.OW = (c.W+c.PadLeft+rng.IntN(3)-(c.KW-1)*c.DilationW-1)/c.StrideW + 1
		if c.OH < 1 || c.OW < 1 {
			continue
		}
		c.Weights = normals(rng, c.M*cg*c.KH*c.KW)
		add(fmt.Sprintf("conv %+v", struct{ C, M, G, H, W, KH, KW int }{c.C, c.M, c.Groups, c.H, c.W, c.KH, c.KW}), c, ChannelsLast(c.C, c.H, c.W),
			ChannelsLast(c.M, c.OH, c.OW))
		add(fmt.Sprintf("transposed %+v", *c)[:60], &Transposed{c}, ChannelsLast(c.M, c.OH, c.OW), ChannelsLast(c.C, c.H, c.W))
	}
	return cs
}

func closeTo(a, b float64) bool { return math.Abs(a-b) <= 1e-12*(1+math.Abs(a)) }

// TestStepsEqualTheMatrix compares every step, in every direction, with the written-out matrix.
func TestStepsEqualTheMatrix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range mapCases(rng) {
		t.Run(c.name, func(t *testing.T) {
			a := matrix(c.m)
			nin, nout := c.m.Dims()
			s := Lower(c.m, c.in, c.out)
			w := &Work{}
			for _, abs := range []bool{false, true} {
				for _, batch := range []int{1, 3} {
					x, y := normals(rng, batch*nin), make([]float64, batch*nout)
					s.Forward(y, x, batch, abs, w)
					for b := range batch {
						for k := range nout {
							want := 0.0
							for j := range nin {
								v := a[c.out.At(k)][c.in.At(j)]
								if abs {
									v = math.Abs(v)
								}
								want += v * x[b*nin+j]
							}
							if !closeTo(want, y[b*nout+k]) {
								t.Fatalf("forward abs=%v batch %d output %d: %v, want %v", abs, b, k, y[b*nout+k], want)
							}
						}
					}
				}
			}
			checkRows(t, rng, c, s, a, w)
		})
	}
}

func checkRows(t *testing.T, rng *rand.Rand, c mapCase, s Step, a [][]float64, w *Work) {
	nin, nout := c.m.Dims()
	const n = 4
	forms := normals(rng, n*nout)
	g := c.out.Geom
	check := func(what string, got *Rows, want [][]float64, only []int32) {
		t.Helper()
		got = got.Expand(w)
		for r := range want {
			for j := range nin {
				if only != nil && !contains(only, int32(j)) {
					continue
				}
				if !closeTo(want[r][c.in.At(j)], got.Row(r)[j]) {
					t.Fatalf("%s: row %d input %d: %v, want %v", what, r, j, got.Row(r)[j], want[r][c.in.At(j)])
				}
			}
		}
	}
	product := func(forms []float64, rows int) [][]float64 {
		out := make([][]float64, rows)
		for r := range rows {
			out[r] = make([]float64, nin)
			for k := range nout {
				for j := range nin {
					out[r][j] += forms[r*nout+k] * a[c.out.At(k)][j]
				}
			}
		}
		return out
	}
	rows := func(data []float64) *Rows {
		return &Rows{N: n, H: g.H, W: g.W, C: g.C, Full: g, Data: append([]float64{}, data...)}
	}
	poison(w)
	check("back", s.Back(rows(forms), nil, w), product(forms, n), nil)

	live := []int32{}
	for j := range nin {
		if rng.IntN(2) == 0 {
			live = append(live, int32(j))
		}
	}
	check("back to live", s.Back(rows(forms), live, w), product(forms, n), live)

	var index []int32
	sign := []float64{1, -1, 1, -1}
	picked := make([]float64, n*nout)
	for r := range n {
		i := rng.IntN(nout)
		index = append(index, int32(i))
		picked[r*nout+i] = sign[r]
	}
	check("pick", s.Pick(index, sign, nil, w), product(picked, n), nil)
	check("pick live", s.Pick(index, sign, live, w), product(picked, n), live)

	// Windows: one-hot rows, spread over windows of two by two that may stick out of the image.
	if g.H*g.W > 1 {
		win := &Rows{N: n, H: 2, W: 2, C: g.C, Full: g, Y: make([]int32, n), X: make([]int32, n), Data: make([]float64, n*4*g.C)}
		dense := make([]float64, n*nout)
		for r := range n {
			win.Y[r], win.X[r] = int32(rng.IntN(g.H+1)-1), int32(rng.IntN(g.W+1)-1)
			win.Run(r, func(off, at, m int) {
				for k := range m {
					v := rng.NormFloat64()
					win.Row(r)[off+k], dense[r*nout+at+k] = v, v
				}
			})
		}
		poison(w)
		back := s.Back(win, nil, w)
		checkOutside(t, back)
		check("windows", back, product(dense, n), nil)
	}
}

// checkOutside wants coefficients of 0 where windows stick out of the image.
func checkOutside(t *testing.T, r *Rows) {
	t.Helper()
	if r.Y == nil {
		return
	}
	for i := range r.N {
		outside := append([]float64{}, r.Row(i)...)
		r.Run(i, func(off, at, n int) { clear(outside[off : off+n]) })
		for k, v := range outside {
			if v != 0 {
				t.Fatalf("row %d has %v at %d, outside of the image", i, v, k)
			}
		}
	}
}

// poison leaves buffers of NaN behind, so that what is not written shows.
func poison(w *Work) {
	w.free = nil
	for range 8 {
		b := make([]float64, 1<<13)
		for i := range b {
			b[i] = math.NaN()
		}
		w.Put(b)
	}
}

func contains(xs []int32, x int32) bool {
	for _, v := range xs {
		if v == x {
			return true
		}
	}
	return false
}

// TestAddJoinsWindows adds rows of different windows and compares with the dense sum.
func TestAddJoinsWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	w := &Work{}
	for range 300 {
		g := Geom{1 + rng.IntN(8), 1 + rng.IntN(8), 1 + rng.IntN(3)}
		const n = 3
		steady := rng.IntN(2) == 0
		dy, dx := rng.IntN(3)-1, rng.IntN(3)-1
		var parts [2]*Rows
		want := make([]float64, n*g.Len())
		var y0, x0 [n]int
		for r := range n {
			y0[r], x0[r] = rng.IntN(g.H+2)-1, rng.IntN(g.W+2)-1
		}
		for p := range parts {
			h, wd := 1+rng.IntN(3), 1+rng.IntN(3)
			x := &Rows{N: n, H: h, W: wd, C: g.C, Full: g, Y: make([]int32, n), X: make([]int32, n), Data: make([]float64, n*h*wd*g.C)}
			for r := range n {
				x.Y[r], x.X[r] = int32(y0[r]+p*dy), int32(x0[r]+p*dx)
				if !steady && p == 1 {
					x.Y[r] += int32(rng.IntN(2))
				}
				x.Run(r, func(off, at, m int) {
					for k := range m {
						v := rng.NormFloat64()
						x.Row(r)[off+k] = v
						want[r*g.Len()+at+k] += v
					}
				})
			}
			if rng.IntN(4) == 0 {
				x = x.Expand(w)
			}
			parts[p] = x
		}
		got := Add(parts[0], parts[1], w).Expand(w)
		for i, v := range want {
			if !closeTo(v, got.Data[i]) {
				t.Fatalf("element %d: %v, want %v", i, got.Data[i], v)
			}
		}
	}
}
