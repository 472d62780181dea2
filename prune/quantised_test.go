package prune_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

func (b *builder) scale(x float32) *onnxio.Value {
	return b.fixed(onnxio.FromFloat32([]float32{x}))
}

func (b *builder) zero(z uint8) *onnxio.Value {
	return b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{}, Data: []uint8{z}})
}

// bytes are weights around the zero point 128.
func (b *builder) bytes(shape ...int) *onnxio.Value {
	d := make([]uint8, onnxio.NumElements(shape))
	for i := range d {
		d[i] = uint8(128 + b.rng.IntN(41) - 20)
	}
	return b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: shape, Data: d})
}

func asBytes(v *onnxio.Value) *onnxio.Value {
	v.DType = onnxio.Uint8
	return v
}

// qmatmul multiplies x, which the node takes for numbers around the zero point from, and gives numbers around to.
func (b *builder) qmatmul(name string, x *onnxio.Value, from, to uint8, w *onnxio.Value) *onnxio.Value {
	return asBytes(b.node("QLinearMatMul", name, nil, x, b.scale(0.5), b.zero(from), w, b.scale(0.125), b.zero(128), b.scale(1), b.zero(to)))
}

func (b *builder) quantised(zero uint8, x *onnxio.Value) *onnxio.Value {
	return asBytes(b.node("QuantizeLinear", "", nil, x, b.scale(0.125), b.zero(zero)))
}

func (b *builder) real(zero uint8, y *onnxio.Value) *onnxio.Value {
	return b.node("DequantizeLinear", "", nil, y, b.scale(1), b.zero(zero))
}

