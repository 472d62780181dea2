package trial

import "fmt"

// EnoughClasses is an error where a model gives one score, or none: its label has no other class that an input could get, so that every question about
// other classes would hold without saying anything.
func EnoughClasses(scores int) error {
	if scores >= 2 {
		return nil
	}
	return fmt.Errorf("a model of %d score has no other classes: nothing says from which score on its decision changes", scores)
}
