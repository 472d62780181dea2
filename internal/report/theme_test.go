package report

import (
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"
)

// TestChartsAreLightAndDark: no colour of a chart stands fixed in a page, every variable in the page has a value for light and for dark pages, and
// what is drawn can be seen on dark paper.
func TestChartsAreLightAndDark(t *testing.T) {
	c := Chart{Title: "title", X: "x", Y: "y", Note: "a note", Bars: "bars",
		Series: []Series{{Name: "grey", Tone: Grey, Points: []Point{{X: 0, Y: 1}, {X: 1, Y: 2}}}}}
	for i := range tones {
		y := float64(i)
		c.Series = append(c.Series, Series{Name: fmt.Sprint("tone ", i), Tone: i, Dash: i, Points: []Point{{0, y, y - 1, y + 1}, {X: 1, Y: 3}}})
	}
	svg, err := c.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if got := regexp.MustCompile(`#[0-9A-F]{6}`).FindAllString(string(svg), -1); len(got) < len(tones) {
		t.Fatalf("the file of its own has the colours %v", got)
	}
	for _, inline := range []bool{false, true} {
		d := Document{Opening: []Block{Figure{Caption: "a chart", SVG: svg, Inline: inline}}}
		page := string(d.HTML())
		from, to := strings.Index(page, "<svg"), strings.Index(page, "</svg>")
		if from < 0 || to < from {
			t.Fatal("no picture")
		}
		if fixed := regexp.MustCompile(`#[0-9A-Fa-f]{3,6}`).FindAllString(page[from:to], -1); len(fixed) > 0 {
			t.Errorf("the colours %v stand in the page's picture", fixed)
		}
		used := regexp.MustCompile(`var\(--[a-z0-9]+\)`).FindAllString(page, -1)
		if len(used) < len(tones) {
			t.Errorf("only %v are the page's", used)
		}
		for _, v := range used {
			name := strings.TrimSuffix(strings.TrimPrefix(v, "var("), ")") + ":"
			if n := strings.Count(page, name); n != 2 {
				t.Errorf("%s is set %d times, want once for light and once for dark pages", v, n)
			}
		}
	}
	if len(darkTones) != len(tones) {
		t.Fatalf("%d tones, and %d for dark pages", len(tones), len(darkTones))
	}
	const readable = 4.5 // WCAG 2.2, 1.4.3
	paper := color.RGBA{0x16, 0x16, 0x16, 0xFF}
	if !strings.Contains(sheet, "--paper:"+strings.ToLower(hex(paper))) {
		t.Error("dark pages have another paper")
	}
	for i, tone := range darkTones {
		if r := contrast(tone, paper); r < readable {
			t.Errorf("tone %d has a contrast of %.2f on dark paper", i, r)
		}
		for j, other := range darkTones[:i] {
			if tone == other {
				t.Errorf("tones %d and %d are one in the dark", i, j)
			}
		}
	}
}

// contrast is that of WCAG 2.2, between 1 and 21.
func contrast(a, b color.RGBA) float64 {
	luminance := func(c color.RGBA) float64 {
		sum := 0.0
		for i, v := range []uint8{c.R, c.G, c.B} {
			x := float64(v) / 255
			if x <= 0.04045 {
				x /= 12.92
			} else {
				x = math.Pow((x+0.055)/1.055, 2.4)
			}
			sum += []float64{0.2126, 0.7152, 0.0722}[i] * x
		}
		return sum
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestThemeLeavesTextsAlone: words that look like a style stay as they are.
func TestThemeLeavesTextsAlone(t *testing.T) {
	const words = `<text style="fill:#0072B2">style="fill:#0072B2" fill:#0072B2</text><path style="stroke:#123456"/>`
	if got, want := themed(strings.Replace(words, `>style="fill:#0072B2"`, `>style=&#34;fill:#0072B2&#34;`, 1)),
		`<text style="fill:var(--t0)">style=&#34;fill:#0072B2&#34; fill:#0072B2</text><path style="stroke:#123456"/>`; got != want {
		t.Errorf("%s", got)
	}
}
