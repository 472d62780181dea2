package equal_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// drawing is a network that is being drawn.
type drawing struct {
	rng   *rand.Rand
	g     *onnxio.Graph
	count int
}

// draw begins a network of one image of two channels.
func draw(rng *rand.Rand) (*drawing, *onnxio.Value) {
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 2}, {Size: 5}, {Size: 5}}}
	return &drawing{rng: rng, g: &onnxio.Graph{Name: "dead", Inputs: []*onnxio.Value{x}}}, x
}

func (d *drawing) fixed(t *onnxio.Tensor) *onnxio.Value {
	d.count++
	v := &onnxio.Value{Name: fmt.Sprint("c", d.count), DType: t.DType, HasShape: true, Shape: t.Shape, Const: t}
	for _, n := range t.Shape {
		v.Dims = append(v.Dims, onnxio.Dim{Size: n})
	}
	return v
}

func (d *drawing) floats(f []float32, shape ...int) *onnxio.Value {
	return d.fixed(onnxio.FromFloat32(f, shape...))
}

// of makes a node of a domain and its first output of a type.
func (d *drawing) of(domain, op string, t onnxio.DType, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	d.count++
	n := &onnxio.Node{Name: fmt.Sprint(op, d.count), Op: op, Domain: domain, Opset: 17, Attrs: attrs, Inputs: in}
	if domain != "" {
		n.Opset = 1
	}
	v := &onnxio.Value{Name: fmt.Sprint("v", d.count), DType: t, Producer: n}
	n.Outputs = []*onnxio.Value{v}
	d.g.Nodes = append(d.g.Nodes, n)
	return v
}

func (d *drawing) node(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return d.of("", op, onnxio.Float, attrs, in...)
}

func (d *drawing) scale(x float32) *onnxio.Value { return d.floats([]float32{x}) }

func (d *drawing) byte(z uint8) *onnxio.Value {
	return d.fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{}, Data: []uint8{z}})
}

// bytes are whole numbers of a value, of which zero stands for 0.
type bytes struct {
	v    *onnxio.Value
	zero uint8
}

// zeros draws a zero point: 0, as behind a rectifier, or another.
func (d *drawing) zeros() uint8 { return uint8(d.rng.IntN(2) * d.rng.IntN(100)) }

// taken is the zero point that a reader takes: mostly that of who made the numbers.
func (d *drawing) taken(x bytes) uint8 {
	if d.rng.IntN(4) == 0 {
		return d.zeros()
	}
	return x.zero
}

// filters are weights, filters first, with a zero point and a scale for each; some have no weights but zeros. least and most of what a filter
// sums are over inputs from 0 to 255, of which 0 is at zero.
type filters struct {
	w, scales, zeros *onnxio.Value
	real             [][]int // less the zero points
	least, most      []float64
}

func (d *drawing) filters(from, to, area int, zero uint8) filters {
	f := filters{real: make([][]int, to), least: make([]float64, to), most: make([]float64, to)}
	w, zeros, scales := make([]int8, 0, to*from*area), make([]int8, to), make([]float32, to)
	for o := range to {
		zeros[o], scales[o] = int8(d.rng.IntN(5)-2), []float32{0.5, 1}[d.rng.IntN(2)]
		flat := d.rng.IntN(4) == 0
		for range from * area {
			x := d.rng.IntN(41) - 20
			if flat {
				x = 0
			}
			f.real[o] = append(f.real[o], x)
			w = append(w, int8(x)+zeros[o])
			low, high := float64(x)*float64(-int(zero)), float64(x)*float64(255-int(zero))
			f.least[o], f.most[o] = f.least[o]+min(low, high), f.most[o]+max(low, high)
		}
	}
	shape := []int{to, from}
	if area > 1 {
		shape = append(shape, 3, 3)
	}
	f.w = d.fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: shape, Data: w})
	f.zeros = d.fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{to}, Data: zeros})
	f.scales = d.floats(scales, to)
	return f
}

// bias holds some filters below zero, whatever they are given, and some nearly so; those that have no weights but zeros it mostly leaves there.
func (d *drawing) bias(f filters) *onnxio.Value {
	b := make([]int32, len(f.most))
	for o, most := range f.most {
		switch {
		case f.least[o] == f.most[o] && d.rng.IntN(4) > 0:
		default:
			b[o] = int32(d.rng.NormFloat64()*3000 - (max(most, 0)+9000)*[]float64{0, 0, 0.6, 1.01, 1.5}[d.rng.IntN(5)])
		}
	}
	return d.fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{len(b)}, Data: b})
}

