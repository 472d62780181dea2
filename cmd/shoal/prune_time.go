package main

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune"
)

// Timing: the least of several runs in turns, so that what else the machine does falls on both sides alike.
const (
	timingRounds = 7
	timingLeast  = 2 * time.Millisecond // of one measurement: short runs are repeated
)

// measure times whole models and their layers with products, each layer as a model of its own.
func measure(c *cli.Context, before *onnxio.Graph, r *prune.Result, d *report.PruneSum, nodes [][2]*onnxio.Node) error {
	ms, err := timePair(c, [2]*onnxio.Graph{r.Coupling.Sized(before), r.Coupling.Sized(r.Graph)})
	if err != nil {
		return err
	}
	d.Before.MS, d.After.MS = (*number)(&ms[0]), (*number)(&ms[1])
	bar := newProgress(c.App.ErrWriter, len(d.Layers), "timing layers")
	defer bar.finish()
	for i := range d.Layers {
		l := &d.Layers[i]
		if l.MACs[0] > 0 {
			ms, err := timePair(c, [2]*onnxio.Graph{alone(nodes[i][0]), alone(nodes[i][1])})
			if err != nil {
				return err
			}
			l.MS = &[2]number{number(ms[0]), number(ms[1])}
		}
		bar.add()
	}
	return nil
}

// alone is a graph of one node of a prepared graph.
func alone(n *onnxio.Node) *onnxio.Graph {
	node := *n
	node.Inputs, node.Outputs = slices.Clone(n.Inputs), slices.Clone(n.Outputs)
	g := &onnxio.Graph{Name: n.Name}
	copies := map[*onnxio.Value]*onnxio.Value{}
	own := func(v *onnxio.Value) *onnxio.Value {
		if v == nil {
			return nil
		}
		w := copies[v]
		if w == nil {
			x := *v
			x.Producer, x.Dims, x.HasShape = nil, nil, true
			for _, s := range v.Shape {
				x.Dims = append(x.Dims, onnxio.Dim{Size: s})
			}
			w = &x
			copies[v] = w
			if v.Const == nil {
				g.Inputs = append(g.Inputs, w)
			}
		}
		return w
	}
	for i, v := range node.Inputs {
		node.Inputs[i] = own(v)
	}
	for i, v := range node.Outputs {
		if v == nil {
			continue
		}
		x := *v
		x.Producer = &node
		node.Outputs[i] = &x
		g.Outputs = append(g.Outputs, &x)
	}
	g.Nodes = []*onnxio.Node{&node}
	return g
}

// timePair runs two graphs of one input in turns and gives the milliseconds of one sample.
func timePair(c *cli.Context, graphs [2]*onnxio.Graph) (ms [2]float64, err error) {
	var s [2]engine.Session
	var in [2][]*onnxio.Tensor
	for i, g := range graphs {
		if s[i], err = openForTiming(c, g); err != nil {
			return ms, err
		}
		defer s[i].Close()
		if in[i], err = randomInputs(s[i].Inputs(), 1); err != nil {
			return ms, err
		}
		ms[i] = math.Inf(1)
	}
	for range timingRounds {
		for i := range s {
			start, runs := time.Now(), 0
			for runs == 0 || time.Since(start) < timingLeast {
				if _, err := s[i].Run(c.Context, in[i]); err != nil {
					return ms, err
				}
				runs++
			}
			ms[i] = min(ms[i], time.Since(start).Seconds()*1e3/float64(runs))
		}
	}
	return ms, nil
}

// openForTiming opens a graph on the engine that --engine names.
func openForTiming(c *cli.Context, g *onnxio.Graph) (engine.Session, error) {
	o := engineOptions(c)
	o.Notice = func(string) {}
	if o.Engine == "" || o.Engine == "go" {
		return engine.OpenGraph(context.WithoutCancel(c.Context), g, o)
	}
	m, err := onnxio.NewModel(g, "shoal")
	if err != nil {
		return nil, err
	}
	return engine.Open(c.Context, m, o)
}
