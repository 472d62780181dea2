package foreign

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Text is text that is fit for a terminal as it stands: it came out of this package's Sprintf or Builder.
type Text struct{ s string }

// String is the text.
func (t Text) String() string { return t.s }

// Fprintf is fmt.Fprintf with what its arguments say shown by Terminal; only the format makes lines and columns. A Text stays as it is.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	if false {
		_ = fmt.Sprintf(format, args...) // go vet sees by this that args are to fit the format
	}
	return fmt.Fprintf(w, format, shown(args)...)
}

// Constant is a string that only a constant turns into by itself: the compiler refuses a name that came from elsewhere.
type Constant string

// Fprintln writes a line of constant words, a table's head for example.
func Fprintln(w io.Writer, words ...Constant) (int, error) {
	line := ""
	for _, s := range words {
		line += string(s)
	}
	return io.WriteString(w, line+"\n")
}

// Sprintf is as Fprintf.
func Sprintf(format string, args ...any) Text {
	if false {
		_ = fmt.Sprintf(format, args...)
	}
	return Text{fmt.Sprintf(format, shown(args)...)}
}

// Builder collects text for a terminal. The zero value is empty.
type Builder struct{ b strings.Builder }

// Printf adds to the text as Fprintf writes.
func (b *Builder) Printf(format string, args ...any) {
	if false {
		_ = fmt.Sprintf(format, args...)
	}
	fmt.Fprintf(&b.b, format, shown(args)...)
}

// Text is what has been written.
func (b *Builder) Text() Text { return Text{b.b.String()} }

// shown wraps arguments so that what fmt makes of them goes through Terminal. Numbers and booleans stay: nobody's text is in them, and a
// width given by * must be an int.
func shown(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		switch v := a.(type) {
		case nil:
			continue
		case Text:
			out[i] = v.s
			continue
		case error:
			out[i] = argument{Error(v)}
			continue
		case fmt.Stringer, fmt.Formatter:
		default:
			switch reflect.TypeOf(a).Kind() {
			case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16,
				reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
				continue
			}
		}
		out[i] = argument{a}
	}
	return out
}

type argument struct{ v any }

// Format implements fmt.Formatter.
func (a argument) Format(f fmt.State, verb rune) {
	_, _ = io.WriteString(f, Terminal(fmt.Sprintf(fmt.FormatString(f, verb), a.v))) // the state's writer cannot fail
}

// Error is the text of an error on one line: where errors were joined, which writes each on a line of its own, "; " stands between them.
func Error(err error) string {
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		var all []string
		plain := make([]string, 0, len(e.Unwrap()))
		for _, one := range e.Unwrap() {
			all, plain = append(all, Error(one)), append(plain, one.Error())
		}
		if err.Error() == strings.Join(plain, "\n") {
			return strings.Join(all, "; ")
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return strings.Replace(err.Error(), inner.Error(), Error(inner), 1)
		}
	}
	return err.Error()
}
