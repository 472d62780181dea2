package plain

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// eighths draws a multiple of 1/8: what networks of a few layers of them make of such numbers is exact in float64.
func eighths(rng *rand.Rand, most int) float32 { return float32(rng.IntN(2*most+1)-most) / 8 }

// few draws weights of which one in twelve is not 0.
func few(rng *rand.Rand, most int) float32 {
	if most == 8 && rng.IntN(12) > 0 {
		return 0
	}
	return eighths(rng, most)
}

// layers are those of a network of ReLUs.
type layers struct{ weights, biases [][]float32 }

// layered is a network of layers of ReLUs, whose numbers are drawn up to some size.
func layered(t *testing.T, rng *rand.Rand, draw func(*rand.Rand, int) float32, widths ...int) (*Network, layers) {
	t.Helper()
	value := func(name string, n int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	}
	x := value("x", widths[0])
	g := &onnxio.Graph{Name: "layered", Inputs: []*onnxio.Value{x}}
	node := func(op string, out *onnxio.Value, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: out.Name, Op: op, Inputs: in, Outputs: []*onnxio.Value{out}, Attrs: onnxio.Attrs{}, Opset: 13}
		out.Producer = n
		g.Nodes = append(g.Nodes, n)
		return out
	}
	var all layers
	for k, n := range widths[1:] {
		from := widths[k]
		w, b := make([]float32, from*n), make([]float32, n)
		for i := range w {
			w[i] = draw(rng, 8)
		}
		for i := range b {
			b[i] = draw(rng, 16)
		}
		name := fmt.Sprint(k)
		x = node("MatMul", value("m"+name, n), x, &onnxio.Value{Name: "W" + name, DType: onnxio.Float, Const: onnxio.FromFloat32(w, from, n)})
		x = node("Add", value("z"+name, n), x, &onnxio.Value{Name: "B" + name, DType: onnxio.Float, Const: onnxio.FromFloat32(b, n)})
		if k < len(widths)-2 {
			x = node("Relu", value("h"+name, n), x)
		}
		all.weights, all.biases = append(all.weights, w), append(all.biases, b)
	}
	g.Outputs = []*onnxio.Value{x}
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := Prepare(context.Background(), m, onnxio.Standard, false)
	if err != nil {
		t.Fatal(err)
	}
	return net, all
}

// run is the network in exact arithmetic.
func (l layers) run(point []float64) []*big.Rat {
	var x []*big.Rat
	for _, v := range point {
		x = append(x, new(big.Rat).SetFloat64(v))
	}
	for k, w := range l.weights {
		y := make([]*big.Rat, len(l.biases[k]))
		for i := range y {
			y[i] = new(big.Rat).SetFloat64(float64(l.biases[k][i]))
			for j, v := range x {
				y[i].Add(y[i], new(big.Rat).Mul(v, new(big.Rat).SetFloat64(float64(w[j*len(y)+i]))))
			}
			if k < len(l.weights)-1 && y[i].Sign() < 0 {
				y[i].SetInt64(0)
			}
		}
		x = y
	}
	return x
}

// at is a form of the outputs at a point.
func (l layers) at(form, point []float64) *big.Rat {
	sum := new(big.Rat)
	for k, y := range l.run(point) {
		sum.Add(sum, y.Mul(y, new(big.Rat).SetFloat64(form[k])))
	}
	return sum
}

// TestRowsPayTheirRounding: of networks with numbers that no float64 sums exactly, on points and on boxes so small that lines lose less than rounding
// does, rows lie below what the network is in exact arithmetic.
func TestRowsPayTheirRounding(t *testing.T) {
	any := func(rng *rand.Rand, most int) float32 { return float32(float64(most) * rng.NormFloat64() / 8) }
	close := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 11))
		net, all := layered(t, rng, any, 1+rng.IntN(3), 2+rng.IntN(12), 2+rng.IntN(12), 2+rng.IntN(12), 2)
		l, u := make([]float64, net.In), make([]float64, net.In)
		width := math.Pow(2, -float64(rng.IntN(60))) * float64(rng.IntN(2))
		for i := range l {
			l[i] = rng.NormFloat64()
			u[i] = l[i] + width
		}
		s, err := net.Start(l, u).Bound(rng.IntN(2) == 0)
		if err != nil {
			t.Fatal(err)
		}
		form := []float64{rng.NormFloat64(), rng.NormFloat64()}
		low := s.lower(form)
		for range 8 {
			x := make([]float64, len(l))
			for i := range x {
				x[i] = []float64{l[i], u[i], min(u[i], l[i]+width*rng.Float64())}[rng.IntN(3)]
			}
			exact := all.at(form, x)
			if new(big.Rat).SetFloat64(low).Cmp(exact) > 0 {
				y, _ := exact.Float64()
				t.Fatalf("seed %d: the row is at least %v, and %v at %v", seed, low, y, x)
			}
			if y, _ := exact.Float64(); y-low < 1e-11 {
				close++
			}
		}
	}
	if close < 400 {
		t.Errorf("only %d rows were close to what the network is: they tell nothing", close)
	}
}

