package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// attackFiles are what an attack leaves beside its report.
type attackFiles struct {
	c *cli.Context
	q *trial.Attack
	s *samples
	r *report.Result
}

// write writes what --save, --png and --plot ask for.
func (r attackFiles) write() error {
	sums := r.r.Attacks
	if sums[0].Samples == 0 {
		return nil // there is nothing to write or draw
	}
	if f := r.c.String("save"); f != "" {
		if err := r.save(f); err != nil {
			return err
		}
		foreign.Fprintf(r.c.App.ErrWriter, "the adversarial inputs are in %s\n", f)
	}
	if dir := r.c.String("png"); dir != "" {
		n, err := r.images(dir)
		if err != nil {
			return err
		}
		foreign.Fprintf(r.c.App.ErrWriter, "%d pictures are in %s\n", n, dir)
	}
	if f := r.c.String("plot"); f != "" {
		var points []report.Robust
		for _, s := range sums {
			points = append(points, report.Robust{Eps: s.Eps, Accuracy: float64(s.RobustAccuracy), Low: float64(s.Low), High: float64(s.High)})
		}
		title := fmt.Sprintf("%s, %d images", r.q.Method.Name(), sums[0].Samples)
		ball := report.Ball(r.c.String("norm"), r.s.Valid.Low, r.s.Valid.High)
		if err := report.PlotRobust(f, title, ball, sums[0].Tolerance, float64(sums[0].CleanAccuracy), points); err != nil {
			return err
		}
		foreign.Fprintf(r.c.App.ErrWriter, "the picture is in %s\n", f)
	}
	return nil
}

// save writes arrays inputs, labels, predicted, class, index and eps with a row for each adversarial input; of numbers deviation in
// the place of classes.
func (r attackFiles) save(path string) error {
	ints := map[string]*dataset.Array{}
	for _, name := range []string{"labels", "predicted", "class", "index"} {
		ints[name] = &dataset.Array{Ints: []int64{}}
	}
	x, eps, deviation := &dataset.Array{Floats: []float64{}}, &dataset.Array{Floats: []float64{}}, &dataset.Array{Floats: []float64{}}
	rows := 0
	for _, row := range r.byEps() {
		if !row.Adversarial {
			continue
		}
		for name, v := range map[string]int{"labels": row.Label, "predicted": row.Predicted, "class": row.Class, "index": row.Index} {
			ints[name].Ints = append(ints[name].Ints, int64(v))
		}
		for _, v := range row.Input {
			x.Floats = append(x.Floats, float64(v))
		}
		eps.Floats = append(eps.Floats, *row.Eps)
		if row.Deviation != nil {
			deviation.Floats = append(deviation.Floats, float64(*row.Deviation))
		}
		rows++
	}
	x.Shape = append([]int{rows}, r.q.Target.InputShape()[1:]...)
	eps.Shape, deviation.Shape = []int{rows}, []int{rows}
	all := map[string]*dataset.Array{"inputs": x, "eps": eps}
	if r.q.Tolerance != nil { // no classes
		ints = map[string]*dataset.Array{"index": ints["index"]}
		all["deviation"] = deviation
	}
	for name, a := range ints {
		a.Shape = []int{rows}
		all[name] = a
	}
	return dataset.WriteNPZ(path, all)
}

// images draws every adversarial image that was not wrong from the start.
func (r attackFiles) images(dir string) (int, error) {
	set := r.s.set
	if set.Raw {
		return 0, usageError("", "--png needs images; inputs of an npz file may be anything")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	at := map[int]int{}
	for i, index := range set.Index {
		at[index] = i
	}
	n := 0
	for _, row := range r.byEps() {
		if !row.Adversarial || row.Method == "clean" {
			continue
		}
		clean, err := r.s.At(at[row.Index])
		if err != nil {
			return n, err
		}
		picture := report.Triptych{Height: set.Height, Width: set.Width, Channels: set.Channels, Last: r.s.Last, Original: clean,
			Changed: r.s.Back(row.Input)}
		k := slices.IndexFunc(r.q.Eps, func(e trial.Eps) bool { return e.Value == *row.Eps })
		name := fmt.Sprintf("%05d-eps%d-%dto%d.png", row.Index, k, row.Label, row.Class)
		if row.Outputs != nil { // no classes
			name = fmt.Sprintf("%05d-eps%d.png", row.Index, k)
		}
		if err := picture.Write(filepath.Join(dir, name)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// byEps are the rows of one radius behind those of the other, in the order in which the radii were given.
func (r attackFiles) byEps() []report.Row {
	var out []report.Row
	for k := range r.q.Eps {
		for i := k; i < len(r.r.Rows); i += len(r.q.Eps) {
			out = append(out, r.r.Rows[i])
		}
	}
	return out
}
