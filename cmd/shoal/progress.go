package main

import (
	"io"
	"os"
	"sync"
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
	mu    sync.Mutex // watch looks from aside
}

func newProgress(w io.Writer, total int, what string) *progress {
	p := &progress{w: w, total: total, start: time.Now(), last: time.Now()}
	if f := terminal(w); f != nil {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(), progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""))
	}
	return p
}

// shares is how fine newShares' bar is.
const shares = 1000

// newShares is progress of something that is not counted: set tells the share that is done, and words for what is being done.
func newShares(w io.Writer) *progress {
	p := &progress{w: w, total: shares, start: time.Now(), last: time.Now()}
	if f := terminal(w); f != nil {
		p.bar = progressbar.NewOptions(shares, progressbar.OptionSetWriter(f), progressbar.OptionSetWidth(8), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
			progressbar.OptionEnableColorCodes(os.Getenv("NO_COLOR") == ""))
	}
	return p
}

// terminal is the file behind a stream of ours where that is a terminal, else nil.
func terminal(w io.Writer) *os.File {
	if guarded, ok := w.(*foreign.Writer); ok { // the bar moves the cursor on purpose, and shows nobody's names
		w = guarded.Unwrap()
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// set is called as often as one likes. words are made only when they are shown.
func (p *progress) set(share float64, words func() foreign.Text) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = max(p.done, int(share*shares))
	if p.bar != nil {
		if time.Since(p.last) >= 100*time.Millisecond {
			p.last = time.Now()
			p.bar.Describe(words().String())
			_ = p.bar.Set(min(p.done, shares-1)) // a full bar is a finished one
		}
		return
	}
	if time.Since(p.last) >= p.every() {
		p.last = time.Now()
		foreign.Fprintf(p.w, "%s%s\n", words(), p.left(share))
	}
}

// every is how often a log gets a line.
func (p *progress) every() time.Duration { return time.Minute }

// left is how long it will take, where that can be said.
func (p *progress) left(share float64) foreign.Text {
	if !(share > 0) || share >= 1 {
		return foreign.Text{}
	}
	spent := time.Since(p.start)
	return foreign.Sprintf(", about %s left", time.Duration(float64(spent)*(1-share)/share).Round(time.Second))
}

// say prints a line that stays.
func (p *progress) say(words foreign.Text) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	foreign.Fprintf(p.w, "%s\n", words)
}

// note tells what is being done to the sample that add will count next.
func (p *progress) note(words func() foreign.Text) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		if time.Since(p.last) >= 100*time.Millisecond {
			p.last = time.Now()
			p.bar.Describe(words().String())
		}
		return
	}
	if time.Since(p.last) >= p.every() {
		p.last = time.Now()
		if p.total < 1 {
			foreign.Fprintf(p.w, "%s\n", words())
			return
		}
		foreign.Fprintf(p.w, "%d of %d, %s%s\n", p.done, p.total, words(), p.left(float64(p.done)/float64(p.total)))
	}
}

// watch shows now and then what is being done while nothing can be counted, until stop is called: a search or bounds that take long.
func (p *progress) watch(words func() foreign.Text) (stop func()) {
	every, over := 5*time.Second, make(chan struct{})
	if p.bar != nil {
		every = time.Second
	}
	go func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-over:
				return
			case <-t.C:
				p.note(words)
			}
		}
	}()
	return sync.OnceFunc(func() { close(over) })
}

// busy is watch for one piece of work of unknown length.
func busy(w io.Writer, what foreign.Constant) (stop func()) {
	p := newProgress(w, -1, string(what))
	over := p.watch(func() foreign.Text {
		return foreign.Sprintf("%s, %s so far", what, time.Since(p.start).Round(time.Second))
	})
	return func() {
		over()
		p.finish()
	}
}

func (p *progress) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
