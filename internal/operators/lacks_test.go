package operators

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// without are faces that operators do without, each with the reason. All others are required of every operator: Shape, Eval, Gradient,
// Couple, and bounds, which are Linear, with Interval where the operator is not affine.
var without = []struct {
	face, why, operators string
}{
	{"Gradient", "it gives truth or indices", "And ArgMax ArgMin Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Not Or Xor"},
	{"Gradient", "it rounds, or reads what was rounded",
		"BitShift ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger QLinearConv QLinearMatMul QuantizeLinear"},
	{"Gradient", "none of its inputs is a number that moves it", "Constant ConstantOfShape EyeLike OneHot Range Shape Size"},
	{"Gradient", "nobody has written it", "GridSample RoiAlign"},
	{"Linear", "it is folded wherever sizes are known", "Constant ConstantOfShape Range Shape Size"},
	{"Linear", "bits are no numbers", "BitShift"},
	{"Linear", "nobody has written it", "GridSample RoiAlign"},
	{"Couple", "places are data, or mixed", "GatherElements GatherND OneHot ReverseSequence ScatterElements ScatterND TopK Trilu"},
	{"Couple", "its output is made of sizes", "ConstantOfShape EyeLike Range"},
	{"Couple", "nobody has written it", "GRU GridSample LSTM MeanVarianceNormalization RNN RoiAlign"},
	{"Gradient", "bits, places and labels do not move with numbers", "BitCast BitwiseAnd BitwiseNot BitwiseOr BitwiseXor LabelEncoder NonMaxSuppression NonZero TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor Unique"},
	{"Gradient", "none of its inputs is a number that moves it", "BlackmanWindow HammingWindow HannWindow"},
	{"Gradient", "nobody has written it", "CumProd Det Scatter"},
	{"Linear", "bits, places and labels are no numbers, steps of trees have boxes", "BitCast BitwiseAnd BitwiseNot BitwiseOr BitwiseXor LabelEncoder NonMaxSuppression NonZero TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor Unique"},
	{"Linear", "it is folded wherever sizes are known", "BlackmanWindow HammingWindow HannWindow"},
	{"Linear", "nobody has written it", "CumProd Det Scatter"},
	{"Couple", "nobody has written it", "BitCast BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow CumProd Det HammingWindow HannWindow LabelEncoder NonMaxSuppression NonZero Scatter TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor Unique"},
}

// evidence is what shows that faces are tested and told of.
type evidence struct {
	documented string          // docs/operators.md
	couples    map[string]bool // by operator: it has a case
	gradients  map[string]bool
	named      string // tests of this package
	networks   string // tests of package verify, which draw networks of all operators with bounds
	excused    func(face, operator string) bool
}

