package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestReportsOfManySamplesStaySmall draws up a page of 100,000 samples: marks and rows are as many as a browser takes, the curve keeps its ends, and
// the page says how many there are.
func TestReportsOfManySamplesStaySmall(t *testing.T) {
	const n = 100_000
	r := &Result{Question: Radii, Recorded: &Recorded{}, Radii: &RadiusSum{Spread: Spread{Samples: n}, Correct: Spread{Samples: n}}}
	var radii []Radius
	for i := range n {
		radius := float64((i*7919)%n) / n
		r.Rows = append(r.Rows, Row{Index: i, Bracket: &Bracket{Radius: radius, Upper: None()}})
		radii = append(radii, Radius{radius, true})
	}
	d, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	page := d.HTML()
	if len(page) > 2<<20 || bytes.Count(page, []byte("<tr")) > mostRows+20 || !strings.Contains(string(page), "100000 samples") {
		t.Errorf("%d bytes, %d rows", len(page), bytes.Count(page, []byte("<tr")))
	}
	for _, k := range []int{1, mostMarks - 1, mostMarks, mostMarks + 1, n} {
		line := Sorted("", radii[:k])[0].Points
		if len(line) != min(k, mostMarks) || line[0].X != 1 || line[len(line)-1].X != float64(k) {
			t.Errorf("%d radii: %d points, the first %v", k, len(line), line[0])
		}
		for i := 1; i < len(line); i++ {
			if line[i].X <= line[i-1].X || line[i].Y < line[i-1].Y {
				t.Fatalf("%d radii: %v behind %v", k, line[i], line[i-1])
			}
		}
	}
}
