package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// usualSeek is a pace of Adam's.
func usualSeek(steps int) bound.Pace {
	return bound.Pace{
		Steps: steps,
		Hinges: func(step int) kernel.Ascent {
			return kernel.NewAscent(step, 0.2*math.Pow(0.97, float64(step)), 0.9, 0.999, 1e-8)
		},
		Curves: func(step int, of bound.Choice, x, g float64, m, v *float64) float64 {
			*m = 0.9**m + 0.1*g
			*v = 0.999**v + 0.001*g*g
			n := float64(step)
			return of.Clamp(x + 0.05*min(8, of.To-of.From)**m/(1-math.Pow(0.9, n))/(math.Sqrt(*v/(1-math.Pow(0.999, n)))+1e-8))
		},
	}
}

// imageNet has convolutions that are too large to be written out as matrices, of one group or of several, and a sum of two ways at times.
func imageNet(rng *rand.Rand) (*onnxio.Graph, int, int) {
	c, h := 2*(1+rng.IntN(2)), 10+rng.IntN(3)
	b, x := newBuilder(rng, 1, c, h, h)
	in := c * h * h
	for layer := range 2 {
		group, m := 1+rng.IntN(2), 8
		k, s := 1+2*rng.IntN(2), 1+layer*rng.IntN(2)
		p := k / 2
		attrs := onnxio.Attrs{"kernel_shape": []int64{int64(k), int64(k)}, "strides": []int64{int64(s), int64(s)}, "group": int64(group),
			"pads": []int64{int64(p), int64(p), int64(p), int64(p)}}
		w := b.weights(1.3/math.Sqrt(float64(c/group*k*k)), m, c/group, k, k)
		y := b.activation(b.node("Conv", attrs, x, w, b.weights(0.2, m)))
		c, h = m, (h+2*p-k)/s+1
		if rng.IntN(2) == 0 {
			r := b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}, y, b.weights(1/math.Sqrt(float64(9*c)), c, c, 3, 3))
			y = b.activation(b.node("Add", nil, r, y))
		}
		x = y
	}
	y := b.dense(b.activation(b.dense(b.node("Flatten", onnxio.Attrs{"axis": int64(1)}, x), c*h*h, 6)), 6, 3)
	b.g.Outputs = []*onnxio.Value{y}
	return b.g, in, 3
}

// TestNeuronsAreSoughtInFloat32 is TestWhatIsSoughtInFloat32 for rows over what hinges and curves read, convolutions over whole images among them.
func TestNeuronsAreSoughtInFloat32(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sought, images, raised := 0, 0, 0
	for seed := range uint64(draws(t, "SHOAL_SEEK", 60, 25)) {
		rng := rand.New(rand.NewPCG(seed, 2005))
		g, in, _ := denseNet(rng)
		image := seed%2 == 1
		if image {
			g, in, _ = imageNet(rng)
		}
		v := openGraph(t, g, Options{Method: DeepPoly, Threads: 1 + int(seed/2)%2})
		box := randomBox(rng, in)
		b, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), []bound.Problem{{Box: box}})
		if err != nil {
			t.Fatal(err)
		}
		root := b.Keep()
		b.Close()
		points := onPoints(t, v, samplePoints(rng, box, 20))
		for slot := 1; slot < root.Slots(); slot++ {
			var nodes []bound.Node
			var elems []int32
			var sign []float64
			open := root.Unstable(slot, 0)
			for i := 0; i < min(8, len(open)); i++ {
				nodes, elems = append(nodes, bound.Node{Of: root}), append(elems, open[rng.IntN(len(open))])
				sign = append(sign, float64(1-2*(i%2)))
			}
			if len(nodes) == 0 {
				continue
			}
			l, err := bound.Lay(ctx, nodes, 1)
			if err != nil {
				t.Fatal(err)
			}
			before, err := l.Neurons(slot, elems, sign, nil)
			if err != nil {
				t.Fatal(err)
			}
			ok, err := l.SeekNeurons(slot, elems, sign, usualSeek(20))
			if err != nil {
				t.Fatal(err)
			}
			after, err := l.Neurons(slot, elems, sign, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			if !ok {
				continue
			}
			sought++
			if image {
				images++
			}
			for i, x := range after {
				size := 1 + math.Abs(before[i])
				if !(x >= before[i]-1e-5*size) {
					t.Errorf("seed %d, slot %d: row %d is bounded by %v after steps, by %v before", seed, slot, i, x, before[i])
				}
				if x > before[i]+1e-3*size {
					raised++
				}
				for _, p := range points {
					lo, up := p.s.Range(slot, 0, elems[i])
					if y := max(sign[i]*lo, sign[i]*up); y < x-1e-12*(1+math.Abs(y)) {
						t.Fatalf("seed %d, slot %d: row %d is %.17g at a point, its bound %.17g", seed, slot, i, y, x)
					}
				}
			}
		}
	}
	t.Logf("%d slots, %d of images, %d rows raised", sought, images, raised)
	if sought < 10 || images < 5 || raised < sought {
		t.Errorf("%d slots, %d of images, %d rows raised", sought, images, raised)
	}
}

