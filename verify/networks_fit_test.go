package verify

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// sumModel is s = sum over all of (a + b*w), with a and b of shape [n, 2]; n is named, and w an input with a default value of 2. d = a + b*w is
// hidden.
func sumModel(named bool) *onnxio.Model {
	rows := onnxio.Dim{Name: "n", Size: -1}
	if !named {
		rows = onnxio.Dim{Size: -1}
	}
	value := func(name string, dims ...onnxio.Dim) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, Dims: dims, HasShape: true}
	}
	a, b := value("a", rows, onnxio.Dim{Size: 2}), value("b", rows, onnxio.Dim{Size: 2})
	w := value("w", onnxio.Dim{Size: 1})
	w.Shape, w.Const = []int{1}, onnxio.FromFloat32([]float32{2}, 1)
	g := &onnxio.Graph{Inputs: []*onnxio.Value{a, b, w}}
	add := func(op string, y *onnxio.Value, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: "node_" + y.Name, Op: op, Opset: 13, Attrs: attrs, Inputs: in, Outputs: []*onnxio.Value{y}}
		y.Producer = n
		g.Nodes = append(g.Nodes, n)
		return y
	}
	p := add("Mul", value("p", rows, onnxio.Dim{Size: 2}), nil, b, w)
	d := add("Add", value("d", rows, onnxio.Dim{Size: 2}), nil, a, p)
	y := add("ReduceSum", value("s"), onnxio.Attrs{"keepdims": int64(0)}, d)
	g.Outputs = []*onnxio.Value{y}
	return &onnxio.Model{Graph: g, SHA256: "of a sum"}
}

const sumBox = "(assert (and (>= A[0,0] 0) (<= A[0,0] 1) (>= A[0,1] 0) (<= A[0,1] 1) (>= A[1,0] 0) (<= A[1,0] 1) (>= A[1,1] 0) (<= A[1,1] 1)" +
	" (>= B[0,0] 0) (<= B[0,0] 1) (>= B[0,1] 0) (<= B[0,1] 1) (>= B[1,0] 0) (<= B[1,0] 1) (>= B[1,1] 0) (<= B[1,1] 1)))"

// TestNetworksOfManyForms: several inputs, sizes that the declarations give, a scalar output, an input with its default value, hidden nodes by the
// name of a value and of a node, comparisons of hidden nodes with inputs.
func TestNetworksOfManyForms(t *testing.T) {
	for _, c := range []struct {
		declared, asserted string
		want               Verdict
	}{
		// s = sum a + 2 sum b: at most 12.
		{"(declare-input A float32 [2,2])(declare-input B float32 [2,2])(declare-output S float32 [])", "(assert (>= S 12.001))", Verified},
		{"(declare-input A float32 [2,2])(declare-input B float32 [2,2])(declare-output S float32 [])", "(assert (>= S 12))", Falsified},
		{"(declare-input A float32 [2,2])(declare-input B float32 [2,2])(declare-input W float32 [1] initialized)(declare-output S float32 [])",
			"(assert (>= S 12.001))", Verified},
		{"(declare-input A real [2,2])(declare-input B real [2,2])(declare-hidden D real [2,2] \"d\")(declare-output S real [])",
			"(assert (and (== A[0,1] B[1,0]) (>= D[1,0] 3)))", Falsified},
		// d[1,0] - a[1,0] = 2 b[1,0] = 2 a[0,1].
		{"(declare-input A real [2,2])(declare-input B real [2,2])(declare-hidden D real [2,2] \"node_d\")(declare-output S real [])",
			"(assert (== A[0,1] B[1,0]))(assert (> (- D[1,0] A[1,0] A[0,1] A[0,1]) 0.001))", Verified},
		{"(declare-input A float32 [2,2])(declare-input B float32 [2,2])(declare-hidden P float32 [2,2] \"p\")(declare-output S float32 [])",
			"(assert (> (+ P[0,0] P[0,1]) (+ S 0.001)))", Verified},
	} {
		for _, named := range []bool{true, false} {
			q, err := vnnlib.Parse(strings.NewReader("(vnnlib-version <2.1>)(declare-network N " + c.declared + ")" + sumBox + c.asserted))
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Semantics: Semantics(q.Type())}
			models := []*onnxio.Model{sumModel(named)}
			m, err := NetworkOf(context.Background(), q, models, o)
			if err != nil {
				t.Fatalf("%s: %v", c.declared, err)
			}
			v, err := Open(context.Background(), m, o)
			if err != nil {
				t.Fatal(err)
			}
			r, err := v.Verify(context.Background(), FromVNNLIB(q))
			v.Close()
			if err != nil || r.Verdict != c.want || r.Verdict == Falsified && !r.Refutes(o.Semantics) {
				t.Errorf("%s%s: %+v, %v; want %s", c.declared, c.asserted, r, err, c.want)
			}
			if r.Counterexample == nil {
				continue
			}
			as, err := Assignments(q, models, r.Counterexample)
			if err != nil || len(as) != strings.Count(c.declared, "(declare") {
				t.Fatalf("%v, %v", as, err)
			}
			sum := 0.0
			for i, x := range as[0].Values {
				sum += x + 2*as[1].Values[i]
			}
			if d := as[len(as)-1].Values[0] - sum; d > 1e-5 || d < -1e-5 {
				t.Errorf("%s: the assignment has the sum %v, and it is %v", c.declared, as[len(as)-1].Values, sum)
			}
		}
	}
	as := []vnnlib.Variable{{Shape: []int{2, 2}}, {}}
	if as[0].Elements() != 4 || as[1].Elements() != 1 || !slices.Equal([]string{as[0].Dims(), as[1].Dims()}, []string{"[2,2]", "[]"}) {
		t.Error("shapes are read wrong")
	}
}

