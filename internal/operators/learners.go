// learners.go — LabelEncoder, opset 2, ArrayFeatureExtractor, Binarizer, Imputer, LinearClassifier, LinearRegressor, Normalizer, OneHotEncoder and
// Scaler, opset 1: of ai.onnx.ml, classic learners as scikit-learn's converters write them.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// The operators of classic learners (domain ai.onnx.ml), as scikit-learn's converters write them: what is linear is written in the standard's
// operators.

const learners = "ai.onnx.ml"

func ofLearners(name string, attrs op.Attributes, parts func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value) op.Def {
	return op.Def{Name: name, Domain: learners, Since: 1, Fused: true, Attrs: attrs, Parts: parts}
}

var learnersOps = []op.Def{
	ofLearners("Scaler", op.Attributes{"offset": op.AnyValue, "scale": op.AnyValue}, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x := castTo(e, n.Input(0), onnxio.Float)
		if v := realsOf(n, "offset"); len(v) > 0 {
			x = e.Sub(x, e.Reals(x, v, len(v)))
		}
		if v := realsOf(n, "scale"); len(v) > 0 {
			x = e.Mul(x, e.Reals(x, v, len(v)))
		}
		return one(x)
	}),
	ofLearners("Normalizer", op.Attributes{"norm": op.OneOf("L1", "L2", "MAX")}, normalizerParts),
	ofLearners("Binarizer", op.Attributes{"threshold": op.AnyValue}, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x := n.Input(0)
		return one(e.Mask(e.GreaterC(x, float64(n.Attrs.Float("threshold", 0))), x))
	}),
	ofLearners("ArrayFeatureExtractor", nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x, at := n.Input(0), n.Input(1)
		if x == nil || at == nil || len(x.Shape) == 0 {
			return refuseParts(e, n, "an input is missing")
		}
		count := product(at.Shape)
		y := e.Op("Gather", onnxio.Attrs{"axis": int64(len(x.Shape) - 1)}, x, e.Reshape(at, count))
		if len(x.Shape) == 1 {
			y = e.Reshape(y, 1, count)
		}
		return one(y)
	}),
	ofLearners("LinearRegressor", op.Attributes{"coefficients": op.AnyValue, "intercepts": op.AnyValue, "targets": op.AnyValue,
		"post_transform": op.OneOf("NONE")},
		func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
			return one(linearScores(e, n, n.Attrs.Int("targets", 1)))
		}),
	ofLearners("LinearClassifier", op.Attributes{"coefficients": op.AnyValue, "intercepts": op.AnyValue, "classlabels_ints": op.AnyValue,
		"classlabels_strings": op.AnyValue,
		"multi_class":         op.NoEffect /* of how it was trained */, "post_transform": op.OneOf("NONE", "SOFTMAX", "LOGISTIC")}, linearClassifierParts),
	{Name: "LabelEncoder", Domain: learners, Since: 2, Attrs: op.Attributes{"keys_floats": op.AnyValue, "keys_int64s": op.AnyValue,
		"keys_strings": op.AnyValue, "keys_tensor": op.AnyValue,
		"values_floats": op.AnyValue, "values_int64s": op.AnyValue, "values_strings": op.AnyValue, "values_tensor": op.AnyValue,
		"default_float": op.AnyValue, "default_int64": op.AnyValue, "default_string": op.AnyValue, "default_tensor": op.AnyValue},
		Shape: labelShape, Eval: labelEval},
	ofLearners("Imputer", op.Attributes{"imputed_value_floats": op.AnyValue, "replaced_value_float": op.AnyValue}, imputerParts),
	ofLearners("OneHotEncoder", op.Attributes{"cats_int64s": op.AnyValue, "zeros": op.Boolean}, oneHotParts),
	svmRegressor, svmClassifier, treeEnsembleOp, treeRegressorOp, treeClassifierOp,
}

