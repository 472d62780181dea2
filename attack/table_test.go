package attack

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// TestNewTakesWhatAMethodHas makes every attack of the table by its name, with every setting, and looks at what it runs with.
func TestNewTakesWhatAMethodHas(t *testing.T) {
	steps := map[string]bool{"bim": true, "mim": true, "pgd": true, "thesis": true, "apgd-ce": true, "apgd-dlr": true, "apgd-t": true,
		"apgd": true, "fab-t": true, "square": true, "spsa": true, "cw": true}
	restarts := map[string]bool{"pgd": true, "apgd-ce": true, "apgd-dlr": true, "apgd-t": true, "apgd": true, "fab-t": true}
	step := map[string]bool{"bim": true, "mim": true, "pgd": true, "thesis": true}
	seen := map[string]bool{}
	for _, name := range Names() {
		if seen[name] {
			t.Errorf("two attacks are named %s", name)
		}
		seen[name] = true
		a, err := New(name, Effort{})
		if err != nil || a.Name() != name || !slices.Contains(table, a) {
			t.Errorf("New(%q) is %v, %v", name, a, err)
		}
		for setting, e := range map[string]Effort{"steps": {Steps: 7}, "restarts": {Restarts: 7}, "step": {Step: 0.7}, "decay": {Decay: 0.7}} {
			has := map[string]map[string]bool{"steps": steps, "restarts": restarts, "step": step, "decay": {"mim": true}}[setting][name]
			b, err := New(name, e)
			var lacks *EffortError
			switch {
			case has && (err != nil || b == a || b.Name() != name):
				t.Errorf("%s with 7 %s is %v, %v", name, setting, b, err)
			case !has && (!errors.As(err, &lacks) || *lacks != EffortError{name, setting}):
				t.Errorf("%s has no %s: %v", name, setting, err)
			}
		}
		if len(Norms(a)) == 0 || Nested(a) == (name == "thesis") {
			t.Errorf("%s: norms %v, nested %t", name, Norms(a), Nested(a))
		}
	}
	for _, bad := range []Effort{{Steps: -1}, {Restarts: -1}, {Step: -1}, {Decay: math.NaN()}, {Step: math.Inf(1)}} {
		if _, err := New("pgd", bad); err == nil {
			t.Errorf("pgd takes %+v", bad)
		}
	}
	if _, err := New("stare", Effort{}); err == nil {
		t.Error("there is an attack by the name of stare")
	}
}

// TestPartsOfTheSet leaves out of the standard set what a norm or a model without gradients does not let work.
func TestPartsOfTheSet(t *testing.T) {
	for _, c := range []struct {
		norm      Norm
		gradients bool
		want      []string
	}{
		{Linf, true, []string{"apgd-ce", "apgd-t", "fab-t", "square"}},
		{L2, true, []string{"apgd-ce", "apgd-t", "fab-t", "square"}},
		{L1, true, []string{"fab-t"}},
		{Linf, false, []string{"square"}},
		{L1, false, nil},
	} {
		var got []string
		for _, a := range (Standard{}).Parts(c.norm, c.gradients) {
			got = append(got, a.Name())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s, gradients %t: %v, want %v", c.norm, c.gradients, got, c.want)
		}
	}
}
