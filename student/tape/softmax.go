package tape

import (
	"math"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// LogSoftmax is z - log sum exp z over the last dimension of z [N,K].
func (b *Builder) LogSoftmax(z *Node) *Node {
	_, k := matrix(z, false)
	o := (&operator{name: "logsoftmax", out: z.Shape()}).both(logSoftmaxRun[float32](b.Pool, k), logSoftmaxRun[float64](b.Pool, k))
	o.diff = func(_ []*Node, y, g *Node) []*Node {
		return one(b.Sub(g, b.Mul(b.Exp(y), b.Columns(b.SumColumns(g), k))))
	}
	return b.apply(o, z)
}

func logSoftmaxRun[T Float](p *Pool, k int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(len(out)/k, max(1, ElementsEach/8/k), func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				LogProbabilities(out[i*k:(i+1)*k], in[0][i*k:(i+1)*k])
			}
		})
	}
}

// LogProbabilities writes y = z - log sum exp z for one row of numbers, as LogSoftmax does: in float64, from the greatest down.
func LogProbabilities[T Float](y, z []T) {
	top := math.Inf(-1)
	for _, v := range z {
		top = math.Max(top, float64(v)) // NaN wins
	}
	s := 0.0
	for _, v := range z {
		s += math.Exp(float64(v) - top)
	}
	l := top + math.Log(s)
	for i, v := range z {
		y[i] = T(float64(v) - l)
	}
}

// Softmax is exp(z) / sum exp(z) over the last dimension of z [N,K].
func (b *Builder) Softmax(z *Node) *Node { return b.Exp(b.LogSoftmax(z)) }

// Exp is e^x.
func (b *Builder) Exp(x *Node) *Node {
	return b.unary("exp", x, expRun[float32], expRun[float64], func(_, y, g *Node) *Node { return b.Mul(y, g) })
}

func expRun[T Float](y, x []T) {
	for i, v := range x {
		y[i] = T(math.Exp(float64(v)))
	}
}

// Log is the natural logarithm.
func (b *Builder) Log(x *Node) *Node {
	return b.unary("log", x, logRun[float32], logRun[float64], func(x, _, g *Node) *Node { return b.Div(g, x) })
}

func logRun[T Float](y, x []T) {
	for i, v := range x {
		y[i] = T(math.Log(float64(v)))
	}
}
