package report

import (
	"fmt"
	"slices"
)

// mostClasses is how many classes have rows.
const mostClasses = 100

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
