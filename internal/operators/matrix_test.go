package operators

import (
	"flag"
	"fmt"
	"github.com/shallow-waters/shoal/internal/op"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

//go:generate go test -run ^TestOperatorMatrix$ -count 1 . -update

var update = flag.Bool("update", false, "write docs/operators.md anew")

// matrixFile is the table that users read.
const matrixFile = "../../docs/operators.md"

const matrixHead = `<!-- Made from the table of operators by: go generate ./internal/operators -->

# Operators

What shoal can do with each operator of the ONNX standard. Definitions are written against opsets %d to %d; files of opsets 1 to 6
are brought up to 7 while they are read.
What a node has and its definition does not read (an attribute, a value of one, an input, a form that a newer opset brought) is refused by name. So are the
operators of com.microsoft.nchwc, which onnxruntime's highest optimisation writes for one processor: the size of their blocks of channels is not in the file.

| face | what needs it |
|---|---|
| Shape | everything: sizes and types of the outputs |
| Eval | running: ` + "`shoal run`" + `, predictions, counterexamples, folding of constants |
| Gradient | ` + "`shoal attack`" + `: the nodes that compute dL/dx; black-box attacks do without |
| Interval | all domains |
| Couple | ` + "`shoal prune`" + `: which channels of inputs, outputs and weights can only go together; without it none that reach the node go |
| Linear | ` + "`symbolic`, `fastlin`, `deeppoly`" + `: what the operator is to rows of coefficients; without it they only know the interval |

**✓** is there; **map** is an interval that follows from Linear, since the operator is affine; **parts** are other operators
that it is written in, whose faces it has; **–** is missing. An operator without Interval
and Linear can be verified where its inputs are constant: it is folded before bounds are made. Some faces serve some forms only (GatherND
needs constant indices for Linear, for example); ` + "`shoal inspect MODEL`" + ` lists what a model lacks, and errors name the node.

| operator | opsets | Shape | Eval | Gradient | Interval | Linear | Couple | what it computes |
|---|---|:-:|:-:|:-:|:-:|:-:|:-:|---|
`

// TestOperatorMatrix compares docs/operators.md with the table, or writes it with -update.
func TestOperatorMatrix(t *testing.T) {
	want := matrix(t)
	if *update {
		if err := os.WriteFile(matrixFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Error(err)
	}
	if string(got) != want {
		t.Errorf("docs/operators.md is not what the table says. Make it anew and commit it:\n\n\tgo generate ./internal/operators\n\n%s",
			firstDifference(string(got), want))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range w {
		if i >= len(g) || g[i] != w[i] {
			have := "nothing"
			if i < len(g) {
				have = g[i]
			}
			return fmt.Sprintf("line %d is\n%s\nand should be\n%s", i+1, have, w[i])
		}
	}
	return fmt.Sprintf("it has %d lines too many", len(g)-len(w))
}

func matrix(t *testing.T) string {
	heads := headers(t)
	var b strings.Builder
	fmt.Fprintf(&b, matrixHead, op.MinOpset, op.MaxOpset)
	for _, d := range All() {
		mark := func(there bool) string {
			if there {
				return "✓"
			}
			return "–"
		}
		interval, couple := mark(d.Interval != nil), mark(d.Couple != nil)
		if d.Interval == nil && d.Linear != nil {
			interval = "map"
		}
		if d.Parts != nil && d.Whole == nil {
			interval, mark = "parts", func(bool) string { return "parts" }
		}
		bounded := mark
		if d.Steps {
			interval, bounded = "parts", func(bool) string { return "parts" }
		}
		opsets, note := about(t, d, heads)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", op.Key(d.Domain, d.Name), markdown(opsets),
			mark(d.Shape != nil), mark(d.Eval != nil), bounded(d.Gradient != nil), interval, bounded(d.Linear != nil), couple, markdown(note))
	}
	return b.String()
}

// markdown keeps a sentence from being read as a table or as emphasis.
var markdownEscapes = strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", `\<`, "`", "")

func markdown(s string) string { return markdownEscapes.Replace(s) }

// headers reads the first comment of every operator's file: "// relu.go — Relu, opset 6, 13, 14: y = max(x, 0).", without the file's name.
func headers(t *testing.T) []string {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		comment, _, _ := strings.Cut(string(src), "\n\n")
		comment = strings.ReplaceAll(strings.TrimPrefix(comment, "// "), "\n// ", " ")
		if text, ok := strings.CutPrefix(comment, f+" — "); ok {
			out = append(out, text)
		}
	}
	return out
}

// otherOperator begins the part of a header that belongs to the next operator.
var otherOperator = regexp.MustCompile(`,? and [A-Z]\w+|, [A-Z]\w+`)

// about finds the opsets and the sentence of an operator in its file's header.
func about(t *testing.T, d *op.Def, heads []string) (opsets, note string) {
	word := regexp.MustCompile(`(^|, |and )` + d.Name + `\b`)
	for _, h := range heads {
		names, text, ok := strings.Cut(h, ": ")
		if d.Domain != "" && !strings.HasPrefix(text, "of "+d.Domain) || d.Domain == "" &&
			(strings.HasPrefix(text, "of com.") || strings.HasPrefix(text, "of ai.")) {
			continue
		}
		at := word.FindStringIndex(names)
		if !ok || at == nil {
			continue
		}
		opsets = names[at[1]:]
		if other := otherOperator.FindStringIndex(opsets); other != nil {
			opsets = opsets[:other[0]]
		}
		_, opsets, ok = strings.Cut(opsets, "opset ")
		if !ok {
			opsets = fmt.Sprint(d.Since)
		}
		return opsets, strings.TrimSuffix(text, ".")
	}
	t.Errorf("no file of internal/operators begins with \"// file.go — %s, opset %d, ...: what it computes.\"", d.Name, d.Since)
	return fmt.Sprint(d.Since), ""
}

// TestHeadersBeginWithSince: the opset that a file's header names first is the table's.
func TestHeadersBeginWithSince(t *testing.T) {
	heads := headers(t)
	number := regexp.MustCompile(`^\d+`)
	for _, d := range All() {
		if opsets, _ := about(t, d, heads); number.FindString(opsets) != fmt.Sprint(d.Since) {
			t.Errorf("%s: the file's header says opset %s, the table since %d", d.Name, opsets, d.Since)
		}
	}
}
