package study

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/report"
)

var update = flag.Bool("update", false, "write testdata/report.md and report.html anew")

// madeUp are results of every sort, with names that are markup.
func madeUp() *Results {
	odd := `<b>&"x" | *y*_`
	student := Student{Name: odd}
	sl, st := Subject{Student: odd, Technique: "labels"}, Subject{Teacher: "t", Student: odd, Technique: "warm"}
	pruned, again, alone := st, st, Subject{Student: odd, Retrain: "again"}
	pruned.Prune, again.Retrain = "dead", "again"
	m := made{accuracy: map[Subject][]float64{}, radius: map[string]map[Subject][]float64{}}
	r := m.results()
	r.Spec.Name, r.Spec.Note = "A <made-up> study & its report", "Nothing in here was measured. <script>alert(1)</script>"
	r.Spec.Students = []Student{student}
	r.Spec.Techniques = []Technique{{Name: "labels", Technique: "labels"}, {Name: "warm", Technique: "temperature", Temperatures: []float64{1, 2}}}
	r.SpecHash = strings.Repeat("ab", 32)
	r.Data = []DataRow{{"train", "fmnist:x", "train", "", 1000, true, strings.Repeat("cd", 32), ""},
		{"test", "fmnist:x", "test", "0:200", 200, false, strings.Repeat("ef", 32), ""}}
	yes, agreement := true, 170
	base := map[Subject]int{teacherT: 180, sl: 150, st: 165, pruned: 165, again: 160, alone: 140}
	rng := rand.New(rand.NewPCG(7, 7))
	for _, s := range []Subject{teacherT, sl, st, pruned, again, alone} {
		seeds := []int64{0, 1, 2}
		if s == teacherT {
			seeds = []int64{NoSeed}
		}
		for _, seed := range seeds {
			row := ModelRow{Subject: s, Seed: seed, SHA256: strings.Repeat("12", 32), Parameters: 12345, Samples: 200,
				Correct: base[s] + int(seed), Seconds: 1.5}
			if s == st {
				row.T, row.Epochs, row.BestEpoch, row.Agreement, row.Valid = 2, 4, 3, &agreement, 0.8
			}
			if s == pruned {
				row.Pruned = &PrunedRow{prunedResult: prunedResult{Removed: 2, Equal: &yes}, CorrectBefore: base[st] + int(seed), Same: 200}
				row.Pruned.Before.Parameters, row.Pruned.After.Parameters = 12345, 10000
				row.Pruned.Before.MACs, row.Pruned.After.MACs = 50000, 40000
			}
			r.Models = append(r.Models, row)
			if s == pruned {
				continue
			}
			r.Attacks = append(r.Attacks, AttackRow{Subject: s, Seed: seed, Attack: "pgd", Samples: 200, Correct: row.Correct, Eps: []float64{0.1},
				Robust: []int{row.Correct / 2}})
			for _, d := range []string{"fastlin", "deeppoly", upperDomain} {
				x := radii{}
				for range 20 {
					v := 0.01 + 0.1*rng.Float64()
					if d == upperDomain {
						v += 0.05
						x.Open = append(x.Open, false)
					}
					x.Radius, x.Correct = append(x.Radius, v), append(x.Correct, rng.IntN(5) > 0)
				}
				r.Radii = append(r.Radii, RadiusRow{s, seed, d, x})
			}
		}
	}
	for _, t := range []float64{1, 2} {
		for seed := range int64(3) {
			r.Tries = append(r.Tries, TryRow{st, seed, t, 0.7 + 0.05*t + 0.001*float64(seed), 0.71 + 0.05*t + 0.002*float64(seed), t == 2})
		}
	}
	r.Spec.Certify.Eps = []float64{0.01, 0.05}
	r.Failures = []Failure{{"training something", "it <diverged>"}}
	r.Steps = []StepRow{{Name: "one", Key: "k", Seconds: 12}}
	r.Claims = CheckClaims(r, []Claim{{Claim: 1}, {Claim: 4, Techniques: []string{"warm", "logits"}}, {Claim: 5, Techniques: []string{"warm", "labels"}},
		{Claim: 7}, {Claim: 8, Teacher: "t"},
		{Claim: 9, Techniques: []string{"warm"}}, {Claim: 10, Techniques: []string{"warm"}}, {Claim: 12, Techniques: []string{"warm"}},
		{Claim: 13, Techniques: []string{"warm"}}, {Claim: 14, Techniques: []string{"warm"}}, {Claim: 15}})
	return r
}

