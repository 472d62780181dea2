package main

import (
	"io"
	"testing"
)

// TestACommandIsMadeByItsName: a command line that names a command makes that one alone, as it is among all of them; any other line makes all.
func TestACommandIsMadeByItsName(t *testing.T) {
	all := newApp(io.Discard, io.Discard).Commands
	if len(all) != len(makers) {
		t.Fatalf("%d commands, %d makers", len(all), len(makers))
	}
	for i, m := range makers {
		if all[i].Name != m.name {
			t.Errorf("%q makes %q", m.name, all[i].Name)
		}
		whole := m.name == "help" || m.name == "man" || m.name == "completion"
		for _, args := range [][]string{{"shoal", m.name}, {"shoal", "--quiet", m.name, "help"}, {"shoal", m.name, "--help"}} {
			got := asked(args)
			if whole && len(got) != len(makers) || !whole && (len(got) != 1 || got[0].Name != m.name) {
				t.Errorf("%q makes %d commands, the first %q", args, len(got), got[0].Name)
			}
		}
	}
	for _, args := range [][]string{nil, {"shoal"}, {"shoal", "--version"}, {"shoal", "--help"}, {"shoal", "h", "certify"}, {"shoal", "certif"},
		{"shoal", ""}, {"shoal", "model.onnx", "certify"}} {
		if got := asked(args); len(got) != len(makers) {
			t.Errorf("%q makes %d commands", args, len(got))
		}
	}
}
