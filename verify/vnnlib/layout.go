package vnnlib

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// width is how long a line of a laid out file gets before what stands in it goes to lines of its own.
const width = 100

// item is a piece of a file as it is laid out: a list, a word, or a comment.
type item struct {
	text    string
	kids    []*item
	list    bool
	comment bool
	own     bool // of a comment: nothing stands before it on its line
}

// Format lays a file of either version out anew: a command to a line, long ones over several, comments kept. The file must be one that Parse
// reads, or that is refused as unsupported; what it says stays word for word.
func Format(r io.Reader) ([]byte, error) {
	p, err := newParser(r)
	if err != nil {
		return nil, err
	}
	if err := p.commands(); err != nil {
		return nil, err
	}
	l := &lexer{data: p.data, marks: p.marks}
	var out strings.Builder
	rest := l.data
	items := layItems(l, &rest)
	last := ""
	for i, it := range items {
		switch {
		case it.comment && !it.own && i > 0:
			out.WriteString(" " + it.text)
			continue
		case i > 0:
			out.WriteByte('\n')
			word := it.word()
			block := word == "assert" && last != "assert" && last != ";" && last != ""
			if block || word == "declare-network" || word == ";" && last == "declare-network" {
				out.WriteByte('\n')
			}
		}
		it.write(&out, 0, 0)
		last = it.word()
	}
	if len(items) > 0 {
		out.WriteByte('\n')
	}
	return []byte(out.String()), nil
}

// layItems reads to the end of a list, or of the file. rest is what has not been looked at for comments.
func layItems(l *lexer, rest *[]byte) (out []*item) {
	for {
		t := l.next()
		gap := len(*rest) - (len(l.data) - l.at)
		out = append(out, comments((*rest)[:gap], len(*rest) == len(l.data))...)
		*rest = l.data[l.pos:]
		switch string(t) {
		case "", ")":
			return out
		case "(":
			out = append(out, &item{list: true, kids: layItems(l, rest)})
		case "[", "]", ",":
			if n := len(out); n > 0 && !out[n-1].list && !out[n-1].comment && !(string(t) == "[" && out[n-1].shape()) {
				out[n-1].text += string(t)
				continue
			}
			out = append(out, &item{text: string(t)})
		default:
			if n := len(out); n > 0 && strings.HasSuffix(out[n-1].text, ",") || n > 0 && strings.HasSuffix(out[n-1].text, "[") {
				out[n-1].text += string(t)
				continue
			}
			out = append(out, &item{text: string(t)})
		}
	}
}

// shape tells that a word is an element type, behind which a shape stands apart.
func (it *item) shape() bool {
	name := it.text
	if name == "Real" {
		name = string(Real)
	}
	return types[Type(name)] != 0
}

// comments are those between two tokens; start is the file's begin.
func comments(gap []byte, start bool) (out []*item) {
	for own := start; len(gap) > 0; own = true {
		line, rest, _ := bytes.Cut(gap, []byte{'\n'})
		if i := bytes.IndexByte(line, ';'); i >= 0 {
			out = append(out, &item{text: strings.TrimRight(string(line[i:]), " \t\r"), comment: true, own: own})
		}
		gap = rest
	}
	return out
}

func (it *item) word() string {
	switch {
	case it.comment:
		return ";"
	case it.list && len(it.kids) > 0:
		return it.kids[0].text
	}
	return ""
}

// flat is the item on one line; ok is false where a comment stands in it.
func (it *item) flat() (string, bool) {
	if !it.list {
		return it.text, !it.comment
	}
	parts := make([]string, len(it.kids))
	for i, k := range it.kids {
		s, ok := k.flat()
		if !ok {
			return "", false
		}
		parts[i] = s
	}
	return "(" + strings.Join(parts, " ") + ")", true
}

// write lays the item out behind column at, its parts indented by indent.
func (it *item) write(out *strings.Builder, at, indent int) {
	s, ok := it.flat()
	if !it.list || ok && at+utf8.RuneCountInString(s) <= width && it.word() != "declare-network" {
		if it.comment {
			s = it.text
		}
		out.WriteString(s)
		return
	}
	const step = 4
	out.WriteByte('(')
	head := 0 // words and the first list of an assert stay behind the bracket
	for i, k := range it.kids {
		if k.comment || k.list && !(it.word() == "assert" && i == 1) {
			break
		}
		if i > 0 {
			out.WriteByte(' ')
		}
		k.write(out, at+len("(assert "), indent)
		head++
	}
	for _, k := range it.kids[head:] {
		out.WriteString("\n" + strings.Repeat(" ", indent+step))
		k.write(out, indent+step, indent+step)
	}
	if head < len(it.kids) {
		out.WriteString("\n" + strings.Repeat(" ", indent))
	}
	out.WriteByte(')')
}
