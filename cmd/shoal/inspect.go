package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name:        "inspect",
		Usage:       "show a model's inputs, outputs, operators and layers, and what shoal lacks for it",
		ArgsUsage:   "MODEL",
		Description: "Example: shoal inspect model.onnx",
		Flags:       []cli.Flag{dimFlag(), jsonOption()},
		Action:      question(inspectAction),
	}
}

type portDoc struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []any  `json:"shape"`
}

type operatorDoc struct {
	Op      string   `json:"op"`
	Count   int      `json:"count"`
	Missing []string `json:"missing_faces"`
	// Refused says of the first node that cannot be read at all, why.
	Refused string `json:"refused,omitempty"`
}

type layerDoc struct {
	Name       string `json:"name"`
	Op         string `json:"op"`
	Output     []int  `json:"output"`
	Parameters int    `json:"parameters"`
	MACs       int    `json:"macs"`
}

type inspectDoc struct {
	Model      modelDoc       `json:"model"`
	Producer   string         `json:"producer"`
	IR         int64          `json:"ir_version"`
	Opsets     map[string]int `json:"opsets"`
	Inputs     []portDoc      `json:"inputs"`
	Outputs    []portDoc      `json:"outputs"`
	Operators  []operatorDoc  `json:"operators"`
	Parameters int            `json:"parameters"`
	MACs       int            `json:"macs"`
	Layers     []layerDoc     `json:"layers"`
	Problem    string         `json:"problem,omitempty"`
	// Lacks names the operators that a command does not have what it needs of; a command that lacks nothing is left out.
	Lacks map[string][]string `json:"lacks,omitempty"`
}

func portOf(v *onnxio.Value) portDoc {
	p := portDoc{Name: v.Name, Type: v.DType.String(), Shape: []any{}}
	if v.Kind != "" {
		p.Type = v.Kind
	}
	for _, d := range v.Dims {
		switch {
		case d.Known():
			p.Shape = append(p.Shape, d.Size)
		case d.Name != "":
			p.Shape = append(p.Shape, d.Name)
		default:
			p.Shape = append(p.Shape, "?")
		}
	}
	return p
}

func inspectAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	d := inspectDoc{Model: modelOf(c, m), Producer: m.Producer, IR: m.IR, Opsets: m.Opsets,
		Inputs: []portDoc{}, Outputs: []portDoc{}, Layers: []layerDoc{}}
	for _, v := range m.Graph.Inputs {
		d.Inputs = append(d.Inputs, portOf(v))
	}
	for _, v := range m.Graph.Outputs {
		d.Outputs = append(d.Outputs, portOf(v))
	}
	g, err := infer.Prepare(c.Context, infer.Unmapped(m.Graph), infer.Options{Batch: 1})
	if err != nil {
		d.Problem, g = err.Error(), infer.Live(infer.Unmapped(m.Graph))
	} else {
		d.layers(g)
	}
	d.Operators = operatorsOf(m.Graph, err == nil)
	d.Lacks = lackedBy(g)
	if jsonMode(c) != "" {
		if err := printJSON(c.App.Writer, d); err != nil {
			return err
		}
	} else if err := d.print(c); err != nil {
		return err
	}
	return nil // a file that parses is described, whatever it lacks
}

// operatorsOf counts them and lists what shoal lacks of each. Affine operators need no Interval of their own. Those with graphs lack nothing
// themselves where what they hold could be written out.
func operatorsOf(g *onnxio.Graph, written bool) []operatorDoc {
	count := map[string]*operatorDoc{}
	for _, n := range g.Nodes {
		name := n.Op
		if n.Domain != "" {
			name = n.Domain + "." + name
		}
		o := count[name]
		if o == nil {
			o = &operatorDoc{Op: name, Missing: []string{}}
			count[name] = o
		}
		o.Count++
		switch def, err := operators.Lookup(n); {
		case o.Refused != "" || n.Domain == "ai.onnx.ml" && n.Op == "ZipMap" &&
			slices.ContainsFunc(g.Outputs, func(v *onnxio.Value) bool { return v == n.Outputs[0] }):
			// an output's maps are seen through to the table that they are rows of
		case written && holdsGraph(n):
		case err != nil: // another node of the operator may well be fine
			o.Missing, o.Refused = []string{"Shape", "Eval", "Interval", "Linear"}, err.Error()
		case o.Count == 1 && len(n.Inputs) > 0: // without inputs it is folded away
			o.Missing = missingFaces(def)
		}
	}
	out := []operatorDoc{}
	for _, o := range count {
		out = append(out, *o)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Op < out[j].Op })
	return out
}

func holdsGraph(n *onnxio.Node) bool {
	for _, a := range n.Attrs {
		if _, ok := a.(*onnxio.Graph); ok {
			return true
		}
	}
	return false
}

