package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// mostWorst is how many samples a page names above its tables, and mostClasses how many classes have rows.
const (
	mostWorst   = 3
	mostClasses = 100
)

// Answer is the result of a question about samples in one line: of how many, and what became of them.
func (r *Result) Answer() string {
	if len(r.Rows) == 0 {
		return "No sample is finished."
	}
	var parts []string
	n := len(r.Rows) / r.radii()
	clean := ""
	right := func(k int, share Number) {
		if !math.IsNaN(float64(share)) {
			clean = fmt.Sprintf(", %d of them right unchanged", k)
		}
	}
	switch r.Question {
	case Certify:
		right(r.Proofs[0].Correct, r.Proofs[0].CleanAccuracy)
		for _, s := range r.Proofs {
			words := fmt.Sprintf("at eps %s, %d verified (%s), %d falsified, %d unknown", s.EpsText, s.Verified, s.CertifiedAccuracy.percent(),
				s.Falsified, s.Unknown)
			if s.Outputs != nil && s.Outputs.Farthest != nil {
				words += fmt.Sprintf(", no output gets farther from its value than %s", *s.Outputs.Farthest)
			}
			parts = append(parts, words)
		}
	case Radii:
		s := r.Radii
		parts = append(parts, fmt.Sprintf("the median certified radius is %.5f (mean %.5f, largest %.5f)", float64(s.Median), float64(s.Mean),
			float64(s.Max)))
		if s.Correct.Samples > 0 && s.Correct.Samples < n {
			parts = append(parts, fmt.Sprintf("that of the %d classified correctly %.5f", s.Correct.Samples, float64(s.Correct.Median)))
		}
	case Attack:
		right(r.Attacks[0].Correct, r.Attacks[0].CleanAccuracy)
		for _, s := range r.Attacks {
			parts = append(parts, fmt.Sprintf("at eps %s, %s leaves %d robust (%s)", s.EpsText, s.Method, s.Robust, s.RobustAccuracy.percent()))
		}
	case Compare:
		s := r.Agreement
		if !math.IsNaN(float64(s.Agreement)) {
			parts = append(parts, fmt.Sprintf("%d are decided differently (%s agree)", len(s.Differing), s.Agreement.percent()))
		}
		parts = append(parts, fmt.Sprintf("outputs differ by at most %.3g", float64(s.Max)))
	}
	return fmt.Sprintf("Of %d samples%s: %s.", n, clean, strings.Join(parts, "; "))
}

func (n Number) percent() string {
	if math.IsNaN(float64(n)) {
		return "no share"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n))
}

// radii is how many rows each sample has.
func (r *Result) radii() int { return max(1, len(r.Proofs), len(r.Attacks)) }

func (r *Result) title() string {
	name := "model " + shortHash(r.Model.SHA256)
	if r.Other != nil {
		name = fmt.Sprintf("models %s and %s", shortHash(r.Model.SHA256), shortHash(r.Other.SHA256))
	}
	if r.Recorded != nil && r.Recorded.Data != "" {
		name += " on data " + shortHash(r.Recorded.Data)
	}
	return fmt.Sprintf("shoal %s: %s", r.Question, name)
}

func shortHash(s string) string { return s[:min(12, len(s))] }

// Document is the result of a question about samples as a page: the answer, the figure that carries it, the worst samples; then tables, folded.
func (r *Result) Document() (*Document, error) {
	d := &Document{Title: r.title(), Lead: []string{r.Answer()}}
	c := r.chart()
	if c != nil {
		svg, err := c.SVG()
		if err != nil {
			return nil, err
		}
		d.Opening = append(d.Opening, Figure{File: "answer.svg", Caption: c.Title + ".", Alt: r.Answer(), SVG: svg, Inline: true})
	}
	if worst := r.worst(); len(worst) > 0 {
		var list List
		for _, row := range worst {
			list = append(list, r.words(row))
		}
		d.Opening = append(d.Opening, Paragraph("The worst samples, by their numbers in the data:"), list)
	}
	if len(r.Flags) > 0 {
		var list List
		for _, f := range r.Flags {
			list = append(list, fmt.Sprintf("%s: %s", f.Code, f.Text))
		}
		d.Sections = append(d.Sections, Section{"Reasons to doubt these figures", []Block{list}})
	}
	if blocks := r.classes(); len(blocks) > 0 {
		d.Sections = append(d.Sections, Section{"Classes", blocks})
	}
	d.Sections = append(d.Sections, Section{"Samples", []Block{r.samples()}}, r.made())
	return d, nil
}

