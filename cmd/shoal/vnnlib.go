package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// vnnlibCommand is about properties themselves, and, with verify, supports, --name and --version, the command line that the VNN-LIB standard wants of
// a solver.
func vnnlibCommand() *cli.Command {
	return &cli.Command{
		Name:  "vnnlib",
		Usage: "check, convert and lay out VNN-LIB properties; the standard's command line",
		Description: "verify, supports, --name and --version are what the VNN-LIB standard asks of a solver; their output is in its form.\n" +
			"Example: shoal vnnlib verify property.vnnlib --network N=model.onnx --timeout 60",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "name", Usage: "print the solver's name"},
			&cli.BoolFlag{Name: "version", Usage: "print the solver's version"},
		},
		Action: func(c *cli.Context) error {
			var err error
			switch {
			case c.Bool("name"):
				_, err = foreign.Fprintln(c.App.Writer, "shoal")
			case c.Bool("version"):
				_, err = foreign.Fprintf(c.App.Writer, "%s\n", version())
			default:
				return cli.ShowSubcommandHelp(c)
			}
			return err
		},
		Subcommands: []*cli.Command{
			{
				Name:      "check",
				Usage:     "read a property: what it declares, its cases, and whether models fit",
				ArgsUsage: "FILE",
				Flags:     []cli.Flag{networkFlag("a model that the declarations are compared with"), jsonOption()},
				Action:    vnnlibCheck,
			},
			{
				Name:      "convert",
				Usage:     "write a property of VNN-LIB 1.0 as one of 2.0",
				ArgsUsage: "FILE",
				Flags: []cli.Flag{
					networkFlag("the network's name, and a model whose shapes are taken"),
					&cli.BoolFlag{Name: "normal", Usage: "write the normal form, of either version: boxes, and an or of cases"},
				},
				Action: vnnlibConvert,
			},
			{
				Name:      "format",
				Usage:     "lay a property out anew, of either version",
				ArgsUsage: "FILE",
				Action:    vnnlibFormat,
			},
			vnnlibVerifying(),
			vnnlibSupporting(),
		},
	}
}

// namedModel is a value of --network; name is "" where none is given.
type namedModel struct{ name, path string }

// namedModels are the values of --network, one for each time that it stands in the line: files may have commas in their names.
type namedModels struct{ all []namedModel }

// Set implements cli.Generic.
func (n *namedModels) Set(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if !ok {
		name, path = "", text
	}
	if path == "" || ok && name == "" {
		return errors.New("want NAME=FILE")
	}
	n.all = append(n.all, namedModel{name, path})
	return nil
}

func (n *namedModels) String() string {
	var all []string
	for _, m := range n.all {
		all = append(all, m.name+"="+m.path)
	}
	return strings.Join(all, ", ")
}

func networkFlag(usage string) cli.Flag {
	return &cli.GenericFlag{Name: "network", Usage: "`NAME=FILE`: " + usage + "; once for each network", Value: &namedModels{}}
}

func networksOf(c *cli.Context) []namedModel {
	if n, ok := c.Generic("network").(*namedModels); ok {
		return n.all
	}
	return nil
}

// loadQuery reads a property.
func loadQuery(path string) (*vnnlib.Query, error) {
	q, err := vnnlib.Load(path)
	var ve *vnnlib.Error
	if errors.As(err, &ve) && ve.Unsupported {
		return nil, &codeError{code: exitUnsupported, err: err}
	}
	return q, err
}

