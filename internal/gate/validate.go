package gate

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// form is that of the policies that are read.
const form = 1

// Parse reads a policy. path is that of its file. An error is Faults: all that is wrong at once, whatever else is. Only a text that is no YAML has
// one fault, behind which nothing can be read.
func Parse(path string, text []byte) (*Policy, error) {
	r := newReader(path, string(text))
	p := &Policy{Path: path, Dir: filepath.Dir(path), places: r.places}
	if n := r.tree(text); n != nil {
		r.all(n, p)
	}
	return p, r.end()
}

// all reads a tree, and looks at what it means.
func (r *reader) all(n *yaml.Node, p *Policy) {
	if r.value(n, reflect.ValueOf(p).Elem(), ""); !r.void[p] {
		(&validator{r, p}).all()
	}
}

// validator looks at what the keys of a policy mean together. Of a value that could not be read it says nothing.
type validator struct {
	*reader
	p *Policy
}

// told is whether a fault was told in the value that x points to.
func (v *validator) told(x any) bool { return v.faulty[x] }

// toldIn is whether a fault was told in a key of the struct that x points to, other than that it has a key too much.
func (v *validator) toldIn(x any) bool {
	s := reflect.ValueOf(x).Elem()
	for i := range s.NumField() {
		if v.faulty[s.Field(i).Addr().Interface()] {
			return true
		}
	}
	return false
}

func (v *validator) check(ok bool, at place, hint, format string, args ...any) {
	if !ok {
		v.fault(at, hint, format, args...)
	}
}

func (v *validator) all() {
	p := v.p
	v.plain("the policy's name", p.Name, p.place(&p.Name, p.At))
	v.check(v.told(&p.Form) || p.Form == form, p.place(&p.Form, p.At), fmt.Sprintf("policy: %d", form), "want the form of the policy, policy: %d", form)
	v.check(v.told(&p.Models) || len(p.Models) > 0, p.place(&p.Models, p.At), "models: {candidate: {file: model.onnx}}", "the policy names no models")
	v.check(v.told(&p.Require) || len(p.Require) > 0, p.place(&p.Require, p.At), "", "the policy requires nothing")
	for i := range p.Models {
		if m := &p.Models[i]; !v.void[m] {
			v.model(m)
		}
	}
	for i := range p.Data {
		if d := &p.Data[i]; !v.void[d] {
			v.data(d)
		}
	}
	names := map[string]bool{}
	for i := range p.Require {
		r := &p.Require[i]
		if v.void[r] {
			continue
		}
		if v.requirement(r); r.Name == "" {
			r.Name = r.Kind()
			for k := 2; names[r.Name]; k++ {
				r.Name = fmt.Sprintf("%s %d", r.Kind(), k)
			}
		}
		name := p.place(&r.Name, r.At)
		v.plain("the requirement's name", r.Name, name)
		v.check(!names[r.Name], name, "", "another requirement is named %s too", r.Name)
		names[r.Name] = true
	}
}

// plain looks that a name can stand in a command, in a line of a pipeline's log and in XML, which has no word for control characters.
func (v *validator) plain(what, name string, at place) {
	v.check(!strings.ContainsFunc(name, unicode.IsControl), at, "", "%s %q: want a line without control characters", what, name)
}

func (v *validator) model(m *Model) {
	v.plain("the model's name", m.Name, v.p.place(&m.Name, m.At))
	v.check(v.told(&m.File) || m.File != "", v.p.place(&m.File, m.At), "", "model %s: want file", m.Name)
	_, err := trial.ParseDecision(m.Decision)
	decision := v.p.place(&m.Decision, m.At)
	v.check(err == nil, decision, "", "model %s: decision: %v", m.Name, err)
	v.check(m.Decision != string(trial.Regress), decision, "", "model %s: decision regress has no classes, which requirements are about", m.Name)
	for i, text := range m.Hold {
		if v.told(&m.Hold[i]) {
			continue
		}
		h, err := trial.ParseHold(text)
		at := v.p.place(&m.Hold[i], m.At)
		v.check(err == nil, at, "", "model %s: hold: %v", m.Name, err)
		v.check(err != nil || h.Value != "", at, "hold: NAME=VALUE", "model %s: hold %s: want a value; samples are drawn in an order of their own", m.Name, text)
	}
	for i, text := range m.BatchAxis {
		_, _, err := trial.ParseAxis(text)
		v.check(v.told(&m.BatchAxis[i]) || err == nil, v.p.place(&m.BatchAxis[i], m.At), "", "model %s: batch_axis: %v", m.Name, err)
	}
	for i, s := range m.Std {
		v.check(v.told(&m.Std[i]) || s.Value > 0, v.p.place(&m.Std[i], m.At), "", "model %s: std %s: want a number above 0", m.Name, s.Text)
	}
}

