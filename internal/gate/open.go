package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Options are how a policy is checked, which no outcome depends on but for the engine.
type Options struct {
	Engine  engine.Options // that attacks and predictions run on
	Threads int            // of proofs; 0 means all cores
	Version string         // of the program, and of its build
	Shard   trial.Shard
	Only    []string // names of requirements; nil for all
	Records string   // a file; "" for none
	// Progress, where set, is told of each unit that is done.
	Progress func(Progress)
}

// Progress is how far a requirement is.
type Progress struct {
	Name        string
	Done, Units int
}

// lab has what requirements are asked of.
type lab struct {
	p    *Policy
	o    Options
	file map[string]*onnxio.Model // by the model's name
	// unread are models whose files are there and cannot be read, with the reason.
	unread map[string]error
	bytes  map[string]string // hashes of these files
	hashes map[string]string // of data, by its name
	sets   map[string]*opened
}

// openLab reads all models of a policy. A file that is not there is a fault of the policy; one that is wrong is for the requirements to tell. The
// error is that of the context.
func openLab(ctx context.Context, p *Policy, o Options, faults *reader) (*lab, error) {
	l := &lab{p: p, o: o, file: map[string]*onnxio.Model{}, unread: map[string]error{}, bytes: map[string]string{}, hashes: map[string]string{},
		sets: map[string]*opened{}}
	for i := range p.Models {
		m := &p.Models[i]
		file, err := onnxio.LoadContext(ctx, p.path(m.File))
		var missing *fs.PathError
		switch {
		case err == nil:
			l.file[m.Name] = file
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) && missing.Path == p.path(m.File):
			l.unread[m.Name] = err
			faults.failed(p.place(&m.File, m.At), "model "+m.Name, err)
		default:
			l.unread[m.Name] = err
			if l.bytes[m.Name], err = input.SHA256(ctx, p.path(m.File)); err != nil {
				faults.failed(p.place(&m.File, m.At), "model "+m.Name, err)
			}
		}
	}
	return l, ctx.Err()
}

// model is a model that was read.
func (l *lab) model(name string) (*Model, *onnxio.Model, error) {
	m := l.p.model(name)
	if err := l.unread[m.Name]; err != nil {
		return m, nil, err
	}
	return m, l.file[m.Name], nil
}

// opened is data as a model takes it.
type opened struct {
	set    *dataset.Set
	inputs *trial.Inputs
	array  *dataset.Array // that groups the samples; nil where none does
}

// data opens data for a model.
func (l *lab) data(ctx context.Context, r *Requirement, of *Model, m *onnxio.Model, balls bool) (*opened, error) {
	d := l.p.data(r.Data)
	array, named := strings.CutPrefix(r.Per, "array:")
	if !named {
		array = ""
	}
	key := fmt.Sprintf("%q %q %q %t", d.Name, of.Name, array, balls)
	if x := l.sets[key]; x != nil {
		return x, x.foldered(r, d)
	}
	given, err := of.given()
	if err != nil {
		return nil, err
	}
	in, err := trial.NewInputs(m, given)
	if err != nil {
		return nil, err
	}
	in.Balls = balls
	size, _ := dataset.ParseSize(d.Resize) // Parse has looked at it
	o := dataset.Options{Split: d.Split, Range: d.Range, PixelRange: d.PixelRange, Resize: size, EXIF: d.EXIF}
	if o.Order, err = l.labels(ctx, of); err != nil {
		return nil, err
	}
	if array != "" {
		o.Names = append(o.Names, array)
	}
	set, err := dataset.OpenContext(ctx, l.p.source(d), in.Options(o))
	if err == nil {
		err = set.Check()
	}
	if err != nil {
		return nil, &elsewhere{l.p.place(&d.From, d.At), "data " + d.Name, err}
	}
	if d.SHA256 != "" && d.SHA256 != set.SHA256 {
		return nil, &elsewhere{l.p.place(&d.SHA256, d.At), "", &DataError{d.Name, d.SHA256, set.SHA256}}
	}
	if set.Len() == 0 {
		return nil, fmt.Errorf("data %s: there are no samples", d.Name)
	}
	l.hashes[d.Name] = set.SHA256
	if err := in.Take(ctx, set); err != nil {
		return nil, err
	}
	x := &opened{set: set, inputs: in}
	if array != "" {
		if x.array = set.Arrays[array]; x.array == nil || x.array.Ints == nil || len(x.array.Shape) != 1 || len(x.array.Ints) != set.Total {
			return nil, &trial.UnclearError{Why: fmt.Sprintf("data %s: array %s: want a whole number for each sample", d.Name, array),
				Hint: "per: class asks the classes apart"}
		}
	}
	l.sets[key] = x
	return x, x.foldered(r, d)
}

// foldered is an error where folders are to be asked apart and there are none.
func (x *opened) foldered(r *Requirement, d *Data) error {
	if r.Per == "folder" && !slices.ContainsFunc(x.set.Folders, func(f string) bool { return f != "" }) {
		return &trial.UnclearError{Why: fmt.Sprintf("data %s: there are no folders below those of the classes", d.Name),
			Hint: "per: class asks the classes apart"}
	}
	return nil
}

// elsewhere is an error of something that a policy names in another place than the requirement that needs it.
type elsewhere struct {
	at   place
	what string // that it is; "" where the error says so
	error
}

func (e *elsewhere) Unwrap() error { return e.error }

