package prune_test

import (
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// named is how a graph of a node refers to a value of the graph around.
func named(v *onnxio.Value) *onnxio.Value { return &onnxio.Value{Name: v.Name, DType: v.DType} }

// sized declares a value's channels, as exporters do in the graphs of nodes.
func sized(v *onnxio.Value, channels int) *onnxio.Value {
	v.HasShape, v.Dims = true, []onnxio.Dim{{Size: -1, Name: "batch"}, {Size: channels}, {Size: 8}, {Size: 8}}
	return v
}

// part is a graph of a node: what build makes is its output.
func (b *builder) part(inputs []*onnxio.Value, build func(in *builder) []*onnxio.Value) *onnxio.Graph {
	in := &builder{rng: b.rng, count: b.count + 100, g: &onnxio.Graph{Name: "part", Inputs: inputs}}
	in.outputs(build(in)...)
	b.count = in.count
	return in.g
}

// positiveSum is a condition that some samples meet and others do not.
func (b *builder) positiveSum(x *onnxio.Value) *onnxio.Value {
	y := b.node("Greater", "", nil, b.node("ReduceMean", "", onnxio.Attrs{"keepdims": int64(0)}, x), b.fixed(onnxio.FromFloat32([]float32{0})))
	y.DType = onnxio.Bool
	return y
}

func (b *builder) choice(cond *onnxio.Value, then, other *onnxio.Graph) *onnxio.Value {
	return b.node("If", "choice", onnxio.Attrs{"then_branch": then, "else_branch": other}, cond)
}

// unary is a graph that does one thing to a value of the graph around, whose channels it declares.
func (b *builder) unary(op string, y *onnxio.Value, channels int) *onnxio.Graph {
	return b.part(nil, func(in *builder) []*onnxio.Value {
		return []*onnxio.Value{sized(in.node(op, "", nil, named(y)), channels)}
	})
}

// turns is a Loop of three turns that carry what build makes of the value.
func (b *builder) turns(y *onnxio.Value, channels int, build func(in *builder, v *onnxio.Value) *onnxio.Value) *onnxio.Value {
	truth := &onnxio.Tensor{DType: onnxio.Bool, Shape: []int{}, Data: []bool{true}}
	turn, go_ := &onnxio.Value{Name: "turn", DType: onnxio.Int64, HasShape: true}, &onnxio.Value{Name: "go", DType: onnxio.Bool, HasShape: true}
	v := sized(&onnxio.Value{Name: "carried", DType: onnxio.Float}, channels)
	body := b.part([]*onnxio.Value{turn, go_, v}, func(in *builder) []*onnxio.Value {
		still := in.node("Identity", "", nil, go_)
		still.DType = onnxio.Bool
		return []*onnxio.Value{still, build(in, v)}
	})
	count := &onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{3}}
	return b.node("Loop", "turns", onnxio.Attrs{"body": body}, b.fixed(count), b.fixed(truth), y)
}