func (v *validator) data(d *Data) {
	v.plain("the data's name", d.Name, v.p.place(&d.Name, d.At))
	kind, path, ok := strings.Cut(d.From, ":")
	v.check(v.told(&d.From) || ok && path != "" && slices.Contains(dataset.Kinds(), kind), v.p.place(&d.From, d.At), "from: fmnist:DIR",
		"data %s: from: want KIND:PATH with KIND one of %s", d.Name, strings.Join(dataset.Kinds(), ", "))
	v.check(slices.Contains([]string{"", "test", "train"}, d.Split), v.p.place(&d.Split, d.At), "", "data %s: split: want test or train", d.Name)
	if d.Resize != "" {
		_, err := dataset.ParseSize(d.Resize)
		v.check(err == nil, v.p.place(&d.Resize, d.At), "", "data %s: resize: %v", d.Name, err)
	}
	if d.PixelRange != "" {
		_, err := dataset.ParsePixelRange(d.PixelRange)
		v.check(err == nil, v.p.place(&d.PixelRange, d.At), "", "data %s: pixel_range: %v", d.Name, err)
	}
	v.hash(v.p.place(&d.SHA256, d.At), "data "+d.Name, d.SHA256)
}

func (v *validator) hash(at place, what, text string) {
	ok := text == "" || len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
	v.check(ok, at, "", "%s: sha256: want 64 hexadecimal digits", what)
}

func (v *validator) requirement(r *Requirement) {
	kinds := r.kinds()
	v.check(len(kinds) > 0, r.At, "for example clean_accuracy:, with at_least: 0.9", "the requirement says not what is required")
	v.check(len(kinds) < 2, r.At, "make two requirements of it", "%s in one requirement", strings.Join(kinds, " and "))
	what := r.Name
	switch {
	case what == "" && len(kinds) > 0:
		what = kinds[0]
	case what == "":
		what = "the requirement"
	}
	v.named(v.p.place(&r.Model, r.At), what, r.Model)
	if len(kinds) > 0 {
		v.check(r.Data == "" || r.sampled(), v.p.place(&r.Data, r.At), "", "%s: data says nothing here", what)
		v.limits(r, what)
	}
	v.parts(r, what)
	if r.sampled() {
		v.check(v.p.data(r.Data) != nil || v.told(&r.Data) || v.told(&v.p.Data) && len(v.p.Data) == 0,
			v.p.place(&r.Data, r.At), "",
			"%s: there is no data named %q", what, r.Data)
	}
	if c := r.Change; c != nil && !v.void[c] {
		v.change(r, c, what)
	}
	if w := r.Waiver; w != nil && !v.void[w] {
		v.check((v.told(&w.Reason) || w.Reason != "") && (v.told(&w.Owner) || w.Owner != "") && (v.told(&w.Until) || w.Until.Text != ""), w.At, "",
			"%s: a waiver has a reason, an owner and until", what)
	}
	v.particulars(r, what)
}

// limits looks at what a figure is compared with.
func (v *validator) limits(r *Requirement, what string) {
	share := r.Clean != nil || r.Robust != nil || r.Certified != nil
	least, most := v.p.place(&r.AtLeast, r.At), v.p.place(&r.AtMost, r.At)
	v.check(r.AtLeast == nil || share || r.Radius != nil, least, "", "%s: at_least says nothing here", what)
	v.check(r.AtMost == nil || r.Latency != nil, most, "", "%s: at_most says nothing here", what)
	v.check(!share || r.AtLeast != nil || r.Change != nil, r.At, "at_least: 0.9, or a change", "%s: nothing says what it must be", what)
	v.check(r.Radius == nil || v.told(r.AtLeast) || r.AtLeast != nil && r.AtLeast.Value > 0, least, "at_least: 0.01",
		"%s: want at_least, the radius in pixel units", what)
	v.check(r.Latency == nil || v.told(r.AtMost) || r.AtMost != nil && r.AtMost.Value > 0, most, "at_most: 1.1", "%s: want at_most, the ratio", what)
	if share && r.AtLeast != nil {
		v.check(r.AtLeast.Value >= 0 && r.AtLeast.Value <= 1, least, "", "%s: at_least %s: want a share from 0 to 1", what, r.AtLeast.Text)
	}
}

