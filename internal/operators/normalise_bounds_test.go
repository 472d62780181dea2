package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// exactNorm evaluates (x-mean)/(sqrt(variance+epsilon)+delta)*scale+bias for runs given by the number of each element's run; nil where the
// deviation is 0.
func exactNorm(run func(i int) int, factor func(i int) int, epsilon, delta float64) func(x [][]float64) []*big.Float {
	return func(x [][]float64) []*big.Float {
		sum, square, count := map[int]*big.Float{}, map[int]*big.Float{}, map[int]float64{}
		for i, v := range x[0] {
			r := run(i)
			if sum[r] == nil {
				sum[r], square[r] = near500(), near500()
			}
			sum[r].Add(sum[r], at500(v))
			count[r]++
		}
		for i, v := range x[0] {
			r := run(i)
			d := near500().Quo(sum[r], at500(count[r]))
			d.Sub(at500(v), d)
			square[r].Add(square[r], d.Mul(d, d))
		}
		out := make([]*big.Float, len(x[0]))
		for i, v := range x[0] {
			r := run(i)
			d := near500().Quo(sum[r], at500(count[r]))
			d.Sub(at500(v), d)
			q := near500().Quo(square[r], at500(count[r]))
			q.Add(q, at500(epsilon))
			if q.Sign() > 0 {
				q.Sqrt(q)
			}
			q.Add(q, at500(delta))
			if q.Sign() <= 0 {
				continue
			}
			y := d.Quo(d, q)
			if len(x) > 1 && x[1] != nil {
				y.Mul(y, at500(x[1][factor(i)]))
			}
			if len(x) > 2 {
				y.Add(y, at500(x[2][factor(i)]))
			}
			out[i] = y
		}
		return out
	}
}

// near500 is precise enough for quotients and roots of numbers near 1, and quicker than bigPrec.
func near500() *big.Float { return new(big.Float).SetPrec(500) }

func at500(x float64) *big.Float { return near500().SetFloat64(x) }

// norms32 evaluates as two-pass, one-pass and folding executions do.
func norms32(run func(i int) int, factor func(i int) int, epsilon, delta float32) func(x [][]float32) [][]float32 {
	return func(x [][]float32) [][]float32 {
		sum, squares, centred, count := map[int]float32{}, map[int]float32{}, map[int]float32{}, map[int]float32{}
		for i, v := range x[0] {
			sum[run(i)] += v
			squares[run(i)] += float32(v * v)
			count[run(i)]++
		}
		for i, v := range x[0] {
			r := run(i)
			d := v - sum[r]/count[r]
			centred[r] += float32(d * d)
		}
		root := func(v float32) float32 { return float32(math.Sqrt(float64(v+epsilon))) + delta }
		var out [3][]float32
		for i, v := range x[0] {
			r := run(i)
			mean := sum[r] / count[r]
			two := root(centred[r] / count[r])
			one := root(squares[r]/count[r] - float32(mean*mean))
			s, b := float32(1), float32(0)
			if len(x) > 1 {
				s = x[1][factor(i)]
			}
			if len(x) > 2 {
				b = x[2][factor(i)]
			}
			f := s * (1 / two)
			out[0] = append(out[0], float32((v-mean)/two)*s+b)
			out[1] = append(out[1], float32((v-mean)*(1/one))*s+b)
			out[2] = append(out[2], float32(v*f)+(b-float32(mean*f)))
		}
		return out[:]
	}
}

func TestNormalisationBoundsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 82))
	type form struct {
		name        string
		n           *onnxio.Node
		run, factor func(i int) int
		delta       float64
		epsilon     float32
	}
	var forms []form
	for _, eps := range []float32{1e-5, 0, 0.3, 1e-12} {
		a := func(more onnxio.Attrs) onnxio.Attrs {
			out := onnxio.Attrs{"epsilon": eps}
			for k, v := range more {
				out[k] = v
			}
			return out
		}
		f32 := func(n int) []float64 {
			v := randoms(rng, n)
			for i := range v {
				v[i] = float64(float32(v[i]))
			}
			return v
		}
		scale := func(n int) *onnxio.Value { return floats(f32(n), n) }
		by := func(d int) func(int) int { return func(i int) int { return i / d } }
		mod := func(d int) func(int) int { return func(i int) int { return i % d } }
		forms = append(forms,
			form{"layer", node(t, "LayerNormalization", 17, a(nil), variable(2, 5), scale(5), scale(5)), by(5), mod(5), 0, eps},
			form{"layer of two", node(t, "LayerNormalization", 17, a(nil), variable(3, 2), scale(2)), by(2), mod(2), 0, eps},
			form{"layer of one", node(t, "LayerNormalization", 17, a(nil), variable(3, 1), scale(1), scale(1)), by(1), mod(1), 0, eps},
			form{"layer of two axes", node(t, "LayerNormalization", 17, a(onnxio.Attrs{"axis": int64(1)}), variable(2, 2, 3), scale(6), scale(6)),
				by(6), mod(6), 0, eps},
			form{"layer, all variable", node(t, "LayerNormalization", 17, a(nil), variable(2, 3), variable(3), variable(3)), by(3), mod(3), 0, eps},
			form{"layer of zeros", node(t, "LayerNormalization", 17, a(nil), variable(2, 3), floats([]float64{0, -1, 1e-30}, 3)), by(3), mod(3), 0, eps},
			form{"instance", node(t, "InstanceNormalization", 22, a(nil), variable(2, 2, 4), scale(2), scale(2)), by(4),
				func(i int) int { return i / 4 % 2 }, 0, eps},
			form{"group 18", node(t, "GroupNormalization", 18, a(onnxio.Attrs{"num_groups": int64(2)}), variable(1, 4, 3), scale(2), scale(2)),
				by(6), by(6), 0, eps},
			form{"group 21", node(t, "GroupNormalization", 21, a(onnxio.Attrs{"num_groups": int64(2)}), variable(1, 4, 3), scale(4), scale(4)),
				by(6), by(3), 0, eps},
		)
	}
	room := float64(float32(1e-9))
	forms = append(forms,
		form{"mean variance", node(t, "MeanVarianceNormalization", 13, nil, variable(2, 2, 2, 1)), func(i int) int { return i / 2 % 2 }, nil, room, 0},
		form{"mean variance of one axis", node(t, "MeanVarianceNormalization", 13, onnxio.Attrs{"axes": []int64{1}}, variable(2, 3, 2)),
			func(i int) int { return i/6*2 + i%2 }, nil, room, 0})
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			checkRelaxation(t, relaxTest{f.name, f.n, func(x [][]float64) []*big.Float {
				all := x
				for _, v := range f.n.Inputs[len(x):] {
					c, _ := v.Const.Float64s()
					all = append(all[:len(all):len(all)], c)
				}
				return exactNorm(f.run, f.factor, float64(f.epsilon), f.delta)(all)
			}, func(x [][]float32) [][]float32 {
				for _, v := range f.n.Inputs[len(x):] {
					c, _ := v.Const.Float64s()
					single := make([]float32, len(c))
					for i := range c {
						single[i] = float32(c[i])
					}
					x = append(x[:len(x):len(x)], single)
				}
				return norms32(f.run, f.factor, f.epsilon, float32(f.delta))(x)
			}}, 60)
		})
	}
}

// TestNormalisationBoundsAreTight: forms on narrow boxes are off by the square of the width, and a wide one element leaves |y| at sqrt(n-1).
func TestNormalisationBoundsAreTight(t *testing.T) {
	n := node(t, "LayerNormalization", 17, nil, variable(1, 4), floats([]float64{1, 1, 1, 1}, 4))
	d, _ := Lookup(n)
	l, err := d.Linear(n)
	if err != nil {
		t.Fatal(err)
	}
	x, ones := []float64{1, -2, 0.5, 3}, relax.Box{Lower: []float64{1, 1, 1, 1}, Upper: []float64{1, 1, 1, 1}}
	gap := func(w float64) float64 {
		b := relax.NewBox(4)
		for i, v := range x {
			b.Lower[i], b.Upper[i] = v-w, v+w
		}
		r, err := l.Relax(relax.SlopeAdaptive, []relax.Box{b, ones})
		if err != nil {
			t.Fatal(err)
		}
		most := 0.0
		for i := range x {
			lo, _ := form(&r.Lower, i, [][]float64{x}).Float64()
			hi, _ := form(&r.Upper, i, [][]float64{x}).Float64()
			most = max(most, hi-lo)
		}
		return most
	}
	if a := gap(1e-3); !(a < 5e-3) {
		t.Errorf("gap %v", a)
	}
	if a, b := gap(1e-9), gap(1e-12); !(a < 5e-9 && b < 1e-11) {
		t.Errorf("gaps %v and %v", a, b)
	}
	box, err := d.Interval(n, []relax.Box{{Lower: []float64{-100, 0, 0, 0}, Upper: []float64{100, 0.1, 0.1, 0.1}}, ones})
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if !(box[0].Upper[i] <= math.Sqrt(3)+1e-12 && box[0].Lower[i] >= -math.Sqrt(3)-1e-12) {
			t.Errorf("[%v, %v] where |y| is at most sqrt 3", box[0].Lower[i], box[0].Upper[i])
		}
	}
	inf := math.Inf(1)
	box, err = d.Interval(n, []relax.Box{{Lower: []float64{-inf, 0, 0, 0}, Upper: []float64{inf, 0, 0, 0}}, ones})
	if err != nil || !(box[0].Upper[0] <= math.Sqrt(3)+1e-12) {
		t.Errorf("an unbounded element: %v, %v", box, err)
	}
}
