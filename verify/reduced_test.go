package verify

import (
	"context"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// TestValuesComparedWithThemselves: of a network beside itself at the same input, what is subtracted is 0 exactly, and comparisons of it are decided
// where bounds with their rounding would stay open; at other inputs nothing of that holds.
func TestValuesComparedWithThemselves(t *testing.T) {
	p := perceptron{w: [][]float64{{1, -0.5, 0.25}, {0.75, 1, 0}, {-1, 0.25, 1}}, v: [][]float64{{1, -1, 0.5, 0}, {0.25, 1, -0.75, 1}}}
	const box = "(assert (and (>= X[0,0] -1) (<= X[0,0] 1) (>= X[0,1] -1) (<= X[0,1] 1) (>= U[0,0] -1) (<= U[0,0] 1) (>= U[0,1] -1) (<= U[0,1] 1)))"
	const same = "(assert (and (== X[0,0] U[0,0]) (== X[0,1] U[0,1])))"
	for _, c := range []struct {
		text string
		want Verdict
	}{
		{same + "(assert (> Y[0,0] V[0,0]))", Verified},
		{same + "(assert (>= Y[0,0] V[0,0]))", Falsified},
		{same + "(assert (!= Y[0,1] V[0,1]))", Verified},
		{same + "(assert (>= (+ Y[0,0] (* 0.1 Y[0,1]) (* -0.1 V[0,1])) (+ V[0,0] 1e-30)))", Verified},
		{same + "(assert (or (> (- Y[0,0] V[0,0]) 0) (< (- H[0,2] Y[0,1] (- V[0,1])) -0.001)))", Verified},
		{same + "(assert (>= (+ H[0,0] (- Y[0,1] V[0,1])) 1))", Falsified},
		{same + "(assert (or (< Y[0,0] V[0,0]) (and (> Y[0,1] V[0,1]) (>= Y[0,0] -100))))", Verified},
		{"(assert (> Y[0,0] V[0,0]))", Falsified},
		{"(assert (== X[0,0] U[0,0]))(assert (> Y[0,0] V[0,0]))", Falsified},
	} {
		for _, kind := range []string{"float32", "real"} {
			one := func(name, more, x, hidden, y string) string {
				return "(declare-network " + name + more + "(declare-input " + x + " " + kind + " [1,2])" + hidden + "(declare-output " + y + " " + kind +
					" [1,2]))"
			}
			h := "" // outputs that are compared stand behind it
			if strings.Contains(c.text, "H[") {
				h = "(declare-hidden H " + kind + " [1,3] \"relu\")"
			}
			q, err := vnnlib.Parse(strings.NewReader("(vnnlib-version <2.0>)" + one("f", "", "X", h, "Y") + one("g", "(equal-to f)", "U", "", "V") +
				box + c.text))
			if err != nil {
				t.Fatal(err)
			}
			o := Options{Semantics: Semantics(kind)}
			m, err := NetworkOf(context.Background(), q, []*onnxio.Model{p.model(), nil}, o)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Open(context.Background(), m, o)
			if err != nil {
				t.Fatal(err)
			}
			r, err := v.Verify(context.Background(), FromVNNLIB(q))
			v.Close()
			if err != nil || r.Verdict != c.want || r.Verdict == Falsified && !r.Refutes(o.Semantics) {
				t.Errorf("%s of %s: %+v, %v; want %s", c.text, kind, r, err, c.want)
			}
		}
	}
}
