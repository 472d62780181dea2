package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func chart() *Chart {
	return &Chart{Title: `<&"title">`, X: "x", Y: "y", Series: []Series{
		{Name: `a<b>&`, Points: []Point{{1, 1, 0.5, 1.5}, {2, 3, 3, 3}}},
		{Name: "b", Tone: 1, Dash: 2, Points: []Point{{1, 2, 2, 2}, {10, 2, 2, 2}}, Every: 2},
		{Name: "c", Tone: Grey, Loose: true, Points: []Point{{1, 2, 2, 2}, {10, 2, 2, 2}}},
		{Name: "empty"}}}
}

// TestChartsAreWellFormed draws every sort of curve, and the same twice.
func TestChartsAreWellFormed(t *testing.T) {
	for _, change := range []func(*Chart){func(*Chart) {}, func(c *Chart) { c.LogX, c.Measured = true, []float64{1, 2, 10} }, func(c *Chart) { c.FromZero = true }, func(c *Chart) { c.Series = c.Series[1:2] }} {
		c := chart()
		change(c)
		svg, err := c.SVG()
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.SVG()
		if err != nil || !bytes.Equal(svg, again) {
			t.Errorf("drawn twice it differs, %v", err)
		}
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMarkdownCellsStayInTheirColumns(t *testing.T) {
	d := &Document{Title: "t", Sections: []Section{{"s", []Block{Table{Head: []string{"a|b", "c"}, Rows: [][]string{{"1\n2", "x|y`z"}}}, List{"# no heading"}, Details{"d", "a ``` b"}}}}}
	for _, line := range strings.Split(string(d.Markdown()), "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 3 {
			t.Errorf("not two columns: %s", line)
		}
	}
	if text := string(d.Markdown()); !strings.Contains(text, "- \\# no heading") || !strings.Contains(text, "````\na ``` b\n````") {
		t.Error(text)
	}
}

func TestFiguresWithoutPicturesSayWhatTheyShow(t *testing.T) {
	if got := inlineSVG([]byte("nothing"), "a < b"); got != "<p>a &lt; b</p>" {
		t.Error(got)
	}
}
