package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestDocumentsShowHostileNames puts a name that is markup and controls into every text of a document, and into a picture.
func TestDocumentsShowHostileNames(t *testing.T) {
	const bad = "\x1b[2J\u202e\u009b\x00\xff<script>alert(1)</script>\"'><img src=x onerror=alert(1)>[a](javascript:b)\n# head\n```\n|c|"
	svg, err := (&Chart{Title: bad, X: bad, Y: bad, Series: []Series{{Name: bad, Points: []Point{{X: 1, Y: 2}, {X: 2, Y: 3}}}}}).SVG()
	if err != nil {
		t.Fatal(err)
	}
	d := &Document{Title: bad, Lead: []string{bad}, Sections: []Section{{Title: bad, Blocks: []Block{Paragraph(bad), List{bad},
		Table{Caption: bad, Head: []string{bad}, Rows: [][]string{{bad}}, Mark: func(int, int) string { return "good" }},
		Figure{File: "a.svg", Caption: bad, Alt: bad, SVG: svg}, Details{Title: bad, Text: bad}}}}}
	for what, b := range map[string][]byte{"svg": svg, "html": d.HTML(), "markdown": d.Markdown()} {
		for _, r := range string(b) {
			if r != '\n' && r != '\t' && !unicode.IsPrint(r) || r == unicode.ReplacementChar {
				t.Errorf("%s holds %U", what, r)
				break
			}
		}
		page := string(b)
		if what == "markdown" { // in a fence text is text
			page = regexp.MustCompile("(?s)\n````\n.*\n````\n").ReplaceAllString(page, "")
			if strings.Contains(page, "```") || regexp.MustCompile(`[^\\]\]\(javascript`).MatchString(page) || strings.Contains(page, "\n# head") {
				t.Errorf("markdown lets markup through: %s", page)
			}
		}
		if bytes.Contains([]byte(page), []byte("<script")) || strings.Contains(page, "<img") {
			t.Errorf("%s lets markup through: %s", what, page)
		}
	}
}
