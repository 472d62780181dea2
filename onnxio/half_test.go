package onnxio

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// TestHalves: every float16 comes back as itself, and every float32 near the midpoints goes to the nearest, ties to even.
func TestHalves(t *testing.T) {
	for h := range 1 << 16 {
		f := HalfValue(uint16(h))
		if got := HalfBits(f); got != uint16(h) && !math.IsNaN(float64(f)) {
			t.Fatalf("%#04x is %v and comes back as %#04x", h, f, got)
		}
		if f != f {
			if g := HalfValue(HalfBits(f)); g == g {
				t.Fatalf("NaN %#04x becomes %v", h, g)
			}
			continue
		}
		next := HalfValue(uint16(h + 1))
		if h&0x7fff >= 0x7bff {
			continue
		}
		mid := float32((float64(f) + float64(next)) / 2)
		even := uint16(h + h&1)
		away, toward := uint16(h+1), uint16(h)
		for _, c := range []struct {
			f    float32
			want uint16
		}{{mid, even}, {math.Nextafter32(mid, next), away}, {math.Nextafter32(mid, f), toward}} {
			if got := HalfBits(c.f); got != c.want {
				t.Fatalf("%v goes to %#04x, want %#04x", c.f, got, c.want)
			}
		}
	}
	for f, want := range map[float32]uint16{65519.996: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, -1e30: 0xfc00, 1e-30: 0} {
		if got := HalfBits(f); got != want {
			t.Errorf("%v goes to %#04x, want %#04x", f, got, want)
		}
	}
	for _, f := range []float32{0, 1, -2.5, 3.3895314e38, float32(math.Inf(1)), 1.00390625, 1.01171875} {
		up := math.Float32frombits(uint32(BFloat16Bits(f)) << 16)
		if math.Abs(float64(up-f)) > math.Abs(float64(f))/256 {
			t.Errorf("%v goes to %v", f, up)
		}
	}
	if BFloat16Bits(1.00390625) != 0x3f80 || BFloat16Bits(1.01171875) != 0x3f82 {
		t.Error("ties do not go to even")
	}
}

// TestRoundIsNearest rounds by arithmetic of another kind: big.Float of as many bits of precision as the type has, of which the smallest numbers
// have fewer. NaN stays NaN, and what is beyond the largest number by half a step or more is infinite.
func TestRoundIsNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 16))
	for d, form := range map[DType]struct{ bits, least, most int }{Float16: {11, -14, 16}, BFloat16: {8, -126, 128}} {
		for range 20000 {
			v := math.Float32frombits(rng.Uint32())
			if rng.IntN(2) == 0 { // near what both types hold
				v = float32((rng.Float64()*2 - 1) * math.Pow(10, float64(rng.IntN(14)-9)))
			}
			if rng.IntN(3) == 0 { // a tie, or next to one
				v = math.Float32frombits(math.Float32bits(v)&^0xffff | 0x8000 + uint32(rng.IntN(3)) - 1)
			}
			got := d.Round(v)
			if v != v || math.IsInf(float64(v), 0) {
				if got != v && (v == v || got == got) {
					t.Fatalf("%v becomes %v as %v", v, got, d)
				}
				continue
			}
			_, exp := math.Frexp(float64(v))
			bits := min(form.bits, form.bits+exp-1-form.least)
			want := 0.0
			if bits >= 1 {
				want, _ = new(big.Float).SetPrec(uint(bits)).SetFloat64(float64(v)).Float64()
			} else { // no more than one step above zero, or none: ties are to zero, which is even
				step := math.Ldexp(1, form.least-form.bits+1)
				if math.Abs(float64(v)) > step/2 {
					want = math.Copysign(step, float64(v))
				}
			}
			if math.Abs(want) >= math.Ldexp(1, form.most) {
				want = math.Inf(int(math.Copysign(1, want)))
			}
			if float64(got) != want {
				t.Fatalf("%v (%x) becomes %v as %v, want %v", v, math.Float32bits(v), got, d, want)
			}
		}
	}
	for _, d := range []DType{Float, Double, Int8} {
		if d.Half() || d.Round(0.1) != 0.1 {
			t.Errorf("%v rounds", d)
		}
	}
}

// TestConstantNodesKeepHalfPrecision: what is cast like a Constant in half precision is rounded so.
func TestConstantNodesKeepHalfPrecision(t *testing.T) {
	for _, d := range []DType{Float, Float16, BFloat16} {
		k := op("Constant", "k")
		k.Attribute = []*pb.AttributeProto{{Name: str("value"), Type: proto.Int32(attrTensor),
			T: &pb.TensorProto{Dims: []int64{1}, DataType: proto.Int32(int32(d)), RawData: make([]byte, d.Bits()/8)}}}
		data, err := marshal.Marshal(&pb.ModelProto{IrVersion: proto.Int64(8), OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(17)}},
			Graph: &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 2)}, Output: []*pb.ValueInfoProto{floatInput("y", 2)},
				Node: []*pb.NodeProto{k, op("CastLike", "y", "x", "k")}}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(data, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Graph.Nodes[1].Inputs[1].DType; got.Half() != d.Half() || d.Half() && got != d {
			t.Errorf("a Constant of %v is read as %v", d, got)
		}
	}
}
