package infer

import (
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// typed gives every value of a sketch its type and shape, as Prepare does before the passes; no pass has run.
func typed(t *testing.T, g *onnxio.Graph) *onnxio.Graph {
	t.Helper()
	kept := passes
	passes = nil
	defer func() { passes = kept }()
	return prepare(t, g, Options{})
}

func runPass(t *testing.T, name string, g *onnxio.Graph) {
	t.Helper()
	for _, p := range passes {
		if p.name == name {
			p.run(g)
			return
		}
	}
	t.Fatalf("no pass %q", name)
}

const (
	passBypass = "bypass Identity and Dropout"
	passDead   = "drop dead nodes"
)

// readsOf is the name of what a node reads first.
func readsOf(g *onnxio.Graph, name string) string {
	for _, n := range g.Nodes {
		if n.Name == name {
			return n.Inputs[0].Name
		}
	}
	return "nothing: it is gone"
}

func TestBypass(t *testing.T) {
	float := onnxio.Attrs{"to": int64(onnxio.Float)}
	for _, c := range []struct {
		name  string
		build func(s *sketch, x *onnxio.Value) *onnxio.Value // of what "reader" reads
		want  string
	}{
		{"Identity", func(s *sketch, x *onnxio.Value) *onnxio.Value { return s.node("Identity", "copy", nil, x) }, "x"},
		{"Identity of Identity", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			return s.node("Identity", "second", nil, s.node("Identity", "first", nil, x))
		}, "x"},
		{"Identity of a node", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			return s.node("Identity", "copy", nil, s.node("Neg", "negated", nil, x))
		}, "negated"},
		{"Dropout", func(s *sketch, x *onnxio.Value) *onnxio.Value { return s.node("Dropout", "drop", nil, x) }, "x"},
		{"Dropout with a ratio", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			return s.node("Dropout", "drop", nil, x, f32("ratio", []float32{0.3}))
		}, "x"},
		{"Dropout whose mask has no name", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			y := s.nodes("Dropout", 2, "drop", nil, x)
			s.g.Nodes[0].Outputs[1] = nil
			return y[0]
		}, "x"},
		{"Cast to the same type", func(s *sketch, x *onnxio.Value) *onnxio.Value { return s.node("Cast", "cast", float, x) }, "x"},
		{"Cast to another type", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			return s.node("Cast", "cast", onnxio.Attrs{"to": int64(onnxio.Double)}, x)
		}, "cast"},
		{"Cast there and back", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			return s.node("Cast", "back", float, s.node("Cast", "there", onnxio.Attrs{"to": int64(onnxio.Int32)}, x))
		}, "back"},
		{"another operator", func(s *sketch, x *onnxio.Value) *onnxio.Value { return s.node("Relu", "relu", nil, x) }, "relu"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSketch()
			x := s.input("x", 1, 3)
			g := typed(t, s.graph(s.node("Abs", "reader", nil, c.build(s, x))))
			before := len(g.Nodes)
			runPass(t, passBypass, g)
			if got := readsOf(g, "reader"); got != c.want {
				t.Errorf("the reader reads %s, want %s", got, c.want)
			}
			if len(g.Nodes) != before {
				t.Errorf("bypassing took nodes out: %q", names(g))
			}
		})
	}
}

// TestBypassKeepsOutputs: a graph's output has its name and its node, also where it is a copy.
func TestBypassKeepsOutputs(t *testing.T) {
	s := newSketch()
	x := s.input("x", 1, 3)
	y := s.node("Identity", "y", nil, s.node("Identity", "inner", nil, x))
	z := s.node("Abs", "z", nil, y)
	g := typed(t, s.graph(y, z))
	runPass(t, passBypass, g)
	if g.Outputs[0].Name != "y" || g.Outputs[0].Producer == nil || g.Outputs[0].Producer.Inputs[0].Name != "x" {
		t.Errorf("output %q, and its node reads %s", g.Outputs[0].Name, readsOf(g, "y"))
	}
	if got := readsOf(g, "z"); got != "y" {
		t.Errorf("z reads %s", got)
	}
}

