package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// Question is what records of a policy have as their question.
const Question = "check"

// settings are what answers depend on, beside models, data and version. The policy is whole, so that records can be told of without it.
type settings struct {
	File   string   `json:"file"`
	Policy string   `json:"policy"`
	Only   []string `json:"only,omitempty"`
	Engine string   `json:"engine"`
	Parts  []part   `json:"parts"`
}

// part is what there is to be asked for one requirement.
type part struct {
	Name   string   `json:"name"`
	Units  int      `json:"units"`
	Grain  int      `json:"grain"`
	Groups []string `json:"groups,omitempty"`
	Marks  []string `json:"marks,omitempty"` // of files beside models and data
}

// about is what records say of models and data.
type about struct {
	Models []aboutModel `json:"models"`
	Data   []aboutData  `json:"data"`
}

type aboutModel struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

type aboutData struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Samples int    `json:"samples"`
}

// Run is a policy that is being asked, or has been.
type Run struct {
	p       *Policy
	about   about
	s       settings
	version string
	// answers by requirement, in the order of their units; nil where there is none.
	answers map[string][]*answer
	cut     bool
	partial bool // records that were read have not all that an outcome needs
}

// Check asks what a policy requires. Cancelled, it gives what is answered by then.
func Check(ctx context.Context, p *Policy, text []byte, o Options) (*Run, error) {
	faults := newReader(p.Path, string(text))
	l, err := openLab(ctx, p, o, faults)
	if err != nil {
		return nil, err
	}
	r := &Run{p: p, version: o.Version, answers: map[string][]*answer{},
		s: settings{File: baseName(p.Path), Policy: string(text), Only: o.Only, Engine: engineName(o), Parts: []part{}}}
	var failures []error // of what could not be opened, by part
	for _, q := range p.chosen(o.Only) {
		one, err := l.part(ctx, q)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if fatal(ctx, err) {
			faults.failed(l.placed(q, err))
		}
		failures = append(failures, err)
		r.s.Parts = append(r.s.Parts, one)
		r.answers[q.Name] = make([]*answer, one.Units)
	}
	l.look(faults, o.Only)
	if err := faults.end(); err != nil {
		return nil, err
	}
	r.about = l.described()
	f, err := record.Open(o.Records, r.plan())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for i, one := range r.s.Parts {
		w := &worker{l: l, r: r, part: one, q: p.requirement(one.Name), f: f}
		if err := w.all(ctx, failures[i]); err != nil {
			if ctx.Err() != nil {
				r.cut = true
				return r, nil
			}
			return nil, err
		}
	}
	return r, nil
}

// look tells of data that are not there, which nothing asked for since the models that would have are not there either.
func (l *lab) look(faults *reader, only []string) {
	for _, q := range l.p.chosen(only) {
		d := l.p.data(q.Data)
		if m := l.p.model(q.Model); !q.sampled() || l.unread[m.Name] == nil || faults.at(l.p.place(&d.From, d.At)) {
			continue
		}
		_, path, _ := strings.Cut(l.p.source(d), ":")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			faults.failed(l.p.place(&d.From, d.At), "data "+d.Name, err)
		}
	}
}

// chosen are the requirements of these names, all for none.
func (p *Policy) chosen(only []string) (out []*Requirement) {
	for i := range p.Require {
		if r := &p.Require[i]; len(only) == 0 || slices.Contains(only, r.Name) {
			out = append(out, r)
		}
	}
	return out
}

func (p *Policy) requirement(name string) *Requirement {
	for i := range p.Require {
		if p.Require[i].Name == name {
			return &p.Require[i]
		}
	}
	return nil
}

// Names are those of the policy's requirements.
func (p *Policy) Names() (out []string) {
	for i := range p.Require {
		out = append(out, p.Require[i].Name)
	}
	return out
}

func engineName(o Options) string {
	if o.Engine.Engine == "" {
		return "go"
	}
	return o.Engine.Engine
}

func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// fatal tells whether an error is of the policy, its data or the run, and not of a model that is looked at.
func fatal(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	return ctx.Err() != nil || errors.Is(err, fs.ErrNotExist) || errors.As(err, new(*DataError)) || errors.As(err, new(*trial.UnclearError)) ||
		errors.As(err, new(*dataset.RangeError)) || errors.As(err, new(*trial.LabelError)) || errors.As(err, new(*dataset.SizeError))
}

// part tells what there is to be asked. An error that is not fatal leaves one unit, whose answer it is.
func (l *lab) part(ctx context.Context, r *Requirement) (part, error) {
	one := part{Name: r.Name, Units: 1, Grain: 1}
	var err error
	if one.Marks, err = l.marks(ctx, r); err != nil {
		return one, err
	}
	switch {
	case r.VNNLIB != nil:
		files, err := l.properties(r)
		if err != nil {
			return one, &elsewhere{l.p.place(&r.VNNLIB.Folder, r.At), r.Name, err}
		}
		one.Units = len(files)
	case r.sampled():
		of, file, err := l.model(r.Model)
		if err != nil {
			return one, err
		}
		x, err := l.data(ctx, r, of, file, r.Clean == nil)
		if err != nil {
			return one, err
		}
		if err := l.foreseen(ctx, of, x); err != nil {
			return one, err
		}
		one.Units = x.set.Len()
		one.Grain = l.grain(r, one.Units)
		if r.Per != "" {
			groups := map[string]bool{}
			for i, label := range x.set.Labels {
				groups[x.group(r, label, x.set.Index[i])] = true
			}
			one.Groups = slices.Sorted(maps.Keys(groups))
		}
	}
	return one, nil
}

