package study

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
)

// Write writes study.json, report.md with its pictures, and report.html into a folder.
func (r *Results) Write(dir string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := output.Write(filepath.Join(dir, "study.json"), append(foreign.JSON(b), '\n')); err != nil {
		return err
	}
	d, err := r.Document()
	if err != nil {
		return err
	}
	return d.Write(dir)
}

// Document is the report.
func (r *Results) Document() (*report.Document, error) {
	w := &writer{r: r, d: &report.Document{Title: r.Spec.Name}}
	if a := w.answer(); a != "" {
		if w.needed = w.r.Power(); len(w.needed) > 0 {
			a += " " + PowerText(w.needed)
		}
		w.d.Lead = append(w.d.Lead, a)
	}
	w.opening()
	w.about()
	for _, part := range []func() error{w.claims, w.power, w.accuracy, w.temperatures, w.pruning, w.attacks, w.areas, w.certified, w.made} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	w.fold()
	if len(w.r.Claims) == 0 {
		w.open()
	}
	return w.d, nil
}

// carrying are the beginnings of the names of pictures, by how much they say of a study.
var carrying = []string{"area-", "certified-", "radii-", "attack-", ""}

// open moves the picture that says most before everything else, where there are no claims that could be answered.
func (w *writer) open() {
	var at *report.Section
	place, rank := 0, len(carrying)
	for i := range w.d.Sections {
		for k, b := range w.d.Sections[i].Blocks {
			if f, ok := b.(report.Figure); ok {
				if r := slices.IndexFunc(carrying, func(start string) bool { return strings.HasPrefix(f.File, start) }); r < rank {
					at, place, rank = &w.d.Sections[i], k, r
				}
			}
		}
	}
	if at != nil {
		w.d.Opening = []report.Block{at.Blocks[place]}
		at.Blocks = slices.Delete(at.Blocks, place, place+1)
	}
}

// about says what the study is and how its figures are to be read.
func (w *writer) about() {
	var blocks []report.Block
	if w.r.Spec.Note != "" {
		blocks = append(blocks, report.Paragraph(strings.TrimSpace(w.r.Spec.Note)))
	}
	w.section("About", append(blocks, report.Paragraph(fmt.Sprintf("%s; seeds %s. Figures over several seeds are means with Student's 95 %% interval over the "+
		"seeds: how much the training's randomness moves them, on the same test %s. %s "+
		"Intervals are each by itself, not adjusted for their number. Radii and eps are in l-infinity, %s.",
		w.sizes(), joinSeeds(w.r.Spec.Seeds), w.terms().samples, w.terms().one, w.units())))...)
}

// valid is the range that the test samples' balls are cut by, as [LOW,HIGH]; "" where there is none.
func (w *writer) valid() string {
	for _, d := range w.r.Data {
		switch low, high, ok := strings.Cut(d.Pixels, ":"); {
		case d.Use != "test":
		case ok:
			return fmt.Sprintf("[%s,%s]", low, high)
		case d.Pixels != "":
			return ""
		}
	}
	return "[0,1]"
}

// units says what radii are measured in.
func (w *writer) units() string {
	if v := w.valid(); v != "" {
		return "pixels in " + v
	}
	return "in units of the inputs"
}

// fold puts the tables behind the opening away until somebody opens them.
func (w *writer) fold() {
	for i := range w.d.Sections {
		for k, b := range w.d.Sections[i].Blocks {
			if x, ok := b.(report.Table); ok {
				x.Folded = true
				w.d.Sections[i].Blocks[k] = x
			}
		}
	}
}

// answer counts the verdicts on the claims; "" without any.
func (w *writer) answer() string {
	if len(w.r.Claims) == 0 {
		return ""
	}
	var order []Verdict
	of, claims := map[Verdict][]string{}, map[int]bool{} // a claim that is checked on several data has a verdict on each
	for _, c := range w.r.Claims {
		claims[c.Claim] = true
		if of[c.Verdict] == nil {
			order = append(order, c.Verdict)
		}
		of[c.Verdict] = append(of[c.Verdict], fmt.Sprint(c.Claim))
	}
	slices.SortStableFunc(order, func(a, b Verdict) int { return -cmp.Compare(len(of[a]), len(of[b])) })
	var parts []string
	for _, v := range order {
		parts = append(parts, fmt.Sprintf("%d %s (%s)", len(of[v]), v, strings.Join(of[v], ", ")))
	}
	return fmt.Sprintf("Of %d verdicts on %d claims: %s.", len(w.r.Claims), len(claims), strings.Join(parts, "; "))
}

// writer puts results into a document.
type writer struct {
	r      *Results
	d      *report.Document
	needed []PowerRow
}

func (w *writer) section(title string, blocks ...report.Block) {
	w.d.Sections = append(w.d.Sections, report.Section{Title: title, Blocks: blocks})
}

// barsText says what bars in pictures are.
func (w *writer) barsText() string {
	return fmt.Sprintf("95 %% interval over %d seeds", len(w.r.Spec.Seeds))
}

func joinSeeds(seeds []uint64) string {
	var out []string
	for _, s := range seeds {
		out = append(out, fmt.Sprint(s))
	}
	return joined(out)
}

func (w *writer) sizes() string {
	var out []string
	for _, d := range w.r.Data {
		use := map[string]string{"train": "training", "extra": "extra", "test": "test"}[d.Use]
		out = append(out, fmt.Sprintf("%s %s %s", report.Grouped(d.Samples), use, w.terms().samples))
	}
	return joined(out)
}

// of are the models of a subject.
func (w *writer) of(s Subject) []*ModelRow {
	var out []*ModelRow
	for i := range w.r.Models {
		if w.r.Models[i].Subject == s {
			out = append(out, &w.r.Models[i])
		}
	}
	return out
}

// groups are the teachers, each with the subjects that learned from it; those without a teacher stand in every group.
func groupsOf(r *Results, subjects []Subject) (teachers []string, of map[string][]Subject) {
	of = map[string][]Subject{}
	for _, t := range r.Spec.Teachers {
		n := 0
		for _, s := range subjects {
			if s.Teacher == t.Name || s.Teacher == "" {
				of[t.Name] = append(of[t.Name], s)
			}
			if s.Teacher == t.Name {
				n++
			}
		}
		if n > 0 {
			teachers = append(teachers, t.Name)
		}
	}
	return teachers, of
}

func figure(file string, c *report.Chart, caption string) (report.Figure, error) {
	svg, err := c.SVG()
	if err != nil {
		return report.Figure{}, fmt.Errorf("%s: %w", file, err)
	}
	return report.Figure{File: file, Caption: caption, Alt: c.Title + ": " + c.Y + " over " + c.X + "; the numbers are in the tables and in study.json",
		SVG: svg}, nil
}
