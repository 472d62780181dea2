// svm.go — SVMClassifier and SVMRegressor, opset 1: of ai.onnx.ml, sums of kernels between the input and support vectors. Written in parts.
// Source: Chang and Lin 2011, "LIBSVM".

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var machine = op.Attributes{"coefficients": op.AnyValue, "kernel_params": op.AnyValue, "kernel_type": op.OneOf("LINEAR", "POLY", "RBF", "SIGMOID"),
	"post_transform": op.OneOf("NONE"), "rho": op.AnyValue, "support_vectors": op.AnyValue}

var (
	svmRegressor = ofLearners("SVMRegressor", machine.With(op.Attributes{"n_supports": op.AnyValue, "one_class": op.Boolean}), svmRegressorParts)
	// strings stand for classes in labels alone, which nothing reads where scores are asked for
	svmClassifier = ofLearners("SVMClassifier", machine.With(op.Attributes{"classlabels_ints": op.AnyValue, "classlabels_strings": op.AnyValue,
		"prob_a": op.AnyValue, "prob_b": op.AnyValue, "vectors_per_class": op.AnyValue}), svmClassifierParts)
)

// kernels are those of every sample and support vector, [samples, vectors].
func kernels(e *op.Emitter, n *onnxio.Node, vectors int) *onnxio.Value {
	x := samplesOf(e, n)
	if e.Err != nil {
		return nil
	}
	v, k := realsOf(n, "support_vectors"), realsOf(n, "kernel_params")
	if len(x.Shape) != 2 || vectors < 1 || vectors > len(v) || len(v) != vectors*x.Shape[1] {
		e.Fail(fmt.Errorf("%d numbers of %d support vectors for an input of shape %v", len(v), vectors, x.Shape))
		return nil
	}
	for len(k) < 3 {
		k = append(k, 0)
	}
	gamma, zero, degree := k[0], k[1], k[2]
	samples, features := x.Shape[0], x.Shape[1]
	kind := n.Attrs.String("kernel_type", "LINEAR")
	if kind == "RBF" {
		if !e.Fits("support vectors", float64(samples)*float64(len(v))) {
			return nil
		}
		d := e.Sub(e.Reshape(x, samples, 1, features), e.Reals(x, v, 1, vectors, features))
		far := e.Reshape(e.ReduceSum(e.Mul(d, d), 2), samples, vectors)
		return e.Op("Exp", nil, e.Mul(far, e.Scalar(far, -gamma)))
	}
	y := e.Op("MatMul", nil, x, e.Reals(x, columnsOf(v, features), features, vectors))
	if kind == "LINEAR" {
		return y
	}
	y = e.Add(e.Mul(y, e.Scalar(y, gamma)), e.Scalar(y, zero))
	if kind == "SIGMOID" {
		return e.Op("Tanh", nil, y)
	}
	return e.Op("Pow", nil, y, e.Scalar(y, degree))
}

func svmRegressorParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	w, rho, vectors := realsOf(n, "coefficients"), realsOf(n, "rho"), n.Attrs.Int("n_supports", 0)
	if n.Attrs.Int("one_class", 0) != 0 || vectors < 1 || len(w) != vectors || len(rho) != 1 {
		return refuseParts(e, n, "anything but one sum over its support vectors")
	}
	k := kernels(e, n, vectors)
	if e.Err != nil {
		return nil
	}
	y := e.Op("MatMul", nil, k, e.Reals(k, w, vectors, 1))
	return one(e.Add(y, e.Scalar(y, rho[0])))
}

func svmClassifierParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	of := n.Attrs.Ints("vectors_per_class")
	ints := n.Attrs.Ints("classlabels_ints")
	words, _ := n.Attrs["classlabels_strings"].([]string)
	classes, vectors := max(len(ints), len(words)), 0
	for _, c := range of {
		if c < 0 || c > len(realsOf(n, "support_vectors")) {
			return refuseParts(e, n, fmt.Sprintf("%d vectors of a class", c))
		}
		vectors += c
	}
	w, rho := realsOf(n, "coefficients"), realsOf(n, "rho")
	pairs := classes * (classes - 1) / 2
	switch {
	case classes < 2 || classes > 64 || len(of) != classes || len(w) != (classes-1)*vectors || len(rho) != pairs:
		return refuseParts(e, n, "anything but a sum over support vectors for each pair of classes")
	case len(realsOf(n, "prob_a"))+len(realsOf(n, "prob_b")) > 0: // onnxruntime's trying ends before it has them to the last digits
		return refuseParts(e, n, "probabilities, which are found by trying")
	case classes == 2: // of the two scores that onnxruntime gives the larger is the other class'
		return refuseParts(e, n, "one score for two classes")
	}
	k := kernels(e, n, vectors)
	if e.Err != nil {
		return nil
	}
	// Row p of m has the coefficients of pair p, a class i before a class j.
	m, p, start := make([]float64, vectors*pairs), 0, make([]int, classes)
	for i := 1; i < classes; i++ {
		start[i] = start[i-1] + of[i-1]
	}
	for i := range classes {
		for j := i + 1; j < classes; j++ {
			for l := range of[i] {
				m[(start[i]+l)*pairs+p] = w[(j-1)*vectors+start[i]+l]
			}
			for l := range of[j] {
				m[(start[j]+l)*pairs+p] = w[i*vectors+start[j]+l]
			}
			p++
		}
	}
	z := e.Op("MatMul", nil, k, e.Reals(k, m, vectors, pairs))
	z = e.Add(z, e.Reals(z, rho, pairs))
	var y *onnxio.Value
	if wants(n, 0) {
		labels := &onnxio.Tensor{DType: onnxio.String, Shape: []int{classes}, Data: words}
		if len(ints) > 0 {
			labels = onnxio.FromInt64(op.Ints64(ints), classes)
		}
		y = e.Op("Gather", nil, e.Const(labels), e.Op("ArgMax", onnxio.Attrs{"axis": int64(1), "keepdims": int64(0)}, votes(e, z, classes)))
	}
	return []*onnxio.Value{y, z}
}

// votes counts for each class the pairs that it wins.
func votes(e *op.Emitter, z *onnxio.Value, classes int) *onnxio.Value {
	won := e.Mask(e.GreaterC(z, 0), z)
	pairs := classes * (classes - 1) / 2
	m, lost, p := make([]float64, pairs*classes), make([]float64, classes), 0
	for i := range classes {
		for j := i + 1; j < classes; j++ {
			m[p*classes+i], m[p*classes+j] = 1, -1
			lost[j]++
			p++
		}
	}
	y := e.Op("MatMul", nil, won, e.Reals(won, m, pairs, classes))
	return e.Add(y, e.Reals(y, lost, classes))
}