func (l *lab) described() (out about) {
	for i := range l.p.Models {
		m := &l.p.Models[i]
		one := aboutModel{Name: m.Name, SHA256: l.bytes[m.Name]}
		if file := l.file[m.Name]; file != nil {
			one.SHA256 = file.SHA256
		}
		out.Models = append(out.Models, one)
	}
	for i := range l.p.Data {
		d := &l.p.Data[i]
		one := aboutData{Name: d.Name, SHA256: l.hashes[d.Name]}
		for key, x := range l.sets {
			if strings.HasPrefix(key, fmt.Sprintf("%q ", d.Name)) {
				one.Samples = x.set.Len()
			}
		}
		out.Data = append(out.Data, one)
	}
	return out
}

func (r *Run) plan() record.Plan {
	var models, data []string
	for _, m := range r.about.Models {
		models = append(models, m.SHA256)
	}
	for _, d := range r.about.Data {
		data = append(data, d.SHA256)
	}
	return record.Plan{Question: Question, Model: strings.Join(models, " "), Data: strings.Join(data, " "), Subject: r.about, Settings: r.s,
		Version: r.version}
}

// hash is the SHA-256 of a text, hexadecimal.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// worker asks one requirement.
type worker struct {
	l    *lab
	r    *Run
	part part
	q    *Requirement
	f    *record.File

	question question
}

// all asks the units of the shard, block by block, until the outcome is decided. failure is why the requirement cannot be asked.
func (w *worker) all(ctx context.Context, failure error) error {
	from, to := w.l.o.Shard.Blocks(w.part.Units, w.part.Grain)
	defer func() {
		if w.question != nil {
			w.question.close()
		}
	}()
	next := 0 // look
	for at := from; at < to; at += w.part.Grain {
		end := min(to, at+w.part.Grain)
		if !w.known(at, end) {
			if failure == nil {
				failure = w.ask(ctx, at, end)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if fatal(ctx, failure) || errors.As(failure, new(*keepError)) {
				return fmt.Errorf("%s: %w", w.q.Name, failure)
			}
			if failure != nil {
				if err := w.unread(at, end, failure); err != nil {
					return err
				}
			}
		}
		if w.l.o.Progress != nil {
			w.l.o.Progress(Progress{w.q.Name, end, w.part.Units})
		}
		if w.l.o.Shard.N > 0 || !w.q.sampled() {
			continue
		}
		for k := looks(w.part.Units); next < len(k) && k[next] <= end; next++ {
			if _, decided := w.r.judged(w.q, w.part); decided {
				return nil
			}
		}
	}
	return nil
}

// known takes the answers of units from the records; false where one is not there.
func (w *worker) known(from, to int) bool {
	all := w.r.answers[w.q.Name]
	for i := from; i < to; i++ {
		a := &answer{}
		if !w.f.Find(w.q.Name, i, a) {
			return false
		}
		all[i] = a
	}
	return true
}

// keepError tells that answers could not be kept.
type keepError struct{ error }

func (w *worker) ask(ctx context.Context, from, to int) (err error) {
	if w.question == nil {
		if w.question, err = w.l.open(ctx, w.q); err != nil {
			return err
		}
		if w.question.units() != w.part.Units || w.question.grain() != w.part.Grain && w.question.grain() < w.part.Units {
			return &onnxio.UnsupportedError{Why: fmt.Sprintf("%d samples go through the model together, and %d are asked together", w.question.grain(), w.part.Grain)}
		}
	}
	answers, err := w.question.ask(ctx, from, to)
	if err == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return w.keep(from, answers)
}

func (w *worker) keep(from int, answers []answer) error {
	var lines []record.Answer
	for i := range answers {
		w.r.answers[w.q.Name][from+i] = &answers[i]
		lines = append(lines, record.Answer{Key: w.q.Name, Index: from + i, Result: answers[i]})
	}
	if err := w.f.Add(lines...); err != nil {
		return &keepError{err}
	}
	return nil
}

// unread notes why units could not be asked.
func (w *worker) unread(from, to int, why error) error {
	answers := make([]answer, to-from)
	for i := range answers {
		answers[i] = blank(-1)
		answers[i].Unread, answers[i].Foreign = why.Error(), errors.As(why, new(*onnxio.UnsupportedError))
	}
	return w.keep(from, answers)
}

// given are the answers of a requirement up to the first that is not there.
func (r *Run) given(name string) (out []answer) {
	for _, a := range r.answers[name] {
		if a == nil {
			break
		}
		out = append(out, *a)
	}
	return out
}

// alpha is the error that outcomes about samples may have; 0 where the samples are all that there is.
func (p *Policy) alpha() float64 {
	switch {
	case p.Confidence.None:
		return 0
	case p.Confidence.Share == 0:
		return 1 - usual
	}
	return 1 - p.Confidence.Share
}

// usual is the confidence where a policy gives none.
const usual = 0.95

// judged is a requirement about samples, from what is answered.
func (r *Run) judged(q *Requirement, one part) (judged, bool) {
	return judge(r.given(q.Name), one.Units, one.Groups, q.limitsOf(), r.p.alpha())
}

// limitsOf are what the samples of a requirement are held to.
func (r *Requirement) limitsOf() (out []limit) {
	switch {
	case r.Radius != nil: // the quantile q of radii is at least v where a share of 1-q of them is
		out = append(out, limit{least: true, value: 1 - r.Radius.Quantile.Value})
	case r.AtLeast != nil:
		out = append(out, limit{least: true, value: r.AtLeast.Value})
	}
	if c := r.Change; c != nil {
		if c.Absolute != nil {
			out = append(out, limit{least: true, value: c.Absolute.Value, change: true})
		}
		if c.Relative != nil {
			out = append(out, limit{least: true, value: c.Relative.Value, change: true, relative: true})
		}
	}
	return out
}

// Cut tells that a run was cut off.
func (r *Run) Cut() bool { return r.cut }