// TestWhatIsSoughtInFloat32 has parameters of random networks looked for over two boxes at once. Where the search says to look, bounds are sound
// for sampled points; they are nowhere below those at which it began, but for what float32 takes for the same; and in the mean they are above the
// best of many that are drawn. Without a step parameters stay.
func TestWhatIsSoughtInFloat32(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	sought, raised := 0, 0
	var gained, drawn float64
	for seed := range uint64(draws(t, "SHOAL_SEEK", 60, 25)) {
		rng := rand.New(rand.NewPCG(seed, 1907))
		g, in, out := denseNet(rng)
		switch seed % 4 {
		case 1:
			g, in, out = imageNet(rng)
		case 3:
			g, in, out = convNet(rng)
		}
		v := openGraph(t, g, Options{Method: DeepPoly, Threads: 1 + int(seed)%2})
		boxes := []bound.Box{randomBox(rng, in), randomBox(rng, in)}
		b, err := bound.DeepPoly.Bound(ctx, v.net, boundOptions(v.o), []bound.Problem{{Box: boxes[0]}, {Box: boxes[1]}})
		if err != nil {
			t.Fatal(err)
		}
		root := b.Keep()
		b.Close()
		var nodes []bound.Node
		var rows [][]float64
		for i := range 8 {
			row := make([]float64, out)
			for k := range row {
				row[k] = rng.NormFloat64()
			}
			rows, nodes = append(rows, row), append(nodes, bound.Node{Of: root, Problem: i % 2})
		}
		lay := func() *bound.Laid {
			l, err := bound.Lay(ctx, nodes, 1+int(seed)%2)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		lower := func(l *bound.Laid) []float64 {
			low, err := l.Lower(rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			return low
		}
		l := lay()
		before := lower(l)
		ok, err := l.SeekLower(rows, usualSeek(0))
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range lower(l) {
			if ok && math.Abs(x-before[i]) > 1e-5*(1+math.Abs(before[i])) {
				t.Errorf("seed %d: row %d is bounded by %v after no step, by %v before", seed, i, x, before[i])
			}
		}
		if ok, err = l.SeekLower(rows, usualSeek(30)); err != nil {
			t.Fatal(err)
		}
		if !ok {
			l.Close()
			continue
		}
		sought++
		after := lower(l)
		l.Close()
		best := append([]float64{}, before...)
		random := lay()
		for range 30 {
			for i := range nodes {
				disturb(rng, random, i, root.Slots(), 0)
			}
			for i, x := range lower(random) {
				best[i] = max(best[i], x)
			}
		}
		random.Close()
		for i := range after {
			if !(after[i] >= before[i]-1e-5*(1+math.Abs(before[i]))) {
				t.Errorf("seed %d: row %d is bounded by %v after steps, by %v before", seed, i, after[i], before[i])
			}
			if after[i] > before[i]+1e-3*(1+math.Abs(before[i])) {
				raised++
			}
			gained += (after[i] - before[i]) / (1 + math.Abs(before[i]))
			drawn += (best[i] - before[i]) / (1 + math.Abs(before[i]))
		}
		for k, box := range boxes {
			for _, p := range onPoints(t, v, samplePoints(rng, box, 30)) {
				for i := k; i < len(rows); i += 2 {
					if y := p.row(rows[i]); y < after[i]-1e-12*(1+math.Abs(y)) {
						t.Fatalf("seed %d: row %d is %.17g at a point, its bound %.17g", seed, i, y, after[i])
					}
				}
			}
		}
	}
	t.Logf("%d networks, %d rows raised, by %.3g all together; the best drawn %.3g", sought, raised, gained, drawn)
	if sought < 10 || raised < sought || gained < drawn {
		t.Errorf("%d networks, %d rows raised, by %v all together; the best of those drawn by %v", sought, raised, gained, drawn)
	}
}