// TestChannelsGoThroughGraphsOfNodes: branches of an If and bodies of loops that carry channels in their places let filters go, and what they declare
// of sizes follows; where they bring in something of their own the filter in front is held, and that alone.
func TestChannelsGoThroughGraphsOfNodes(t *testing.T) {
	for _, c := range []struct {
		name  string
		goes  bool // filters in front
		graph func(b *builder, x, y *onnxio.Value) *onnxio.Value
	}{
		{"If", true, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			return b.choice(b.positiveSum(x), b.unary("Relu", y, 8), b.unary("Sigmoid", y, 8))
		}},
		{"If that gives what it reads", true, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			as := b.part(nil, func(*builder) []*onnxio.Value { return []*onnxio.Value{named(y)} })
			return b.choice(b.positiveSum(x), as, b.unary("Neg", y, 8))
		}},
		{"If in an If", true, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			cond := b.positiveSum(x)
			deep := b.part(nil, func(in *builder) []*onnxio.Value {
				z := in.node("Tanh", "", nil, named(y))
				return []*onnxio.Value{sized(in.choice(named(cond), in.unary("Exp", z, 8), in.unary("Abs", y, 8)), 8)}
			})
			return b.choice(cond, deep, b.unary("Sigmoid", y, 8))
		}},
		{"If over two values", true, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			sum := func(op string) *onnxio.Graph {
				return b.part(nil, func(in *builder) []*onnxio.Value { return []*onnxio.Value{in.node(op, "", nil, named(y), named(y))} })
			}
			return b.choice(b.positiveSum(x), sum("Mul"), sum("Add"))
		}},
		{"Loop", true, func(b *builder, _, y *onnxio.Value) *onnxio.Value {
			return b.turns(y, 8, func(in *builder, v *onnxio.Value) *onnxio.Value { return sized(in.node("Sigmoid", "", nil, v), 8) })
		}},
		{"Loop that reads a value around", true, func(b *builder, _, y *onnxio.Value) *onnxio.Value {
			return b.turns(y, 8, func(in *builder, v *onnxio.Value) *onnxio.Value { return in.node("Add", "", nil, v, named(y)) })
		}},
		{"Loop with an If", true, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			cond := b.positiveSum(x)
			return b.turns(y, 8, func(in *builder, v *onnxio.Value) *onnxio.Value {
				return in.choice(named(cond), in.unary("Relu", v, 8), in.unary("Neg", v, 8))
			})
		}},
		{"constant in a branch", false, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			own := b.part(nil, func(in *builder) []*onnxio.Value {
				return []*onnxio.Value{in.node("Mul", "", nil, named(y), in.weights(1, 8, 1, 1))}
			})
			return b.choice(b.positiveSum(x), own, b.unary("Sigmoid", y, 8))
		}},
		{"convolution in a branch", false, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			conv := func() *onnxio.Graph {
				return b.part(nil, func(in *builder) []*onnxio.Value { return []*onnxio.Value{in.conv("inner", named(y), 8, 8, 1, false)} })
			}
			return b.choice(b.positiveSum(x), conv(), conv())
		}},
		{"constant around that a body reads", false, func(b *builder, _, y *onnxio.Value) *onnxio.Value {
			w := b.node("Identity", "", nil, b.weights(1, 8, 1, 1))
			return b.turns(y, 8, func(in *builder, v *onnxio.Value) *onnxio.Value { return in.node("Mul", "", nil, v, named(w)) })
		}},
		{"channels chosen by a constant in a branch", false, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			chosen := func(places ...int64) *onnxio.Graph {
				return b.part(nil, func(in *builder) []*onnxio.Value {
					return []*onnxio.Value{in.node("Gather", "", onnxio.Attrs{"axis": int64(1)}, named(y), in.fixed(onnxio.FromInt64(places, 8)))}
				})
			}
			return b.choice(b.positiveSum(x), chosen(3, 1, 0, 2, 7, 6, 5, 4), chosen(7, 0, 1, 2, 3, 4, 5, 6))
		}},
		{"slices in a body", false, func(b *builder, _, y *onnxio.Value) *onnxio.Value {
			return b.turns(y, 8, func(in *builder, v *onnxio.Value) *onnxio.Value {
				slice := func(from, to int64) *onnxio.Value {
					return in.node("Slice", "", nil, v, in.fixed(onnxio.FromInt64([]int64{from}, 1)), in.fixed(onnxio.FromInt64([]int64{to}, 1)),
						in.fixed(onnxio.FromInt64([]int64{1}, 1)))
				}
				return in.node("Concat", "", onnxio.Attrs{"axis": int64(1)}, slice(3, 8), slice(0, 3))
			})
		}},
		{"sizes that a body names", false, func(b *builder, _, y *onnxio.Value) *onnxio.Value {
			return b.turns(y, 8, func(in *builder, v *onnxio.Value) *onnxio.Value {
				flat := in.node("Reshape", "", nil, v, in.fixed(onnxio.FromInt64([]int64{-1, 8, 64}, 3)))
				return in.node("Reshape", "", nil, flat, in.fixed(onnxio.FromInt64([]int64{-1, 8, 8, 8}, 4)))
			})
		}},
		{"sum over channels", false, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			sum := b.part(nil, func(in *builder) []*onnxio.Value {
				m := in.node("ReduceMean", "", onnxio.Attrs{"axes": []int64{1}}, named(y))
				return []*onnxio.Value{in.node("Add", "", nil, named(y), m)}
			})
			return b.choice(b.positiveSum(x), sum, b.unary("Sigmoid", y, 8))
		}},
		{"a branch that nobody takes", false, func(b *builder, x, y *onnxio.Value) *onnxio.Value {
			never := b.fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{}, Data: []bool{false}})
			return b.choice(never, b.unary("Relu", y, 8), b.unary("Sigmoid", y, 8))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				b := newBuilder(70 + seed)
				x := b.input("x", -1, 3, 8, 8)
				y := c.graph(b, x, b.conv("front", x, 3, 8, 1, true))
				g := b.classifier(b.node("Relu", "", nil, b.conv("behind", y, 8, 8, 1, true)), 8)
				r := same(t, g, prune.Options{Choice: prune.Choice{Score: prune.Random, Seed: seed, Ratio: 0.5}})
				if n := len(went(r.Plan, "front")); c.goes != (n > 0) {
					t.Errorf("%d filters went in front; pinned: %v", n, r.Plan.Pinned)
				}
				if n := len(went(r.Plan, "behind")); n != 4 {
					t.Errorf("%d filters went behind", n)
				}
				for _, p := range r.Plan.Pinned {
					if p.Layer == "front" && !strings.Contains(p.Why, "choice") && !strings.Contains(p.Why, "turns") {
						t.Errorf("held without the node's name: %s", p.Why)
					}
				}
				held := same(t, g, prune.Options{Choice: prune.Choice{Score: prune.Random, Seed: seed, Ratio: 0.5}, AbsorbBias: true})
				if n := len(went(held.Plan, "front")); n > 0 {
					t.Errorf("%d constants went through", n)
				}
				declaredAlike(t, g, r.Graph, c.goes)
			}
		})
	}
}

// declaredAlike writes a pruned graph as a change of its file and looks at what the graphs of nodes declare: the sizes that there are.
func declaredAlike(t *testing.T, before, after *onnxio.Graph, smaller bool) {
	t.Helper()
	m, err := onnxio.NewModel(before, "test")
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = onnxio.Parse(data, ""); err != nil {
		t.Fatal(err)
	}
	m.Graph = after
	if data, err = m.Encode(); err != nil {
		t.Fatal(err)
	}
	if m, err = onnxio.Parse(data, ""); err != nil {
		t.Fatal(err)
	}
	want := 8
	if smaller {
		want = 4
	}
	var look func(g *onnxio.Graph)
	look = func(g *onnxio.Graph) {
		for _, n := range g.Nodes {
			for _, a := range n.Attrs {
				in, ok := a.(*onnxio.Graph)
				if !ok {
					continue
				}
				for _, v := range append(in.Inputs, in.Outputs...) {
					if len(v.Dims) == 4 && v.Dims[1].Size != want {
						t.Errorf("value %q of a graph of %q is declared with %d channels, want %d", v.Name, n.Name, v.Dims[1].Size, want)
					}
				}
				look(in)
			}
		}
	}
	look(m.Graph)
}
