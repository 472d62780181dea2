package release

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/report"
)

// TestPagesOpenWithWhatFailed: the lines behind the answer name what failed and nothing else, and of all pictures the three that stand there are of
// failed requirements first, attacks before others, each with the height of an attack's three.
func TestPagesOpenWithWhatFailed(t *testing.T) {
	picture := func(w int) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, 28))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	one := func(name, kind string, o report.Outcome, samples ...int) Requirement {
		q := Requirement{Name: name, Kind: kind, Outcome: o, Reason: "why " + name}
		for _, w := range samples {
			q.Worst = append(q.Worst, Sample{Picture: picture(w)})
		}
		return q
	}
	r := Result{Requirements: []Requirement{
		one("a", "clean_accuracy", report.Inconclusive, 28), one("b", "clean_accuracy", report.Pass, 28), one("c", "clean_accuracy", report.Fail, 28),
		one("d", "robust_accuracy", report.Inconclusive, 86), one("e", "robust_accuracy", report.Fail, 86), one("f", "size", report.Fail),
		one("g", "size", report.Fail), one("h", "size", report.Fail),
	}}
	r.Sum()
	d := r.Document()
	if len(d.Lead) != 2 || d.Lead[1] != "Failed: c, why c; e, why e; f, why f; 2 more." {
		t.Errorf("%q", d.Lead)
	}
	var got []string
	for _, b := range r.pictures() {
		f := b.(report.Figure)
		name, _, _ := strings.Cut(f.Caption, ":")
		view := strings.Split(string(f.SVG), `"`)[3]
		got = append(got, name+" "+view)
	}
	if want := "e 0 0 86 28, c 0 0 84 28, d 0 0 86 28"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	r = Result{Requirements: []Requirement{one("b", "clean_accuracy", report.Pass, 28), one("a", "clean_accuracy", report.Inconclusive)}}
	r.Sum()
	if d := r.Document(); len(d.Lead) != 1 {
		t.Errorf("nothing failed: %q", d.Lead)
	}
}

// TestChangesAreNoShares: a gain beside another model stands in no picture of shares, whatever its sign.
func TestChangesAreNoShares(t *testing.T) {
	test := func(figure string, value report.Number, limit float64) []Test {
		return []Test{{Figure: figure, Value: value, Low: value, High: value, Limit: limit, Outcome: report.Pass}}
	}
	r := Result{Requirements: []Requirement{{Name: "share", Tests: test("clean accuracy", 0.9, 0.8)},
		{Name: "gain", Tests: test("change of clean accuracy", 0.02, 0)}, {Name: "loss", Tests: test("change of clean accuracy", -0.02, -0.1)}}}
	f := r.figure()
	if f == nil || !strings.Contains(f.Alt, "share: 0.9") || strings.Contains(f.Alt, "gain") || strings.Contains(f.Alt, "loss") {
		t.Errorf("%+v", f)
	}
}
