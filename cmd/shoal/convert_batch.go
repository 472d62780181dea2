package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// rebatched is a model for n samples at once whose file fixes another number. What follows the batch inside (the targets of Reshape) is changed with
// it, and whether that was all is tried: n samples together must come out as they do from the old file.
func rebatched(c *cli.Context, m *onnxio.Model, fixed, n int) (*onnxio.Model, error) {
	no := func(format string, args ...any) error {
		return &codeError{code: exitUnsupported, hint: "export the model with a free batch, or with the one that you want",
			err: fmt.Errorf("%s fixes its batch to %d, and --batch %d cannot be written: %s", m.Path, fixed, n, fmt.Sprintf(format, args...))}
	}
	if fixed != 1 {
		return nil, no("only a batch of 1 is made another one")
	}
	free := attack.FreeBatch(c.Context, m.Graph)
	if err := c.Context.Err(); err != nil {
		return nil, err
	}
	if free == nil {
		return nil, no("its samples do not go through it together, or the Go engine does not run it")
	}
	for _, v := range free.Inputs {
		if v.Const == nil {
			v.Dims[0] = onnxio.Dim{Size: n}
		}
	}
	sized, err := infer.Prepare(c.Context, free, infer.Options{})
	if err != nil {
		return nil, no("%v", err)
	}
	for i, v := range free.Outputs {
		v.HasShape, v.Dims = true, nil
		for _, d := range sized.Outputs[i].Shape {
			v.Dims = append(v.Dims, onnxio.Dim{Size: d})
		}
	}
	if err := sameTogether(c, m.Graph, free, n); err != nil {
		return nil, no("%v", err)
	}
	was := m.Graph
	m.Graph = free
	data, err := m.Encode()
	m.Graph = was
	if err != nil {
		return nil, err
	}
	return onnxio.Parse(data, m.Dir())
}

// sameTogether runs n random samples through both graphs.
func sameTogether(c *cli.Context, old, now *onnxio.Graph, n int) error {
	s, err := engine.OpenGraph(c.Context, old, engine.Options{Once: true, Threads: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	in, err := randomInputs(batched(s.Inputs(), n), n)
	if err != nil {
		return err
	}
	want, err := s.Run(c.Context, in)
	if err != nil {
		return err
	}
	_, got, err := runRandom(c.Context, now, in, engine.Options{})
	if err != nil {
		return err
	}
	for k := range want {
		if d, err := tensorsApart(want[k], got[k]); err != nil || !(d <= 1e-4) {
			return fmt.Errorf("%d samples together come out otherwise than one by one", n)
		}
	}
	return nil
}
