package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// mostWorst is how many samples a page names above its tables.
const mostWorst = 3

// badness orders a question's rows, the worst first; false where a row is nothing to show. Of attacks and proofs those that are wrong unchanged
// are left out, since nothing was done to them.
func (r *Result) badness(row *Row) (rank int, size float64, shown bool) {
	right := row.Outputs != nil || row.Label == row.Predicted
	switch r.Question {
	case Certify:
		if row.Proof == nil { // bounds alone
			if row.Outputs == nil || !row.Outputs.Farthest.known() {
				return 0, 0, row.Outputs != nil
			}
			return 1, -float64(*row.Outputs.Farthest), true
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
	for _, c := range r.columns()[1:] {
		if cell := c.cell(&row); cell != "" && cell != "-" {
			parts = append(parts, c.head+" "+cell)
		}
	}
	return fmt.Sprintf("sample %d: %s", row.Index, strings.Join(parts, ", "))
}

// column is one of the table of samples.
type column struct {
	head string
	text bool // else its cells are numbers
	cell func(*Row) string
}

// columns are those of the table of samples.
func (r *Result) columns() (out []column) {
	text := func(head string, cell func(*Row) string) { out = append(out, column{head, true, cell}) }
	number := func(head string, cell func(*Row) string) { out = append(out, column{head, false, cell}) }
	class := func(head string, of func(*Row) int) {
		number(head, func(row *Row) string {
			if i := of(row); i >= 0 {
				return fmt.Sprint(i)
			}
			return ""
		})
	}
	known := func(n *Number) string {
		if n == nil {
			return ""
		}
		return n.String()
	}
	values := r.numbers()
	text("sample", func(row *Row) string { return fmt.Sprint(row.Index) })
	switch {
	case r.Question == Compare && !values:
		class("A", func(row *Row) int { return row.A })
		class("B", func(row *Row) int { return row.B })
	case !values:
		class("label", func(row *Row) int { return row.Label })
		class("predicted", func(row *Row) int { return row.Predicted })
	case r.Question != Compare:
		number("error", func(row *Row) string {
			if row.Outputs == nil {
				return ""
			}
			return known(row.Outputs.Error)
		})
	}
	if r.Question == Certify || r.Question == Attack {
		number("eps", func(row *Row) string { return row.EpsText })
	}
	switch r.Question {
	case Certify:
		text("verdict", func(row *Row) string {
			if row.Proof == nil {
				return ""
			}
			return row.Verdict
		})
		number("margin", func(row *Row) string {
			if row.Proof == nil {
				return ""
			}
			return row.Margin.String()
		})
		if values {
			number("no output gets farther than", func(row *Row) string {
				if row.Outputs == nil || !row.Outputs.Farthest.known() {
					return ""
				}
				return row.Outputs.Farthest.up()
			})
		}
	case Radii:
		number("radius", func(row *Row) string { return fmt.Sprintf("%.5f", row.Radius) })
		number("falsified at", func(row *Row) string { return row.Upper.String() })
	case Attack:
		text("found", func(row *Row) string {
			if row.Adversarial {
				return "adversarial"
			}
			return "nothing"
		})
		if values {
			number("farthest that was found", func(row *Row) string { return known(row.Deviation) })
		} else {
			class("class", func(row *Row) int { return row.Class })
		}
		number("length", func(row *Row) string { return row.Norm.String() })
		text("by", func(row *Row) string { return row.Method })
	case Compare:
		number("largest difference", func(row *Row) string { return fmt.Sprintf("%.3g", float64(row.Max)) })
		number("outputs differ by", func(row *Row) string { return known(row.Apart) })
	}
	if r.Question == Certify || r.Question == Radii {
		text("certificate", func(row *Row) string {
			switch e := row.Evidence; {
			case e == nil:
				return ""
			case e.Fault != "":
				return "none: " + e.Fault
			default:
				return e.File
			}
		})
		text("reason", func(row *Row) string { return row.Reason })
	}
	return out
}

// numbers tells that outputs are numbers and decide no class.
func (r *Result) numbers() bool {
	if r.Question == Compare {
		return r.Agreement.Numbers
	}
	return slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Outputs != nil })
}

// mostRows is how many rows the table of samples has at most: browsers take a page of 100,000 badly.
const mostRows = 2000

func (r *Result) samples() Table {
	t := Table{Title: "All samples", Folded: true}
	shown := r.Rows
	if n := r.radii(); len(shown) > mostRows*n {
		shown = shown[:mostRows*n] // whole samples
		t.Title = fmt.Sprintf("The first %d samples", mostRows)
		t.Caption = fmt.Sprintf("Figures are of all %d samples; the records have every one, and shoal report -o FILE.json writes them.", len(r.Rows)/n)
	}
	columns := r.columns()
	for _, c := range columns {
		t.Head, t.Text = append(t.Head, c.head), append(t.Text, c.text)
	}
	t.Mark = func(row, column int) string {
		return map[string]string{"verified": "good", "nothing": "good", "falsified": "bad", "adversarial": "bad", "unknown": "open"}[t.Rows[row][column]]
	}
	for i := range shown {
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.cell(&shown[i]))
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}
