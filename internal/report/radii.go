package report

import (
	"fmt"
	"sort"
)

// Radius is one image's certified radius in pixel units.
type Radius struct {
	Eps     float64
	Correct bool
}

// mostMarks is of how many images a curve has points at most: more are beyond what a picture can show, and a page with a mark for each of 100,000 is
// beyond what a browser likes.
const mostMarks = 2000

// thinned are the places of n sorted values that a curve goes through: all of them, or some that are spread evenly over their ranks, the first and
// the last among them.
func thinned(n int) []int {
	out := make([]int, min(n, mostMarks))
	for i := range out {
		out[i] = i
		if n > mostMarks {
			out[i] = i * (n - 1) / (mostMarks - 1)
		}
	}
	return out
}

// Sorted are radii in increasing order over their rank: the certification area. The line joins all, blue discs are images that are
// classified correctly, vermilion triangles are misclassified ones; of more than 2,000 images so many stand there, spread evenly over the ranks.
func Sorted(line string, radii []Radius) []Series {
	sorted := append([]Radius{}, radii...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Eps < sorted[j].Eps })
	out := []Series{{Name: line, Tone: Grey, Bare: true}, {Name: "classified correctly", Tone: Right, Loose: true},
		{Name: "misclassified", Tone: Wrong, Loose: true}}
	for _, i := range thinned(len(sorted)) {
		r := sorted[i]
		at := Point{X: float64(i + 1), Y: r.Eps}
		k := 1
		if !r.Correct {
			k = 2
		}
		out[0].Points, out[k].Points = append(out[0].Points, at), append(out[k].Points, at)
	}
	return out
}

// PlotRadii draws the certification area of radii of a ball (see Ball). within is the tolerance of outputs that are numbers, "" of classes. The
// file's ending chooses svg, png or pdf.
func PlotRadii(file, title, ball, within string, radii []Radius) error {
	return radiiChart(title, ball, within, radii).Save(file)
}

func radiiChart(title, ball, within string, radii []Radius) *Chart {
	c := &Chart{Title: title, X: "images, by radius", Y: fmt.Sprintf("certified radius (%s)", ball), Counted: true, FromZero: true,
		Wide: true, Series: Sorted("", radii),
		Note: "Each mark is an image: no change of its numbers by at most its radius changes the class that the model gives it. " +
			"For a misclassified image that is the wrong class."}
	if within != "" {
		c.X = "samples, by radius"
		c.Note = fmt.Sprintf("Each mark is a sample: no change of its numbers by at most its radius moves an output farther than %s from its value.", within)
		for i := range c.Series { // nothing is classified
			c.Series[i].Name = ""
		}
	}
	if n := len(radii); n > mostMarks {
		c.Note += fmt.Sprintf(" Of the %d %d are drawn, spread evenly over their ranks.", n, mostMarks)
	}
	return c
}
