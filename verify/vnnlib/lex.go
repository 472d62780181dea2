package vnnlib

import (
	"bytes"
	"fmt"
)

// lexer cuts bytes into "(", ")" and words; a comment runs from ';' to the end of its line. In VNN-LIB 2.0 (marks) "[", "]", "," and strings in
// double quotes are tokens too.
type lexer struct {
	data  []byte
	pos   int
	at    int // where the last token began
	marks bool
}

// next returns the next token, or nil at the end. Tokens alias the data.
func (l *lexer) next() []byte {
	d := l.data
	for l.pos < len(d) {
		c := d[l.pos]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.pos++
		case c == ';':
			for l.pos < len(d) && d[l.pos] != '\n' {
				l.pos++
			}
		case c == '(' || c == ')' || l.marks && mark(c):
			l.at = l.pos
			l.pos++
			return d[l.at:l.pos]
		case l.marks && c == '"':
			l.at = l.pos
			l.pos += quoted(d[l.pos:])
			return d[l.at:l.pos]
		default:
			l.at = l.pos
			for l.pos < len(d) && !ends(d[l.pos]) && !(l.marks && (mark(d[l.pos]) || d[l.pos] == '"')) {
				l.pos++
			}
			return d[l.at:l.pos]
		}
	}
	l.at = len(d)
	return nil
}

func ends(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')' || c == ';'
}

func mark(c byte) bool { return c == '[' || c == ']' || c == ',' }

// quoted is the length of the string that d begins with, or of all that is there where it does not end.
func quoted(d []byte) int {
	for i := 1; i < len(d); i++ {
		switch d[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(d)
}

// peek returns the next token without taking it.
func (l *lexer) peek() []byte {
	pos, at := l.pos, l.at
	t := l.next()
	l.pos, l.at = pos, at
	return t
}

// errorf places an error at the last token.
func (l *lexer) errorf(unsupported bool, format string, args ...any) error {
	before := l.data[:min(l.at, len(l.data))]
	line := 1 + bytes.Count(before, []byte{'\n'})
	col := 1 + len(before) - 1 - bytes.LastIndexByte(before, '\n')
	return &Error{Line: line, Col: col, Why: fmt.Sprintf(format, args...), Unsupported: unsupported}
}

// expect takes the given token.
func (l *lexer) expect(tok string) error {
	t := l.next()
	if t == nil {
		return l.errorf(false, "the file ends where %q is needed", tok)
	}
	if string(t) != tok {
		return l.errorf(false, "%q where %q is needed", clip(t), tok)
	}
	return nil
}

func clip(t []byte) string {
	if len(t) > 40 {
		return string(t[:40]) + "..."
	}
	return string(t)
}