// TestReadersAgreeOnZero: what is taken away stands at the zero point of the node that sums over it, whatever the one that made it says; where two
// nodes that sum differ, nothing goes.
func TestReadersAgreeOnZero(t *testing.T) {
	b := newBuilder(1)
	y := b.qmatmul("a", b.quantised(7, b.input("x", -1, 6)), 7, 90, b.bytes(6, 8))
	r := same(t, b.outputs(b.real(4, b.qmatmul("b", y, 100, 4, b.bytes(8, 3)))), prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	if r.Plan.Removed() != 4 {
		t.Errorf("removed %d filters, want 4", r.Plan.Removed())
	}

	b = newBuilder(2)
	y = b.qmatmul("a", b.quantised(7, b.input("x", -1, 6)), 7, 90, b.bytes(6, 8))
	p, q := b.real(4, b.qmatmul("b", y, 90, 4, b.bytes(8, 3))), b.real(4, b.qmatmul("c", y, 91, 4, b.bytes(8, 3)))
	r = same(t, b.outputs(p, q), prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	if r.Plan.Removed() != 0 || !strings.Contains(r.Plan.Pinned[0].Why, `nodes "b" and "c" take different integers for 0`) {
		t.Errorf("removed %d; pinned: %v", r.Plan.Removed(), r.Plan.Pinned)
	}

	b = newBuilder(3)
	y = b.qmatmul("a", b.quantised(7, b.input("x", -1, 6)), 7, 90, b.bytes(6, 8))
	z := asBytes(b.node("QuantizeLinear", "", nil, b.input("z"), b.scale(1), b.zero(0))) // a zero point that is computed
	y = b.node("QLinearMatMul", "b", nil, y, b.scale(0.5), z, b.bytes(8, 3), b.scale(0.125), b.zero(128), b.scale(1), b.zero(4))
	r = same(t, b.outputs(b.real(4, asBytes(y))), prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	if r.Plan.Removed() != 0 || !strings.Contains(r.Plan.Pinned[0].Why, "which integer stands for 0 is computed") {
		t.Errorf("removed %d; pinned: %v", r.Plan.Removed(), r.Plan.Pinned)
	}
}

// ranged is a layer of eight filters whose numbers are quantised by their own range: they, their scale and their zero point.
func (b *builder) ranged() (q, scale, zero *onnxio.Value) {
	w := b.fixed(onnxio.FromFloat32([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 8))
	q = asBytes(b.node("DynamicQuantizeLinear", "range", nil, b.node("Gemm", "a", nil, b.input("x", -1, 6), b.weights(6, 8), w)))
	scale = &onnxio.Value{Name: "scale", DType: onnxio.Float, Producer: q.Producer}
	zero = &onnxio.Value{Name: "zero", DType: onnxio.Uint8, Producer: q.Producer}
	q.Producer.Outputs = append(q.Producer.Outputs, scale, zero)
	return q, scale, zero
}

// TestRangesTakeTheirOwnZero: what quantises by its own range gives the zero point that its readers take, and slots go; where a reader takes another,
// or reads what a node between made of the numbers, they stay. A constant that a slot would send on moves the range, and is not taken up.
func TestRangesTakeTheirOwnZero(t *testing.T) {
	product := func(b *builder, name string, q *onnxio.Value, zero ...*onnxio.Value) *onnxio.Value {
		y := b.node("MatMulInteger", name, nil, append([]*onnxio.Value{q, b.bytes(8, 3)}, zero...)...)
		y.DType = onnxio.Int32
		return b.node("Cast", "", onnxio.Attrs{"to": int64(onnxio.Float)}, y)
	}
	made := func(b *builder, make func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value) *onnxio.Value {
		q, scale, zero := b.ranged()
		return make(b, q, scale, zero)
	}
	half := prune.Options{Choice: prune.Choice{Ratio: 0.5}}
	for _, c := range []struct {
		name string
		make func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value
		o    prune.Options
		goes int
		why  string
	}{
		{"its own", func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value {
			return b.node("Mul", "", nil, product(b, "b", q, zero, b.zero(128)), scale)
		}, half, 4, ""},
		{"0", func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value { return product(b, "b", q) }, half, 4, ""},
		{"both", func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value {
			return b.node("Add", "", nil, product(b, "b", q, zero), product(b, "c", q))
		}, half, 0, `nodes "b" and "c" take different integers for 0`},
		{"behind another node", func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value {
			return product(b, "b", asBytes(b.node("Identity", "", nil, q)), zero)
		}, half, 0, "which integer stands for 0 is computed"},
		{"constants", func(b *builder, q, scale, zero *onnxio.Value) *onnxio.Value { return product(b, "b", q, zero) },
			prune.Options{Choice: half.Choice, AbsorbBias: true}, 0, "what it is given sets the scale of all its numbers"},
	} {
		b := newBuilder(12)
		r := same(t, b.outputs(made(b, c.make)), c.o)
		why := fmt.Sprint(r.Plan.Pinned, r.Plan.Classes)
		if n := r.Plan.Removed(); n != c.goes || !strings.Contains(why, c.why) {
			t.Errorf("%s: removed %d, want %d: %s", c.name, n, c.goes, why)
		}
	}
}

// went lists the filters of a layer that a plan removes.
func went(p *prune.Plan, layer string) []int {
	for _, c := range p.Classes {
		for _, l := range c.Layers {
			if l.Name == layer {
				return l.Remove
			}
		}
	}
	return nil
}

// TestScoresAreOfRealNumbers: a filter of bytes around 128 is worth little, one of zeros much; and of two filters of the same bytes the one with the
// smaller scale goes.
func TestScoresAreOfRealNumbers(t *testing.T) {
	columns := func(of ...uint8) []uint8 { return slices.Repeat(of, 6) }
	for _, c := range []struct {
		bytes []uint8
		scale []float32
		want  int
	}{
		{columns(0, 129, 255, 60), []float32{1, 1, 1, 1}, 1},
		{columns(130, 131, 126, 129), []float32{0.125, 1, 0.0625, 0.5}, 2},
	} {
		b := newBuilder(1)
		w := b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{6, 4}, Data: c.bytes})
		y := b.node("QLinearMatMul", "a", nil, b.quantised(7, b.input("x", -1, 6)), b.scale(0.5), b.zero(7), w,
			b.fixed(onnxio.FromFloat32(c.scale, 4)), b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{4}, Data: []uint8{128, 128, 128, 128}}),
			b.scale(1), b.zero(90))
		asBytes(y)
		g := b.outputs(b.real(4, b.qmatmul("b", y, 90, 4, b.bytes(4, 3))))
		for _, s := range []prune.Score{prune.L1, prune.L2} {
			r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.25, Score: s}})
			if got := went(r.Plan, "a"); !slices.Equal(got, []int{c.want}) {
				t.Errorf("%s removes %v, want %d", s, got, c.want)
			}
		}
	}
}