// TestRowsThatOverflow: of networks whose numbers leave the range of float64 rows tell nothing that is not so.
func TestRowsThatOverflow(t *testing.T) {
	huge := func(rng *rand.Rand, _ int) float32 {
		return float32(rng.NormFloat64() * math.Pow(10, float64(rng.IntN(38))))
	}
	biased := func(rng *rand.Rand, most int) float32 { // so that constants overflow, and coefficients do not
		if most == 8 {
			return float32(rng.NormFloat64())
		}
		return huge(rng, most)
	}
	none := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 12))
		widths := []int{2}
		for range 1 + rng.IntN(16) {
			widths = append(widths, 1+rng.IntN(4))
		}
		draw := huge
		if seed%2 == 0 {
			draw, widths = biased, widths[:2]
		}
		net, all := layered(t, rng, draw, append(widths, 2)...)
		l, u := make([]float64, 2), make([]float64, 2)
		for i := range l {
			l[i] = rng.NormFloat64()
			u[i] = l[i] + math.Abs(rng.NormFloat64())
		}
		s, err := net.Start(l, u).Bound(true)
		if err != nil {
			t.Fatal(err)
		}
		if s.Empty() {
			t.Fatalf("seed %d: no input lies in the box", seed)
		}
		form := []float64{rng.NormFloat64() * math.Pow(10, float64(rng.IntN(300))), rng.NormFloat64() * math.Pow(10, float64(rng.IntN(300)))}
		low := s.lower(form)
		if math.IsInf(low, -1) {
			none++
			continue
		}
		for _, x := range [][]float64{l, u, {l[0], u[1]}, {u[0], l[1]}} {
			if exact := all.at(form, x); math.IsInf(low, 1) || new(big.Rat).SetFloat64(low).Cmp(exact) > 0 {
				t.Fatalf("seed %d: the row is at least %v, and less at %v", seed, low, x)
			}
		}
	}
	// A sum of constants that overflows on its way is small.
	net, all := layered(t, rand.New(rand.NewPCG(1, 1)), func(_ *rand.Rand, most int) float32 { return 1e38 * float32(most/16) }, 1, 3)
	s, err := net.Start([]float64{0}, []float64{1}).Bound(true)
	if err != nil {
		t.Fatal(err)
	}
	form := []float64{1.2e270, 1.2e270, -1.2e270}
	if low := s.lower(form); math.IsInf(low, 1) || !math.IsInf(low, -1) && new(big.Rat).SetFloat64(low).Cmp(all.at(form, []float64{0})) > 0 {
		t.Errorf("a sum that overflows on its way is at least %v", low)
	}
	if none < 50 || none > 350 {
		t.Errorf("%d of 400 rows tell nothing", none)
	}
}

// lower bounds a form of the outputs, of which there is one value.
func (s *State) lower(form []float64) float64 {
	r := s.row()
	for k, x := range form {
		r.add(s.net.outputs[0], k, x, 0)
	}
	return r.down(len(s.net.values)-1, certificate.Disproof{}, nil)
}

// TestRowsThatLeaveZerosOut: rows go down without the columns of elements that are 0 on the part. They lie below what every point gives, in exact
// arithmetic, and no lower than rows through whole matrices, but for rounding.
func TestRowsThatLeaveZerosOut(t *testing.T) {
	const rounding = 1e-9 // of numbers that are some hundreds
	thin, lean, rows := 0, 0, 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		widths := []int{2 + rng.IntN(3), 4 + rng.IntN(9), 4 + rng.IntN(9), 3 + rng.IntN(6), 2}
		draw := eighths
		if seed%4 == 0 {
			draw = few
		}
		net, all := layered(t, rng, draw, widths...)
		for _, v := range net.values {
			if !v.idle && v.maps != nil && !v.maps[0].whole {
				lean++
			}
		}
		l, u := make([]float64, net.In), make([]float64, net.In)
		for i := range l {
			l[i] = float64(eighths(rng, 8))
			u[i] = l[i] + float64(rng.IntN(9))/8
		}
		s, err := net.Start(l, u).Bound(rng.IntN(2) == 0)
		if err != nil {
			t.Fatal(err)
		}
		whole := s
		for range rng.IntN(4) { // the part of the box where an input is on one side, bounded anew or not
			v, k := net.Input(rng.IntN(net.In))
			lower, upper := s.Range(v, k)
			below, above := s.Halves(v, k, 0.5*lower+0.5*upper)
			if s = below; rng.IntN(2) == 0 {
				s = above
			}
			if rng.IntN(3) > 0 {
				if s, err = s.Bound(true); err != nil {
					t.Fatal(err)
				}
			}
		}
		if rng.IntN(2) == 0 { // and back to the whole: what was left out of matrices for a part is not of it
			s = whole
		}
		for i := range l {
			l[i], u[i] = s.Range(net.Input(i))
		}
		form := []float64{float64(eighths(rng, 8)), float64(eighths(rng, 8))}
		low := s.lower(form)
		for _, t := range s.thin {
			if t != nil {
				thin++
			}
		}
		rows++
		x := make([]float64, net.In)
		for range 20 {
			for i := range x {
				x[i] = l[i] + (u[i]-l[i])*float64(rng.IntN(9))/8
			}
			if at, _ := all.at(form, x).Float64(); at < low {
				t.Fatalf("seed %d: the row is at least %v on the part, and %v at %v", seed, low, at, x)
			}
		}
		full := *s
		full.thin = make([]*matrix, len(s.thin))
		if x := full.lower(form); math.Abs(x-low) > rounding {
			t.Errorf("seed %d: %v by whole matrices, and %v", seed, x, low)
		}
	}
	if lean < rows/4 {
		t.Errorf("%d matrices of %d networks had segments of what is not 0 alone", lean, rows)
	}
	if thin < rows/2 {
		t.Errorf("%d matrices were thinned in %d rows: too few to tell anything", thin, rows)
	}
}