// modelsFor loads a model for each network of a query. Networks that are equal to others take theirs; loose allows them to be given too, and a model
// without a name where one is needed.
func modelsFor(ctx context.Context, q *vnnlib.Query, given []namedModel, loose bool) ([]*onnxio.Model, error) {
	needed := []string{}
	for _, n := range q.Networks {
		if n.EqualTo == "" {
			needed = append(needed, n.Name)
		}
	}
	if len(q.Networks) == 0 { // VNN-LIB 1.0 names none
		if len(given) != 1 {
			return nil, usageError("", "a property of VNN-LIB 1.0 is about one network, and --network is given %d times", len(given))
		}
		m, err := onnxio.LoadContext(ctx, given[0].path)
		return []*onnxio.Model{m}, err
	}
	models := make([]*onnxio.Model, len(q.Networks))
	for _, g := range given {
		if g.name == "" && loose && len(given) == 1 && len(needed) == 1 {
			g.name = needed[0]
		}
		k := slices.IndexFunc(q.Networks, func(n vnnlib.Network) bool { return n.Name == g.name })
		switch {
		case g.name == "":
			return nil, usageError("--network NAME=FILE", "--network %s has no name; the property declares %s", g.path, strings.Join(needed, ", "))
		case k < 0:
			return nil, usageError("", "--network %s: the property declares no such network, but %s", g.name, strings.Join(needed, ", "))
		case models[k] != nil:
			return nil, usageError("", "--network %s is given twice", g.name)
		case q.Networks[k].EqualTo != "" && !loose:
			return nil, usageError("", "--network %s: it is equal to %s and takes its model", g.name, q.Networks[k].EqualTo)
		}
		m, err := onnxio.LoadContext(ctx, g.path)
		if err != nil {
			return nil, err
		}
		models[k] = m
	}
	for k, n := range q.Networks {
		if models[k] == nil && n.EqualTo == "" {
			return nil, usageError("--network "+n.Name+"=FILE", "network %s has no model", n.Name)
		}
	}
	return models, nil
}

type variableDoc struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Shape       []int  `json:"shape"`
	Node        string `json:"node,omitempty"`
	Initialized bool   `json:"initialized,omitempty"`
}

type networkDoc struct {
	Name         string        `json:"name"`
	EqualTo      string        `json:"equal_to,omitempty"`
	IsomorphicTo string        `json:"isomorphic_to,omitempty"`
	Inputs       []variableDoc `json:"inputs"`
	Hidden       []variableDoc `json:"hidden"`
	Outputs      []variableDoc `json:"outputs"`
}

type queryDoc struct {
	Property    string       `json:"property"`
	Version     string       `json:"vnnlib_version"`
	Logic       string       `json:"logic"`
	Networks    []networkDoc `json:"networks"`
	Inputs      int          `json:"inputs"`
	Free        int          `json:"free_inputs"`
	Outputs     int          `json:"outputs"`
	Assertions  int          `json:"assertions"`
	Cases       int          `json:"cases"`
	Boxes       int          `json:"boxes"`
	Constraints int          `json:"constraints"`
	Fits        *bool        `json:"models_fit,omitempty"` // where models are given
}

func variablesOf(list []vnnlib.Variable) []variableDoc {
	out := []variableDoc{}
	for _, v := range list {
		out = append(out, variableDoc{v.Name, string(v.Type), v.Shape, v.Node, v.Initialized})
	}
	return out
}

func vnnlibCheck(c *cli.Context) error {
	q, err := loadQuery(c.Args().First())
	if err != nil {
		return err
	}
	d := queryDoc{Property: c.Args().First(), Version: q.Version, Logic: q.Logic(), Networks: []networkDoc{}, Inputs: q.Inputs,
		Free: len(q.Free()), Outputs: q.Outputs,
		Assertions: q.Asserts, Cases: len(q.Cases), Boxes: q.Boxes()}
	for _, k := range q.Cases {
		d.Constraints += len(k.Atoms)
	}
	for _, n := range q.Networks {
		d.Networks = append(d.Networks, networkDoc{n.Name, n.EqualTo, n.IsomorphicTo, variablesOf(n.Inputs), variablesOf(n.Hidden), variablesOf(n.Outputs)})
	}
	if given := networksOf(c); len(given) > 0 {
		models, err := modelsFor(c.Context, q, given, false)
		if err == nil {
			_, err = joinedOf(c.Context, c.Args().First(), q, models, verify.Options{})
		}
		if err != nil {
			return err
		}
		fits := true
		d.Fits = &fits
	}
	if jsonMode(c) != "" {
		return printJSON(c.App.Writer, d)
	}
	w := &foreign.Builder{}
	w.Printf("VNN-LIB %s, %s: %d assertions, %d cases in %d boxes, %d constraints\n", d.Version, d.Logic, d.Assertions, d.Cases, d.Boxes, d.Constraints)
	for _, n := range q.Networks {
		w.Printf("network %s", n.Name)
		if n.EqualTo != "" {
			w.Printf(", equal to %s", n.EqualTo)
		}
		if n.IsomorphicTo != "" {
			w.Printf(", isomorphic to %s", n.IsomorphicTo)
		}
		w.Printf("\n")
		for _, v := range n.Inputs {
			w.Printf("  input   %s %s %s\n", v.Name, v.Type, v.Dims())
		}
		for _, v := range n.Hidden {
			w.Printf("  hidden  %s %s %s, %s in the model\n", v.Name, v.Type, v.Dims(), v.Node)
		}
		for _, v := range n.Outputs {
			w.Printf("  output  %s %s %s\n", v.Name, v.Type, v.Dims())
		}
	}
	if len(q.Networks) == 0 {
		w.Printf("%d inputs, %d outputs\n", d.Inputs, d.Outputs)
	}
	if d.Free < d.Inputs {
		w.Printf("%d inputs vary freely, the others are equal to them\n", d.Free)
	}
	if d.Fits != nil {
		w.Printf("the models fit\n")
	}
	_, err = foreign.Fprintf(c.App.Writer, "%s", w.Text())
	return err
}

