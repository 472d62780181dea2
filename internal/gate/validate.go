package gate

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// form is that of the policies that are read.
const form = 1

// Parse reads a policy. path is that of its file. An error is Faults.
func Parse(path string, text []byte) (*Policy, error) {
	r := &reader{path: path, lines: strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")}
	p := &Policy{Path: path, Dir: filepath.Dir(path)}
	if n := r.tree(text); n != nil {
		r.value(n, reflect.ValueOf(p).Elem(), "")
		if len(r.faults) == 0 {
			(&validator{r, p}).all()
		}
	}
	return p, r.end()
}

// validator looks at what the keys of a policy mean together.
type validator struct {
	*reader
	p *Policy
}

func (v *validator) check(ok bool, at place, hint, format string, args ...any) {
	if !ok {
		v.fault(at, hint, format, args...)
	}
}

func (v *validator) all() {
	p := v.p
	v.plain("the policy's name", p.Name, p.At)
	v.check(p.Form == form, p.At, fmt.Sprintf("policy: %d", form), "want the form of the policy, policy: %d", form)
	v.check(len(p.Models) > 0, p.At, "models: {candidate: {file: model.onnx}}", "the policy names no models")
	v.check(len(p.Require) > 0, p.At, "", "the policy requires nothing")
	for i := range p.Models {
		v.model(&p.Models[i])
	}
	for i := range p.Data {
		v.data(&p.Data[i])
	}
	names := map[string]bool{}
	for i := range p.Require {
		r := &p.Require[i]
		if v.requirement(r); r.Name == "" {
			r.Name = r.Kind()
			for k := 2; names[r.Name]; k++ {
				r.Name = fmt.Sprintf("%s %d", r.Kind(), k)
			}
		}
		v.plain("the requirement's name", r.Name, r.At)
		v.check(!names[r.Name], r.At, "", "another requirement is named %s too", r.Name)
		names[r.Name] = true
	}
}

// plain looks that a name can stand in a command, in a line of a pipeline's log and in XML, which has no word for control characters.
func (v *validator) plain(what, name string, at place) {
	v.check(!strings.ContainsFunc(name, unicode.IsControl), at, "", "%s %q: want a line without control characters", what, name)
}

func (v *validator) model(m *Model) {
	v.plain("the model's name", m.Name, m.At)
	v.check(m.File != "", m.At, "", "model %s: want file", m.Name)
	_, err := trial.ParseDecision(m.Decision)
	v.check(err == nil, m.At, "", "model %s: decision: %v", m.Name, err)
	v.check(m.Decision != string(trial.Regress), m.At, "", "model %s: decision regress has no classes, which requirements are about", m.Name)
	for _, text := range m.Hold {
		h, err := trial.ParseHold(text)
		v.check(err == nil, m.At, "", "model %s: hold: %v", m.Name, err)
		v.check(err != nil || h.Value != "", m.At, "hold: NAME=VALUE", "model %s: hold %s: want a value; samples are drawn in an order of their own", m.Name, text)
	}
	for _, text := range m.BatchAxis {
		_, _, err := trial.ParseAxis(text)
		v.check(err == nil, m.At, "", "model %s: batch_axis: %v", m.Name, err)
	}
	for _, s := range m.Std {
		v.check(s.Value > 0, m.At, "", "model %s: std %s: want a number above 0", m.Name, s.Text)
	}
}

func (v *validator) data(d *Data) {
	v.plain("the data's name", d.Name, d.At)
	kind, path, ok := strings.Cut(d.From, ":")
	v.check(ok && path != "" && slices.Contains(dataset.Kinds(), kind), d.At, "from: fmnist:DIR", "data %s: from: want KIND:PATH with KIND one of %s",
		d.Name, strings.Join(dataset.Kinds(), ", "))
	v.check(slices.Contains([]string{"", "test", "train"}, d.Split), d.At, "", "data %s: split: want test or train", d.Name)
	if d.Resize != "" {
		_, err := dataset.ParseSize(d.Resize)
		v.check(err == nil, d.At, "", "data %s: resize: %v", d.Name, err)
	}
	if d.PixelRange != "" {
		_, err := dataset.ParsePixelRange(d.PixelRange)
		v.check(err == nil, d.At, "", "data %s: pixel_range: %v", d.Name, err)
	}
	v.hash(d.At, "data "+d.Name, d.SHA256)
}

func (v *validator) hash(at place, what, text string) {
	ok := text == "" || len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
	v.check(ok, at, "", "%s: sha256: want 64 hexadecimal digits", what)
}

func (v *validator) requirement(r *Requirement) {
	kinds := r.kinds()
	if len(kinds) != 1 {
		v.check(len(kinds) > 1, r.At, "for example clean_accuracy:, with at_least: 0.9", "the requirement says not what is required")
		v.check(len(kinds) == 0, r.At, "make two requirements of it", "%s in one requirement", strings.Join(kinds, " and "))
		return
	}
	kind := kinds[0]
	what := r.Name
	if what == "" {
		what = kind
	}
	v.named(r.At, what, r.Model)
	v.check(r.Data == "" || r.sampled(), r.At, "", "%s: data says nothing here", what)
	if r.sampled() {
		v.check(v.p.data(r.Data) != nil, r.At, "", "%s: there is no data named %q", what, r.Data)
	}
	v.limits(r, what)
	if w := r.Waiver; w != nil {
		v.check(w.Reason != "" && w.Owner != "" && w.Until.Text != "", w.At, "", "%s: a waiver has a reason, an owner and until", what)
	}
	v.particulars(r, what)
}

// limits looks at what a figure is compared with.
func (v *validator) limits(r *Requirement, what string) {
	share := r.Clean != nil || r.Robust != nil || r.Certified != nil
	v.check(r.AtLeast == nil || share || r.Radius != nil, r.At, "", "%s: at_least says nothing here", what)
	v.check(r.AtMost == nil || r.Latency != nil, r.At, "", "%s: at_most says nothing here", what)
	v.check(!share || r.AtLeast != nil || r.Change != nil, r.At, "at_least: 0.9, or a change", "%s: nothing says what it must be", what)
	v.check(r.Radius == nil || r.AtLeast != nil && r.AtLeast.Value > 0, r.At, "at_least: 0.01", "%s: want at_least, the radius in pixel units", what)
	v.check(r.Latency == nil || r.AtMost != nil && r.AtMost.Value > 0, r.At, "at_most: 1.1", "%s: want at_most, the ratio", what)
	if share && r.AtLeast != nil {
		v.check(r.AtLeast.Value >= 0 && r.AtLeast.Value <= 1, r.At, "", "%s: at_least %s: want a share from 0 to 1", what, r.AtLeast.Text)
	}
	array, arrays := strings.CutPrefix(r.Per, "array:")
	v.check(r.Per == "" || r.Per == "class" || r.Per == "folder" || arrays && array != "", r.At, "", "%s: per: want class, folder or array:NAME", what)
	v.check(r.Per == "" || r.sampled(), r.At, "", "%s: per says nothing here", what)
	if arrays && r.sampled() && v.p.data(r.Data) != nil {
		v.check(strings.HasPrefix(v.p.data(r.Data).From, "npz:"), r.At, "", "%s: per: arrays are of npz data", what)
	}
	if r.Per == "folder" && r.sampled() && v.p.data(r.Data) != nil {
		v.check(strings.HasPrefix(v.p.data(r.Data).From, "images:"), r.At, "", "%s: per: folders are of images", what)
	}
	c := r.Change
	if c == nil {
		return
	}
	v.named(c.At, what+": change", c.Against)
	v.check(c.Against != "", c.At, "against: another model", "%s: change: want against", what)
	v.check(share || r.Size != nil, c.At, "", "%s: change says nothing here", what)
	want := "higher_is_better"
	if r.Size != nil {
		want = "lower_is_better"
	}
	v.check(c.Direction == want, c.At, "direction: "+want, "%s: change: direction %q; of this figure %s", what, c.Direction,
		strings.ReplaceAll(want, "_", " "))
	v.check(c.Absolute != nil || c.Relative != nil, c.At, "absolute: -0.01", "%s: change: want absolute or relative", what)
	if c.Relative != nil {
		v.check(c.Relative.Value > -1, c.At, "", "%s: change: relative %s: want more than -1", what, c.Relative.Text)
	}
}

func (v *validator) named(at place, what, model string) {
	v.check(v.p.model(model) != nil || len(v.p.Models) == 0, at, "", "%s: there is no model named %q", what, model)
}

// particulars looks at what belongs to one kind.
func (v *validator) particulars(r *Requirement, what string) {
	word := func(at place, key, got string, of ...string) {
		v.check(got == "" || slices.Contains(of, got), at, "", "%s: %s %q: want one of %s", what, key, got, strings.Join(of, ", "))
	}
	switch {
	case r.Robust != nil:
		q := r.Robust
		v.check(q.Eps.Text != "", q.At, "eps: 2/255", "%s: want eps", what)
		word(q.At, "norm", q.Norm, string(attack.Linf), string(attack.L2), string(attack.L1))
		word(q.At, "attack", q.Attack, attack.Names()...)
		if len(v.faults) > 0 {
			return
		}
		a, err := q.method()
		v.check(err == nil, q.At, "", "%s: %v", what, err)
		if err == nil {
			v.check(slices.Contains(attack.Norms(a), q.norm()), q.At, "", "%s: attack %s is for %v", what, a.Name(), attack.Norms(a))
		}
	case r.Certified != nil:
		q := r.Certified
		v.check(q.Eps.Text != "", q.At, "eps: 2/255", "%s: want eps", what)
		word(q.At, "method", q.Method, verify.Methods()...)
		word(q.At, "semantics", q.Semantics, string(verify.Real), string(verify.Float32))
	case r.Radius != nil:
		q := r.Radius
		v.check(q.Quantile != nil && q.Quantile.Value > 0 && q.Quantile.Value < 1, q.At, "quantile: 0.1", "%s: want a quantile above 0 and below 1", what)
		word(q.At, "method", q.Method, verify.Methods()...)
	case r.Equivalent != nil:
		q := r.Equivalent
		v.check(q.Model != "", q.At, "", "%s: want model", what)
		v.named(q.At, what, q.Model)
		v.check(q.Delta != nil && q.Delta.Value >= 0, q.At, "delta: 1e-4", "%s: want delta, at least 0", what)
		word(q.At, "method", q.Method, verify.Domains()...)
		if q.Box != "" {
			_, err := equal.ParseRanges(q.Box)
			v.check(err == nil, q.At, "box: 0:1", "%s: box: %v", what, err)
		}
	case r.VNNLIB != nil:
		q := r.VNNLIB
		v.check(q.Folder != "", q.At, "", "%s: want folder", what)
		word(q.At, "expect", q.Expect, "verified", "falsified")
	case r.Size != nil:
		q := r.Size
		v.check(q.Bytes != nil || q.Parameters != nil || q.MACs != nil, q.At, "", "%s: want bytes, parameters or macs", what)
	case r.Latency != nil:
		q := r.Latency
		v.named(q.At, what, q.Against)
		v.check(q.Against != "", q.At, "against: another model", "%s: want against", what)
		v.check(q.Pairs == 0 || q.Pairs >= 20, q.At, "", "%s: pairs %d: want at least 20", what, q.Pairs)
	case r.File != nil:
		v.hash(r.File.At, what, r.File.SHA256)
		f := *r.File
		f.At = place{}
		v.check(f != (File{}), r.File.At, "finite_weights: true", "%s: the requirement asks nothing of the file", what)
		if s := f.Signature; s != nil {
			v.check(s.Bundle != "", s.At, "bundle: model.sig", "%s: signature: want bundle", what)
			v.check((s.Key == "") != (s.Certificate == ""), s.At, "key: signer.pub", "%s: signature: want key or certificate", what)
		}
	}
}

// method is the attack with its settings.
func (q *Robust) method() (attack.Attack, error) {
	name := q.Attack
	if name == "" {
		name = "standard"
	}
	return attack.New(name, attack.Effort{Steps: q.Steps, Restarts: q.Restarts})
}

func (q *Robust) norm() attack.Norm {
	if q.Norm == "" {
		return attack.Linf
	}
	return attack.Norm(q.Norm)
}
