package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// looked looks at a model's file.
func (l *lab) looked(ctx context.Context, r *Requirement) (answer, error) {
	a := blank(-1)
	_, m, err := l.model(r.Model)
	if err != nil {
		// A file that cannot be read is no release. What leaves the model's folder is one of the reasons, and the error names it.
		a.Items = []item{{Name: "readable", Outcome: failed, Value: "no", Want: "yes", Words: err.Error()}}
		return a, nil
	}
	f := r.File
	a.Items = append(a.Items, item{Name: "readable", Outcome: passed, Value: "yes", Want: "yes"})
	add := func(asked bool, name string, ok bool, value, want, words string) {
		if !asked {
			return
		}
		one := item{Name: name, Outcome: passed, Value: value, Want: want}
		if !ok {
			one.Outcome, one.Words = failed, words
		}
		a.Items = append(a.Items, one)
	}
	add(f.SHA256 != "", "sha256", m.SHA256 == f.SHA256, m.SHA256, f.SHA256, "sha256: this is another file than the policy names")
	opset := m.Opsets[""]
	add(f.Opset.Text != "", "opset", f.Opset.has(opset), fmt.Sprint(opset), f.Opset.Text,
		fmt.Sprintf("opset is %d, and %s is asked for: shoal convert --opset N rewrites it", opset, f.Opset.Text))
	add(f.IR.Text != "", "ir", f.IR.has(int(m.IR)), fmt.Sprint(m.IR), f.IR.Text,
		fmt.Sprintf("ir is %d, and %s is asked for: export it with another version", m.IR, f.IR.Text))
	external, err := m.External()
	if err != nil {
		return a, err
	}
	beside := fmt.Sprintf("%d files beside it", len(external))
	add(f.Inside, "no_external_data_outside", true, beside, "in the model's folder", "") // else it is not readable
	odd := m.Graph.NotFinite()
	add(f.Finite, "finite_weights", odd == "", orWord(odd, "all finite"), "all finite", "finite_weights: "+odd+": the training or the export went wrong")
	foreign := foreignDomains(m.Graph)
	add(f.Known, "no_unknown_domains", foreign == "", orWord(foreign, "the standard's"), "the standard's",
		"no_unknown_domains: not the standard's are "+foreign)
	free := freeSizes(m.Graph)
	add(f.Static, "static_shapes", free == "", orWord(free, "all fixed"), "all fixed",
		"static_shapes: free is "+free+": shoal convert --dim NAME=N or --batch N fixes it")
	if f.Signature != nil {
		one, err := l.signed(ctx, f.Signature, m)
		if err != nil {
			return a, err
		}
		a.Items = append(a.Items, one)
	}
	return a, nil
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

func (s Span) has(v int) bool { return v >= s.Low && v <= s.High }

// standards are the standard's own domains.
var standards = map[string]bool{"": true, "ai.onnx": true, "ai.onnx.ml": true, "ai.onnx.training": true, "ai.onnx.preview.training": true}

func foreignDomains(g *onnxio.Graph) string {
	found := map[string]bool{}
	for _, n := range g.Nodes {
		if !standards[n.Domain] {
			found[n.Domain+"."+n.Op] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}

func freeSizes(g *onnxio.Graph) string {
	var found []string
	for _, v := range g.Inputs {
		for k, d := range v.Dims {
			if v.Const == nil && !d.Known() {
				found = append(found, fmt.Sprintf("axis %d of %s", k, v.Name))
			}
		}
	}
	return strings.Join(found, ", ")
}

// size measures a model, and the one that it is compared with.
func (l *lab) size(ctx context.Context, r *Requirement) (answer, error) {
	a := blank(-1)
	now, err := l.measured(ctx, r.Model)
	if err != nil {
		return a, err
	}
	var before map[string]int
	if r.Change != nil {
		if before, err = l.measured(ctx, r.Change.Against); err != nil {
			return a, err
		}
	}
	for _, one := range []struct {
		name string
		most *int
	}{{"bytes", r.Size.Bytes}, {"parameters", r.Size.Parameters}, {"macs", r.Size.MACs}} {
		if one.most == nil {
			continue
		}
		got := now[one.name]
		a.Items = append(a.Items, held(one.name, float64(got), fmt.Sprint(got), float64(*one.most), fmt.Sprintf("at most %d", *one.most)))
		if r.Change == nil {
			continue
		}
		was := before[one.name]
		a.Items[len(a.Items)-1].Before, a.Items[len(a.Items)-1].After = &was, got
		gained := float64(got - before[one.name])
		if c := r.Change.Absolute; c != nil {
			a.Items = append(a.Items, held(one.name+" gained", gained, fmt.Sprintf("%+d", got-before[one.name]), c.Value, "at most "+c.Text))
		}
		if c := r.Change.Relative; c != nil {
			share := gained / float64(before[one.name])
			a.Items = append(a.Items, held(one.name+" gained, as a part", share, fmt.Sprintf("%+.4g", share), c.Value, "at most "+c.Text))
		}
	}
	return a, nil
}

// held is an item that may be no more than a limit.
func held(name string, value float64, text string, most float64, want string) item {
	one := item{Name: name, Outcome: failed, Value: text, Want: want}
	if value <= most {
		one.Outcome = passed
	} else {
		one.Words = fmt.Sprintf("%s: %s, and %s is asked for", name, text, want)
	}
	return one
}

func (l *lab) measured(ctx context.Context, name string) (map[string]int, error) {
	of, m, err := l.model(name)
	if err != nil {
		return nil, err
	}
	path := l.p.path(of.File)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	bytes := int(info.Size())
	external, err := m.External()
	if err != nil {
		return nil, err
	}
	for _, file := range external {
		info, err := os.Stat(filepath.Join(m.Dir(), file))
		if err != nil {
			return nil, err
		}
		bytes += int(info.Size())
	}
	g, err := infer.Prepare(ctx, infer.Unmapped(m.Graph), infer.Options{Batch: 1})
	if err != nil {
		return nil, err
	}
	out := map[string]int{"bytes": bytes}
	for _, c := range infer.Costs(g) {
		out["parameters"] += c.Parameters
		out["macs"] += c.MACs
	}
	return out, nil
}

// properties asks for the verdict of each file of a folder.
type properties struct {
	l     *lab
	r     *Requirement
	model *onnxio.Model
	files []string
}

// propertyTime is the time of a property where the policy gives none.
const propertyTime = time.Minute

func (l *lab) openProperties(ctx context.Context, r *Requirement) (question, error) {
	_, m, err := l.model(r.Model)
	if err != nil {
		return nil, err
	}
	files, err := l.properties(r)
	if err != nil {
		return nil, err
	}
	return &properties{l, r, m, files}, nil
}

// properties are the names of a folder's files, in order.
func (l *lab) properties(r *Requirement) ([]string, error) {
	dir := l.p.path(r.VNNLIB.Folder)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".vnnlib") || strings.HasSuffix(name, ".vnnlib.gz") {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there are no .vnnlib files", dir)
	}
	return files, nil
}

func (q *properties) units() int { return len(q.files) }
func (q *properties) grain() int { return 1 }
func (q *properties) close()     {}

func (q *properties) ask(ctx context.Context, from, to int) (out []answer, err error) {
	for i := from; i < to; i++ {
		start := time.Now()
		a := blank(-1)
		one, err := q.verdict(ctx, q.files[i])
		if err != nil {
			return nil, err
		}
		a.Items, a.Seconds = []item{one}, time.Since(start).Seconds()
		out = append(out, a)
	}
	return out, nil
}

func (q *properties) verdict(ctx context.Context, name string) (item, error) {
	want := verify.Verdict(q.r.VNNLIB.Expect)
	if want == "" {
		want = verify.Verified
	}
	one := item{Name: name, Want: string(want)}
	p, err := vnnlib.Load(filepath.Join(q.l.p.path(q.r.VNNLIB.Folder), name))
	if err != nil {
		return one, err
	}
	asked := verify.FromVNNLIB(p)
	o := verify.Options{Method: verify.Auto, Threads: q.l.o.Threads, DropSoftmax: asked.Ordered()}
	f, err := falsify.Open(ctx, q.model, falsify.Options{Threads: q.l.o.Threads, KeepSoftmax: !o.DropSoftmax})
	if err == nil {
		o.Falsifier = f
		defer f.Close()
	}
	limit := q.r.VNNLIB.Timeout.Duration
	if limit == 0 {
		limit = propertyTime
	}
	o.Within = limit
	v, err := verify.Open(ctx, q.model, o)
	if err != nil {
		return one, err
	}
	defer v.Close()
	if n := v.Info(); n.Inputs != p.Inputs || n.Outputs != p.Outputs {
		return one, fmt.Errorf("%s: %d inputs and %d outputs; the model has %d and %d", name, p.Inputs, p.Outputs, n.Inputs, n.Outputs)
	}
	own, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := v.Verify(own, asked)
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return one, err
	}
	verdict := verify.Unknown
	if err == nil {
		verdict, one.Words = r.Verdict, r.Reason
	}
	if err := ctx.Err(); err != nil {
		return one, err
	}
	one.Value = string(verdict)
	switch verdict {
	case want:
		one.Outcome = passed
	case verify.Unknown:
		one.Outcome = open
	default:
		one.Outcome = failed
	}
	return one, nil
}

// worst is the outcome of several items: one that failed before one that is open.
func worst(items []item) report.Outcome {
	out := passed
	for _, one := range items {
		if one.Outcome == failed {
			return failed
		}
		if one.Outcome == open {
			out = open
		}
	}
	return out
}