// qlinear draws a network of whole numbers whose scales are powers of two.
func qlinear(rng *rand.Rand) *onnxio.Graph {
	d, x := draw(rng)
	const ms = "com.microsoft"
	u := onnxio.Uint8
	conv := func(x bytes, from, to int) bytes {
		in, out := d.taken(x), d.zeros()
		f := d.filters(from, to, 9, in)
		return bytes{d.of("", "QLinearConv", u, onnxio.Attrs{"pads": []int64{1, 1, 1, 1}}, x.v, d.scale(1), d.byte(in), f.w, f.scales, f.zeros,
			d.scale(256), d.byte(out), d.bias(f)), out}
	}
	one := func(op string, x bytes, scale float32, attrs onnxio.Attrs) bytes {
		out := d.taken(x)
		return bytes{d.of(ms, op, u, attrs, x.v, d.scale(1), d.byte(d.taken(x)), d.scale(scale), d.byte(out)), out}
	}
	two := func(op string, a, b bytes, scale float32) bytes {
		out := d.taken(a)
		return bytes{d.of(ms, op, u, nil, a.v, d.scale(1), d.byte(d.taken(a)), b.v, d.scale(1), d.byte(d.taken(b)), d.scale(scale), d.byte(out)), out}
	}
	zero := d.zeros()
	first := bytes{d.of("", "QuantizeLinear", u, nil, x, d.scale(1.0/128), d.byte(zero)), zero}
	y := conv(first, 2, 8)
	for range 2 {
		switch rng.IntN(8) {
		case 0:
			a := onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}, "count_include_pad": int64(rng.IntN(2))}
			y = one("QLinearAveragePool", y, 1, a)
		case 1:
			y = two("QLinearAdd", y, conv(first, 2, 8), 2)
		case 2:
			both, out := []bytes{y, conv(first, 2, 4)}, d.taken(y)
			in := []*onnxio.Value{d.scale(1), d.byte(out)}
			for _, b := range both {
				in = append(in, b.v, d.scale(1), d.byte(d.taken(b)))
			}
			y = conv(bytes{d.of(ms, "QLinearConcat", u, onnxio.Attrs{"axis": int64(1)}, in...), out}, 12, 8)
		case 3:
			y = two("QLinearMul", y, one("QLinearSigmoid", conv(first, 2, 8), 1.0/256, nil), 64)
		case 4:
			y = one("QLinearLeakyRelu", y, 1, onnxio.Attrs{"alpha": float32(0.25)})
		case 5:
			y.v = d.of("", "MaxPool", u, onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}, y.v)
		case 6:
			y = conv(y, 8, 8)
		case 7: // both of which may take another number for zero
			y = two("QLinearAdd", conv(y, 8, 8), conv(y, 8, 8), 2)
		}
	}
	y = one("QLinearGlobalAveragePool", conv(y, 8, 6), 1, onnxio.Attrs{"channels_last": int64(0)})
	y.v = d.of("", "Flatten", u, nil, y.v)
	in := d.taken(y)
	f := d.filters(6, 3, 1, in)
	d.g.Outputs = []*onnxio.Value{d.of(ms, "QGemm", onnxio.Float, onnxio.Attrs{"transB": int64(1)}, y.v, d.scale(1), d.byte(in), f.w, f.scales, f.zeros,
		d.bias(f))}
	return d.g
}