// TestReportOfMadeUpResults compares Markdown and HTML (its pictures apart) with what is stored.
func TestReportOfMadeUpResults(t *testing.T) {
	d, err := madeUp().Document()
	if err != nil {
		t.Fatal(err)
	}
	page := string(d.HTML())
	for { // the pictures' letters are the plotting library's business
		i := strings.Index(page, "<svg")
		if i < 0 {
			break
		}
		j := strings.Index(page[i:], "</svg>")
		page = page[:i] + "<!-- picture -->" + page[i+j+len("</svg>"):]
	}
	for name, got := range map[string]string{"report.md": string(d.Markdown()), "report.html": page} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from the stored one; go test ./internal/study -update writes it anew", name)
		}
	}
}

// TestReportIsWellFormedAndEscaped parses the page as XML, which ours is, and looks for markup that came from names.
func TestReportIsWellFormedAndEscaped(t *testing.T) {
	d, err := madeUp().Document()
	if err != nil {
		t.Fatal(err)
	}
	page := string(d.HTML())
	p := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(page, "<!DOCTYPE html>")))
	p.Strict = true
	seen := map[string]int{}
	var open []string
	for {
		tok, err := p.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			seen[x.Name.Local]++
			open = append(open, x.Name.Local)
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					t.Errorf("<%s %s=%q>: the page needs something else", x.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if strings.Contains(string(x), "](") && !slices.Contains(open, "pre") {
				t.Errorf("Markdown in the page: %q", x)
			}
		}
	}
	if seen["script"] > 0 || seen["b"] > 0 {
		t.Errorf("names became markup: %v", seen)
	}
	if len(d.Figures()) != seen["svg"] || seen["svg"] < 8 || seen["table"] < 8 {
		t.Errorf("%d figures, %v", len(d.Figures()), seen)
	}
	for _, line := range strings.Split(string(d.Markdown()), "\n") {
		if strings.Contains(line, "<b>") && !strings.HasPrefix(line, " ") && !strings.Contains(line, "name:") {
			t.Errorf("unescaped in Markdown: %s", line)
		}
	}
}

func TestWriteLeavesNothingHalf(t *testing.T) {
	dir := t.TempDir()
	if err := madeUp().Write(dir); err != nil {
		t.Fatal(err)
	}
	md, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pictures := 0
	for _, n := range names {
		if strings.HasPrefix(n.Name(), ".") {
			t.Errorf("%s is left", n.Name())
		}
		if strings.HasSuffix(n.Name(), ".svg") {
			pictures++
			if !strings.Contains(string(md), "]("+n.Name()+")") {
				t.Errorf("the Markdown does not link to %s", n.Name())
			}
		}
	}
	if pictures == 0 {
		t.Error("no pictures")
	}
}

// TestReportOpensWithItsAnswer: the verdicts in a sentence and in a line each, and a picture for each question that has effects, stand before
// everything else; all tables behind are folded, and no effect that decides a claim is left out of the pictures.
func TestReportOpensWithItsAnswer(t *testing.T) {
	r := madeUp()
	d, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	count := map[Verdict]int{}
	effects := 0
	for _, c := range r.Claims {
		count[c.Verdict]++
		for _, k := range c.Checks {
			if !k.Secondary && k.Kind != "equal" && k.Verdict != NotRun {
				effects++
			}
		}
	}
	for v, n := range count {
		if want := fmt.Sprintf("%d %s (", n, v); !strings.Contains(d.Lead[0], want) {
			t.Errorf("%q has no %q", d.Lead[0], want)
		}
	}
	lines, ok := d.Opening[0].(report.Table)
	if !ok || lines.Folded || len(lines.Rows) != len(r.Claims) {
		t.Fatalf("%T opens it, folded: %v, with %d lines", d.Opening[0], lines.Folded, len(lines.Rows))
	}
	drawn := 0
	for _, b := range d.Opening[1:] {
		drawn += strings.Count(string(b.(report.Figure).SVG), "<g class=")
	}
	if drawn != effects || len(d.Opening) < 5 {
		t.Errorf("%d of %d effects are drawn, in %d pictures", drawn, effects, len(d.Opening)-1)
	}
	tables := 0
	for _, s := range d.Sections {
		for _, b := range s.Blocks {
			if x, ok := b.(report.Table); ok {
				tables++
				if !x.Folded {
					t.Errorf("an open table %q in %q", x.Title, s.Title)
				}
			}
		}
	}
	if page := string(d.HTML()); tables < 5 || strings.Index(page, "<svg") > strings.Index(page, "<nav") {
		t.Errorf("%d tables; the contents stand before the pictures", tables)
	}
}

// TestReportWithoutClaimsOpensWithAPicture: there is nothing to answer, and the picture that says most stands once, before everything else.
func TestReportWithoutClaimsOpensWithAPicture(t *testing.T) {
	r := madeUp()
	r.Claims = nil
	d, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Opening) != 1 || d.Opening[0].(report.Figure).File != "area-1.svg" {
		t.Fatalf("%d blocks open it", len(d.Opening))
	}
	n := 0
	for _, f := range d.Figures() {
		if f.File == "area-1.svg" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the picture is there %d times", n)
	}
}