// placed tells where in the policy stands what an error of a requirement is about, and what that is.
func (l *lab) placed(r *Requirement, err error) (at place, what string, why error) {
	for name, one := range l.unread {
		if one == err {
			m := l.p.model(name)
			return l.p.place(&m.File, m.At), "model " + name, err
		}
	}
	if e := (*elsewhere)(nil); errors.As(err, &e) {
		return e.at, e.what, e.error
	}
	return r.At, r.Name, err
}

// DataError tells that data are not those that the policy is about.
type DataError struct{ Data, Want, Got string }

func (e *DataError) Error() string {
	return fmt.Sprintf("data %s: sha256 is %s, and the policy has %s", e.Data, e.Got, e.Want)
}

func (l *lab) labels(ctx context.Context, m *Model) ([]string, error) {
	if m.Labels == "" {
		return nil, nil
	}
	return trial.ReadLabels(ctx, l.p.path(m.Labels))
}

// given is what a policy says of a model's inputs.
func (m *Model) given() (g trial.Given, err error) {
	for _, text := range m.Hold {
		h, err := trial.ParseHold(text)
		if err != nil {
			return g, err
		}
		g.Hold = append(g.Hold, h)
	}
	for _, text := range m.BatchAxis {
		name, axis, err := trial.ParseAxis(text)
		if err != nil {
			return g, err
		}
		if g.Axes == nil {
			g.Axes = map[string]int{}
		}
		g.Axes[name] = axis
	}
	return g, nil
}

// subject is what is asked of a model whose data are open.
func (l *lab) subject(ctx context.Context, of *Model, x *opened, v trial.View) (*trial.Subject, error) {
	if x.inputs.Varies(v) {
		return nil, &trial.UnclearError{Why: fmt.Sprintf("model %s: inputs beside the samples keep one value each in a policy", of.Name),
			Hint: "hold: NAME=VALUE"}
	}
	m, err := x.inputs.Model(ctx, v, 0)
	if err != nil {
		return nil, err
	}
	want, err := trial.ParseDecision(of.Decision)
	if err != nil {
		return nil, err
	}
	s, err := trial.Read(ctx, m, of.Output, want)
	if err != nil {
		return nil, err
	}
	names, err := l.labels(ctx, of)
	if err == nil {
		err = s.Name(names)
	}
	if err == nil {
		err = s.Take(x.inputs)
	}
	return s, err
}

// samples joins data with a model's input of that shape, in the policy's order.
func (l *lab) samples(of *Model, x *opened, shape []int) (*trial.Samples, error) {
	src, err := trial.Fit(x.set, shape)
	if err != nil {
		return nil, err
	}
	if err := x.taken(of); err != nil {
		return nil, err
	}
	return trial.Join(drawn(src, l.p.order(src.Len())), shape, values(of.Mean), values(of.Std))
}

// taken is an error where data are taken as they are and the model is told otherwise.
func (x *opened) taken(of *Model) error {
	if x.set.Raw && (of.Mean != nil || of.Std != nil) {
		return &trial.UnclearError{Why: fmt.Sprintf("model %s: inputs of an npz file are taken as they are, without mean and std", of.Name)}
	}
	return nil
}

// foreseen is what asking samples will end with for a reason that the policy has, as far as the files alone tell: it is told before anything is
// asked.
func (l *lab) foreseen(ctx context.Context, of *Model, x *opened) error {
	s, err := l.subject(ctx, of, x, trial.Fed)
	if err == nil && s.Shape != nil {
		if err = s.Classified(); err == nil {
			err = s.CheckNames()
		}
	}
	if err == nil {
		err = x.taken(of)
	}
	if fatal(ctx, err) {
		return err
	}
	return nil
}

func values(list []Number) (out []float64) {
	for _, n := range list {
		out = append(out, n.Value)
	}
	return out
}

// order is that of n samples: drawn at random from the policy's seed alone.
func (p *Policy) order(n int) []int { return seeded(p.Seed, 0).Perm(n) }

// drawn is a source with its samples in another order.
func drawn(s trial.Source, order []int) trial.Source {
	out := s
	out.Labels, out.Index = make([]int, len(order)), make([]int, len(order))
	for i, at := range order {
		out.Labels[i], out.Index[i] = s.Labels[at], s.Index[at]
	}
	out.Pixels = func(dst []float32, i int, last bool) error { return s.Pixels(dst, order[i], last) }
	if s.Numbers != nil {
		out.Numbers = func(i int) ([]int64, []float64) { return s.Numbers(order[i]) }
	}
	if s.Target != nil {
		out.Target = func(i int) []float64 { return s.Target(order[i]) }
	}
	return out
}

// group is what a sample is counted apart as, where the requirement asks groups apart; index is its number in the data.
func (x *opened) group(r *Requirement, label, index int) string {
	switch {
	case r.Per == "class" && label < len(x.set.Classes):
		return x.set.Classes[label]
	case r.Per == "class":
		return fmt.Sprint(label)
	case r.Per == "folder" && x.set.Folders[index] == "":
		return x.loose()
	case r.Per == "folder":
		return x.set.Folders[index]
	case x.array != nil:
		return fmt.Sprint(x.array.Ints[index])
	}
	return ""
}

// loose names the group of pictures that stand in their class's own folder: none, or, where a folder has that name, ".", which none can have.
func (x *opened) loose() string {
	if slices.Contains(x.set.Folders, "none") {
		return "."
	}
	return "none"
}

func seeded(seed, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }
