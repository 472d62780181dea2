package student

import "github.com/shallow-waters/shoal/student/tape"

// Targets is a step's data as nodes of a graph.
type Targets struct {
	X       *tape.Node // images [N,H,W,C]
	Labels  *tape.Node // one-hot [N,K]; the teacher's class where a sample has no label; nil where outputs are numbers
	Teacher *tape.Node // the teacher's logits [N,K], unnormalised; nil if nobody computed them
	Numbers *tape.Node // what the data says that outputs should be [N,K], where these are numbers; nil where it does not
}

// Loss writes the scalar that training makes small into the network's graph. It may compute with the network as it likes: Forward, or the
// stages one by one. Numbers that change from step to step are knobs (Builder.Knob).
type Loss func(n *Network, t Targets) *tape.Node

// CrossEntropy is -sum q log softmax(z), the mean over the batch: z and q are [N,K], q without a gradient.
func CrossEntropy(b *tape.Builder, z, q *tape.Node) *tape.Node {
	return b.Scale(-1/float64(z.Shape()[0]), b.Sum(b.Mul(q, b.LogSoftmax(z))))
}

// loss gives the technique's loss of the student's logits.
func (c Config) loss() Loss {
	return func(n *Network, t Targets) *tape.Node { return c.LossOf(n.B, n.Forward(t.X), t) }
}

// LossOf is the technique's loss of given logits z [N,K]: for losses that change only how the logits come about.
func (c Config) LossOf(b *tape.Builder, z *tape.Node, t Targets) *tape.Node {
	c = c.withDefaults()
	switch {
	case c.Numbers && c.Technique == Labels:
		return squared(b, z, t.Numbers)
	case c.Numbers:
		return squared(b, z, t.Teacher)
	}
	switch c.Technique {
	case Labels:
		return CrossEntropy(b, z, smoothed(b, t.Labels, c.LabelSmoothing))
	case Logits: // Ba and Caruana 2014, equation 1, with the mean in place of half the sum
		return squared(b, z, t.Teacher)
	case Temperature: // Hinton et al. 2015 with the student at T = 1
		return CrossEntropy(b, z, softened(b, t.Teacher, c.Temperature))
	case Hinton: // Hinton et al. 2015, section 2
		soft := CrossEntropy(b, b.Scale(1/c.Temperature, z), softened(b, t.Teacher, c.Temperature))
		return b.Add(b.Scale(*c.Alpha*c.Temperature*c.Temperature, soft), b.Scale(1-*c.Alpha, CrossEntropy(b, z, t.Labels)))
	case DKD:
		return b.Add(CrossEntropy(b, z, t.Labels), decoupled(b, z, t, *c.Alpha, *c.Beta, c.Temperature))
	}
	panic("student: no technique " + string(c.Technique))
}

// squared is the mean of (z-y)², over batch and outputs.
func squared(b *tape.Builder, z, y *tape.Node) *tape.Node {
	d := b.Sub(z, y)
	return b.Mean(b.Mul(d, d))
}

// smoothed gives a share of each label to all classes in equal parts.
func smoothed(b *tape.Builder, labels *tape.Node, share float64) *tape.Node {
	if share == 0 {
		return labels
	}
	return b.Shift(share/float64(labels.Shape()[1]), b.Scale(1-share, labels))
}

// softened is softmax(z/T).
func softened(b *tape.Builder, z *tape.Node, temperature float64) *tape.Node {
	return b.Softmax(b.Scale(1/temperature, z))
}

// farBelow takes a class out of a softmax: e^-1000 is 0 in float32 and in float64.
const farBelow = 1000

// decoupled is T²(alpha TCKD + beta NCKD): the divergence between target and rest, and the one among the rest. Zhao et al. 2022, "Decoupled
// Knowledge Distillation", equation 7.
func decoupled(b *tape.Builder, z *tape.Node, t Targets, alpha, beta, temperature float64) *tape.Node {
	shape := z.Shape()
	k := float64(shape[1])
	others := b.Shift(1, b.Scale(-1, t.Labels))
	// split gives log p of the target [N], log (1-p) [N], and the log-probabilities among the others [N,K]
	split := func(z *tape.Node) (target, rest, among *tape.Node) {
		z = b.Scale(1/temperature, z)
		all := b.LogSoftmax(z)
		among = b.LogSoftmax(b.Sub(z, b.Scale(farBelow, t.Labels)))
		// all - among is log (1-p) at every class but the target
		rest = b.Scale(1/(k-1), b.SumColumns(b.Mul(others, b.Sub(all, among))))
		return b.SumColumns(b.Mul(t.Labels, all)), rest, among
	}
	st, sr, sa := split(z)
	tt, tr, ta := split(t.Teacher)
	tckd := b.Sum(b.Add(b.Mul(b.Exp(tt), b.Sub(tt, st)), b.Mul(b.Exp(tr), b.Sub(tr, sr))))
	nckd := b.Sum(b.Mul(b.Mul(others, b.Exp(ta)), b.Sub(ta, sa)))
	scale := temperature * temperature / float64(shape[0])
	return b.Add(b.Scale(scale*alpha, tckd), b.Scale(scale*beta, nckd))
}
