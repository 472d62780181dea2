package report

import (
	"fmt"
	"strings"
)

// Markdown writes the document in GitHub's Markdown, with links to the pictures.
func (d *Document) Markdown() []byte {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s\n", mdText(d.Title))
	for _, p := range d.Lead {
		fmt.Fprintf(b, "\n%s\n", mdText(p))
	}
	for _, s := range d.Sections {
		fmt.Fprintf(b, "\n## %s\n", mdText(s.Title))
		for _, block := range s.Blocks {
			b.WriteString("\n")
			switch x := block.(type) {
			case Paragraph:
				fmt.Fprintf(b, "%s\n", mdText(string(x)))
			case List:
				for _, t := range x {
					fmt.Fprintf(b, "- %s\n", mdText(t))
				}
			case Table:
				x.markdown(b)
			case Figure:
				fmt.Fprintf(b, "![%s](%s)\n\n%s\n", mdText(x.Alt), x.File, mdText(x.Caption))
			case Details:
				fence := "```"
				for strings.Contains(x.Text, fence) {
					fence += "`"
				}
				fmt.Fprintf(b, "%s:\n\n%s\n%s\n%s\n", mdText(x.Title), fence, strings.TrimRight(x.Text, "\n"), fence)
			}
		}
	}
	return []byte(b.String())
}

func (t *Table) markdown(b *strings.Builder) {
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(b, "| %s ", mdText(c))
		}
		b.WriteString("|\n")
	}
	row(t.Head)
	for i := range t.Head {
		if t.text(i) {
			b.WriteString("|---")
		} else {
			b.WriteString("|---:")
		}
	}
	b.WriteString("|\n")
	for _, r := range t.Rows {
		row(r)
	}
	if t.Caption != "" {
		fmt.Fprintf(b, "\n%s\n", mdText(t.Caption))
	}
}

var mdEscape = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;", ">", "&gt;", "|", "\\|", "#", "\\#", "~", "\\~", "&", "&amp;", "\n", " ", "\r", " ", "$", "\\$")

// mdText escapes what Markdown would take as markup.
func mdText(s string) string { return mdEscape.Replace(s) }
