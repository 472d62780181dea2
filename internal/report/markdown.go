package report

import (
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// Markdown writes the document in GitHub's Markdown, with links to the pictures.
func (d *Document) Markdown() []byte {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s\n", foreign.Markdown(d.Title))
	for _, p := range d.Lead {
		fmt.Fprintf(b, "\n%s\n", foreign.Markdown(p))
	}
	markdownBlocks(b, d.Opening)
	for _, s := range d.Sections {
		fmt.Fprintf(b, "\n## %s\n", foreign.Markdown(s.Title))
		markdownBlocks(b, s.Blocks)
	}
	return []byte(b.String())
}

func markdownBlocks(b *strings.Builder, blocks []Block) {
	for _, block := range blocks {
		if f, ok := block.(Figure); ok && f.Inline && !f.Beside && f.Art == "" {
			continue
		}
		b.WriteString("\n")
		switch x := block.(type) {
		case Paragraph:
			fmt.Fprintf(b, "%s\n", foreign.Markdown(string(x)))
		case List:
			for _, t := range x {
				fmt.Fprintf(b, "- %s\n", foreign.Markdown(t))
			}
		case Table:
			x.markdown(b)
		case Figure:
			if x.Inline && !x.Beside {
				fmt.Fprintf(b, "%s\n\n```\n%s```\n", foreign.Markdown(x.Caption), x.Art)
				continue
			}
			fmt.Fprintf(b, "![%s](%s)\n\n%s\n", foreign.Markdown(x.Alt), x.File, foreign.Markdown(x.Caption))
		case Details:
			fence := "```"
			for strings.Contains(x.Text, fence) {
				fence += "`"
			}
			fmt.Fprintf(b, "%s:\n\n%s\n%s\n%s\n", foreign.Markdown(x.Title), fence, foreign.Lines(strings.TrimRight(x.Text, "\n")), fence)
		}
	}
}

func (t *Table) markdown(b *strings.Builder) {
	if t.Title != "" {
		fmt.Fprintf(b, "**%s**\n\n", foreign.Markdown(t.Title))
	}
	row := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(b, "| %s ", foreign.Markdown(c))
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
		fmt.Fprintf(b, "\n%s\n", foreign.Markdown(t.Caption))
	}
}
