package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/shallow-waters/shoal/internal/foreign"
)

// progress shows how far a long run is: a bar on a terminal, otherwise a line a minute. It writes to stderr only.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar
	total int
	done  int
	start time.Time
	last  time.Time
}

func newProgress(w io.Writer, total int, what string) *progress {
	p := &progress{w: w, total: total, start: time.Now(), last: time.Now()}
	if guarded, ok := w.(*foreign.Writer); ok { // the bar moves the cursor on purpose, and shows nobody's names
		w = guarded.Unwrap()
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""))
	}
	return p
}

func (p *progress) add() {
	p.done++
	if p.bar != nil {
		_ = p.bar.Add(1)
		return
	}
	if time.Since(p.last) >= time.Minute {
		p.last = time.Now()
		left := time.Since(p.start) / time.Duration(p.done) * time.Duration(p.total-p.done)
		foreign.Fprintf(p.w, "%d of %d, about %s left\n", p.done, p.total, left.Round(time.Second))
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
