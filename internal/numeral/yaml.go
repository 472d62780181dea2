package numeral

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Real is a float64 that a YAML file may give as a fraction.
type Real float64

// UnmarshalYAML implements yaml.Unmarshaler.
func (r *Real) UnmarshalYAML(n *yaml.Node) error {
	f, err := scalar(n)
	*r = Real(f)
	return err
}

// Reals is a list of numbers that a YAML file may give as fractions.
type Reals []float64

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *Reals) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: want a list of numbers", n.Line)
	}
	*l = Reals{}
	for _, x := range n.Content {
		f, err := scalar(x)
		if err != nil {
			return err
		}
		*l = append(*l, f)
	}
	return nil
}

func scalar(n *yaml.Node) (float64, error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return 0, fmt.Errorf("line %d: want a number", n.Line)
	}
	f, err := Float(n.Value)
	if err != nil {
		return 0, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return f, nil
}
