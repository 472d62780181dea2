package onnxio

import (
	"errors"
	"fmt"
	"reflect"
)

// Check tells what is wrong with the build of a graph, as far as everybody relies on it: nothing is nil that must be there, sizes are not
// negative (but for -1, a free one), somebody gives every output, and constants have as many elements as their shapes say. Graphs that were
// read from files pass; those that callers put together may not. It says nothing of what operators ask for.
func (g *Graph) Check() error {
	if err := g.check(); err != nil {
		return err
	}
	given := map[*Value]bool{}
	for _, v := range g.Inputs {
		given[v] = true
	}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			given[v] = true
		}
	}
	for _, v := range g.Outputs {
		if !given[v] && v.Const == nil {
			return fmt.Errorf("nothing gives the output %q", v.Name)
		}
	}
	return nil
}

func (g *Graph) check() error {
	if g == nil {
		return errors.New("there is no graph")
	}
	for what, list := range map[string][]*Value{"input": g.Inputs, "output": g.Outputs} {
		for i, v := range list {
			if v == nil {
				return fmt.Errorf("%s %d of the graph is nil", what, i)
			}
			if err := v.check(); err != nil {
				return err
			}
		}
	}
	for i, n := range g.Nodes {
		if n == nil {
			return fmt.Errorf("node %d of the graph is nil", i)
		}
		for _, list := range [][]*Value{n.Inputs, n.Outputs} {
			for _, v := range list {
				if err := v.check(); err != nil {
					return fmt.Errorf("node %q (%s): %w", n.Name, n.Op, err)
				}
			}
		}
		for name, a := range n.Attrs {
			switch a := a.(type) {
			case *Graph:
				if err := a.check(); err != nil {
					return fmt.Errorf("node %q (%s): attribute %s: %w", n.Name, n.Op, name, err)
				}
			case *Tensor:
				if err := a.check(); err != nil {
					return fmt.Errorf("node %q (%s): attribute %s: %w", n.Name, n.Op, name, err)
				}
			}
		}
	}
	return nil
}

func (v *Value) check() error {
	if v == nil { // an input or output that is left out
		return nil
	}
	for i, d := range v.Dims {
		if d.Size < -1 {
			return fmt.Errorf("value %q: dimension %d is %d", v.Name, i, d.Size)
		}
	}
	if v.Const == nil {
		return nil
	}
	if err := v.Const.check(); err != nil {
		return fmt.Errorf("value %q: %w", v.Name, err)
	}
	return nil
}

func (t *Tensor) check() error {
	if t == nil {
		return errors.New("the tensor is nil")
	}
	want := 1
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("a tensor of shape %v", t.Shape)
		}
		want *= d
	}
	if !t.DType.Held() {
		return nil // no elements to hold
	}
	data, kind := reflect.ValueOf(t.Data), reflect.TypeOf(NewTensor(t.DType, 0).Data)
	if !data.IsValid() || data.Type() != kind {
		return fmt.Errorf("a tensor of type %v that holds %T", t.DType, t.Data)
	}
	if data.Len() != want {
		return fmt.Errorf("a tensor of %d elements and shape %v", data.Len(), t.Shape)
	}
	return nil
}