// qdq draws a network of real numbers between pairs of QuantizeLinear and DequantizeLinear whose scales are powers of two, so that sums are exact.
func qdq(rng *rand.Rand) *onnxio.Graph {
	d, x := draw(rng)
	pair := func(v *onnxio.Value, scale float32) bytes {
		zero := d.zeros()
		q := d.of("", "QuantizeLinear", onnxio.Uint8, nil, v, d.scale(scale), d.byte(zero))
		return bytes{d.node("DequantizeLinear", nil, q, d.scale(scale), d.byte(d.taken(bytes{nil, zero}))), zero}
	}
	sums := func(op string, x bytes, from, to, area int, attrs onnxio.Attrs) *onnxio.Value {
		f := d.filters(from, to, area, 0)
		w := d.node("DequantizeLinear", onnxio.Attrs{"axis": int64(0)}, f.w, f.scales, f.zeros)
		b := d.node("DequantizeLinear", onnxio.Attrs{"axis": int64(0)}, d.bias(f), f.scales)
		return d.node(op, attrs, x.v, w, b)
	}
	conv := func(x bytes, from, to int) bytes {
		y := sums("Conv", x, from, to, 9, onnxio.Attrs{"pads": []int64{1, 1, 1, 1}})
		if rng.IntN(3) > 0 {
			y = d.node("Relu", nil, y)
		}
		y = d.node("Mul", nil, y, d.scale(1.0/256))
		return pair(y, 1)
	}
	first := pair(x, 1.0/128)
	first.v = d.node("Mul", nil, first.v, d.scale(128))
	y := conv(first, 2, 8)
	switch rng.IntN(5) {
	case 0:
		y = pair(d.node("AveragePool", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, y.v), 1)
	case 1:
		y = pair(d.node("Add", nil, y.v, conv(first, 2, 8).v), 2)
	case 2:
		y = conv(pair(d.node("Concat", onnxio.Attrs{"axis": int64(1)}, y.v, conv(first, 2, 4).v), 1), 12, 8)
	case 3:
		y = pair(d.node("Mul", nil, y.v, pair(d.node("Sigmoid", nil, conv(first, 2, 8).v), 1.0/256).v), 1)
	case 4:
		y = conv(y, 8, 8)
	}
	y = pair(d.node("GlobalAveragePool", nil, conv(y, 8, 6).v), 1)
	y.v = d.node("Flatten", nil, y.v)
	d.g.Outputs = []*onnxio.Value{sums("Gemm", y, 6, 3, 1, onnxio.Attrs{"transB": int64(1)})}
	return d.g
}

// dynamic draws a network that quantises what it sums by its own range.
func dynamic(rng *rand.Rand) *onnxio.Graph {
	d, x := draw(rng)
	quantised := func(v *onnxio.Value) (q, scale, zero *onnxio.Value) {
		q = d.of("", "DynamicQuantizeLinear", onnxio.Uint8, nil, v)
		scale = &onnxio.Value{Name: q.Name + "_scale", DType: onnxio.Float, Producer: q.Producer}
		zero = &onnxio.Value{Name: q.Name + "_zero", DType: onnxio.Uint8, Producer: q.Producer}
		q.Producer.Outputs = append(q.Producer.Outputs, scale, zero)
		return q, scale, zero
	}
	// behind gives sums their scale and a bias; beyond is the axes behind the channels.
	behind := func(sum, scale *onnxio.Value, f filters, beyond ...int) *onnxio.Value {
		to := len(f.most)
		each := d.floats(f.scales.Const.F32(), append([]int{to}, beyond...)...)
		b := make([]float32, to)
		for o := range b {
			b[o] = float32(rng.NormFloat64()*3 - []float64{0, 0, 20, 200}[rng.IntN(4)])
		}
		y := d.node("Mul", nil, d.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, sum), d.node("Mul", nil, scale, each))
		return d.node("Add", nil, y, d.floats(b, append([]int{to}, beyond...)...))
	}
	conv := func(x *onnxio.Value, from, to int) *onnxio.Value {
		f := d.filters(from, to, 9, 0)
		q, scale, zero := quantised(x)
		one := d.fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{}, Data: []int8{int8(d.rng.IntN(5) - 2)}}) // onnxruntime takes no others
		sum := d.of("", "ConvInteger", onnxio.Int32, onnxio.Attrs{"pads": []int64{1, 1, 1, 1}}, q, f.w, zero, one)
		y := behind(sum, d.node("Mul", nil, scale, d.scale(1.0/64)), f, 1, 1)
		if rng.IntN(4) > 0 {
			y = d.node("Relu", nil, y)
		}
		return y
	}
	y := conv(x, 2, 8)
	switch rng.IntN(3) {
	case 0:
		y = d.node("Add", nil, y, conv(x, 2, 8))
	case 1:
		y = d.node("Concat", onnxio.Attrs{"axis": int64(1)}, y, conv(x, 2, 4))
		y = conv(y, 12, 8)
	}
	y = d.node("Relu", nil, conv(y, 8, 6))
	y = d.node("Flatten", nil, d.node("GlobalAveragePool", nil, y))
	f := d.filters(6, 5, 1, 0)
	w := d.fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{6, 5}, Data: slices.Clone(f.w.Const.Data.([]int8))})
	if rng.IntN(2) == 0 {
		b := d.floats([]float32{1, -2, 0.5, -30, 0}, 5)
		y = d.of("com.microsoft", "DynamicQuantizeMatMul", onnxio.Float, nil, y, w, f.scales, f.zeros, b)
	} else {
		q, scale, zero := quantised(y)
		y = behind(d.of("", "MatMulInteger", onnxio.Int32, nil, q, w, zero, f.zeros), scale, f)
	}
	last := make([]float32, 15)
	for i := range last {
		last[i] = float32(rng.IntN(9) - 4)
	}
	d.g.Outputs = []*onnxio.Value{d.node("Gemm", nil, d.node("Relu", nil, y), d.floats(last, 5, 3))}
	return d.g
}

