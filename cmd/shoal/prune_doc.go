package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/prune"
)

// printPruned prints a result of prune: a table of layers and the rest in words, or a document.
func printPruned(c *cli.Context, r *report.Result) error {
	p := newPrinter(c, r.Question.Columns(r.Pruned.Timed()))
	for _, l := range r.Pruned.Layers {
		if err := p.sample(l, "%s", r.Pruned.Line(l)); err != nil {
			return err
		}
	}
	return p.end(r)
}

// plotScores draws the classes of a plan that have scores.
func plotScores(file, title string, p *prune.Plan) error {
	var layers []report.LayerScores
	for _, cl := range p.Classes {
		if len(cl.Scores) == 0 || len(cl.Layers) == 0 {
			continue
		}
		l := report.LayerScores{Name: cl.Layers[0].Name, Scores: cl.Scores, Gone: cl.Gone}
		if n := len(cl.Layers); n > 1 {
			l.Name = fmt.Sprintf("%s and %d more", l.Name, n-1)
		}
		layers = append(layers, l)
	}
	return report.PlotScores(file, title, scoreText(p.Choice.Score), layers)
}

// scoreText says what a score is, as short as an axis needs it.
func scoreText(s prune.Score) string {
	switch s {
	case prune.L2:
		return "norm of the weights"
	case prune.Random:
		return "random number"
	case prune.BNScale:
		return "sum of |scale|"
	case prune.Activation:
		return "mean |activation|"
	}
	return "sum of |weights|"
}
