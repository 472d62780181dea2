package foreign

import (
	"io"
	"unicode/utf8"
)

// Writer guards a stream to a terminal: lines and tabs pass, everything else that is not plain becomes an escape. It is the wall behind
// Fprintf, for what libraries print by themselves; it cannot tell a forged line from a true one.
type Writer struct {
	w    io.Writer
	rest []byte // the beginning of a character whose end is not there yet
}

// NewWriter guards w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Unwrap is the guarded stream, for what moves the cursor on purpose.
func (w *Writer) Unwrap() io.Writer { return w.w }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	end := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if tail := text[len(text)-back:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				end -= back
			}
			break
		}
	}
	w.rest = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(w.w, Lines(string(text[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes the beginning of a character that never ended, as an escape.
func (w *Writer) Flush() error {
	rest := string(w.rest)
	w.rest = nil
	if rest == "" {
		return nil
	}
	_, err := io.WriteString(w.w, Lines(rest))
	return err
}
