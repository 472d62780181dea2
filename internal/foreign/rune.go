package foreign

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainRune tells whether a character is shown as it is: it must be graphic (which leaves out ESC and the other controls, C1, line and
// paragraph separators, zero width characters, and everything that turns the direction of reading), and must not be one of those that are
// letters or marks by category but show nothing.
func plainRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r < 0x7f
	}
	if r == utf8.RuneError {
		return true // U+FFFD itself; invalid bytes are told apart by their size
	}
	return unicode.IsPrint(r) && r != '\u2800' && // a braille cell without dots
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && !unicode.Is(unicode.Variation_Selector, r)
}

// visible writes every character that is not plain as Go would write it in a string: \n, \x1b, \u202e. What keep has stays.
func visible(s, keep string) string {
	at := odd(s, keep)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:at])
	for s = s[at:]; s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1, r < utf8.RuneSelf && !plainRune(r) && !strings.ContainsRune(keep, r):
			b.WriteString(escapeByte(s[0]))
		case plainRune(r) || strings.ContainsRune(keep, r):
			b.WriteString(s[:n])
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// odd is the place of the first character that visible would change, -1 without one.
func odd(s, keep string) int {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if !plainRune(rune(c)) && strings.IndexByte(keep, c) < 0 {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !plainRune(r) {
			return i
		}
		i += n
	}
	return -1
}

func escapeByte(c byte) string {
	switch c {
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	case '\r':
		return `\r`
	}
	return fmt.Sprintf(`\x%02x`, c)
}
