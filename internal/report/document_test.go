package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
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
	for _, change := range []func(*Chart){func(*Chart) {}, func(c *Chart) { c.LogX, c.Measured = true, []float64{1, 2, 10} },
		func(c *Chart) { c.FromZero = true }, func(c *Chart) { c.Series = c.Series[1:2] }} {
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

// TestPicturesAreSavedAsWhatTheirNameSays writes each kind, twice over the same file, and reads it.
func TestPicturesAreSavedAsWhatTheirNameSays(t *testing.T) {
	dir := t.TempDir()
	for name, begins := range map[string]string{"a.svg": "<?xml", "b.PNG": "\x89PNG", "c.pdf": "%PDF"} {
		file := filepath.Join(dir, name)
		for range 2 {
			if err := chart().Save(file); err != nil {
				t.Fatal(err)
			}
			if err := PlotScores(file, "t", "s", []LayerScores{{"conv", []float64{1, 2, 3}, []bool{true, false, false}}}); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(b), begins) {
			t.Errorf("%s begins with %.8q, %v", name, b, err)
		}
		if strings.HasSuffix(name, "PNG") {
			if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || c.Width < 300 {
				t.Errorf("%+v, %v", c, err)
			}
		}
	}
	for _, name := range []string{"a.txt", "svg", "a.svg.gz", ""} {
		if err := chart().Save(filepath.Join(dir, name)); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestMarkdownCellsStayInTheirColumns(t *testing.T) {
	d := &Document{Title: "t", Sections: []Section{{"s", []Block{Table{Head: []string{"a|b", "c"}, Rows: [][]string{{"1\n2", "x|y`z"}}},
		List{"# no heading"}, Details{"d", "a ``` b"}}}}}
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
