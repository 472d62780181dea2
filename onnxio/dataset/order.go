package dataset

import (
	"fmt"
	"slices"
	"strconv"
)

// order gives labels the numbers that their classes have in a list of names. Class folders, and the classes of formats that name them, are looked for
// by their names, and each must be there; a format whose names are none of the list's has them from the list instead. Where labels are numbers and
// nothing else, a list of whole numbers says which label each class has; any other list names the labels 0, 1, 2, ...
func (s *Set) order(names []string) error {
	for i, n := range names {
		if n == "" || slices.Contains(names[:i], n) {
			return fmt.Errorf("labels: name %d, %q, is empty or there twice", i, n)
		}
	}
	place := map[int]int{} // of each label that the set can have
	any := slices.ContainsFunc(s.Classes, func(c string) bool { return slices.Contains(names, c) })
	switch {
	case s.Classes != nil && (any || s.Kind == "images"):
		for label, c := range s.Classes {
			at := slices.Index(names, c)
			if at < 0 {
				return fmt.Errorf("labels: class %q of the data is not among the %d names", c, len(names))
			}
			place[label] = at
		}
	default:
		for at, n := range names {
			label, err := strconv.Atoi(n)
			if err != nil { // words
				clear(place)
				for k := range names {
					place[k] = k
				}
				break
			}
			if _, twice := place[label]; twice {
				return fmt.Errorf("labels: number %d is there twice", label)
			}
			place[label] = at
		}
	}
	labels := make([]int, len(s.Labels)) // others may share the old ones
	for i, l := range s.Labels {
		at, ok := place[l]
		if !ok {
			return fmt.Errorf("labels: label %d of sample %d is not among the %d names", l, i, len(names))
		}
		labels[i] = at
	}
	s.Labels, s.Classes = labels, slices.Clone(names)
	s.SHA256 = hash([]byte(fmt.Sprintf("%s order %q", s.SHA256, names))) // the same files, and other labels
	return nil
}
