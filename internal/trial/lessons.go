package trial

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/student"
)

// OpenImages opens a data set that students can learn from: images, or arrays of their form; a row of numbers is an image of one pixel, with a
// channel for each. shape is channels, height and width.
func OpenImages(ctx context.Context, data string, o dataset.Options) (set *dataset.Set, shape [3]int, err error) {
	if set, err = dataset.OpenContext(ctx, data, o); err != nil {
		return nil, shape, err
	}
	if err := set.Check(); err != nil {
		return nil, shape, err
	}
	if !set.Raw {
		return set, [3]int{set.Channels, set.Height, set.Width}, nil
	}
	if len(set.RawShape) == 1 {
		return set, [3]int{set.RawShape[0], 1, 1}, nil
	}
	if len(set.RawShape) != 3 {
		return nil, shape, fmt.Errorf("%s: inputs of shape %v; students take [C,H,W], or rows of numbers", data, set.RawShape)
	}
	return set, [3]int(set.RawShape), nil
}

// Decode reads images of a set into memory, channels first: those of an index, in its order, or all where it is nil. What the set says that outputs
// should be (dataset.Set.Target) goes along, as float32.
func Decode(ctx context.Context, set *dataset.Set, shape [3]int, index []int) (*student.Data, error) {
	if index == nil {
		for i := range set.Len() {
			index = append(index, i)
		}
	}
	d := &student.Data{Shape: shape, Labels: []int{}}
	x := make([]float32, set.Size())
	for _, i := range index {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := set.Pixels(x, i, false); err != nil {
			return nil, err
		}
		for k, v := range x {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("%s, sample %d: number %d is %v: nothing can be learned from it; leave the sample out", setName(set), set.Index[i], k, v)
			}
		}
		d.Labels = append(d.Labels, set.Labels[i])
		for _, v := range set.Target(i) {
			d.Targets = append(d.Targets, float32(v))
		}
		d.AppendImage(x)
	}
	if d.Targets != nil {
		d.Classes = len(d.Targets) / d.Len()
	}
	return d, nil
}

// CheckLessons is an error where one of a set's images (those of an index, or all where it is nil) has a label that no class stands for. It is asked
// before images are mixed: afterwards nobody finds them.
func CheckLessons(set *dataset.Set, index []int, classes int) error {
	bad := func(i int) error {
		if l := set.Labels[i]; l < 0 || l >= classes {
			return &LabelError{setName(set), set.Index[i], l, classes}
		}
		return nil
	}
	if index == nil {
		for i := range set.Labels {
			if err := bad(i); err != nil {
				return err
			}
		}
	}
	for _, i := range index {
		if err := bad(i); err != nil {
			return err
		}
	}
	return nil
}

// CheckLessonTargets is an error, a *TargetError, where what a set says that outputs should be are not as many numbers as there are outputs. A set
// that says nothing is none.
func CheckLessonTargets(set *dataset.Set, outputs int) error {
	for i := range set.Labels {
		if t := set.Target(i); t != nil && len(t) != outputs {
			return &TargetError{setName(set), set.Index[i], len(t), outputs}
		}
	}
	return nil
}

func setName(set *dataset.Set) string { return set.Kind + ":" + set.Path }

// Teacher is a subject as students learn from it: a score for each class, of which the largest decides, before a Softmax at its end. Of one score
// that is parted by a threshold these are two, before a Sigmoid. stripped tells that there was one. Of numbers it is the subject as it stands. What
// has neither is an error.
func Teacher(s *Subject, producer string) (m *onnxio.Model, stripped bool, err error) {
	var g *onnxio.Graph
	switch s.Decision.Kind {
	case Regress:
		return s.Model, false, nil
	case Argmax:
		if g, stripped, err = student.StripSoftmax(s.Model.Graph); err == nil && !stripped {
			return s.Model, false, nil
		}
	case Threshold:
		at, _ := s.Decision.At.Float64()
		last := s.Model.Graph.Outputs[0].Producer
		stripped = last != nil && last.Op == "Sigmoid"
		g, err = student.TwoScores(s.Model.Graph, at)
	default:
		return nil, false, &onnxio.UnsupportedError{Why: fmt.Sprintf("decision %s: students learn from scores of classes", s.Decision)}
	}
	if err != nil {
		return nil, false, err
	}
	m, err = onnxio.NewModel(g, producer)
	return m, stripped, err
}
