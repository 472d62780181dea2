package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

// attackWatch shows how far an attack is, as users of AutoAttack expect it: which attack of the set is at work on how many images, and the robust
// accuracy so far, that is of the images that were looked at, those under attack included.
type attackWatch struct {
	bar    *progress
	start  time.Time
	total  int   // images, each at every eps
	done   int   // of them finished
	robust []int // by eps: finished images that are not broken
	seen   []int // by eps: finished images
	single bool  // all images are attacked together: the accuracy behind a component is that of all
	eps    []trial.Eps
	k      int // now
}

func newAttackWatch(c *cli.Context, q *trial.Attack, images int) *attackWatch {
	n := len(q.Eps)
	return &attackWatch{bar: newShares(c.App.ErrWriter), start: time.Now(), total: images * n, robust: make([]int, n), seen: make([]int, n),
		eps: q.Eps, single: images <= q.Batch}
}

// At implements trial.AttackWatcher.
func (w *attackWatch) At(k int) { w.k = k }

// Finished counts an image at one eps.
func (w *attackWatch) Finished(k int, broken bool) {
	w.done++
	w.seen[k]++
	if !broken {
		w.robust[k]++
	}
}

// Tell takes what a run says.
func (w *attackWatch) Tell(p attack.Progress) {
	// Of an image that is not broken the components that are over are done, and of the one at work its steps.
	component := float64(p.Component)
	if p.Of > 0 {
		component += float64(p.Steps) / float64(p.Of)
	}
	if p.Over {
		component = float64(p.Component + 1)
	}
	at := float64(p.Samples-p.Open) + float64(p.Open)*component/float64(p.Components)
	share := (float64(w.done) + at) / float64(max(1, w.total))
	robust, seen := w.robust[w.k]+p.Open, w.seen[w.k]+p.Samples
	accuracy := float64(robust) / float64(max(1, seen))
	if p.Over && w.single && p.Components > 1 {
		w.bar.say(foreign.Sprintf("eps %s: robust accuracy after %s: %s %% (total time %.1f s)", w.eps[w.k].Text, p.Method,
			report.Percent(accuracy, 2), time.Since(w.start).Seconds()))
		return
	}
	w.bar.set(share, func() foreign.Text {
		return foreign.Sprintf("%s %d/%d, %d/%d, %d open, robust %s %%", p.Method, p.Component+1, p.Components,
			w.done+p.Samples-p.Open, w.total, p.Open, report.Percent(accuracy, 1))
	})
}
