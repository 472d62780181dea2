package prune_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// builder writes graphs for tests.
type builder struct {
	rng   *rand.Rand
	g     *onnxio.Graph
	count int
}

func newBuilder(seed uint64) *builder {
	return &builder{rng: rand.New(rand.NewPCG(seed, 1)), g: &onnxio.Graph{Name: "test"}}
}

func (b *builder) input(name string, shape ...int) *onnxio.Value {
	v := &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true}
	for _, d := range shape {
		if d < 0 {
			v.Dims = append(v.Dims, onnxio.Dim{Size: -1, Name: "batch"})
		} else {
			v.Dims = append(v.Dims, onnxio.Dim{Size: d})
		}
	}
	b.g.Inputs = append(b.g.Inputs, v)
	return v
}

// fixed wraps a tensor.
func (b *builder) fixed(t *onnxio.Tensor) *onnxio.Value {
	b.count++
	v := &onnxio.Value{Name: fmt.Sprint("c", b.count), DType: t.DType, HasShape: true, Shape: t.Shape, Const: t}
	for _, d := range t.Shape {
		v.Dims = append(v.Dims, onnxio.Dim{Size: d})
	}
	return v
}

func (b *builder) ints(x ...int64) *onnxio.Value { return b.fixed(onnxio.FromInt64(x, len(x))) }

// weights draws numbers that keep activations of order one.
func (b *builder) weights(shape ...int) *onnxio.Value {
	n := onnxio.NumElements(shape)
	f := make([]float32, n)
	fan := max(1, n/shape[0])
	for i := range f {
		f[i] = float32(b.rng.NormFloat64() / math.Sqrt(float64(fan)))
	}
	return b.fixed(onnxio.FromFloat32(f, shape...))
}

func (b *builder) positive(shape ...int) *onnxio.Value {
	v := b.weights(shape...)
	for i, x := range v.Const.F32() {
		v.Const.F32()[i] = 0.5 + float32(math.Abs(float64(x)))
	}
	return v
}

func (b *builder) node(op, name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return b.nodes(op, name, attrs, 1, in...)[0]
}

func (b *builder) nodes(op, name string, attrs onnxio.Attrs, outputs int, in ...*onnxio.Value) []*onnxio.Value {
	b.count++
	if name == "" {
		name = fmt.Sprint(strings.ToLower(op), b.count)
	}
	n := &onnxio.Node{Name: name, Op: op, Opset: 17, Attrs: attrs, Inputs: in}
	for i := range outputs {
		v := &onnxio.Value{Name: fmt.Sprintf("%s_out%d", name, i), DType: onnxio.Float, Producer: n}
		n.Outputs = append(n.Outputs, v)
	}
	b.g.Nodes = append(b.g.Nodes, n)
	return n.Outputs
}

func (b *builder) outputs(vs ...*onnxio.Value) *onnxio.Graph {
	b.g.Outputs = vs
	return b.g
}

// conv is a convolution that keeps the image's size (stride 1) or halves it, with bias or followed by BatchNormalization.
func (b *builder) conv(name string, x *onnxio.Value, from, to, stride int, bn bool) *onnxio.Value {
	attrs := onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}, "strides": []int64{int64(stride), int64(stride)}}
	if !bn {
		return b.node("Conv", name, attrs, x, b.weights(to, from, 3, 3), b.weights(to))
	}
	y := b.node("Conv", name, attrs, x, b.weights(to, from, 3, 3))
	return b.node("BatchNormalization", name+"/bn", nil, y, b.positive(to), b.weights(to), b.weights(to), b.positive(to))
}

// resnet is He et al.'s network for CIFAR with 6n+2 layers and shortcuts without parameters: strides and zero channels. Convolutions are
// named by their number, from conv1 on.
func resnet(n int) *onnxio.Graph {
	b := newBuilder(uint64(n))
	x := b.input("input", -1, 3, 32, 32)
	y := b.node("Relu", "", nil, b.conv("conv1", x, 3, 16, 1, true))
	layer, width := 2, 16
	for s, c := range []int{16, 32, 64} {
		for k := range n {
			stride := 1
			if s > 0 && k == 0 {
				stride = 2
			}
			z := b.node("Relu", "", nil, b.conv(fmt.Sprint("conv", layer), y, width, c, stride, true))
			z = b.conv(fmt.Sprint("conv", layer+1), z, c, c, 1, true)
			short := y
			if stride == 2 {
				short = b.node("Slice", "", nil, y, b.ints(0, 0), b.ints(1000, 1000), b.ints(2, 3), b.ints(2, 2))
				pad := int64(c-width) / 2
				short = b.node("Pad", "", nil, short, b.ints(0, pad, 0, 0, 0, pad, 0, 0))
			}
			y = b.node("Relu", "", nil, b.node("Add", "", nil, z, short))
			layer, width = layer+2, c
		}
	}
	y = b.node("Flatten", "", nil, b.node("GlobalAveragePool", "", nil, y))
	return b.outputs(b.node("Gemm", "fc", onnxio.Attrs{"transB": int64(1)}, y, b.weights(10, 64), b.weights(10)))
}

