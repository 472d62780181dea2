package study

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// unit is what one shard makes whole: models that hang together, with their tests. A student goes with its temperatures and seeds, where one of
// these is chosen, and with what is pruned from it and trained on from it. A teacher that the study trains itself is a unit of its own, and is
// trained again by each shard that has students of it: training gives the same bits.
type unit []*step

// units parts the steps that make models, in the order of their first steps.
func (p *plan) units() []unit {
	making, _ := p.parted()
	teacher := map[*step]bool{}
	for _, m := range p.models {
		if m.Student == "" && m.Prune == "" {
			teacher[m.made] = true
		}
	}
	of := map[*step]int{}
	var out []unit
	for _, s := range making {
		var joined []int
		for _, i := range s.inputs {
			taught := teacher[i] && (s.kind == "train" || i != s.inputs[0]) // learns from the teacher, or is compared with its numbers
			if k, ok := of[i]; ok && !taught && !slices.Contains(joined, k) {
				joined = append(joined, k)
			}
		}
		if len(joined) == 0 {
			joined, out = []int{len(out)}, append(out, nil)
		}
		slices.Sort(joined)
		at := joined[0]
		for _, k := range joined[1:] {
			for _, moved := range out[k] {
				of[moved] = at
			}
			out[at], out[k] = append(out[at], out[k]...), nil
		}
		out[at], of[s] = append(out[at], s), at
	}
	return slices.DeleteFunc(out, func(u unit) bool { return len(u) == 0 })
}

// needs are the steps of units with all that stand before them, in the plan's order.
func (p *plan) needs(units []unit) (out []*step) {
	want := map[*step]bool{}
	var add func(*step)
	add = func(s *step) {
		if !want[s] {
			want[s] = true
			for _, i := range s.inputs {
				add(i)
			}
		}
	}
	for _, u := range units {
		for _, s := range u {
			add(s)
		}
	}
	for _, s := range p.steps {
		if want[s] {
			out = append(out, s)
		}
	}
	return out
}

// madeKey is the key of units in records, and madeStep a step in them: what the cache has of it.
const madeKey = "models"

type madeStep struct {
	Entry json.RawMessage `json:"entry"`
	Model []byte          `json:"model,omitempty"` // the file
}

// Make makes and tests the models of a study, and asks nothing else. Of a shard only its units; where Options.Records is set, they are kept there
// with their files. Without a shard, records are of all units: what they have is put into the folder's cache, and units that they lack are made and
// added. Where they have all, a step that would have to be made is an error: it has another key here than where the records were written.
func Make(ctx context.Context, spec *Spec, o Options, s trial.Shard) (*Part, error) {
	p, w, err := begin(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	units := p.units()
	out := &Part{Whole: len(units)}
	var f *record.File
	if o.Records != nil {
		var what []any
		for _, u := range units {
			for _, s := range u {
				what = append(what, []any{s.kind, s.version, s.name, s.settings})
			}
		}
		if f, err = o.Records(p.lab.recordPlan("study models", what), []record.Part{{Key: madeKey, N: len(units)}}); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	from, to := s.Of(len(units))
	for k := from; k < to; k++ { // what is there already
		var steps []madeStep
		if !f.Find(madeKey, k, &steps) {
			continue
		}
		for _, one := range steps {
			if err := w.store.put(one); err != nil {
				return nil, fmt.Errorf("records, unit %d: %w", k, err)
			}
		}
	}
	w.expect(p.needs(units[from:to]))
	whole := s.N == 0 && f.Len() == len(units)
	for k := from; k < to; k++ {
		if err := w.work(ctx, p.needs(units[k:k+1])); err != nil {
			return cutOr(ctx, out, err)
		}
		if failures := failed(units[k]); len(failures) > 0 {
			out.Failures = append(out.Failures, failures...)
			continue
		}
		for _, s := range units[k] {
			if whole && s.alias == nil && w.own[s.key] {
				return nil, fmt.Errorf("%s is not in the records: the shard that made it had other models before it", s.name)
			}
		}
		if f == nil || f.Find(madeKey, k, &[]madeStep{}) {
			continue
		}
		steps, err := w.store.taken(ctx, units[k])
		if err == nil {
			err = f.Add(record.Answer{Key: madeKey, Index: k, Result: steps})
		}
		if err != nil {
			return nil, err
		}
	}
	out.Answers = f.Len()
	return out, nil
}

// taken are the files of a unit's steps.
func (st store) taken(ctx context.Context, u unit) ([]madeStep, error) {
	out := []madeStep{}
	for _, s := range u {
		if s.alias != nil {
			continue
		}
		text, err := input.ReadFile(ctx, st.path(s, ".json"))
		if err != nil {
			return nil, err
		}
		one := madeStep{Entry: text}
		if s.file != "" {
			if one.Model, err = input.ReadFile(ctx, s.file); err != nil {
				return nil, err
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// put writes a step's files where find looks for them, the model first.
func (st store) put(one madeStep) error {
	var e entry
	if err := json.Unmarshal(one.Entry, &e); err != nil {
		return err
	}
	s := &step{kind: e.Kind, key: e.Key}
	if len(e.Key) != 64 || !stepName().MatchString(e.Kind+"-"+e.Key[:24]+".json") {
		return fmt.Errorf("%q of %q is no key of a step", e.Key, e.Kind)
	}
	if _, err := os.Stat(st.path(s, ".json")); err == nil {
		return nil
	}
	if len(one.Model) > 0 {
		if err := output.Write(st.path(s, ".onnx"), one.Model); err != nil {
			return err
		}
	}
	return output.Write(st.path(s, ".json"), append(one.Entry, '\n'))
}
