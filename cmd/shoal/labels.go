package main

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// checkLabels is an error where a data set has a label that none of a model's outputs stands for: nothing that is counted over such samples
// would mean anything, so that nothing is begun.
func checkLabels(set *dataset.Set, classes int) error {
	for i, l := range set.Labels {
		if l < 0 || l >= classes {
			return &codeError{code: exitError, err: fmt.Errorf("%s, sample %d: label %d for a model of %d outputs", set.Path, set.Index[i], l, classes),
				hint: fmt.Sprintf("labels are numbers of outputs, here 0 to %d", classes-1)}
		}
	}
	return nil
}