// constantColumns is a network whose hidden layer is, whatever the input, at 0 in filter 0 (where it saturates), at 40 in filter 1, and free
// elsewhere. Its reader takes from for zero.
func constantColumns(from uint8) *onnxio.Graph {
	b := newBuilder(5)
	w := b.bytes(4, 4)
	for i, d := 0, w.Const.Data.([]uint8); i < 4; i++ {
		d[4*i], d[4*i+1] = 128, 128
	}
	bias := b.fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{4}, Data: []int32{-1 << 20, 0, 5, 9}})
	x := b.quantised(7, b.input("x", 1, 4, 1, 1))
	w.Const.Shape, w.Shape, w.Dims = []int{4, 4, 1, 1}, []int{4, 4, 1, 1}, append(w.Dims, onnxio.Dim{Size: 1}, onnxio.Dim{Size: 1})
	turned := slices.Clone(w.Const.Data.([]uint8)) // filters first
	for i := range 16 {
		w.Const.Data.([]uint8)[i] = turned[i%4*4+i/4]
	}
	y := b.node("QLinearConv", "a", nil, x, b.scale(0.5), b.zero(7), w, b.scale(0.125), b.zero(128), b.scale(1), b.zero(40), bias)
	y = asBytes(b.node("Flatten", "", nil, asBytes(y)))
	return b.outputs(b.real(4, b.qmatmul("b", y, from, 4, b.bytes(4, 3))))
}

// TestDeadIsAtTheZeroPoint: a filter is dead where it always is at its reader's zero point.
func TestDeadIsAtTheZeroPoint(t *testing.T) {
	for _, c := range []struct {
		from uint8
		want []int
	}{{0, []int{0}}, {40, []int{1}}, {41, nil}} {
		g := constantColumns(c.from)
		r, err := prune.Run(context.Background(), g, prune.Options{Choice: prune.Choice{Score: prune.ProvenDead},
			Bounds: equal.Bounds(equal.Ranges{{0, 1}}, verify.Options{Method: verify.Interval, Semantics: verify.Float32})})
		if err != nil {
			t.Fatal(err)
		}
		if got := went(r.Plan, "a"); !slices.Equal(got, c.want) {
			t.Errorf("a reader with zero point %d: %v removed, want %v", c.from, got, c.want)
		}
	}
}

// TestActivationsCountFromTheZeroPoint: what stands at its reader's zero point is worth nothing, whatever the number is.
func TestActivationsCountFromTheZeroPoint(t *testing.T) {
	data := func(_ context.Context, f func([]*onnxio.Tensor) error) error {
		return f([]*onnxio.Tensor{onnxio.FromFloat32([]float32{0.1, 0.9, 0.4, 0.7}, 1, 4, 1, 1)})
	}
	for from, want := range map[uint8]int{0: 0, 40: 1} {
		o := prune.Options{Choice: prune.Choice{Score: prune.Activation, Ratio: 0.25}, Samples: data}
		r, err := prune.Run(context.Background(), constantColumns(from), o)
		if err != nil {
			t.Fatal(err)
		}
		if got := went(r.Plan, "a"); !slices.Equal(got, []int{want}) {
			t.Errorf("a reader with zero point %d: removed %v, want %d", from, got, want)
		}
	}
}

// TestConstantsOfQuantisedFiltersStay: with biases kept, a filter at zero sends a constant on, which nodes of whole numbers do not take up; one that
// is at the reader's zero point then goes.
func TestConstantsOfQuantisedFiltersStay(t *testing.T) {
	r := same(t, constantColumns(40), prune.Options{Choice: prune.Choice{Ratio: 0.5}, AbsorbBias: true})
	if got := went(r.Plan, "a"); !slices.Equal(got, []int{1}) {
		t.Errorf("removed %v", got)
	}
}

