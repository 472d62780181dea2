package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

func vnnlibVerifying() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "answer a query: sat, unsat, unknown or timed-out, and an assignment where it is sat",
		ArgsUsage: "FILE",
		Description: "Example: shoal vnnlib verify pair.vnnlib --network f=a.onnx --network g=b.onnx --timeout 60\n\n" +
			"The exit code is 0 whatever the answer is. Variables of type float32 are answered for float32 executions, of type real for real numbers;\n" +
			"other types are refused (13).",
		Flags: []cli.Flag{
			networkFlag("the model of a declared network"),
			own(&cli.GenericFlag{Name: "timeout", Usage: "give up after `SECONDS`", Value: &limit{}}, "none"),
			&cli.BoolFlag{Name: "competition", Usage: "as VNN-COMP calls and judges: an equal network may be named too, an execution that meets the query is sat, and the word is timeout"},
			&cli.StringFlag{Name: "serialise-assignments", Usage: "write a satisfying assignment into `FOLDER`, a TensorProto NAME.pb for each variable, and not to stdout"},
			threadsFlag(),
		},
		Action: vnnlibVerify,
	}
}

// joinedOf is the network of a query, with words where models and declarations do not fit.
func joinedOf(ctx context.Context, path string, q *vnnlib.Query, models []*onnxio.Model, o verify.Options) (*onnxio.Model, error) {
	m, err := verify.NetworkOf(ctx, q, models, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// semanticsOf is what a query's types ask for.
func semanticsOf(path string, q *vnnlib.Query) (verify.Semantics, error) {
	switch q.Type() {
	case vnnlib.Real:
		return verify.Real, nil
	case vnnlib.Float32:
		return verify.Float32, nil
	}
	return "", &codeError{code: exitUnsupported, err: fmt.Errorf("%s: shoal proves nothing of the executions of these types, but of float32 and of real alone", path),
		hint: "with real as the type of all variables the query is about the networks as functions of real numbers"}
}

func vnnlibVerify(c *cli.Context) error {
	start := time.Now()
	path := c.Args().First()
	q, err := loadQuery(path)
	if err != nil {
		return err
	}
	s, err := semanticsOf(path, q)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Context)
	if l, ok := c.Generic("timeout").(*limit); ok && l.d > 0 {
		cancel()
		ctx, cancel = context.WithDeadline(c.Context, start.Add(l.d))
	}
	defer cancel()
	answer, err := solve(ctx, c, path, q, s)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && c.Context.Err() == nil {
		answer, err = solved{word: "timed-out"}, nil
	}
	if err != nil {
		return err
	}
	if c.Context.Err() != nil && answer.word != "sat" && answer.word != "unsat" {
		return c.Context.Err()
	}
	return answer.print(c, q)
}

// solved is an answer in the standard's words.
type solved struct {
	word     string
	reason   string
	models   []*onnxio.Model
	example  *verify.Counterexample
	assigned []verify.Assigned
}

func solve(ctx context.Context, c *cli.Context, path string, q *vnnlib.Query, s verify.Semantics) (solved, error) {
	models, err := modelsFor(ctx, q, networksOf(c), c.Bool("competition"))
	if err != nil {
		return solved{}, err
	}
	o := verify.Options{Method: verify.Complete, Semantics: s, Threads: c.Int("threads")}
	m, err := joinedOf(ctx, path, q, models, o)
	if err != nil {
		return solved{}, err
	}
	p := verify.FromVNNLIB(q)
	o.DropSoftmax = s == verify.Real && p.Ordered()
	f, err := falsify.Open(ctx, m, falsify.Options{Threads: c.Int("threads"), KeepSoftmax: !o.DropSoftmax})
	if err != nil {
		if ctx.Err() != nil {
			return solved{}, ctx.Err()
		}
		foreign.Fprintf(c.App.ErrWriter, "no search for counterexamples: %v\n", err)
	} else {
		defer f.Close()
		o.Falsifier = f
	}
	v, err := verify.Open(ctx, m, o)
	if err != nil {
		return solved{}, err
	}
	defer v.Close()
	if n := v.Info(); n.Inputs != len(q.Free()) || n.Outputs != q.Outputs+len(q.Copies) {
		return solved{}, fmt.Errorf("%s: %d inputs and %d outputs; the model has %d and %d", path, q.Inputs, q.Outputs, n.Inputs, n.Outputs)
	}
	r, err := v.Verify(ctx, p)
	if err != nil {
		return solved{}, err
	}
	out := solved{word: "unknown", reason: r.Reason, models: models}
	switch {
	case r.Verdict == verify.Verified:
		out.word = "unsat"
	case r.Refutes(s), r.Verdict == verify.Falsified && c.Bool("competition"):
		out.word, out.example = "sat", r.Counterexample
		if len(q.Networks) > 0 {
			out.assigned, err = verify.Assignments(q, models, r.Counterexample)
		}
	case r.Timeout:
		out.word = "timed-out"
	}
	return out, err
}

// print writes the answer in the standard's form; for a property of VNN-LIB 1.0, which has no such form, the assignment is as VNN-COMP writes it.
func (a solved) print(c *cli.Context, q *vnnlib.Query) error {
	word := a.word
	if word == "timed-out" && c.Bool("competition") {
		word = "timeout"
	}
	var b strings.Builder
	b.WriteString(word + "\n")
	switch {
	case a.example == nil:
	case len(q.Networks) == 0:
		sep := "("
		for i, x := range a.example.Inputs {
			b.WriteString(fmt.Sprintf("%s(X_%d %s)", sep, i, numeralOf(float64(x))))
			sep = "\n "
		}
		for i, y := range a.example.Outputs {
			b.WriteString(fmt.Sprintf("%s(Y_%d %s)", sep, i, numeralOf(y)))
		}
		b.WriteString(")\n")
	case c.IsSet("serialise-assignments"):
		if err := serialise(c.String("serialise-assignments"), a.assigned); err != nil {
			return err
		}
	default:
		for _, v := range a.assigned {
			b.WriteString(fmt.Sprintf("%s %s %s\n", v.Name, v.Type, v.Dims()))
			for _, x := range v.Values {
				b.WriteString(numeralOf(x) + "\n")
			}
		}
	}
	if a.reason != "" {
		foreign.Fprintf(c.App.ErrWriter, "%s\n", a.reason)
	}
	if a.example != nil && a.example.Nearest {
		foreign.Fprintln(c.App.ErrWriter, "no float32 lies in the box: the inputs are the nearest, and a real point beside them is the counterexample")
	}
	return printLines(c, b.String())
}

// serialise writes a file for each variable. Where a type is real, numbers are float64.
func serialise(dir string, assigned []verify.Assigned) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, v := range assigned {
		t := onnxio.FromFloat64(v.Values, v.Shape...)
		if v.Type == vnnlib.Float32 {
			small := make([]float32, len(v.Values))
			for i, x := range v.Values {
				small[i] = float32(x)
			}
			t = onnxio.FromFloat32(small, v.Shape...)
		}
		data, err := onnxio.EncodeTensor(v.Name, t)
		if err != nil {
			return err
		}
		if err := output.Write(filepath.Join(dir, v.Name+".pb"), data); err != nil {
			return err
		}
	}
	return nil
}

// numeralOf writes a number so that it reads back as itself.
func numeralOf(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