// lacking names what an operator still needs.
func (e *evidence) lacking(d *op.Def) (out []string) {
	need := func(there bool, format string, args ...any) {
		if !there {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	face := func(name string, there bool) {
		need(there || e.excused(name, d.Name), "face %s (or a reason in without, lacks_test.go)", name)
	}
	quoted := fmt.Sprintf("%q", d.Name)
	if d.Parts != nil && d.Whole == nil { // its faces are those of others
		need(strings.Contains(e.documented, "\n| "+op.Key(d.Domain, d.Name)+" |"), "a line in docs/operators.md (go generate ./internal/operators)")
		return out
	}
	face("Shape", d.Shape != nil)
	face("Eval", d.Eval != nil)
	face("Gradient", d.Gradient != nil || d.Steps)
	face("Linear", d.Linear != nil || d.Steps)
	face("Couple", d.Couple != nil)
	need(d.Adapt == nil || d.Couple != nil, "face Couple: it has Adapt, which serves nothing alone")
	need(d.Name != "" && d.Since >= 1, "name and Since")
	need(strings.Contains(e.documented, "\n| "+op.Key(d.Domain, d.Name)+" |"), "a line in docs/operators.md (go generate ./internal/operators)")
	need(d.Eval == nil || strings.Contains(e.named, quoted), "a test of Eval: no test of this package names it (tables_test.go)")
	need(d.Gradient == nil || e.gradients[d.Name], "a case in gradCases, gradient_test.go")
	need(d.Couple == nil || e.couples[d.Name] || untested[d.Name] != "", "a case in coupleCases, couple_test.go")
	need(d.Interval == nil && d.Linear == nil || strings.Contains(e.networks, quoted),
		"a place in the networks that judge bounds: no test of verify names it (random_layers_test.go, float32_lone_test.go)")
	return out
}

func gathered(t *testing.T) *evidence {
	t.Helper()
	all := func(pattern string) string {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		var b strings.Builder
		for _, f := range files {
			if filepath.Base(f) == "lacks_test.go" {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(text)
		}
		return b.String()
	}
	e := &evidence{documented: all(matrixFile), named: all("*_test.go"), networks: all("../../verify/*_test.go"), couples: map[string]bool{},
		gradients: map[string]bool{}}
	for _, c := range slices.Concat(coupleCases(), quantisedCases) {
		e.couples[c.op] = true
	}
	for _, c := range gradCases {
		e.gradients[c.op] = true
	}
	e.excused = func(face, operator string) bool {
		return slices.ContainsFunc(without, func(w struct{ face, why, operators string }) bool {
			return w.face == face && slices.Contains(strings.Fields(w.operators), operator)
		})
	}
	return e
}

// anywhere is an operator of any domain.
func anywhere(name string) *op.Def {
	for _, d := range All() {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// TestWhatOperatorsLack goes through the table: whoever adds an operator reads here what is still to be done.
func TestWhatOperatorsLack(t *testing.T) {
	e := gathered(t)
	for _, d := range All() {
		if l := e.lacking(d); len(l) > 0 {
			t.Errorf("%s lacks\n\t%s", op.Key(d.Domain, d.Name), strings.Join(l, "\n\t"))
		}
	}
	for _, w := range without {
		for _, name := range strings.Fields(w.operators) {
			d := anywhere(name)
			if d == nil {
				t.Errorf("without names %s, which is no operator", name)
				continue
			}
			if has := map[string]bool{"Gradient": d.Gradient != nil, "Linear": d.Linear != nil, "Couple": d.Couple != nil}; has[w.face] {
				t.Errorf("%s has %s; without says that it has not: %s", name, w.face, w.why)
			}
		}
	}
}

// TestDocumentedFacesAreThere reads the marks of docs/operators.md and looks at the table, the other way round than it was made.
func TestDocumentedFacesAreThere(t *testing.T) {
	rows, byKey := 0, map[string]*op.Def{}
	for _, d := range All() {
		byKey[op.Key(d.Domain, d.Name)] = d
	}
	for _, line := range strings.Split(gathered(t).documented, "\n") {
		cells := strings.Split(line, " | ")
		if len(cells) < 9 || byKey[strings.TrimPrefix(cells[0], "| ")] == nil {
			continue
		}
		rows++
		d := byKey[strings.TrimPrefix(cells[0], "| ")]
		for i, face := range []bool{d.Shape != nil, d.Eval != nil, d.Gradient != nil, d.Interval != nil, d.Linear != nil, d.Couple != nil} {
			want := map[bool]string{true: "✓", false: "–"}[face]
			if i == 3 && !face && d.Linear != nil {
				want = "map"
			}
			if i < 5 && d.Parts != nil && d.Whole == nil || i >= 2 && i < 5 && d.Steps {
				want = "parts"
			}
			if cells[2+i] != want {
				t.Errorf("%s: column %d says %q, the table %q", d.Name, 3+i, cells[2+i], want)
			}
		}
	}
	if rows != len(All()) {
		t.Errorf("%d rows for %d operators", rows, len(All()))
	}
}

// TestLackingNamesEverything gives an operator one thing after the other.
func TestLackingNamesEverything(t *testing.T) {
	e := gathered(t)
	d := &op.Def{Name: "Frobnicate", Since: 27}
	count := func(want int, words ...string) {
		t.Helper()
		l := strings.Join(e.lacking(d), "\n")
		if got := len(e.lacking(d)); got != want {
			t.Errorf("%d things are lacking, want %d:\n%s", got, want, l)
		}
		for _, w := range words {
			if !strings.Contains(l, w) {
				t.Errorf("%s is not named:\n%s", w, l)
			}
		}
	}
	count(6, "Shape", "Eval", "Gradient", "Linear", "Couple", "docs/operators.md")
	relu := known["Relu"]
	d.Shape, d.Eval, d.Gradient, d.Linear, d.Couple = relu.Shape, relu.Eval, relu.Gradient, relu.Linear, relu.Couple
	count(5, "docs/operators.md", "tables_test.go", "gradCases", "coupleCases", "random_layers_test.go")
	d.Couple, d.Adapt = nil, func(*onnxio.Node, op.Adapter) error { return nil }
	count(6, "Adapt")
	d.Name = "Relu"
	d.Couple = relu.Couple
	count(0)
}