// TestIntegerFiltersAreScoredAtTheirScales: the sums of MatMulInteger are multiplied by the scale of each filter only behind the node. A filter of
// large integers at a small scale goes before one of small integers at a large one.
func TestIntegerFiltersAreScoredAtTheirScales(t *testing.T) {
	for _, folded := range []bool{false, true} {
		b := newBuilder(14)
		q, scale, zero := b.ranged()
		w, scales := make([]uint8, 8*6), []float32{1, 1, 1, 0.01, 1, 1}
		for i := range w {
			w[i] = []uint8{140, 145, 130, 250, 150, 155}[i%6]
		}
		weights := b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{8, 6}, Data: w})
		sum := b.node("MatMulInteger", "b", nil, q, weights, zero, b.zero(128))
		sum.DType = onnxio.Int32
		y := b.node("Cast", "", onnxio.Attrs{"to": int64(onnxio.Float)}, sum)
		each := b.fixed(onnxio.FromFloat32(scales, 6))
		if folded {
			y = b.node("Mul", "", nil, b.node("Mul", "", nil, scale, each), y)
		} else {
			y = b.node("Mul", "", nil, b.node("Mul", "", nil, y, each), scale)
		}
		g := b.outputs(b.node("Gemm", "fc", nil, y, b.weights(6, 3)))
		for _, score := range []prune.Score{prune.L1, prune.L2} {
			r := same(t, g, prune.Options{Choice: prune.Choice{Ratios: []prune.Threshold{{Layer: "b", Value: 0.16}}, Score: score}})
			if got := went(r.Plan, "b"); !slices.Equal(got, []int{3}) {
				t.Errorf("%s: removed %v, want 3", score, got)
			}
		}
	}
}

// absorbing is a network of whole numbers whose second convolution and last product take up constants, with biases of their own or without.
func absorbing(seed uint64, biased bool, pad int64, zero uint8) *onnxio.Graph {
	b := newBuilder(seed)
	bias := func(n int) *onnxio.Value {
		d := make([]int32, n)
		for i := range d {
			d[i] = int32(b.rng.IntN(4000) - 1000)
		}
		return b.fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{n}, Data: d})
	}
	each := func(n int) (*onnxio.Value, *onnxio.Value) {
		s, z := make([]float32, n), make([]uint8, n)
		for i := range s {
			s[i], z[i] = []float32{0.125, 0.25}[b.rng.IntN(2)], uint8(120+b.rng.IntN(17))
		}
		return b.fixed(onnxio.FromFloat32(s, n)), b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{n}, Data: z})
	}
	conv := func(name string, x *onnxio.Value, from, to uint8, in, out, size int, pad int64, with bool) *onnxio.Value {
		s, z := each(out)
		n := []*onnxio.Value{x, b.scale(0.5), b.zero(from), b.bytes(out, in, size, size), s, z, b.scale(4), b.zero(to)}
		if with {
			n = append(n, bias(out))
		}
		return asBytes(b.node("QLinearConv", name, onnxio.Attrs{"pads": []int64{pad, pad, pad, pad}}, n...))
	}
	y := conv("a", b.quantised(7, b.input("x", -1, 4, 4, 4)), 7, zero, 4, 8, 1, 0, true)
	y = conv("b", y, 11, zero, 8, 6, 2, pad, biased)
	y = asBytes(b.node("MaxPool", "", onnxio.Attrs{"kernel_shape": []int64{3 + 2*pad, 3 + 2*pad}}, y))
	y = asBytes(b.node("Flatten", "", nil, y))
	s, z := each(3)
	in := []*onnxio.Value{y, b.scale(0.5), b.zero(13), b.bytes(3, 6), s, z}
	if biased {
		in = append(in, bias(3))
	}
	y = b.node("QGemm", "c", onnxio.Attrs{"transB": int64(1), "alpha": float32(0.5)}, in...)
	y.Producer.Domain, y.Producer.Opset = "com.microsoft", 1
	return b.outputs(y)
}