// chart is the figure that carries the answer; nil where there is nothing to draw.
func (r *Result) chart() *Chart {
	if len(r.Rows) == 0 {
		return nil
	}
	switch {
	case r.Question == Certify && !math.IsNaN(float64(r.Proofs[0].CertifiedAccuracy)):
		c := &Chart{Title: "What is proven, and what no counterexample excludes", X: fmt.Sprintf("eps (%s)", r.Recorded.Ball), Y: "samples, %",
			FromZero: true, Percent: true, Wide: true, Measured: []float64{0}}
		proven, upper := Series{Name: "verified", Tone: 0}, Series{Name: "not falsified", Tone: 1, Dash: 1}
		for _, s := range r.Proofs {
			c.Measured = append(c.Measured, s.Eps)
			proven.Points = append(proven.Points, Point{X: s.Eps, Y: 100 * float64(s.CertifiedAccuracy)})
			upper.Points = append(upper.Points, Point{X: s.Eps, Y: 100 * float64(s.UpperAccuracy)})
		}
		c.Series = []Series{upper, proven}
		for i := range c.Series {
			slices.SortStableFunc(c.Series[i].Points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
		}
		return c
	case r.Question == Radii:
		var points []Radius
		for _, row := range r.Rows {
			points = append(points, Radius{Eps: row.Radius, Correct: row.Label == row.Predicted})
		}
		return radiiChart(fmt.Sprintf("Certified radii, %d samples", len(points)), r.Recorded.Ball, points)
	case r.Question == Attack && !math.IsNaN(float64(r.Attacks[0].CleanAccuracy)):
		var points []Robust
		for _, s := range r.Attacks {
			points = append(points, Robust{s.Eps, float64(s.RobustAccuracy), float64(s.Low), float64(s.High)})
		}
		return robustChart("Robust accuracy", r.Recorded.Ball, float64(r.Attacks[0].CleanAccuracy), points)
	case r.Question == Compare:
		var far []float64
		for _, row := range r.Rows {
			far = append(far, float64(row.Max))
		}
		slices.Sort(far)
		line := Series{Name: "largest difference of a sample's outputs"}
		for i, v := range far {
			line.Points = append(line.Points, Point{X: float64(i + 1), Y: v})
		}
		return &Chart{Title: "How far the two models' outputs differ", X: "samples, by difference", Y: "largest difference", Counted: true, FromZero: true,
			Wide: true, Series: []Series{line}}
	}
	return nil
}

// badness orders a question's rows, the worst first; false where a row is nothing to show. Of attacks and proofs those that are wrong unchanged
// are left out, since nothing was done to them.
func (r *Result) badness(row *Row) (rank int, size float64, shown bool) {
	right := row.Outputs != nil || row.Label == row.Predicted
	switch r.Question {
	case Certify:
		if row.Proof == nil {
			return 0, 0, false
		}
		rank = map[string]int{"falsified": 0, "unknown": 1}[row.Verdict]
		size = float64(row.Margin)
		if math.IsNaN(size) {
			size = 0
		}
		return rank, size, right && row.Verdict != "verified"
	case Radii:
		return 0, row.Radius, right
	case Attack:
		size = float64(row.Norm)
		if math.IsNaN(size) {
			size = 0
		}
		return 0, size, right && row.Adversarial
	}
	rank = 1
	if row.A != row.B || row.Beyond {
		rank = 0
	}
	return rank, -float64(row.Max), row.Max > 0
}

// worst are the first samples by badness, each at the smallest radius at which it is shown.
func (r *Result) worst() []Row {
	first := map[int]Row{}
	for _, row := range r.Rows {
		was, there := first[row.Index]
		if _, _, shown := r.badness(&row); shown && (!there || row.Eps != nil && *row.Eps < *was.Eps) {
			first[row.Index] = row
		}
	}
	var out []Row
	for _, row := range first {
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b Row) int {
		eps := func(x Row) float64 {
			if x.Eps == nil {
				return 0
			}
			return *x.Eps
		}
		i, u, _ := r.badness(&a)
		j, v, _ := r.badness(&b)
		return cmp.Or(cmp.Compare(eps(a), eps(b)), cmp.Compare(i, j), cmp.Compare(u, v), cmp.Compare(a.Index, b.Index))
	})
	return out[:min(mostWorst, len(out))]
}

// words are a row for people.
func (r *Result) words(row Row) string {
	var parts []string
	for i, h := range r.columns()[1:] {
		if cell := r.cells(&row)[i+1]; cell != "" && cell != "-" {
			parts = append(parts, h+" "+cell)
		}
	}
	return fmt.Sprintf("sample %d: %s", row.Index, strings.Join(parts, ", "))
}

// columns head the table of samples, and cells are a row of it.
func (r *Result) columns() []string {
	head := []string{"sample", "label", "predicted", "eps"}
	switch r.Question {
	case Certify:
		head = append(head, "verdict", "margin", "certificate", "reason")
	case Radii:
		head = append(head[:3], "radius", "falsified at", "certificate", "reason")
	case Attack:
		head = append(head, "found", "class", "length", "by")
	case Compare:
		head = []string{"sample", "A", "B", "largest difference", "outputs differ by"}
	}
	return head
}