// vgg16 is the variant for CIFAR that Li et al. prune: BatchNormalization everywhere and one hidden dense layer.
func vgg16() *onnxio.Graph {
	b := newBuilder(16)
	y := b.input("input", -1, 3, 32, 32)
	from, layer := 3, 1
	for _, c := range []int{64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0} {
		if c == 0 {
			y = b.node("MaxPool", "", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}, y)
			continue
		}
		name := fmt.Sprint("conv", layer)
		attrs := onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}
		y = b.node("Conv", name, attrs, y, b.weights(c, from, 3, 3), b.weights(c))
		y = b.node("Relu", "", nil, b.node("BatchNormalization", name+"/bn", nil, y, b.positive(c), b.weights(c), b.weights(c), b.positive(c)))
		from, layer = c, layer+1
	}
	y = b.node("Flatten", "", nil, y)
	y = b.node("Gemm", "fc1", onnxio.Attrs{"transB": int64(1)}, y, b.weights(512, 512), b.weights(512))
	y = b.node("Relu", "", nil, b.node("BatchNormalization", "fc1/bn", nil, y, b.positive(512), b.weights(512), b.weights(512), b.positive(512)))
	return b.outputs(b.node("Gemm", "fc2", onnxio.Attrs{"transB": int64(1)}, y, b.weights(10, 512), b.weights(10)))
}

// stages names the first convolutions of the blocks of each of a ResNet's stages, but for those that are skipped.
func stages(n int, ratios [3]float64, skip ...int) prune.Choice {
	ch := prune.Choice{Exclude: []string{"fc*"}}
	skipped := map[int]bool{}
	for _, s := range skip {
		skipped[s] = true
	}
	for k := range 3 * n {
		layer := 2 + 2*k
		if r := ratios[k/n]; r > 0 && !skipped[layer] {
			ch.Ratios = append(ch.Ratios, prune.Threshold{Layer: fmt.Sprint("conv", layer), Value: r})
		}
	}
	return ch
}

// TestStructureOfLi2017: the networks and their pruned forms have the parameters and multiply-adds of Li et al. 2017 ("Pruning Filters for
// Efficient ConvNets", table 1), whose ResNets' parameters are cut off, not rounded, to the digits given. Layers to skip and ratios are those of
// section 4. Here parameters count BatchNormalization as two a channel: means and variances are not learned.
func TestStructureOfLi2017(t *testing.T) {
	vgg := prune.Choice{}
	for _, k := range []int{1, 8, 9, 10, 11, 12, 13} {
		vgg.Ratios = append(vgg.Ratios, prune.Threshold{Layer: fmt.Sprint("conv", k), Value: 0.5})
	}
	for _, c := range []struct {
		name                 string
		graph                *onnxio.Graph
		choice               prune.Choice
		params, macs         string
		prunedParams, pruned string
		round                func(float64) float64
	}{
		{"VGG-16-A", vgg16(), vgg, "1.5e+07", "3.13e+08", "5.4e+06", "2.06e+08", math.Round},
		{"ResNet-56-A", resnet(9), stages(9, [3]float64{.1, .1, .1}, 16, 20, 38, 54), "8.5e+05", "1.25e+08", "7.7e+05", "1.12e+08", math.Floor},
		{"ResNet-56-B", resnet(9), stages(9, [3]float64{.6, .3, .1}, 16, 18, 20, 34, 38, 54), "8.5e+05", "1.25e+08", "7.3e+05", "9.09e+07", math.Floor},
		{"ResNet-110-A", resnet(18), stages(18, [3]float64{.5, 0, 0}, 36), "1.72e+06", "2.53e+08", "1.68e+06", "2.13e+08", math.Floor},
		{"ResNet-110-B", resnet(18), stages(18, [3]float64{.5, .4, .3}, 36, 38, 74), "1.72e+06", "2.53e+08", "1.16e+06", "1.55e+08", math.Floor},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := prune.Run(context.Background(), c.graph, prune.Options{Choice: c.choice})
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range []*onnxio.Graph{c.graph, r.Graph} {
				cost, layers, err := r.Coupling.Costs(g)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range layers {
					if l.Op == "BatchNormalization" {
						cost.Parameters -= l.Parameters / 2
					}
				}
				params, macs := c.params, c.macs
				if i == 1 {
					params, macs = c.prunedParams, c.pruned
				}
				t.Logf("%d parameters, %d multiply-adds", cost.Parameters, cost.MACs)
				if got := digits(cost.Parameters, params, c.round); got != params {
					t.Errorf("%d parameters are %s, published %s", cost.Parameters, got, params)
				}
				if got := digits(cost.MACs, macs, math.Round); got != macs {
					t.Errorf("%d multiply-adds are %s, published %s", cost.MACs, got, macs)
				}
			}
		})
	}
}

// digits writes n with as many digits as the published figure has.
func digits(n int, like string, round func(float64) float64) string {
	mantissa, _, _ := strings.Cut(like, "e")
	places := len(mantissa) - 2
	e := math.Floor(math.Log10(float64(n)))
	m := round(float64(n)/math.Pow(10, e)*math.Pow(10, float64(places))) / math.Pow(10, float64(places))
	return fmt.Sprintf("%.*fe+%02.0f", places, m, e)
}