// TestWhatDoesNotFitIsNamed are declarations and models that do not belong together.
func TestWhatDoesNotFitIsNamed(t *testing.T) {
	const ab = "(declare-input A float32 [2,2])(declare-input B float32 [2,2])"
	for declared, want := range map[string]string{
		"(declare-input A float32 [2,2])(declare-output S float32 [])":                                "1 inputs are declared, and the model has 2",
		ab + "(declare-output S float32 [])(declare-output R float32 [])":                             "2 outputs are declared, and the model has 1",
		ab + "(declare-output S float32 [1])":                                                         "S is declared with shape [1], and the model's \"s\" has []",
		"(declare-input A float32 [2,2])(declare-input B float32 [3,2])(declare-output S float32 [])": "dimension 0 (n) was 2 before",
		"(declare-input A float32 [2,3])(declare-input B float32 [2,2])(declare-output S float32 [])": "dimension 1 of the model's \"a\" is 2",
		"(declare-input A float32 [4])(declare-input B float32 [2,2])(declare-output S float32 [])":   "has 2 dimensions",
		"(declare-input A float16 [2,2])(declare-input B float32 [2,2])(declare-output S float32 [])": "A is declared as float16",
		ab + "(declare-output S float64 [])":                                                          "S is declared as float64",
		ab + "(declare-hidden D float32 [2,1] \"d\")(declare-output S float32 [])":                    "D is declared with shape [2,1]",
		ab + "(declare-hidden D float32 [2,2] \"e\")(declare-output S float32 [])":                    "nothing in the model has the name \"e\"",
		ab + "(declare-input W float32 [1])(declare-output S float32 [])":                             "3 inputs are declared, and the model has 2",
		"(declare-input A float32 [2,2] initialized)(declare-input B float32 [2,2])(declare-input W float32 [1] initialized)" +
			"(declare-output S float32 [])": "input A: the model's \"a\" has a value of its own: false",
	} {
		text := "(vnnlib-version <2.1>)(declare-network N " + declared + ")"
		for _, name := range []string{"A", "B", "W"} { // every element of every input gets bounds
			rest, found := text, false
			if _, rest, found = strings.Cut(text, "declare-input "+name+" "); !found || strings.Contains(strings.SplitN(rest, ")", 2)[0], "initialized") {
				continue
			}
			_, dims, _ := strings.Cut(rest, "[")
			shape := map[string][]string{"2,2": {"0,0", "0,1", "1,0", "1,1"}, "3,2": {"0,0", "0,1", "1,0", "1,1", "2,0", "2,1"},
				"2,3": {"0,0", "0,1", "0,2", "1,0", "1,1", "1,2"}, "4": {"0", "1", "2", "3"}, "1": {"0"}}[strings.SplitN(dims, "]", 2)[0]]
			for _, at := range shape {
				text += "(assert (== " + name + "[" + at + "] 0))"
			}
		}
		q, err := vnnlib.Parse(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", declared, err)
			continue
		}
		if _, err = NetworkOf(context.Background(), q, []*onnxio.Model{sumModel(true)}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", declared, err, want)
		}
	}
}
