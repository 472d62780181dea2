package study

import (
	"errors"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/shallow-waters/shoal/internal/numeral"
)

// notZero are the keys whose 0 the types of this package read as "not there": who writes one means something else, and is told so. Keys that
// may be 0 are pointers, or mean the same without being there.
var notZero = []string{"epochs", "batch", "learning_rate", "attack_steps", "validation", "samples", "images",
	"steps", "restarts", "step", "decay", "rate_every", "rate_factor", "clip_norm", "tolerance", "within", "max_eps",
	"max_parameters", "max_macs", "keep", "ratio", "straight_epochs"}

// zeros looks for such keys in the text of a study that Parse has read.
func zeros(text []byte) error {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return err
	}
	var faults []error
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 1 && c.Kind == yaml.ScalarNode {
				key := n.Content[i-1].Value
				if v, err := numeral.Float(c.Value); err == nil && v == 0 && slices.Contains(notZero, key) {
					faults = append(faults, fmt.Errorf("line %d: %s is 0: want more, or leave it out", c.Line, key))
				}
			}
			walk(c)
		}
	}
	walk(&root)
	return errors.Join(faults...)
}
