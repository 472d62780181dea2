package student

import (
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// Kind says what a stage does.
type Kind string

// The kinds of stages.
const (
	KindConv      Kind = "conv"
	KindBatchNorm Kind = "batchnorm"
	KindMaxPool   Kind = "maxpool"
	KindAvgPool   Kind = "avgpool"
	KindDropout   Kind = "dropout"
	KindFlatten   Kind = "flatten"
	KindDense     Kind = "dense"
	KindRelu      Kind = "relu"
)

// Stage is one step of a student's computation, with its sizes worked out.
type Stage struct {
	Kind Kind
	Name string // conv1, dense2, ...
	// In and Out are the shapes of one sample: [H,W,C], or [units].
	In, Out []int
	tape.Geometry
	Window [2]int  // of a convolution or pooling
	Rate   float64 // of dropout
	Params []Param

	index int
}

// faces are all that is known of one kind of stage, and stand in a file of their own: stage_conv.go, and so on. A face that is nil is not
// there: a kind without bounds is refused before a training that needs them (bounded), and one without export leaves no node.
type faces struct {
	kind Kind
	// asked tells whether a layer asks for the kind; nil for relu, which may also stand beside another.
	asked func(l Layer) bool
	// slides is true for windows over an image.
	slides bool
	// plan appends the layer's stages.
	plan func(p *planner, l Layer)
	// apply writes the stage into a graph; withRelu, where it is there, does so together with the relu that follows.
	apply, withRelu func(n *Network, s Stage, x *tape.Node) *tape.Node
	// linear is apply without what the stage adds to every sample; affine stages have it.
	linear func(n *Network, s Stage, x *tape.Node) *tape.Node
	// interval takes a box through the stage.
	interval func(n *Network, s Stage, x ball) ball
	// below carries a linear form over the stage's output down to its input: affine stages have it. What bends instead lies between two
	// lines, which need the box before it.
	below func(n *Network, s Stage, f form) form
	bends bool
	// export gives the ONNX operator and its attributes; the parameters are its further inputs.
	export func(s Stage) (op string, attrs onnxio.Attrs)
	// imports read ONNX operators as layers of the kind.
	imports map[string]func(r *importer, n *onnxio.Node) error
}

// kinds names them all.
var kinds = []*faces{&convStage, &batchNormStage, &maxPoolStage, &avgPoolStage, &dropoutStage, &flattenStage, &denseStage, &reluStage}

func (s Stage) faces() *faces {
	for _, k := range kinds {
		if k.kind == s.Kind {
			return k
		}
	}
	panic("student: no stage of kind " + string(s.Kind))
}
