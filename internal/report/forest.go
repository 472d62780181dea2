package report

import (
	"fmt"
	"math"
	"strings"
)

// Forest draws effects below each other, each with its interval and the limit that it is held against; narrow enough for a phone.
type Forest struct {
	Title string
	X     string // what the axis says
	Log   bool
	Rows  []ForestRow
}

// ForestRow is an effect. Its mark has a shape beside the class' colour: a disc for good, a square for bad, a ring for open.
type ForestRow struct {
	Label           string
	Mean, Low, High float64 // Low and High are NaN where there is no interval
	Limit           float64
	Less            bool   // what is claimed lies below the limit
	Class           string // good, bad or open
	Value           string // what stands behind the interval
}

const (
	forestWidth = 420
	forestLeft  = 14
	forestRight = 62 // for values
	forestHead  = 26
	forestRow   = 38
	forestFoot  = 44
)

// SVG is the picture, whose colours are the page's.
func (f *Forest) SVG() []byte {
	low, high := f.span()
	at := func(v float64) float64 {
		if f.Log {
			v = math.Log(v)
		}
		return forestLeft + max(0, min(1, (v-low)/(high-low)))*(forestWidth-forestLeft-forestRight)
	}
	h := forestHead + forestRow*len(f.Rows) + forestFoot
	base := h - forestFoot + 8
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><g font-family=\"system-ui,sans-serif\" font-size=\"12\" fill=\"currentColor\">",
		forestWidth, h)
	words := func(l Letters, x, y float64, text string) { b.WriteString(l.Text(x, y, text)) }
	words(Letters{Size: 14, Bold: true, Room: forestWidth}, 0, 15, f.Title)
	number := Letters{Size: 11, Anchor: "middle"}
	for _, v := range f.ticks(low, high) {
		fmt.Fprintf(&b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"currentColor\" stroke-opacity=\"0.15\"/>",
			at(v), at(v), forestHead, base)
		words(number, at(v), float64(base+13), fmt.Sprintf("%.4g", v))
	}
	words(number, (forestLeft+forestWidth-forestRight)/2, float64(base+29), f.X)
	for i, r := range f.Rows {
		top := float64(forestHead + forestRow*i)
		y := top + 26
		words(Letters{Size: 12, Room: forestWidth}, 0, top+13, r.Label)
		to := 7.0 // the limit's bar points to the side that is claimed
		if r.Less {
			to = -to
		}
		fmt.Fprintf(&b, "<path d=\"M%.1f %.1fv16m0 -8l%.1f 0m%.1f -3l%.1f 3l%.1f 3\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.2\"/>",
			at(r.Limit), y-8, to, -to/2, to/2, -to/2)
		fmt.Fprintf(&b, "<g class=\"%s\" stroke=\"currentColor\" fill=\"currentColor\">", r.Class)
		if !math.IsNaN(r.Low) && !math.IsNaN(r.High) {
			fmt.Fprintf(&b, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke-width=\"2\"/>", at(r.Low), at(r.High), y, y)
		}
		switch r.Class {
		case "good":
			fmt.Fprintf(&b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>", at(r.Mean), y)
		case "bad":
			fmt.Fprintf(&b, "<rect x=\"%.1f\" y=\"%.1f\" width=\"8.5\" height=\"8.5\"/>", at(r.Mean)-4.25, y-4.25)
		default:
			fmt.Fprintf(&b, "<circle class=\"hollow\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" stroke-width=\"2\"/>", at(r.Mean), y)
		}
		b.WriteString("</g>")
		words(Letters{Size: 12, Anchor: "end", Room: forestRight - 8}, forestWidth, y+4, r.Value)
	}
	b.WriteString("</g></svg>")
	return []byte(b.String())
}

// Alt says in words what the picture shows.
func (f *Forest) Alt() string {
	var out []string
	for _, r := range f.Rows {
		text := fmt.Sprintf("%s: %.4g", r.Label, r.Mean)
		if !math.IsNaN(r.Low) && !math.IsNaN(r.High) {
			text += fmt.Sprintf(" between %.4g and %.4g", r.Low, r.High)
		}
		out = append(out, text+fmt.Sprintf(", limit %.4g", r.Limit))
	}
	return f.Title + " " + f.X + ". " + strings.Join(out, "; ")
}

// span is the axis' ends, of logarithms where it has them: all that is finite, with some room.
func (f *Forest) span() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, r := range f.Rows {
		for _, v := range []float64{r.Mean, r.Low, r.High, r.Limit} {
			if f.Log {
				v = math.Log(v)
			}
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if !(low < high) {
		low, high = low-1, high+1
	}
	room := 0.04 * (high - low)
	return low - room, high + room
}

// ticks are two to seven round numbers within the axis' ends.
func (f *Forest) ticks(low, high float64) []float64 {
	var out []float64
	if f.Log {
		for _, digits := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}, {1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}} {
			var list []float64
			for e := math.Floor(low / math.Ln10); e <= math.Ceil(high/math.Ln10); e++ {
				for _, d := range digits {
					if v := d * math.Pow(10, e); math.Log(v) >= low && math.Log(v) <= high {
						list = append(list, v)
					}
				}
			}
			if len(list) > 7 {
				break
			}
			out = list
		}
		if len(out) >= 2 {
			return out
		}
		low, high = math.Exp(low), math.Exp(high) // so short an axis is as good as even
	}
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	for _, part := range []float64{0.1, 0.2, 0.5, 1, 2} {
		out = out[:0]
		for k := math.Ceil(low / (part * step)); k*part*step <= high; k++ {
			out = append(out, k*part*step+0) // + 0 makes -0 a 0
		}
		if len(out) <= 7 {
			break
		}
	}
	return out
}
