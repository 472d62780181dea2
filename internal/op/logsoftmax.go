// logsoftmax.go — LogSoftmax, opset 1, 11, 13: y = x - log sum exp(x), with Softmax's axes.

package op

func init() {
	Register(Def{Name: "LogSoftmax", Since: 1, Shape: softmaxShape, Eval: softmaxEval, Gradient: softmaxGradient(true)})
}