// parts looks at how samples are counted apart.
func (v *validator) parts(r *Requirement, what string) {
	at := v.p.place(&r.Per, r.At)
	array, arrays := strings.CutPrefix(r.Per, "array:")
	v.check(r.Per == "" || r.Per == "class" || r.Per == "folder" || arrays && array != "", at, "", "%s: per: want class, folder or array:NAME", what)
	if len(r.kinds()) == 0 { // nothing says what it is about
		return
	}
	v.check(r.Per == "" || r.sampled(), at, "", "%s: per says nothing here", what)
	if d := v.p.data(r.Data); d != nil && r.sampled() && !v.told(&r.Data) {
		kind, _, _ := strings.Cut(d.From, ":")
		known := slices.Contains(dataset.Kinds(), kind)
		v.check(!known || !arrays || kind == "npz", at, "", "%s: per: arrays are of npz data", what)
		v.check(!known || r.Per != "folder" || kind == "images", at, "", "%s: per: folders are of images", what)
	}
}

// change looks at how a figure is compared with another model's.
func (v *validator) change(r *Requirement, c *Change, what string) {
	share := r.Clean != nil || r.Robust != nil || r.Certified != nil
	v.named(v.p.place(&c.Against, c.At), what+": change", c.Against)
	v.check(v.told(&c.Against) || c.Against != "", v.p.place(&c.Against, c.At), "against: another model", "%s: change: want against", what)
	direction := v.p.place(&c.Direction, c.At)
	if kinds := r.kinds(); len(kinds) == 1 {
		v.check(share || r.Size != nil, c.At, "", "%s: change says nothing here", what)
		want := "higher_is_better"
		if r.Size != nil {
			want = "lower_is_better"
		}
		v.check(v.told(&c.Direction) || c.Direction == want, direction, "direction: "+want, "%s: change: direction %q; of this figure %s", what,
			c.Direction, strings.ReplaceAll(want, "_", " "))
	} else {
		v.check(v.told(&c.Direction) || c.Direction != "", direction, "direction: higher_is_better, or lower_is_better", "%s: change: want direction", what)
	}
	v.check(c.Absolute != nil || c.Relative != nil, c.At, "absolute: -0.01", "%s: change: want absolute or relative", what)
	if c.Relative != nil {
		v.check(c.Relative.Value > -1, v.p.place(&c.Relative, c.At), "", "%s: change: relative %s: want more than -1", what, c.Relative.Text)
	}
}

func (v *validator) named(at place, what, model string) {
	v.check(v.p.model(model) != nil || len(v.p.Models) == 0, at, "", "%s: there is no model named %q", what, model)
}

// particulars looks at what belongs to one kind.
func (v *validator) particulars(r *Requirement, what string) {
	word := func(at place, key string, got *string, of ...string) {
		v.check(*got == "" || slices.Contains(of, *got), v.p.place(got, at), "", "%s: %s %q: want one of %s", what, key, *got, strings.Join(of, ", "))
	}
	if q := r.Robust; q != nil && !v.void[q] {
		v.check(v.told(&q.Eps) || q.Eps.Text != "", v.p.place(&q.Eps, q.At), "eps: 2/255", "%s: want eps", what)
		word(q.At, "norm", &q.Norm, string(attack.Linf), string(attack.L2), string(attack.L1))
		word(q.At, "attack", &q.Attack, attack.Names()...)
		if !v.told(&q.Attack) && (q.Attack == "" || slices.Contains(attack.Names(), q.Attack)) {
			for key, e := range map[*int]attack.Effort{&q.Steps: {Steps: q.Steps}, &q.Restarts: {Restarts: q.Restarts}} { // each may have no use
				_, err := q.by(e)
				v.check(err == nil, v.p.place(key, q.At), "", "%s: %v", what, err)
			}
			if a, err := q.by(attack.Effort{}); err == nil && slices.Contains([]attack.Norm{attack.Linf, attack.L2, attack.L1}, q.norm()) {
				v.check(slices.Contains(attack.Norms(a), q.norm()), v.p.place(&q.Norm, q.At), "", "%s: attack %s is for %v", what, a.Name(), attack.Norms(a))
			}
		}
	}
	if q := r.Certified; q != nil && !v.void[q] {
		v.check(v.told(&q.Eps) || q.Eps.Text != "", v.p.place(&q.Eps, q.At), "eps: 2/255", "%s: want eps", what)
		word(q.At, "method", &q.Method, verify.Methods()...)
		word(q.At, "semantics", &q.Semantics, string(verify.Real), string(verify.Float32))
	}
	if q := r.Radius; q != nil && !v.void[q] {
		v.check(v.told(q.Quantile) || q.Quantile != nil && q.Quantile.Value > 0 && q.Quantile.Value < 1, v.p.place(&q.Quantile, q.At), "quantile: 0.1",
			"%s: want a quantile above 0 and below 1", what)
		word(q.At, "method", &q.Method, verify.Methods()...)
	}
	if q := r.Equivalent; q != nil && !v.void[q] {
		v.check(v.told(&q.Model) || q.Model != "", v.p.place(&q.Model, q.At), "", "%s: want model", what)
		v.named(v.p.place(&q.Model, q.At), what, q.Model)
		v.check(v.told(q.Delta) || q.Delta != nil && q.Delta.Value >= 0, v.p.place(&q.Delta, q.At), "delta: 1e-4", "%s: want delta, at least 0", what)
		word(q.At, "method", &q.Method, verify.Domains()...)
		if q.Box != "" {
			_, err := equal.ParseRanges(q.Box)
			v.check(err == nil, v.p.place(&q.Box, q.At), "box: 0:1", "%s: box: %v", what, err)
		}
	}
	if q := r.VNNLIB; q != nil && !v.void[q] {
		v.check(v.told(&q.Folder) || q.Folder != "", v.p.place(&q.Folder, q.At), "", "%s: want folder", what)
		word(q.At, "expect", &q.Expect, "verified", "falsified")
	}
	if q := r.Size; q != nil && !v.void[q] {
		v.check(q.Bytes != nil || q.Parameters != nil || q.MACs != nil, q.At, "", "%s: want bytes, parameters or macs", what)
	}
	if q := r.Latency; q != nil && !v.void[q] {
		v.named(v.p.place(&q.Against, q.At), what, q.Against)
		v.check(v.told(&q.Against) || q.Against != "", v.p.place(&q.Against, q.At), "against: another model", "%s: want against", what)
		v.check(v.told(&q.Pairs) || q.Pairs == 0 || q.Pairs >= 20, v.p.place(&q.Pairs, q.At), "", "%s: pairs %d: want at least 20", what, q.Pairs)
	}
	if q := r.File; q != nil && !v.void[q] {
		v.file(q, what)
	}
}

// file looks at what is asked of a file.
func (v *validator) file(q *File, what string) {
	v.hash(v.p.place(&q.SHA256, q.At), what, q.SHA256)
	f := *q
	f.At = place{}
	v.check(v.toldIn(q) || f != (File{}), q.At, "finite_weights: true", "%s: the requirement asks nothing of the file", what)
	if s := q.Signature; s != nil && !v.void[s] {
		v.check(v.told(&s.Bundle) || s.Bundle != "", v.p.place(&s.Bundle, s.At), "bundle: model.sig", "%s: signature: want bundle", what)
		key, certificate := v.told(&s.Key) || s.Key != "", v.told(&s.Certificate) || s.Certificate != ""
		v.check(key != certificate, s.At, "key: signer.pub", "%s: signature: want key or certificate", what)
	}
}

// method is the attack with its settings.
func (q *Robust) method() (attack.Attack, error) {
	return q.by(attack.Effort{Steps: q.Steps, Restarts: q.Restarts})
}

func (q *Robust) by(e attack.Effort) (attack.Attack, error) {
	name := q.Attack
	if name == "" {
		name = "standard"
	}
	return attack.New(name, e)
}

func (q *Robust) norm() attack.Norm {
	if q.Norm == "" {
		return attack.Linf
	}
	return attack.Norm(q.Norm)
}
