package gate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// spoilt is a node of a policy that gets something wrong: a node with its place from the root.
type spoilt struct {
	path []int // of children, as yaml.Node has them: of a mapping, keys and values in turn
	kind string
	// about tells that it is the key of what a requirement asks, or of what other keys beside it are of.
	about bool
}

// region is what cannot be read for what is wrong: the value of a key that nobody knows, else the node itself.
func (s spoilt) region() []int {
	out := slices.Clone(s.path)
	switch depth := len(out); {
	case depth == 1 && (out[0] == 8 || out[0] == 10) && s.kind == "foreign", depth == 1 && (out[0] == 9 || out[0] == 11): // models, data
		return nil
	case s.kind == "foreign" && s.about: // what else stands beside it hangs on it
		return out[:depth-1]
	case s.kind == "foreign":
		out[depth-1]++
	}
	return out
}

// within tells that one of two things lies in what the other makes unreadable.
func (s spoilt) within(o spoilt) bool {
	in := func(path, region []int) bool {
		return len(path) >= len(region) && slices.Equal(path[:len(region)], region)
	}
	return in(s.path, o.region()) || in(o.path, s.region()) || slices.Equal(s.path, o.path)
}

// spoils are all that can be done to a tree, a node each.
func spoils(n *yaml.Node, path []int, parent yaml.Kind) (out []spoilt) {
	here := slices.Clone(path)
	key := parent == yaml.MappingNode && len(path) > 0 && path[len(path)-1]%2 == 0
	switch {
	case key && len(path) == 2 && (path[0] == 9 || path[0] == 11): // names of models and of data, which others go by
		return nil
	case key && len(path) == 3 && n.Value == "data": // without it a requirement is about other data
		return []spoilt{{here, "slip", false}}
	case key:
		about := slices.Contains([]string{"clean_accuracy", "robust_accuracy", "certified_accuracy", "radius", "equivalent_to", "vnnlib", "size",
			"latency_ratio", "file", "attack"}, n.Value)
		return []spoilt{{here, "slip", false}, {here, "foreign", about}}
	case n.Kind == yaml.ScalarNode:
		out = append(out, spoilt{here, "word", false}, spoilt{here, "nothing", false}, spoilt{here, "mapping", false})
	case len(path) > 0:
		out = append(out, spoilt{here, "word", false}, spoilt{here, "nothing", false})
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && n.Content[i-i%2].Value == "name" && len(path) > 0 { // faults of a requirement are told with its name
			continue
		}
		out = append(out, spoils(c, append(here, i), n.Kind)...)
	}
	return out
}

// in spoils a tree.
func (s spoilt) in(n *yaml.Node) {
	for _, i := range s.path {
		n = n.Content[i]
	}
	switch s.kind {
	case "slip": // of a letter
		n.Value += "s"
	case "foreign":
		n.Value = fmt.Sprint("zzzzzz", s.path)
	case "word":
		*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "@@", Line: n.Line, Column: n.Column}
	case "nothing":
		*n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "~", Line: n.Line, Column: n.Column}
	case "mapping":
		*n = yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "zzzzzz"}, {Kind: yaml.ScalarNode, Tag: "!!int", Value: "3"}}}
	}
}

// toldOf are the faults of the whole policy with these things wrong, each as its place and words.
func toldOf(t *testing.T, wrong ...spoilt) (out []string) {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(whole), &root); err != nil {
		t.Fatal(err)
	}
	for _, s := range wrong {
		s.in(root.Content[0])
	}
	r := newReader("p.yaml", whole)
	p := &Policy{Path: "p.yaml"}
	r.all(root.Content[0], p)
	var faults Faults
	if err := r.end(); err != nil && !errors.As(err, &faults) {
		t.Fatal(err)
	}
	for _, f := range faults {
		out = append(out, f.Error())
	}
	return out
}

// TestFaultsDoNotHideEachOther puts several things wrong into a policy at once, all over it, and mends some: what is still told then was told before,
// so that nobody has to mend a policy twice. What is wrong within what cannot be read is left out, and so are names that others go by.
func TestFaultsDoNotHideEachOther(t *testing.T) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(whole), &root); err != nil {
		t.Fatal(err)
	}
	all := spoils(root.Content[0], nil, 0)
	if len(all) < 300 {
		t.Fatalf("%d things to spoil", len(all))
	}
	alone := map[string][]string{}
	for _, s := range all {
		alone[fmt.Sprint(s)] = toldOf(t, s)
	}
	rounds := 3000
	if testing.Short() {
		rounds = 600
	}
	hidden := 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 19))
		var wrong []spoilt
		for range 2 + r.IntN(5) {
			s := all[r.IntN(len(all))]
			if !slices.ContainsFunc(wrong, s.within) {
				wrong = append(wrong, s)
			}
		}
		told := toldOf(t, wrong...)
		for _, s := range wrong {
			for _, f := range alone[fmt.Sprint(s)] {
				if !slices.Contains(told, f) {
					if hidden++; hidden < 20 {
						t.Errorf("seed %d: %v\n\ttold: %s\n\thidden: %s, of %v", seed, wrong, strings.Join(told, "\n\t      "), f, s)
					}
				}
			}
		}
	}
}