func (r *Result) cells(row *Row) []string {
	number := func(i int) string {
		if i < 0 {
			return ""
		}
		return fmt.Sprint(i)
	}
	certificate := ""
	if e := row.Evidence; e != nil {
		certificate = e.File
		if e.Fault != "" {
			certificate = "none: " + e.Fault
		}
	}
	out := []string{fmt.Sprint(row.Index), number(row.Label), number(row.Predicted), row.EpsText}
	switch {
	case r.Question == Certify && row.Proof == nil:
		return append(out, "", "", "", row.Reason)
	case r.Question == Certify:
		return append(out, row.Verdict, row.Margin.String(), certificate, row.Reason)
	case r.Question == Radii:
		return append(out[:3], fmt.Sprintf("%.5f", row.Radius), row.Upper.String(), certificate, row.Reason)
	case r.Question == Attack:
		found := "nothing"
		if row.Adversarial {
			found = "adversarial"
		}
		return append(out, found, number(row.Class), row.Norm.String(), row.Method)
	}
	apart := ""
	if row.Apart != nil {
		apart = row.Apart.String()
	}
	return []string{fmt.Sprint(row.Index), number(row.A), number(row.B), fmt.Sprintf("%.3g", float64(row.Max)), apart}
}

func (r *Result) samples() Table {
	t := Table{Title: "All samples", Head: r.columns(), Folded: true}
	for _, h := range t.Head {
		t.Text = append(t.Text, slices.Contains([]string{"sample", "verdict", "certificate", "reason", "found", "by"}, h))
	}
	t.Mark = func(row, column int) string {
		return map[string]string{"verified": "good", "nothing": "good", "falsified": "bad", "adversarial": "bad", "unknown": "open"}[t.Rows[row][column]]
	}
	for i := range r.Rows {
		t.Rows = append(t.Rows, r.cells(&r.Rows[i]))
	}
	return t
}

// classes are the tables of classes, at the first radius; none where nothing has classes.
func (r *Result) classes() (out []Block) {
	last := map[Question]string{Certify: "verified", Attack: "robust", Radii: "median radius"}[r.Question]
	if last == "" {
		return nil
	}
	type count struct {
		samples, right, held int
		radii                []float64
	}
	per := map[int]*count{}
	confusion := map[[2]int]int{}
	most := -1
	for i := 0; i < len(r.Rows); i += r.radii() {
		row := &r.Rows[i]
		if row.Label < 0 || row.Outputs != nil {
			continue
		}
		c := per[row.Label]
		if c == nil {
			c = &count{}
			per[row.Label] = c
		}
		c.samples++
		most = max(most, row.Label)
		right := row.Label == row.Predicted
		if right {
			c.right++
		}
		switch {
		case r.Question == Radii:
			c.radii = append(c.radii, row.Radius)
		case r.Question == Attack && !row.Adversarial || r.Question == Certify && row.Proof != nil && row.Verdict == "verified":
			c.held++
		}
		if r.Question == Attack && right {
			confusion[[2]int{row.Label, row.Class}]++
			most = max(most, row.Class)
		}
	}
	if most < 0 || most >= mostClasses {
		return nil
	}
	t := Table{Title: "Each class", Head: []string{"class", "samples", "right unchanged", last}, Folded: true}
	if r.Question != Radii {
		t.Caption = "At eps " + r.Rows[0].EpsText + "."
	}
	for k := range most + 1 {
		c := per[k]
		if c == nil {
			continue
		}
		figure := fmt.Sprint(c.held)
		if r.Question == Radii {
			slices.Sort(c.radii)
			n := len(c.radii)
			figure = fmt.Sprintf("%.5f", 0.5*(c.radii[(n-1)/2]+c.radii[n/2]))
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(k), fmt.Sprint(c.samples), fmt.Sprint(c.right), figure})
	}
	out = append(out, t)
	if len(confusion) > 0 {
		m := make([][]int, most+1)
		for k := range m {
			m[k] = make([]int, most+1)
			for j := range m[k] {
				m[k][j] = confusion[[2]int{k, j}]
			}
		}
		out = append(out, Confusion(m))
	}
	return out
}

// Confusion is the table of what an attack made of each class: a row for each class, a column for the class that it reached.
func Confusion(counts [][]int) Table {
	t := Table{Title: "What the attack made of samples that are right unchanged", Folded: true, Head: []string{"class"},
		Caption: "A row for each class, a column for the class that the attack reached; on the diagonal it found none."}
	for i, row := range counts {
		t.Head = append(t.Head, fmt.Sprint(i))
		cells := []string{fmt.Sprint(i)}
		for _, n := range row {
			cells = append(cells, fmt.Sprint(n))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// made says how the result was made.
func (r *Result) made() Section {
	t := Table{Title: "Files", Head: []string{"what", "SHA-256"}, Text: []bool{true, true}, Rows: [][]string{{"model", r.Model.SHA256}}}
	if r.Other != nil {
		t.Rows[0][0] = "model A"
		t.Rows = append(t.Rows, []string{"model B", r.Other.SHA256})
	}
	if r.Recorded.Data != "" {
		t.Rows = append(t.Rows, []string{"data", r.Recorded.Data})
	}
	settings, _ := json.MarshalIndent(map[string]any{"subject": r.Subject, "settings": r.Config}, "", "  ")
	return Section{"How this was made", []Block{t, Paragraph("shoal " + r.Recorded.Version + "."), Details{"Settings", string(settings)}}}
}
