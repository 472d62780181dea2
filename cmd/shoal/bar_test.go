package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestBarStaysOnItsLine: whatever it says and however narrow the terminal is, a bar never fills the last column, covers all of the line before, has
// no escapes, and leaves nothing.
func TestBarStaysOnItsLine(t *testing.T) {
	for _, wide := range []int{1, 2, 10, 40, 200} {
		var screen bytes.Buffer
		b := &bar{w: &screen, wide: func() int { return wide }, words: "checking", total: 10, counted: true, start: time.Now().Add(-2 * time.Second)}
		b.draw()
		for _, words := range []string{"a rather long name of what is being done", "ü", ""} {
			b.say(words)
		}
		b.clear()
		if strings.ContainsAny(screen.String(), "\x1b\n") {
			t.Errorf("%d columns: %q", wide, screen.String())
		}
		column, line := 0, map[int]rune{}
		for _, r := range screen.String() {
			if r == '\r' {
				column = 0
				continue
			}
			line[column] = r
			if column++; column >= wide && wide > 1 {
				t.Fatalf("%d columns: the line is full: %q", wide, screen.String())
			}
		}
		for at, r := range line {
			if r != ' ' {
				t.Errorf("%d columns: %q is left in column %d", wide, r, at)
			}
		}
	}
}

// TestBarSaysHowFar: share, count, rate and what is left; of unknown work the time alone.
func TestBarSaysHowFar(t *testing.T) {
	for want, b := range map[string]*bar{
		"radii  25 % |#####---------------| 5/20, 2.5/s, 6s left": {words: "radii", total: 20, done: 5, counted: true},
		"radii 100 % |####################| 20/20, 10/s":          {words: "radii", total: 20, done: 20, counted: true},
		"apgd   0 % |--------------------|":                       {words: "apgd", total: 1000},
		"loading [2s]":                                            {words: "loading", total: -1, done: 3},
	} {
		if got := b.line(2 * time.Second); got != want || !utf8.ValidString(got) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