// TestProvenDeadOfQuantisedChangesNothing is TestProvenDeadChangesNothing for networks of whole numbers: outputs are the same bits, of the smaller
// network, of the one that it came from, and of that with what went at zero, on the Go engine and in onnxruntime where it is installed.
func TestProvenDeadOfQuantisedChangesNothing(t *testing.T) {
	library := ""
	if found, err := ortlib.Find(ortlib.Request{Given: os.Getenv("SHOAL_ONNXRUNTIME"), Python: true}); err == nil && len(found) > 0 {
		library = found[0].Path
	} else if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
		t.Fatal("SHOAL_REQUIRE asks for onnxruntime, which is missing")
	}
	networks := 40
	if testing.Short() {
		networks = 8
	}
	for name, kind := range map[string]func(*rand.Rand) *onnxio.Graph{"qlinear": qlinear, "qdq": qdq, "dynamic": dynamic} {
		t.Run(name, func(t *testing.T) {
			removed, kept := 0, 0
			for seed := range networks {
				rng := rand.New(rand.NewPCG(uint64(seed), 13))
				g := kind(rng)
				r, err := prune.Run(context.Background(), g, prune.Options{Choice: prune.Choice{Score: prune.ProvenDead},
					Bounds: equal.Bounds(pixels, verify.Options{Method: []verify.Method{verify.Interval, verify.DeepPoly}[seed%2]})})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				for _, cl := range r.Plan.Classes {
					removed, kept = removed+cl.Removed, kept+cl.Units-cl.Removed
				}
				sessions := []engine.Session{}
				for _, o := range []engine.Options{{}, {Float64: true}, {Engine: "ort:cpu", Library: library}} {
					for _, h := range []*onnxio.Graph{g, r.Graph, r.Zeroed} {
						if o.Engine == "" || library != "" {
							sessions = append(sessions, opened(t, h, o))
						}
					}
				}
				for k := range 24 {
					x := make([]float64, 50)
					for i := range x {
						if x[i] = float64(float32(rng.Float64())); k%2 == 0 {
							x[i] = math.Round(x[i])
						}
					}
					for i := 0; i < len(sessions); i += 3 {
						in := onnxio.FromFloat64(x, 1, 2, 5, 5)
						if sessions[i].Inputs()[0].DType == onnxio.Float {
							in = narrow(in)
						}
						want := answer(t, sessions[i], in)
						for j, s := range sessions[i+1 : i+3] {
							if name == "qdq" && i == 6 && j == 1 {
								continue // onnxruntime joins pairs with what lies between them, unless there is a Where, and rounds halves otherwise
							}
							if got := answer(t, s, in); !slices.Equal(got, want) {
								t.Fatalf("seed %d: %s: graph %d gives %v, want %v", seed, s.Engine(), j+1, got, want)
							}
						}
					}
				}
				for _, s := range sessions {
					s.Close()
				}
			}
			if t.Logf("%d filters went, %d stay", removed, kept); removed < networks || kept < networks {
				t.Errorf("%d filters of %d networks were proven dead, and %d not: too few to show anything", removed, networks, kept)
			}
		})
	}
}

// opened is a session of a graph's file.
func opened(t *testing.T, g *onnxio.Graph, o engine.Options) engine.Session {
	t.Helper()
	m, err := onnxio.NewModel(g, "test")
	if err == nil {
		var file []byte
		if file, err = m.Bytes(); err == nil {
			m, err = onnxio.Parse(file, "")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := engine.Open(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func narrow(x *onnxio.Tensor) *onnxio.Tensor {
	f := make([]float32, x.Len())
	for i, v := range x.F64() {
		f[i] = float32(v)
	}
	return onnxio.FromFloat32(f, x.Shape...)
}

func answer(t *testing.T, s engine.Session, x *onnxio.Tensor) []float64 {
	t.Helper()
	y, err := s.Run(context.Background(), []*onnxio.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	f, err := y[0].Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return f
}
