package study

import (
	"testing"

	"github.com/shallow-waters/shoal/student"
)

// TestPresetsAreWholeStudies parses every built-in study, premises and all, and checks its architectures at the sizes of its images.
func TestPresetsAreWholeStudies(t *testing.T) {
	shapes := map[string][3]int{"thesis-a": {3, 32, 32}, "thesis-a-svhn": {3, 32, 17}, "thesis-a-small": {1, 28, 28}, "thesis-b": {3, 32, 32},
		"thesis-b-cifar": {3, 32, 32}, "thesis-b-small": {1, 28, 28}}
	if len(Presets()) != len(shapes) {
		t.Errorf("%v", Presets())
	}
	claims := map[int]bool{}
	for _, name := range Presets() {
		text, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.sizes(shapes[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, c := range s.Claims {
			claims[c.Claim] = true
		}
	}
	for n := range len(theses) {
		if !claims[n+1] {
			t.Errorf("no preset asks for claim %d", n+1)
		}
	}
	if _, err := Preset("../spec"); err == nil {
		t.Error("a file beside the presets is one")
	}
}

// TestPresetsHaveTheThesisTeachers counts the parameters of the teachers, which the thesis' numbers have.
func TestPresetsHaveTheThesisTeachers(t *testing.T) {
	for name, c := range map[string]struct {
		shape [3]int
		want  int
	}{"thesis-a": {[3]int{3, 32, 32}, 550570}, "thesis-a-svhn": {[3]int{3, 32, 17}, 235050}, "thesis-b": {[3]int{3, 32, 32}, 43446},
		"thesis-b-cifar": {[3]int{3, 32, 32}, 253130}} {
		text, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		a := student.Architecture{Input: c.shape, Layers: s.Teachers[0].Layers}
		if n := a.Parameters(); n != c.want {
			t.Errorf("%s: a teacher of %d parameters, the thesis' has %d", name, n, c.want)
		}
	}
}
