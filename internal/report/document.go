package report

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/output"
)

// Document is a report as a tree of plain text, tables and figures; Markdown and HTML are views of it. All texts are taken as they are:
// nothing in them is markup.
type Document struct {
	Title    string
	Lead     []string // paragraphs
	Opening  []Block  // what stands before the sections, and before their list: figures that carry the answer
	Sections []Section
}

// Section is a part with a heading.
type Section struct {
	Title  string
	Blocks []Block
}

// Block is a Paragraph, a List, a Table, a Figure, or Details.
type Block interface{ block() }

// Paragraph is a piece of text.
type Paragraph string

// List is a list of pieces of text.
type List []string

// Table has a title above and a caption below, which says how its numbers were made; each may be empty. The first column names the rows,
// unless Text tells that columns hold text.
type Table struct {
	Title   string
	Caption string
	Head    []string
	Rows    [][]string
	// Text tells which columns are text, and stand on the left; numbers stand on the right.
	Text []bool
	// Folded puts the table away in HTML until somebody opens it.
	Folded bool
	// Mark colours the cell of a column by what it says: good, bad or open. Nil where nothing is coloured.
	Mark func(row, column int) string
}

// Figure is a picture in SVG, with what it shows for those who do not see it.
type Figure struct {
	File    string // its name beside the Markdown
	Caption string
	Alt     string
	SVG     []byte
	// Inline pictures stand on the page itself, without a border, and in HTML alone. Markdown has Art in their place, with the caption, and nothing
	// where there is none: what such a picture draws stands in the tables too.
	Inline bool
	Art    string // the picture in letters, lines of them (see Shades)
	// Beside Inline pictures stand beside the Markdown too, in colours of their own.
	Beside bool
}

// Details are folded away in HTML: long text as it is, such as a configuration.
type Details struct {
	Title string
	Text  string
}

func (Paragraph) block() {}
func (List) block()      {}
func (Table) block()     {}
func (Figure) block()    {}
func (Details) block()   {}

// text tells whether a column holds text.
func (t *Table) text(column int) bool {
	if t.Text == nil {
		return column == 0
	}
	return column < len(t.Text) && t.Text[column]
}

// words tells that all columns hold text.
func (t *Table) words() bool {
	for i := range t.Head {
		if !t.text(i) {
			return false
		}
	}
	return true
}

func (t *Table) mark(row, column int) string {
	if t.Mark == nil {
		return ""
	}
	return t.Mark(row, column)
}

// Figures lists the document's pictures.
func (d *Document) Figures() []Figure {
	var out []Figure
	for _, s := range append([]Section{{Blocks: d.Opening}}, d.Sections...) {
		for _, b := range s.Blocks {
			switch f, ok := b.(Figure); {
			case !ok || f.Inline && !f.Beside:
			case f.Inline:
				f.SVG = alone(f.SVG)
				fallthrough
			default:
				out = append(out, f)
			}
		}
	}
	return out
}

// alone is a picture that takes its colours from the page with those of a light one.
func alone(svg []byte) []byte {
	head := svgHead().Find(svg)
	return slices.Concat(head, []byte("<style>svg{color:#1a1a1a}.good{color:#0072B2}.bad{color:#B84300}.open{color:#6b6b6b}.hollow{fill:#fff}</style>"+
		"<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"), svg[len(head):])
}

// Write writes report.html, report.md and the pictures that it links to into a folder. Pictures of an earlier report that are not in this
// one are left alone.
func (d *Document) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{"report.html": d.HTML(), "report.md": d.Markdown()}
	for _, f := range d.Figures() {
		files[f.File] = f.SVG
	}
	var names []string
	for n := range files {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { // the pages last, so that what they link to is there
		return cmp.Or(cmp.Compare(page(a), page(b)), strings.Compare(a, b))
	})
	for _, n := range names {
		if err := output.Write(filepath.Join(dir, n), files[n]); err != nil {
			return err
		}
	}
	return nil
}

func page(name string) int {
	if strings.HasPrefix(name, "report.") {
		return 1
	}
	return 0
}