// TestWholeSumsTakeUpConstants: what a filter of quantised weights still sends on, once they are at zero, becomes part of the biases of the nodes
// that sum over it, as whole numbers, so that outputs are the same bits; where a node pads with its zero point it stays.
func TestWholeSumsTakeUpConstants(t *testing.T) {
	matter := 0
	for seed := range uint64(10) {
		for _, biased := range []bool{false, true} {
			g := absorbing(seed, biased, 0, uint8(seed*20))
			o := prune.Options{Choice: prune.Choice{Score: prune.Random, Seed: seed, Ratio: 0.5}, AbsorbBias: true}
			r := same(t, g, o)
			want := 4 // those of b have a bias, and send something on, where it is told to
			if biased {
				want = 7
			}
			if n := r.Plan.Removed(); n < want {
				t.Errorf("seed %d: %d filters went, want %d: %+v", seed, n, want, r.Plan.Classes)
			}
			for _, wide := range []bool{false, true} {
				in, want := run(t, r.Zeroed, engine.Options{Float64: wide}, nil, 5)
				_, got := run(t, r.Graph, engine.Options{Float64: wide}, in, 5)
				if d := distance(want, got); d != 0 {
					t.Errorf("seed %d: outputs differ by %g", seed, d)
				}
				if _, plain := run(t, g, engine.Options{Float64: wide}, in, 5); distance(plain, want) > 0 {
					matter++
				}
			}
			padded := same(t, absorbing(seed, biased, 1, 90), o)
			if why := padded.Plan.Classes[0].Held; !strings.Contains(why, `node "b" (QLinearConv) cannot take up a constant: it pads with zeros`) {
				t.Errorf("seed %d: held: %s", seed, why)
			}
		}
	}
	if matter < 30 {
		t.Errorf("what went mattered in %d runs of 40 only", matter)
	}
}

// few are weights of four bits for MatMulNBits, rows×cols in blocks of 16, and their scales.
func (b *builder) few(rows, cols int) (packed, scales *onnxio.Value) {
	d, s := make([]uint8, rows*cols/2), make([]float32, rows*cols/16)
	for i := range d {
		d[i] = uint8(b.rng.IntN(256))
	}
	for i := range s {
		s[i] = 0.05 + 0.1*b.rng.Float32()
	}
	return b.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{rows, cols / 16, 8}, Data: d}),
		b.fixed(onnxio.FromFloat32(s, rows, cols/16))
}

func (b *builder) bits(name string, x *onnxio.Value, rows, cols int, w, scales *onnxio.Value) *onnxio.Value {
	y := b.node("MatMulNBits", name, onnxio.Attrs{"N": int64(rows), "K": int64(cols), "bits": int64(4), "block_size": int64(16)}, x, w, scales)
	y.Producer.Domain, y.Producer.Opset = "com.microsoft", 1
	return y
}

// TestPackedFiltersAreScoredUnpacked: a row of eights is one of zeros. Rows go one by one where real weights read them, and a block at a time
// where weights in blocks do; with biases kept none go, since a packed row is not set to zero.
func TestPackedFiltersAreScoredUnpacked(t *testing.T) {
	b := newBuilder(9)
	w, s := b.few(8, 32)
	for i := range 16 {
		w.Const.Data.([]uint8)[16*5+i] = 0x88
	}
	g := b.outputs(b.node("Gemm", "fc", nil, b.bits("a", b.input("x", -1, 32), 8, 32, w, s), b.weights(8, 3)))
	for _, score := range []prune.Score{prune.L1, prune.L2} {
		r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.125, Score: score}})
		if got := went(r.Plan, "a"); !slices.Equal(got, []int{5}) {
			t.Errorf("%s: removed %v, want 5", score, got)
		}
	}
	r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.5}, AbsorbBias: true})
	if r.Plan.Removed() != 0 || !strings.Contains(r.Plan.Classes[0].Held, "packed") {
		t.Errorf("removed %d, held: %s", r.Plan.Removed(), r.Plan.Classes[0].Held)
	}

	b = newBuilder(10)
	w, s = b.few(48, 32)
	y := b.node("Relu", "", nil, b.bits("a", b.input("x", -1, 32), 48, 32, w, s))
	w, s = b.few(8, 48)
	r = same(t, b.outputs(b.node("Gemm", "fc", nil, b.bits("b", y, 8, 48, w, s), b.weights(8, 3))), prune.Options{Choice: prune.Choice{Ratio: 0.34}})
	got := went(r.Plan, "a")
	for _, i := range got {
		if first := i / 16 * 16; !slices.Contains(got, first) || !slices.Contains(got, first+15) {
			t.Errorf("removed %v, want whole blocks of 16", got)
		}
	}
	if len(got) != 32 { // of three blocks the least part that is no less than 0.34
		t.Errorf("removed %d, want 32", len(got))
	}
}
