package student

import (
	"errors"
	"fmt"
)

// planner works out an architecture's sizes, layer by layer; the kinds' plan faces push their stages.
type planner struct {
	layer  int   // from 1
	shape  []int // what the next stage takes: [H,W,C], or [units]
	image  []int // what a flattening stage has read, until a dense layer follows
	out    []Stage
	counts map[Kind]int
	faults []error
}

// stages works out every layer's sizes, and reports all faults of the architecture.
func (a *Architecture) stages() ([]Stage, error) {
	if a == nil {
		return nil, errors.New("there is no architecture")
	}
	c, h, w := a.Input[0], a.Input[1], a.Input[2]
	if c < 1 || h < 1 || w < 1 || c > 1<<12 || h > 1<<12 || w > 1<<12 {
		return nil, fmt.Errorf("input %v: want channels, height, width, each from 1 to 4096", a.Input)
	}
	if len(a.Layers) == 0 {
		return nil, errors.New("an architecture needs layers")
	}
	p := &planner{shape: []int{h, w, c}, counts: map[Kind]int{}}
	for i, l := range a.Layers {
		p.layer = i + 1
		p.plan(l)
	}
	if last := a.Layers[len(a.Layers)-1]; last.Dense == 0 || last.Relu {
		p.faults = append(p.faults, errors.New("the last layer must be dense, without relu: the logits"))
	}
	if len(p.faults) > 0 {
		return nil, errors.Join(p.faults...)
	}
	return p.out, nil
}

func (p *planner) plan(l Layer) {
	var asked []*faces
	for _, k := range kinds {
		if k.asked != nil && k.asked(l) {
			asked = append(asked, k)
		}
	}
	if len(asked) > 1 || len(asked) == 0 && !l.Relu {
		p.fault("want exactly one of conv, batchnorm, maxpool, avgpool, dropout, flatten, dense, relu")
		return
	}
	slides := len(asked) == 1 && asked[0].slides
	if !slides && (l.Kernel != nil || l.Stride != nil || l.Padding != nil) {
		p.fault("kernel, stride and padding go with conv, maxpool and avgpool")
	}
	if slides && len(p.shape) != 3 {
		p.fault("there is no image any more")
		return
	}
	for _, k := range asked {
		k.plan(p, l)
	}
	if l.Relu {
		reluStage.plan(p, l)
	}
}

func (p *planner) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("layer %d: %s", p.layer, fmt.Sprintf(format, args...)))
}

// push adds a stage, and gives it and its parameters their names.
func (p *planner) push(s Stage) {
	p.counts[s.Kind]++
	s.Name = fmt.Sprintf("%s%d", s.Kind, p.counts[s.Kind])
	s.In, s.index = p.shape, len(p.out)
	for i := range s.Params {
		s.Params[i].Name = s.Name + "." + s.Params[i].Name
	}
	p.out = append(p.out, s)
	p.shape = s.Out
}
