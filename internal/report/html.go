package report

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// style is the page's only sheet: readable on a phone, in the dark, and in print. Colours are Okabe and Ito's; marks have words too.
var style = func() string {
	light, dark := themes()
	return strings.NewReplacer("LIGHT", light, "DARK", dark).Replace(sheet)
}()

const sheet = `:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--line:#c8c8c8;--soft:#f3f3f3;--quiet:#555;--good:#0072B2;--bad:#B84300;--open:#6b6b6b;LIGHT}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--paper:#161616;--line:#444;--soft:#222;--quiet:#aaa;--good:#56B4E9;--bad:#E69F00;--open:#a8a8a8;DARK}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:73rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.25rem;margin-top:2.2rem;border-bottom:1px solid var(--line)}
p,li,figcaption{max-width:50rem}nav ul{padding-left:1.2rem}a{color:var(--good)}
.t{margin:1.4rem 0}.t>p{margin:0 0 .3rem;font-weight:600}
.scroll{overflow-x:auto}
table{border-collapse:separate;border-spacing:0;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;overflow-wrap:normal;white-space:nowrap}
th{background:var(--soft)}.l{text-align:left}td.l,th{white-space:normal}td.l{min-width:7rem}
th:first-child,td:first-child{position:sticky;left:0}td:first-child{background:var(--paper);min-width:0}td.l:first-child{min-width:7rem}
figure{margin:1.4rem 0}.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:0 1.5rem}figure svg{width:100%;max-width:36rem;height:auto;display:block;color:var(--ink);background:var(--paper);border:1px solid var(--line)}
.bare svg{background:none;border:0}.bare .good{color:var(--good)}.bare .bad{color:var(--bad)}.bare .open{color:var(--open)}.bare .hollow{fill:var(--paper)}
figcaption{color:var(--quiet);font-size:.875rem;padding-top:.4rem}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}.open{color:var(--open);font-style:italic}
@media(max-width:40rem){th,td{padding:4px 6px;font-size:13px;line-height:18px}td.l,td.l:first-child{min-width:5.5rem}}
@media(max-width:40rem){.stack thead{position:absolute;clip-path:inset(50%)}.stack,.stack tbody,.stack tr,.stack td{display:block;position:static;border:0}.stack td{overflow-wrap:anywhere}.stack tr{border-bottom:1px solid var(--line);padding:.4rem 0}
.stack td[data-head]::before{content:attr(data-head) ": ";color:var(--quiet);font-weight:400;font-style:normal}.stack td:first-child{font-weight:600}}
@media print{details::details-content{content-visibility:visible;display:block}.scroll{overflow:visible}td,th{white-space:normal;font-size:.7rem}tr,.figures>figure{break-inside:avoid}h2,.t>p{break-after:avoid}}
details{margin:.6rem 0}pre{overflow-x:auto;background:var(--soft);padding:.6rem;font-size:.8rem}`