func TestBypassLeavesAReadMask(t *testing.T) {
	s := newSketch()
	x := s.input("x", 1, 3)
	d := s.nodes("Dropout", 2, "drop", nil, x)
	y := s.node("Where", "y", nil, d[1], s.node("Abs", "reader", nil, d[0]), x)
	g := typed(t, s.graph(y))
	runPass(t, passBypass, g)
	runPass(t, passDead, g)
	if got := names(g); got != "drop reader y" && got != "reader y" {
		t.Errorf("nodes %q", got)
	}
	if got := at(t, g, onnxio.FromFloat32([]float32{-1, 2, -3}, 1, 3)); !slices.Equal(got[0], []float64{1, 2, 3}) {
		t.Errorf("%v", got)
	}
}

func TestForeignIdentityIsNoCopy(t *testing.T) {
	n := &onnxio.Node{Name: "n", Op: "Identity", Domain: "com.example", Inputs: []*onnxio.Value{{Name: "x"}}, Outputs: []*onnxio.Value{{Name: "y"}}}
	if copies(n) {
		t.Error("an operator of another domain is taken for the standard's")
	}
}

func TestDropDead(t *testing.T) {
	s := newSketch()
	x := s.input("x", 1, 4)
	live := s.node("Relu", "live", nil, x)
	s.node("Exp", "dead reader of a live node", nil, live)
	s.node("Neg", "dead end", nil, s.node("Abs", "dead chain", nil, x))
	parts := s.nodes("Split", 2, "split", onnxio.Attrs{"axis": int64(1)}, live)
	g := typed(t, s.graph(parts[0]))
	runPass(t, passDead, g)
	if got := names(g); got != "live split" {
		t.Errorf("nodes %q", got)
	}
	if split := g.Nodes[1]; len(split.Outputs) != 2 || split.Outputs[1] == nil {
		t.Errorf("the unread half, which the standard wants named, is gone: %v", split.Outputs)
	}
}

func TestDropDeadKeepsANodeForItsSecondOutput(t *testing.T) {
	s := newSketch()
	x := s.input("x", 1, 4)
	parts := s.nodes("Split", 2, "split", onnxio.Attrs{"axis": int64(1)}, x)
	g := typed(t, s.graph(s.node("Relu", "y", nil, parts[1])))
	runPass(t, passDead, g)
	if got := names(g); got != "split y" {
		t.Errorf("nodes %q", got)
	}
	if got := at(t, g, onnxio.FromFloat32([]float32{1, 2, -3, 4}, 1, 4)); !slices.Equal(got[0], []float64{0, 4}) {
		t.Errorf("%v", got)
	}
}

func TestDropDeadDropsWhatIsConstant(t *testing.T) {
	s := newSketch()
	x := s.input("x", 1, 4)
	shape := s.node("Shape", "shape", nil, s.node("Exp", "only for its shape", nil, x))
	g := typed(t, s.graph(s.node("Reshape", "y", nil, x, shape)))
	if got := names(g); got != "only for its shape shape y" {
		t.Fatalf("before the pass: %q", got)
	}
	runPass(t, passDead, g)
	// The Exp is read by a node that is gone.
	if got := names(g); got != "y" {
		t.Errorf("nodes %q", got)
	}
}

// TestPassesKeepTheFunction runs each pass alone, twice, and all together.
func TestPassesKeepTheFunction(t *testing.T) {
	build := func() *onnxio.Graph {
		s := newSketch()
		x := s.input("x", 1, 4)
		a := s.node("Identity", "copy", nil, x)
		b := s.node("Dropout", "drop", nil, s.node("Relu", "relu", nil, a))
		c := s.node("Cast", "cast", onnxio.Attrs{"to": int64(onnxio.Float)}, s.node("Mul", "mul", nil, b, ramp("w", 4)))
		parts := s.nodes("Split", 2, "split", onnxio.Attrs{"axis": int64(1)}, c)
		s.node("Exp", "dead", nil, parts[0])
		return s.graph(s.node("Identity", "y", nil, parts[1]), a)
	}
	point := onnxio.FromFloat32([]float32{1, -2, 3, 4}, 1, 4)
	want := at(t, build(), point)
	check := func(g *onnxio.Graph, what string) {
		t.Helper()
		if got := at(t, g, point); !slices.EqualFunc(got, want, slices.Equal[[]float64]) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for _, p := range passes {
		g := typed(t, build())
		p.run(g)
		check(g, p.name)
		once := dump(g)
		p.run(g)
		if dump(g) != once {
			t.Errorf("%s does more when it runs again", p.name)
		}
	}
	g := prepare(t, build(), Options{})
	if got := names(g); got != "copy relu mul split y" {
		t.Errorf("after all passes: %q", got)
	}
	check(g, "all passes")
}
