package student_test

import (
	"context"
	"fmt"
	"log"

	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/student"
	"github.com/shallow-waters/shoal/student/tape"
)

// stripes are images that are bright on the left or on the right.
func stripes(n int) *student.Data {
	d := &student.Data{Shape: [3]int{1, 4, 4}, Classes: 2}
	for i := range n {
		for p := range 16 {
			v := uint8(20 * (i % 5))
			if (p%4 < 2) == (i%2 == 0) {
				v += 150
			}
			d.Bytes = append(d.Bytes, v)
		}
		d.Labels = append(d.Labels, i%2)
	}
	return d
}

const stripesYAML = `
input: [1, 4, 4]
layers:
  - {conv: 4, kernel: 2, relu: true}
  - {dense: 2}
`

// A student is an architecture, data and a configuration; the result is an ONNX model.
func Example() {
	a, err := student.Parse([]byte(stripesYAML))
	if err != nil {
		log.Fatal(err)
	}
	train, valid := student.Split(stripes(400), 0.2, 0)
	res, err := student.Train(context.Background(), a, train, valid, student.Config{Epochs: 20, Batch: 16, LearningRate: 0.01}, student.Options{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := res.Model()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Parameters(), "parameters, best accuracy", res.History[res.BestEpoch-1].Valid.Accuracy)
	fmt.Println(m.Graph.Inputs[0].Name, "to", m.Graph.Outputs[0].Name)
	// Output:
	// 94 parameters, best accuracy 1
	// input to logits
}

// A small network learns from what a larger one says of images, and comes out as an ONNX model.
func ExampleTeacherLogits() {
	ctx := context.Background()
	large, err := student.Parse([]byte("input: [1, 4, 4]\nlayers:\n  - {dense: 32, relu: true}\n  - {dense: 2}\n"))
	if err != nil {
		log.Fatal(err)
	}
	taught, err := student.Train(ctx, large, stripes(400), nil, student.Config{Epochs: 10, Batch: 16, LearningRate: 0.01}, student.Options{})
	if err != nil {
		log.Fatal(err)
	}
	teacher, err := taught.Model()
	if err != nil {
		log.Fatal(err)
	}
	s, err := engine.Open(ctx, teacher, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	images := stripes(400)
	if _, err := student.TeacherLogits(ctx, s, images, student.TeacherOptions{}); err != nil {
		log.Fatal(err)
	}
	small, err := student.Parse([]byte(stripesYAML))
	if err != nil {
		log.Fatal(err)
	}
	learned, err := student.Train(ctx, small, images, nil, student.Config{Technique: student.Temperature, Temperature: 2, Epochs: 20, Batch: 16,
		LearningRate: 0.01}, student.Options{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := learned.Model()
	if err != nil {
		log.Fatal(err)
	}
	pupil, err := engine.Open(ctx, m, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer pupil.Close()
	score, err := student.Evaluate(ctx, pupil, stripes(100))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(large.Parameters(), "parameters taught", small.Parameters(), "to be right in", 100*score.Accuracy, "% of the images")
	// Output:
	// 610 parameters taught 94 to be right in 100 % of the images
}

// A loss of one's own is written into the graph with the network's builder, and may take numbers that change from step to step. Here it
// adds the absolute sum of the weights, with a weight that grows.
func ExampleLoss() {
	a, err := student.Parse([]byte(stripesYAML))
	if err != nil {
		log.Fatal(err)
	}
	loss := func(n *student.Network, t student.Targets) *tape.Node {
		b := n.B
		cost := student.CrossEntropy(b, n.Forward(t.X), t.Labels)
		for _, w := range n.Trained {
			cost = b.Add(cost, b.ScaleBy(b.Knob("sparsity"), b.Sum(b.Abs(w))))
		}
		return cost
	}
	o := student.Options{Loss: loss, LossName: "sparse", Before: func(_ context.Context, s *student.Step) error {
		return s.Set("sparsity", 1e-3*float64(s.Global)/float64(s.Total))
	}}
	res, err := student.Train(context.Background(), a, stripes(400), nil, student.Config{Epochs: 3, Batch: 16}, o)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Steps, "steps, stopped by", res.Stopped)
	// Output:
	// 75 steps, stopped by epochs
}