// needs are the faces that commands ask of the operators that an output needs, constants apart.
var needs = []struct {
	command string
	has     func(*op.Def) bool
}{
	{"run, compare, simplify", func(d *op.Def) bool { return d.Shape != nil && d.Eval != nil }},
	{"certify, radius, bounds", func(d *op.Def) bool { return d.Interval != nil || d.Linear != nil }},
	{"attack, gradient", func(d *op.Def) bool { return d.Gradient != nil }},
}

// lackedBy tells, of a graph that was prepared or of the live part of one that could not be, which operators each command has not what it needs of.
func lackedBy(g *onnxio.Graph) map[string][]string {
	out := map[string][]string{}
	for _, need := range needs {
		seen := map[string]bool{}
		for _, n := range g.Nodes {
			name := op.Key(n.Domain, n.Op)
			def, err := operators.Lookup(n)
			if seen[name] || err == nil && (need.has(def) || def.Apart(n) || def.Steps) {
				continue
			}
			if err == nil && need.command == "attack, gradient" && !onReals(n) {
				continue
			}
			seen[name] = true
			out[need.command] = append(out[need.command], name)
		}
	}
	return out
}

// onReals tells whether a gradient goes through a node: it makes reals of reals.
func onReals(n *onnxio.Node) bool {
	from := false
	for _, v := range n.Inputs {
		from = from || v != nil && v.Const == nil && v.DType.IsFloat()
	}
	return from && len(n.Outputs) > 0 && n.Outputs[0] != nil && n.Outputs[0].DType.IsFloat()
}

// missingFaces lists the faces that a definition does not have.
func missingFaces(def *op.Def) []string {
	out := []string{}
	if def.Parts != nil && def.Whole == nil { // it has those of the operators that it is written in
		return out
	}
	if def.Shape == nil {
		out = append(out, "Shape")
	}
	if def.Eval == nil {
		out = append(out, "Eval")
	}
	if def.Interval == nil && def.Linear == nil {
		out = append(out, "Interval")
	}
	if def.Linear == nil {
		out = append(out, "Linear")
	}
	return out
}

// layers lists the nodes after folding.
func (d *inspectDoc) layers(g *onnxio.Graph) {
	for _, c := range infer.Costs(g) {
		d.Parameters += c.Parameters
		d.MACs += c.MACs
		d.Layers = append(d.Layers, layerDoc{c.Node.Name, c.Node.Op, c.Node.Outputs[0].Shape, c.Parameters, c.MACs})
	}
}

// opsets lists the standard's opset and those of other domains.
func opsets(versions map[string]int) string {
	var list []string
	for domain, v := range versions {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s opset %d", domain, v)))
	}
	sort.Strings(list)
	return strings.Join(list, ", ")
}

func (d *inspectDoc) print(c *cli.Context) error {
	w := c.App.Writer
	foreign.Fprintf(w, "%s\nsha256 %s\nmade by %s, IR %d, %s\n\n", d.Model.Path, d.Model.SHA256, d.Producer, d.IR, opsets(d.Opsets))
	for _, p := range d.Inputs {
		foreign.Fprintf(w, "input  %s %s %v\n", p.Name, p.Type, p.Shape)
	}
	for _, p := range d.Outputs {
		foreign.Fprintf(w, "output %s %s %v\n", p.Name, p.Type, p.Shape)
	}
	foreign.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	foreign.Fprintln(tw, "operator\tcount\tmissing")
	for _, o := range d.Operators {
		foreign.Fprintf(tw, "%s\t%d\t%s\n", o.Op, o.Count, strings.Join(o.Missing, ", "))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, o := range d.Operators {
		if o.Refused != "" && o.Refused != d.Problem {
			foreign.Fprintf(w, "%s\n", o.Refused)
		}
	}
	for _, need := range needs {
		if names := d.Lacks[need.command]; len(names) > 0 {
			foreign.Fprintf(w, "%s: lacks %s\n", need.command, strings.Join(names, ", "))
		}
	}
	foreign.Fprintln(w)
	if d.Problem != "" {
		_, err := foreign.Fprintf(w, "no layers: %s\n", d.Problem)
		return err
	}
	tw = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	foreign.Fprintln(tw, "layer\toperator\toutput\tparameters\tmultiply-adds")
	for _, l := range d.Layers {
		foreign.Fprintf(tw, "%s\t%s\t%v\t%d\t%d\n", l.Name, l.Op, l.Output, l.Parameters, l.MACs)
	}
	foreign.Fprintf(tw, "all\t\t\t%d\t%d\n", d.Parameters, d.MACs)
	return tw.Flush()
}
