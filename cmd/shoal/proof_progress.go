package main

import (
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/verify"
)

// proofWatch keeps how far a proof is, for whoever shows it, and prints it as events where --json=lines asks for lines.
type proofWatch struct {
	mu     sync.Mutex
	c      *cli.Context
	sample *int // number of the sample that is asked about; nil for a property
	now    verify.Progress
	told   time.Time
}

// eventEvery is how often a search makes an event.
const eventEvery = time.Second

func newProofWatch(c *cli.Context) *proofWatch { return &proofWatch{c: c} }

// begin is called before a sample's proof.
func (w *proofWatch) begin(sample int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sample, w.now, w.told = &sample, verify.Progress{}, time.Now()
}

// proofEvent is a line of --json=lines while a search is at work. Nulls stand for what is not known.
type proofEvent struct {
	Type    string  `json:"type"` // progress
	Sample  *int    `json:"index,omitempty"`
	Stage   string  `json:"stage"`
	Seconds float64 `json:"seconds"`
	Proven  float64 `json:"proven"`
	Open    int     `json:"open"`
	Parts   int     `json:"parts"`
	Rate    number  `json:"parts_per_second"`
	Worst   number  `json:"worst"`
}

// tell is verify.Options.Watch: nothing else prints while a proof is under way.
func (w *proofWatch) tell(p verify.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = p
	if p.Parts == 0 || jsonMode(w.c) != "lines" || time.Since(w.told) < eventEvery {
		return
	}
	w.told = time.Now()
	_ = jsonLine(w.c.App.Writer, proofEvent{"progress", w.sample, p.Stage, p.Seconds, p.Proven, p.Open, p.Parts, number(rateOf(p)), number(p.Worst)})
}

// words go on behind what is being done.
func (w *proofWatch) words() foreign.Text {
	w.mu.Lock()
	p := w.now
	w.mu.Unlock()
	switch {
	case p.Stage == "":
		return foreign.Text{}
	case p.Parts == 0:
		return foreign.Sprintf(", %s", p.Stage)
	}
	return foreign.Sprintf(", search: %s %% proven, %d open, worst bound %s, %.0f parts a second", report.Percent(p.Proven, 2), p.Open, number(p.Worst), rateOf(p))
}

func rateOf(p verify.Progress) float64 { return float64(p.Parts) / max(1e-3, p.Seconds) }
