package operators

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

// convByDefinition is affine.Conv as its comment says it.
func convByDefinition(m *affine.Conv, y, x []float64) {
	cg, mg := m.C/m.Groups, m.M/m.Groups
	for o := range m.M {
		for oy := range m.OH {
			for ox := range m.OW {
				for c := range cg {
					for ky := range m.KH {
						for kx := range m.KW {
							iy, ix := oy*m.StrideH-m.PadTop+ky*m.DilationH, ox*m.StrideW-m.PadLeft+kx*m.DilationW
							if iy >= 0 && iy < m.H && ix >= 0 && ix < m.W {
								y[(o*m.OH+oy)*m.OW+ox] += m.Weights[((o*cg+c)*m.KH+ky)*m.KW+kx] * x[((o/mg*cg+c)*m.H+iy)*m.W+ix]
							}
						}
					}
				}
			}
		}
	}
}

// TestConvAgainstLoops compares shapes, Eval in both precisions, and the map with loops over the definition.
func TestConvAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for i := range 400 {
		g := randomGeometry(rng, false)
		groups, cg, mg := 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(3)
		if i%4 == 0 {
			cg = 1
		}
		c, m := groups*cg, groups*mg
		g.attrs["group"] = int64(groups)
		if rng.IntN(2) == 0 {
			delete(g.attrs, "kernel_shape")
		}
		rows, cols := g.axis2()
		wShape := g.shape(m, cg, func(a axis) int { return a.kernel })
		w, bias := randoms(rng, product(wShape)), randoms(rng, m)
		inputs := []*onnxio.Value{variable(g.shape(g.n, c, inSize)...), floats(w, wShape...)}
		withBias := rng.IntN(2) == 0
		if withBias {
			inputs = append(inputs, floats(bias, m))
		}
		n := node(t, "Conv", 11, g.attrs, inputs...)
		if want := g.shape(g.n, m, outSize); !slices.Equal(n.Outputs[0].Shape, want) {
			t.Fatalf("%+v: shape %v, want %v", g, n.Outputs[0].Shape, want)
		}
		x := randoms(rng, product(inputs[0].Shape))
		want := make([]float64, product(n.Outputs[0].Shape))
		j := 0
		for b := range g.n {
			for o := range m {
				for oy := range rows.out {
					for ox := range cols.out {
						if withBias {
							want[j] = bias[o]
						}
						for ch := range cg {
							for _, ry := range rows.reads(oy) {
								for _, rx := range cols.reads(ox) {
									want[j] += w[((o*cg+ch)*rows.kernel+ry[0])*cols.kernel+rx[0]] * x[((b*c+o/mg*cg+ch)*rows.in+ry[1])*cols.in+rx[1]]
								}
							}
						}
						j++
					}
				}
			}
		}
		near(t, g, run(t, n, x)[0], want)
		l := checkAffine(t, n)
		if _, ok := l.Maps[0].(*affine.Conv); ok != (g.n == 1) || l.RelErr != 0 || l.BiasErr != nil {
			t.Fatalf("%+v: %T", g, l.Maps[0])
		}
		checkFloat32(t, n, want, x)
	}
}

// TestConvTransposeAgainstLoops spreads every input element over a large enough canvas and cuts the pads off.
func TestConvTransposeAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	done := 0
	for range 600 {
		groups, cg, mg, imgs := 1+rng.IntN(2), 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(2)
		c, m := groups*cg, groups*mg
		attrs := onnxio.Attrs{"group": int64(groups)}
		mode := rng.IntN(5) // explicit pads, SAME_UPPER, SAME_LOWER, VALID, output_shape
		if mode >= 1 && mode <= 3 {
			attrs["auto_pad"] = []string{"SAME_UPPER", "SAME_LOWER", "VALID"}[mode-1]
		}
		dims := 1 + rng.IntN(2)
		var a [2]axis
		a[0] = axis{in: 1, kernel: 1, stride: 1, dilation: 1, out: 1}
		var strides, dilations, starts, ends, extra, want64 []int64
		fits := true
		for i := 2 - dims; i < 2; i++ {
			s := axis{in: 1 + rng.IntN(4), kernel: 1 + rng.IntN(3), stride: 1 + rng.IntN(3), dilation: 1 + rng.IntN(2)}
			e := rng.IntN(s.stride)
			full := (s.in-1)*s.stride + s.extent() + e
			total := 0
			switch mode {
			case 0:
				s.before, s.after = rng.IntN(2), rng.IntN(2)
			case 1, 2:
				total = max(0, full-s.in*s.stride)
				s.out = s.in * s.stride
			case 4:
				s.out = max(1, full-rng.IntN(3))
				total = full - s.out
			}
			if mode == 1 {
				s.before, s.after = total/2, total-total/2
			} else if total > 0 {
				s.before, s.after = total-total/2, total/2
			}
			if mode == 0 || mode == 3 {
				s.out = full - s.before - s.after
			}
			fits = fits && s.out > 0
			a[i] = s
			strides, dilations, extra = append(strides, int64(s.stride)), append(dilations, int64(s.dilation)), append(extra, int64(e))
			starts, ends, want64 = append(starts, int64(s.before)), append(ends, int64(s.after)), append(want64, int64(s.out))
		}
		if !fits {
			continue
		}
		done++
		attrs["strides"], attrs["dilations"], attrs["output_padding"] = strides, dilations, extra
		if mode == 0 {
			attrs["pads"] = append(starts, ends...)
		}
		if mode == 4 {
			attrs["output_shape"] = want64
		}
		cut := func(n, c, h, w int) []int {
			if dims == 1 {
				return []int{n, c, w}
			}
			return []int{n, c, h, w}
		}
		wShape := cut(c, mg, a[0].kernel, a[1].kernel)
		w, bias := randoms(rng, product(wShape)), randoms(rng, m)
		n := node(t, "ConvTranspose", 11, attrs, variable(cut(imgs, c, a[0].in, a[1].in)...), floats(w, wShape...), floats(bias, m))
		if want := cut(imgs, m, a[0].out, a[1].out); !slices.Equal(n.Outputs[0].Shape, want) {
			t.Fatalf("%v: shape %v, want %v", attrs, n.Outputs[0].Shape, want)
		}
		x := randoms(rng, product(n.Inputs[0].Shape))
		want := make([]float64, product(n.Outputs[0].Shape))
		for i := range want {
			want[i] = bias[i/(a[0].out*a[1].out)%m]
		}
		for b := range imgs {
			for ch := range c {
				for iy := range a[0].in {
					for ix := range a[1].in {
						for o := range mg {
							for ky := range a[0].kernel {
								for kx := range a[1].kernel {
									oy, ox := iy*a[0].stride+ky*a[0].dilation-a[0].before, ix*a[1].stride+kx*a[1].dilation-a[1].before
									if oy < 0 || oy >= a[0].out || ox < 0 || ox >= a[1].out {
										continue
									}
									want[((b*m+ch/cg*mg+o)*a[0].out+oy)*a[1].out+ox] += x[((b*c+ch)*a[0].in+iy)*a[1].in+ix] *
										w[((ch*mg+o)*a[0].kernel+ky)*a[1].kernel+kx]
								}
							}
						}
					}
				}
			}
		}
		near(t, attrs, run(t, n, x)[0], want)
		checkAffine(t, n)
		checkFloat32(t, n, want, x)
	}
	if done < 400 {
		t.Errorf("only %d cases", done)
	}
}
