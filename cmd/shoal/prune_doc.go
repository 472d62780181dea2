package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// pruneDoc is the result of prune; pairs are before and after.
type pruneDoc struct {
	Model      modelDoc            `json:"model"`
	Output     *modelDoc           `json:"output"`            // null with --dry-run
	Subject    *trial.Description  `json:"subject,omitempty"` // with activations on --data, where the file says it
	Score      prune.Score         `json:"score"`
	Box        [][2]float64        `json:"box,omitempty"` // of proven-dead: the valid inputs, one range or one for each channel
	Before     pruneCost           `json:"before"`
	After      pruneCost           `json:"after"`
	Layers     []pruneLayer        `json:"layers"`
	Classes    []prune.ClassPlan   `json:"classes"`
	Pinned     []prune.PinnedLayer `json:"pinned"`
	Difference *number             `json:"difference"` // from the model with the channels at zero, relative to the largest output
}

type pruneCost struct {
	prune.Cost
	MS *number `json:"ms,omitempty"` // a sample, with --time
}

// pruneLayer compares a layer's output channels, and the rest as pairs.
type pruneLayer struct {
	Name   string     `json:"name"`
	Op     string     `json:"op"`
	Before int        `json:"before"`
	After  int        `json:"after"`
	Params [2]int     `json:"params"`
	MACs   [2]int     `json:"macs"`
	MS     *[2]number `json:"ms,omitempty"`

	nodes [2]*onnxio.Node
}

func newPruneDoc(c *cli.Context, m *onnxio.Model, r *prune.Result) (*pruneDoc, error) {
	d := &pruneDoc{Model: modelOf(c, m), Score: r.Plan.Choice.Score, Pinned: r.Plan.Pinned, Classes: []prune.ClassPlan{}, Layers: []pruneLayer{}}
	for _, cl := range r.Plan.Classes {
		cl.Scores, cl.Gone = nil, nil // long lists, which the plan's own file has
		d.Classes = append(d.Classes, cl)
	}
	before, was, err := r.Coupling.Costs(m.Graph)
	if err != nil {
		return nil, err
	}
	after, now, err := r.Coupling.Costs(r.Graph)
	if err != nil {
		return nil, err
	}
	d.Before.Cost, d.After.Cost = before, after
	at := map[string]prune.LayerCost{}
	for _, l := range now {
		at[l.Node.Outputs[0].Name] = l
	}
	for _, l := range was {
		n, ok := at[l.Node.Outputs[0].Name]
		if !ok {
			continue
		}
		d.Layers = append(d.Layers, pruneLayer{Name: l.Name, Op: l.Op, Before: l.Channels, After: n.Channels, Params: [2]int{l.Parameters, n.Parameters},
			MACs: [2]int{l.MACs, n.MACs}, nodes: [2]*onnxio.Node{l.Node, n.Node}})
	}
	return d, nil
}

func less(before, after int) string {
	if before == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %% less", 100*(1-float64(after)/float64(before)))
}

func (d *pruneDoc) print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	timed := d.Before.MS != nil
	head := foreign.Constant("layer\toperator\tchannels\tafter\tparameters\tafter\tmultiply-adds\tafter\t")
	if timed {
		head += "ms\tafter\t"
	}
	foreign.Fprintln(tw, head)
	for _, l := range d.Layers {
		foreign.Fprintf(tw, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t", l.Name, l.Op, l.Before, l.After, report.Grouped(l.Params[0]), report.Grouped(l.Params[1]), report.Grouped(l.MACs[0]), report.Grouped(l.MACs[1]))
		if timed && l.MS != nil {
			foreign.Fprintf(tw, "%.3f\t%.3f\t", float64(l.MS[0]), float64(l.MS[1]))
		} else if timed {
			foreign.Fprintf(tw, "\t\t")
		}
		foreign.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	foreign.Fprintln(w)
	for _, cl := range d.Classes {
		d.printClass(w, cl)
	}
	for _, p := range d.Pinned {
		foreign.Fprintf(w, "%d channels of %s stay: %s\n", p.Channels, p.Layer, p.Why)
	}
	foreign.Fprintf(w, "\nparameters    %s -> %s (%s)\n", report.Grouped(d.Before.Parameters), report.Grouped(d.After.Parameters), less(d.Before.Parameters, d.After.Parameters))
	_, err := foreign.Fprintf(w, "multiply-adds %s -> %s (%s)\n", report.Grouped(d.Before.MACs), report.Grouped(d.After.MACs), less(d.Before.MACs, d.After.MACs))
	if timed {
		foreign.Fprintf(w, "ms a sample   %.3f -> %.3f (%.2f times as fast)\n", float64(*d.Before.MS), float64(*d.After.MS), float64(*d.Before.MS / *d.After.MS))
	}
	if d.Difference != nil {
		foreign.Fprintf(w, "difference from the model with these channels at zero: %.1e of the largest output\n", float64(*d.Difference))
	}
	if d.Output != nil {
		_, err = foreign.Fprintf(w, "written to %s\n", d.Output.Path)
	}
	return err
}

// printClass prints one coupled class: layers that can only shrink together.
func (d *pruneDoc) printClass(w io.Writer, cl prune.ClassPlan) {
	foreign.Fprintf(w, "%d of %d channels go from", cl.Removed, cl.Units)
	const shown = 4
	for i, l := range cl.Layers {
		if i == shown {
			foreign.Fprintf(w, " and %d more", len(cl.Layers)-shown)
			break
		}
		sep := " "
		if i > 0 {
			sep = ", "
		}
		foreign.Fprintf(w, "%s%s", sep, l.Name)
	}
	if cl.Held != "" {
		foreign.Fprintf(w, " (%s)", cl.Held)
	}
	foreign.Fprintln(w)
	for i, p := range cl.Proofs {
		const proofs = 5
		if i == proofs {
			foreign.Fprintf(w, "    and %d more; --json and --plan have all\n", len(cl.Proofs)-proofs)
			break
		}
		for _, f := range p.Filters {
			foreign.Fprintf(w, "    filter %d of %s gives [%.4g, %.4g]", f.Filter, f.Layer, f.Lower, f.Upper)
		}
		for _, e := range p.Ends {
			foreign.Fprintf(w, ", %s is 0", e.Value)
		}
		foreign.Fprintln(w)
	}
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
