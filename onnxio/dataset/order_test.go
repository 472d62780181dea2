package dataset

import (
	"slices"
	"strings"
	"testing"
)

// TestLabelsHaveTheirNamesPlaces: classes go to the places of their names, by name or by number, or it is said why not.
func TestLabelsHaveTheirNamesPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		kind    string
		classes []string
		labels  []int
		names   []string
		want    []int
		fault   string // part of the error
	}{
		"folders": {"images", []string{"cat", "dog"}, []int{0, 1, 1}, []string{"dog", "cow", "cat"}, []int{2, 0, 0}, ""},
		"a folder without a name": {"images", []string{"cat", "dog"}, []int{0}, []string{"cat", "cow"}, nil,
			`class "dog" of the data is not among the 2 names`},
		"folders that are numbers": {"images", []string{"0", "10", "2"}, []int{0, 1, 2}, []string{"0", "2", "10"}, []int{0, 2, 1}, ""},
		"folders and other names":  {"images", []string{"cat"}, []int{0}, []string{"a"}, nil, "not among the 1 names"},
		"a format's names, turned": {"cifar10", []string{"plane", "car"}, []int{0, 1}, []string{"car", "plane"}, []int{1, 0}, ""},
		"a format's, translated":   {"cifar10", []string{"plane", "car"}, []int{0, 1}, []string{"avion", "voiture"}, []int{0, 1}, ""},
		"a format's, half of them": {"cifar10", []string{"plane", "car"}, []int{0, 1}, []string{"plane", "voiture"}, nil, `"car" of the data`},
		"numbers":                  {"npz", nil, []int{3, 7, 3}, []string{"7", "3"}, []int{1, 0, 1}, ""},
		"numbers from one on":      {"npz", nil, []int{1, 2}, []string{"1", "2"}, []int{0, 1}, ""},
		"a number without a place": {"npz", nil, []int{1, 4}, []string{"1", "2"}, nil, "label 4 of sample 1"},
		"names of numbers":         {"npz", nil, []int{1, 0}, []string{"no", "yes"}, []int{1, 0}, ""},
		"names and a number":       {"npz", nil, []int{1, 0}, []string{"0", "yes"}, []int{1, 0}, ""},
		"too few names":            {"npz", nil, []int{2}, []string{"no", "yes"}, nil, "label 2 of sample 0"},
		"twice":                    {"npz", nil, []int{0}, []string{"a", "a"}, nil, "there twice"},
		"a number twice":           {"npz", nil, []int{0}, []string{"1", "01"}, nil, "number 1 is there twice"},
		"an empty name":            {"npz", nil, []int{0}, []string{""}, nil, "is empty"},
	} {
		s := &Set{Kind: c.kind, Classes: c.classes, Labels: slices.Clone(c.labels), SHA256: "0"}
		err := s.order(c.names)
		switch {
		case c.fault != "":
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || !slices.Equal(s.Labels, c.want) || !slices.Equal(s.Classes, c.names) || s.SHA256 == "0":
			t.Errorf("%s: %v, %v, %v", name, s.Labels, s.Classes, err)
		}
	}
}