// realsOf is a list of floats.
func realsOf(n *onnxio.Node, name string) []float64 {
	v, _ := n.Attrs[name].([]float32)
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

func normalizerParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := castTo(e, n.Input(0), onnxio.Float)
	if e.Err != nil || len(x.Shape) == 0 {
		return refuseParts(e, n, "it has no input")
	}
	last := len(x.Shape) - 1
	var norm *onnxio.Value
	switch n.Attrs.String("norm", "MAX") {
	case "L1":
		norm = normOver(e, x, 1, last)
	case "L2":
		norm = normOver(e, x, 2, last)
	default:
		norm = e.ReduceMax(x, last)
	}
	isZero := e.Op("Equal", nil, norm, e.Scalar(norm, 0))
	if e.Opset < 11 {
		e.Need(11, "Equal on real numbers")
	}
	return one(e.Div(x, e.Where(isZero, e.Scalar(norm, 1), norm)))
}

// imputerParts puts numbers in the place of one number, of what is infinite, or of what is none.
func imputerParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	v, was := realsOf(n, "imputed_value_floats"), float64(n.Attrs.Float("replaced_value_float", 0))
	if x == nil || !x.DType.IsFloat() || len(x.Shape) == 0 || len(v) != 1 && len(v) != x.Shape[len(x.Shape)-1] {
		return refuseParts(e, n, "anything but a number for each feature of float")
	}
	var missing *onnxio.Value
	switch {
	case math.IsNaN(was):
		missing = e.Op("IsNaN", nil, x)
	default:
		e.Need(11, "Equal on real numbers")
		missing = e.Op("Equal", nil, x, e.Scalar(x, was))
	}
	return one(e.Where(missing, e.Reals(x, v, len(v)), x))
}

// oneHotParts is 1 where a number is the category, and 0 elsewhere, along a new last axis.
func oneHotParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x, cats := n.Input(0), n.Attrs.Ints("cats_int64s")
	if x == nil || len(cats) == 0 || n.Attrs.Int("zeros", 1) == 0 || x.DType == onnxio.String {
		return refuseParts(e, n, "anything but whole numbers, of which none is an error")
	}
	shape := append(slices.Clone(x.Shape), 1)
	whole := e.Reshape(castTo(e, x, onnxio.Int64), shape...)
	is := e.Op("Equal", nil, whole, e.Const(onnxio.FromInt64(op.Ints64(cats), len(cats))))
	return one(castTo(e, is, onnxio.Float))
}

// samplesOf is a learner's input as real numbers, a row for each sample; one sample may stand there without its axis.
func samplesOf(e *op.Emitter, n *onnxio.Node) *onnxio.Value {
	x := castTo(e, n.Input(0), onnxio.Float)
	if e.Err == nil && len(x.Shape) == 1 {
		x = e.Reshape(x, 1, x.Shape[0])
	}
	return x
}

// columnsOf are the columns of a matrix as rows.
func columnsOf(a []float64, columns int) []float64 {
	out, rows := make([]float64, len(a)), len(a)/columns
	for i, x := range a {
		out[i%columns*rows+i/columns] = x
	}
	return out
}

// linearScores is x times the coefficients, a row for each of so many targets, plus the intercepts.
func linearScores(e *op.Emitter, n *onnxio.Node, targets int) *onnxio.Value {
	x := samplesOf(e, n)
	if e.Err != nil {
		return x
	}
	w, b := realsOf(n, "coefficients"), realsOf(n, "intercepts")
	// Targets are counted against what is there before anything is as long as they say: no features times any number of targets is no coefficient.
	if len(x.Shape) != 2 || targets < 1 || targets > len(w) || len(w) != targets*x.Shape[1] || len(b) != 0 && len(b) != targets {
		e.Fail(fmt.Errorf("%d coefficients and %d intercepts for %d targets of an input of shape %v", len(w), len(b), targets, x.Shape))
		return x
	}
	y := e.Op("MatMul", nil, x, e.Reals(x, columnsOf(w, x.Shape[1]), x.Shape[1], targets))
	if len(b) > 0 {
		y = e.Add(y, e.Reals(x, b, targets))
	}
	return y
}

func linearClassifierParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	ints := n.Attrs.Ints("classlabels_ints")
	words, _ := n.Attrs["classlabels_strings"].([]string)
	classes := max(len(ints), len(words))
	if b := realsOf(n, "intercepts"); classes < 2 || len(b) > 0 && len(b) != classes {
		return refuseParts(e, n, "one score for two classes")
	}
	z := linearScores(e, n, classes)
	var y *onnxio.Value
	if wants(n, 0) {
		best := e.Op("ArgMax", onnxio.Attrs{"axis": int64(1), "keepdims": int64(0)}, z)
		labels := &onnxio.Tensor{DType: onnxio.String, Shape: []int{classes}, Data: words}
		if len(ints) > 0 {
			labels = onnxio.FromInt64(op.Ints64(ints), classes)
		}
		y = e.Op("Gather", nil, e.Const(labels), best)
	}
	switch n.Attrs.String("post_transform", "NONE") {
	case "SOFTMAX":
		z = softmaxLast(e, z)
	case "LOGISTIC":
		z = e.Op("Sigmoid", nil, z)
	}
	return []*onnxio.Value{y, z}
}

// labels are the keys, as texts that tell them apart, and the values of a LabelEncoder.
func labelsOf(n *onnxio.Node) (keys []string, values *onnxio.Tensor, err error) {
	list := func(tensor, floats, ints, texts string) *onnxio.Tensor {
		if t := n.Attrs.Tensor(tensor); t != nil {
			return t
		}
		if v, ok := n.Attrs[floats].([]float32); ok {
			return onnxio.FromFloat32(v, len(v))
		}
		if v, ok := n.Attrs[ints].([]int64); ok {
			return onnxio.FromInt64(v, len(v))
		}
		if v, ok := n.Attrs[texts].([]string); ok {
			return &onnxio.Tensor{DType: onnxio.String, Shape: []int{len(v)}, Data: v}
		}
		return nil
	}
	k := list("keys_tensor", "keys_floats", "keys_int64s", "keys_strings")
	v := list("values_tensor", "values_floats", "values_int64s", "values_strings")
	if k == nil || v == nil || k.Len() != v.Len() {
		return nil, nil, fmt.Errorf("keys or values are missing, or are not as many")
	}
	keys, err = texts(k)
	return keys, v, err
}

// texts are the elements in words that differ where they do.
func texts(t *onnxio.Tensor) ([]string, error) {
	if s, ok := t.Data.([]string); ok {
		return s, nil
	}
	if !t.DType.IsFloat() {
		v, err := t.Int64s()
		out := make([]string, len(v))
		for i, x := range v {
			out[i] = fmt.Sprint(x)
		}
		return out, err
	}
	v, err := t.Float64s()
	out := make([]string, len(v))
	for i, x := range v {
		out[i] = fmt.Sprint(x + 0) // one zero, one NaN
		if x == 0 {
			out[i] = "0"
		}
	}
	return out, err
}

func labelShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	_, v, err := labelsOf(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: v.DType, Shape: x}}, nil
}

func labelEval(c *op.Call) error {
	keys, values, err := labelsOf(c.Node)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, k := range keys {
		at[k] = i // the last of several
	}
	x, err := texts(c.In[0])
	if err != nil {
		return err
	}
	n := c.Node
	for i, k := range x {
		j, found := at[k]
		if s, ok := c.Out[0].Data.([]string); ok {
			if s[i] = n.Attrs.String("default_string", "_Unused"); found {
				s[i] = values.Data.([]string)[j]
			} else if d := n.Attrs.Tensor("default_tensor"); d != nil && d.DType == onnxio.String && d.Len() == 1 {
				s[i] = d.Data.([]string)[0]
			}
			continue
		}
		var v float64
		switch d := n.Attrs.Tensor("default_tensor"); {
		case found:
			v = numberAt(values, j)
		case d != nil && d.Len() == 1:
			v = numberAt(d, 0)
		case values.DType.IsFloat():
			v = float64(n.Attrs.Float("default_float", float32(math.Copysign(0, -1))))
		default:
			v = float64(n.Attrs.Int("default_int64", -1))
		}
		if err := setNumber(c.Out[0], i, v); err != nil {
			return err
		}
	}
	return nil
}