func vnnlibConvert(c *cli.Context) error {
	if c.Bool("normal") {
		q, err := loadQuery(c.Args().First())
		if err == nil {
			err = printLines(c, string(q.Normal()))
		}
		return err
	}
	given := networksOf(c)
	if len(given) > 1 {
		return usageError("", "a property of VNN-LIB 1.0 is about one network, and --network is given %d times", len(given))
	}
	var n vnnlib.Network
	if len(given) == 1 {
		var err error
		if n, err = networkLike(c.Context, given[0]); err != nil {
			return err
		}
	}
	return rewrite(c, func(text *strings.Reader) ([]byte, error) { return vnnlib.Convert(text, n) })
}

func vnnlibFormat(c *cli.Context) error {
	return rewrite(c, func(text *strings.Reader) ([]byte, error) { return vnnlib.Format(text) })
}

// rewrite prints what a function makes of a property's text.
func rewrite(c *cli.Context, f func(*strings.Reader) ([]byte, error)) error {
	path := c.Args().First()
	text, err := input.ReadFile(c.Context, path)
	if err == nil {
		const most = 1 << 30
		text, err = input.Gunzip(c.Context, path, text, most)
	}
	if err != nil {
		return err
	}
	out, err := f(strings.NewReader(string(text)))
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
		var ve *vnnlib.Error
		if errors.As(err, &ve) && ve.Unsupported {
			return &codeError{code: exitUnsupported, err: err}
		}
		return err
	}
	return printLines(c, string(out))
}

// printLines prints a text that ends in a newline, line by line.
func printLines(c *cli.Context, text string) error {
	for line := range strings.Lines(text) {
		if _, err := foreign.Fprintf(c.App.Writer, "%s\n", strings.TrimSuffix(line, "\n")); err != nil {
			return err
		}
	}
	return nil
}

// networkLike is a declaration of a model: inputs X, X2 and so on, outputs Y, Y2, all of real numbers as VNN-LIB 1.0 has them.
func networkLike(ctx context.Context, given namedModel) (vnnlib.Network, error) {
	n := vnnlib.Network{Name: given.name}
	m, err := onnxio.LoadContext(ctx, given.path)
	if err != nil {
		return n, err
	}
	g, err := infer.Prepare(ctx, m.Graph, infer.Options{Batch: 1})
	if err != nil {
		return n, fmt.Errorf("%s: %w", filepath.Base(given.path), err)
	}
	name := func(letter string, k int) string {
		if k == 0 {
			return letter
		}
		return letter + strconv.Itoa(k+1)
	}
	for _, v := range g.Inputs {
		if v.Const == nil {
			n.Inputs = append(n.Inputs, vnnlib.Variable{Name: name("X", len(n.Inputs)), Type: vnnlib.Real, Shape: v.Shape})
		}
	}
	for i, v := range g.Outputs {
		n.Outputs = append(n.Outputs, vnnlib.Variable{Name: name("Y", i), Type: vnnlib.Real, Shape: v.Shape})
	}
	return n, nil
}

// limit is the standard's --timeout: whole seconds; durations such as 90s are taken too. 0 is none.
type limit struct {
	text string
	d    time.Duration
}

// Set implements cli.Generic.
func (l *limit) Set(text string) error {
	d, err := time.ParseDuration(text)
	if n, bad := strconv.Atoi(text); bad == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 {
		return errors.New("want seconds such as 60, or a duration such as 1m")
	}
	l.text, l.d = text, d
	return nil
}

func (l *limit) String() string { return l.text }
