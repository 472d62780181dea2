package foreign

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// longest is how many bytes of one text a terminal is shown. A name may have millions, and a table is as wide as its widest cell.
const longest = 4096

// Terminal is s for one line of a terminal, or one cell of a table there: what is not plain is written as an escape (\n and \t too), and a
// text of more than 4096 bytes is cut, with a count of what is missing.
func Terminal(s string) string {
	if len(s) > longest {
		cut := longest
		for cut > longest-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return visible(s[:cut], "") + fmt.Sprintf("… (%d bytes more)", len(s)-cut)
	}
	return visible(s, "")
}

// Lines is s with its lines and tabs as they are and everything else that is not plain as escapes, for text that stands in a block of its own.
func Lines(s string) string { return visible(s, "\n\t") }

// HTML is s as text or as a quoted attribute of a page.
func HTML(s string) string { return html.EscapeString(Lines(s)) }

// XML is s as text or as a quoted attribute of an XML document, SVG included. XML 1.0 has no way to write most controls: they are escapes.
func XML(s string) string { return xmlEscape.Replace(visible(s, "")) }

var xmlEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")

// Markdown is s as text in a paragraph, a heading, a list or a table of GitHub's Markdown; lines become spaces.
func Markdown(s string) string {
	s = mdEscape.Replace(visible(s, "\n\r\t"))
	rest := strings.TrimLeft(s, "0123456789")
	switch { // what is a list or a rule at the beginning of a line
	case strings.HasPrefix(s, "- "), strings.HasPrefix(s, "+ "), strings.HasPrefix(s, "--"), strings.HasPrefix(s, "=="):
		return `\` + s
	case rest != s && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")):
		return s[:len(s)-len(rest)] + `\` + rest
	}
	return s
}

var mdEscape = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<",
	"&lt;", ">", "&gt;", "|", "\\|", "#", "\\#",
	"~", "\\~", "&", "&amp;", "\n", " ", "\r", " ", "\t", " ", "$", "\\$", "://", ":\\//", "www.", "www\\.", "@", "\\@")

// JSON is a JSON document with the same meaning in which every character that is not plain is an escape. Package json's own output leaves
// C1, bidirectional overrides and the like as they are.
func JSON(doc []byte) []byte {
	if odd(string(doc), "\n\t\r") < 0 {
		return doc
	}
	var b bytes.Buffer
	for len(doc) > 0 {
		r, n := utf8.DecodeRune(doc)
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\ufffd`)
		case r < ' ', plainRune(r): // controls stand between the values only: inside of strings, package json has escaped them
			b.Write(doc[:n])
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		}
		doc = doc[n:]
	}
	return b.Bytes()
}
