package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// bar is one line of a terminal that is drawn over and over: what is being done, how far it is, how fast, and how long it will take. It has no
// colours and no escapes, and is gone when it ends.
type bar struct {
	w       io.Writer
	wide    func() int // columns of the terminal
	words   string
	total   int  // -1 where nobody knows
	counted bool // done things have names: their number and rate are shown, else a share alone
	done    int
	start   time.Time
	shown   time.Time // when it was drawn last
	letters int       // of that line
}

const (
	barCells  = 20
	barEvery  = 100 * time.Millisecond
	usualWide = 80
)

func newBar(f *os.File, total int, words string, counted bool) *bar {
	wide := func() int {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
		return usualWide
	}
	return &bar{w: f, wide: wide, words: words, total: total, counted: counted, start: time.Now()}
}

// to draws the bar with so much done, unless it was drawn just now.
func (b *bar) to(done int) {
	b.done = done
	if time.Since(b.shown) >= barEvery {
		b.draw()
	}
}

// say is what is being done from now on.
func (b *bar) say(words string) {
	b.words = words
	b.draw()
}

func (b *bar) draw() {
	b.shown = time.Now()
	line := []rune(b.line(time.Since(b.start)))
	line = line[:min(len(line), max(0, b.wide()-1))] // the last column would begin another line
	gone := max(0, b.letters-len(line))
	b.letters = len(line)
	foreign.Fprintf(b.w, "\r%s%s", string(line), strings.Repeat(" ", gone))
}

// line is what the bar shows after some time.
func (b *bar) line(spent time.Duration) string {
	spent = max(spent, time.Millisecond)
	if b.total < 1 {
		return fmt.Sprintf("%s [%s]", b.words, spent.Round(time.Second))
	}
	share := min(1, float64(b.done)/float64(b.total))
	full := int(share * barCells)
	text := fmt.Sprintf("%s %3.0f %% |%s%s|", b.words, 100*share, strings.Repeat("#", full), strings.Repeat("-", barCells-full))
	if b.counted {
		text += fmt.Sprintf(" %d/%d, %.3g/s", b.done, b.total, float64(b.done)/spent.Seconds())
	}
	if share > 0 && share < 1 {
		text += fmt.Sprintf(", %s left", time.Duration(float64(spent)*(1-share)/share).Round(time.Second))
	}
	return strings.TrimSpace(text)
}

// clear takes the line away; the next draw shows it again.
func (b *bar) clear() {
	foreign.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", b.letters))
	b.letters = 0
}