// HTML writes the document as one page that needs nothing else: style and pictures are inside, and there are no scripts.
func (d *Document) HTML() []byte {
	b := &bytes.Buffer{}
	e := foreign.HTML
	fmt.Fprintf(b,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n", e(d.Title), style, e(d.Title))
	for _, p := range d.Lead {
		fmt.Fprintf(b, "<p>%s</p>\n", e(p))
	}
	writeBlocks(b, d.Title, d.Opening)
	b.WriteString("<nav aria-label=\"Contents\"><ul>\n")
	for i, s := range d.Sections {
		fmt.Fprintf(b, "<li><a href=\"#s%d\">%s</a></li>\n", i+1, e(s.Title))
	}
	b.WriteString("</ul></nav>\n")
	for i, s := range d.Sections {
		fmt.Fprintf(b, "<section>\n<h2 id=\"s%d\">%s</h2>\n", i+1, e(s.Title))
		writeBlocks(b, s.Title, s.Blocks)
		b.WriteString("</section>\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.Bytes()
}

// writeBlocks writes the blocks of a place; figures that follow each other stand side by side where there is room.
func writeBlocks(b *bytes.Buffer, where string, blocks []Block) {
	e := foreign.HTML
	row, tables := false, 0
	for _, block := range blocks {
		if _, ok := block.(Figure); ok != row {
			b.WriteString(map[bool]string{true: "<div class=\"figures\">\n", false: "</div>\n"}[ok])
			row = ok
		}
		switch x := block.(type) {
		case Paragraph:
			fmt.Fprintf(b, "<p>%s</p>\n", e(string(x)))
		case List:
			b.WriteString("<ul>\n")
			for _, t := range x {
				fmt.Fprintf(b, "<li>%s</li>\n", e(t))
			}
			b.WriteString("</ul>\n")
		case Table:
			tables++
			name := cmp.Or(x.Title, where)
			if x.Folded {
				fmt.Fprintf(b, "<details>\n<summary>%s</summary>\n", e(name))
			}
			x.html(b, fmt.Sprintf("%s, table %d: %s", where, tables, name)) // no two regions of a page have one name
			if x.Folded {
				b.WriteString("</details>\n")
			}
		case Figure:
			class := ""
			if x.Inline {
				class = " class=\"bare\""
			}
			fmt.Fprintf(b, "<figure%s>\n%s\n<figcaption>%s</figcaption>\n</figure>\n", class, inlineSVG(x.SVG, x.Alt), e(x.Caption))
		case Details:
			fmt.Fprintf(b, "<details>\n<summary>%s</summary>\n<pre tabindex=\"0\">%s</pre>\n</details>\n", e(x.Title), e(x.Text))
		}
	}
	if row {
		b.WriteString("</div>\n")
	}
}

func (t *Table) html(b *bytes.Buffer, name string) {
	e := foreign.HTML
	b.WriteString("<figure class=\"t\">\n") // words stand beside what scrolls, not in it
	if t.Title != "" && !t.Folded {
		fmt.Fprintf(b, "<p>%s</p>\n", e(t.Title))
	}
	stack := ""
	if t.words() { // on a phone its cells stand below each other
		stack = " class=\"stack\""
	}
	fmt.Fprintf(b, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n<table%s>\n", foreign.XML(name), stack)
	class := func(row, column int) string {
		var c []string
		if t.text(column) {
			c = append(c, "l")
		}
		if row >= 0 {
			if m := t.mark(row, column); m != "" {
				c = append(c, m)
			}
		}
		if len(c) == 0 {
			return ""
		}
		return " class=\"" + e(strings.Join(c, " ")) + "\""
	}
	b.WriteString("<thead><tr>")
	for i, h := range t.Head {
		fmt.Fprintf(b, "<th scope=\"col\"%s>%s</th>", class(-1, i), e(h))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for k, r := range t.Rows {
		b.WriteString("<tr>")
		for i, c := range r {
			head := ""
			if stack != "" {
				head = fmt.Sprintf(" data-head=\"%s\"", foreign.XML(t.Head[i]))
			}
			fmt.Fprintf(b, "<td%s%s>%s</td>", class(k, i), head, e(c))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n</div>\n")
	if t.Caption != "" {
		fmt.Fprintf(b, "<figcaption>%s</figcaption>\n", e(t.Caption))
	}
	b.WriteString("</figure>\n")
}

var svgHead = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)^.*?<svg[^>]*>`) })
var viewBox = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`viewBox="[^"]*"`) })

// inlineSVG is a picture for the middle of a page: without the prologue, as wide as there is room, and with its description.
func inlineSVG(svg []byte, alt string) string {
	head := svgHead().Find(svg)
	if head == nil {
		return "<p>" + foreign.HTML(alt) + "</p>"
	}
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" %s fill=\"currentColor\" role=\"img\" aria-label=\"%s\">%s", viewBox().Find(head), foreign.XML(alt),
		themed(string(bytes.TrimSpace(svg[len(head):]))))
}
