package operators

import (
	"math/big"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestStretchedWeightsAreWithinTheirError: where scales are no powers of two the map's weights are those of the real numbers up to RelErr, and
// nothing is known of executions. The truth is the formula of one axis after the other, in rational numbers, without taps.
func TestStretchedWeightsAreWithinTheirError(t *testing.T) {
	const in = 5
	keys := func(a, x *big.Rat) *big.Rat { // Keys' kernel at |x|
		x = new(big.Rat).Abs(x)
		p := func(c ...*big.Rat) *big.Rat {
			y := new(big.Rat)
			for _, k := range c {
				y.Mul(y, x).Add(y, k)
			}
			return y
		}
		n := func(k int64) *big.Rat { return big.NewRat(k, 1) }
		m := func(k int64) *big.Rat { return new(big.Rat).Mul(n(k), a) }
		switch {
		case x.Cmp(n(1)) <= 0:
			return p(new(big.Rat).Add(a, n(2)), new(big.Rat).Sub(m(-1), n(3)), n(0), n(1))
		case x.Cmp(n(2)) < 0:
			return p(a, m(-5), m(8), m(-4))
		}
		return n(0)
	}
	hat := func(x *big.Rat) *big.Rat {
		x = new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Abs(x))
		if x.Sign() < 0 {
			return new(big.Rat)
		}
		return x
	}
	for _, mode := range []string{"linear", "cubic", "linear smoothed", "cubic smoothed"} {
		mode, smoothed := strings.CutSuffix(mode, " smoothed")
		for _, place := range []string{"half_pixel", "align_corners", "asymmetric"} {
			for _, scale := range []float32{3, 1.7, 2. / 3, 0.45} {
				a := onnxio.Attrs{"mode": mode, "coordinate_transformation_mode": place, "cubic_coeff_a": float32(-0.75)}
				if smoothed {
					a["antialias"] = int64(1)
				}
				n := node(t, "Resize", 18, a,
					variable(1, 1, in, in), nil, fixed(onnxio.FromFloat32([]float32{1, 1, scale, scale}, 4)))
				d, _ := Lookup(n)
				l, err := d.Linear(n)
				if err != nil {
					t.Fatal(err)
				}
				if l.Execution.Known() {
					t.Fatalf("%s %s %v: executions are said to be known", mode, place, scale)
				}
				out := n.Outputs[0].Shape[3]
				s := new(big.Rat).SetFloat64(float64(scale))
				row := make([][]*big.Rat, out) // weights of every input place, beyond the edge those of the edge
				for i := range row {
					x := big.NewRat(int64(i), 1)
					switch place {
					case "half_pixel":
						x.Add(x, big.NewRat(1, 2)).Quo(x, s).Sub(x, big.NewRat(1, 2))
					case "asymmetric":
						x.Quo(x, s)
					default:
						x.Mul(x, big.NewRat(in-1, 1)).Quo(x, new(big.Rat).Sub(new(big.Rat).Mul(s, big.NewRat(in, 1)), big.NewRat(1, 1)))
					}
					row[i] = make([]*big.Rat, in)
					for k := range row[i] {
						row[i][k] = new(big.Rat)
					}
					total := new(big.Rat)
					for k := -40; k < 40; k++ {
						far := new(big.Rat).Sub(x, big.NewRat(int64(k), 1))
						if smoothed && scale < 1 {
							far.Mul(far, s)
						}
						w := hat(far)
						if mode == "cubic" {
							w = keys(big.NewRat(-3, 4), far)
						}
						row[i][min(max(k, 0), in-1)].Add(row[i][min(max(k, 0), in-1)], w)
						total.Add(total, w)
					}
					for k := range row[i] { // 1 but where the window is widened
						row[i][k].Quo(row[i][k], total)
					}
				}
				got := dense(t, l.Maps[0].(*affine.Sparse), in*in)
				inexact := false
				for o := range out * out {
					for k := range in * in {
						want := new(big.Rat).Mul(row[o/out][k/in], row[o%out][k%in])
						sum, err := new(big.Rat), new(big.Rat)
						for _, c := range got[o][k] { // taps beyond the edge are several of one element
							r := new(big.Rat).SetFloat64(c)
							sum.Add(sum, r)
							err.Add(err, new(big.Rat).Abs(r))
						}
						err.Mul(err, new(big.Rat).SetFloat64(l.RelErr))
						off := sum.Sub(sum, want)
						inexact = inexact || off.Sign() != 0
						if off.Abs(off).Cmp(err) > 0 {
							f, _ := off.Float64()
							t.Fatalf("%s %s %v: weight of %d in %d is off by %g, and RelErr is %g", mode, place, scale, k, o, f, l.RelErr)
						}
					}
				}
				if !inexact {
					t.Errorf("%s %s %v: every weight is exact, which shows nothing", mode, place, scale)
				}
			}
		}
	}
}

// dense has the coefficients of every input element in every output element.
func dense(t *testing.T, m *affine.Sparse, in int) [][][]float64 {
	t.Helper()
	out := make([][][]float64, len(m.Start)-1)
	for o := range out {
		out[o] = make([][]float64, in)
		for k := m.Start[o]; k < m.Start[o+1]; k++ {
			out[o][m.Index[k]] = append(out[o][m.Index[k]], m.Coef[k])
		}
	}
	return out
}
