package student

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/shallow-waters/shoal/student/tape"
)

// Weights are a student's numbers: every parameter a slice of one flat array, in the trainer's order.
type Weights struct {
	Flat   []float32
	stages []Stage
	at     map[string]int
}

// newWeights allocates zeros.
func newWeights(stages []Stage) *Weights {
	w := &Weights{stages: stages, at: map[string]int{}}
	n := 0
	for _, s := range stages {
		for _, p := range s.Params {
			w.at[p.Name] = n
			n += p.len()
		}
	}
	w.Flat = make([]float32, n)
	return w
}

// of is one parameter's part.
func (w *Weights) of(p Param) []float32 { return w.Flat[w.at[p.Name]:][:p.len()] }

// ONNX returns a parameter's numbers in the order and shape of files.
func (w *Weights) ONNX(p Param) ([]float32, []int) {
	out := make([]float32, p.len())
	p.toONNX(out, w.of(p), false)
	return out, p.onnxShape()
}

// initialise fills the weights: from the architecture's own where it has some, else at random. Convolutions and dense layers are uniform in
// +-1/sqrt(fan in), weights and biases, as PyTorch does (Kaiming's rule with a = sqrt 5); with he, normal with variance 2/fan in and biases 0.
func (w *Weights) initialise(a *Architecture, seed uint64, he bool) error {
	for i, s := range w.stages {
		for j, p := range s.Params {
			to := w.of(p)
			if from, ok := a.start[p.Name]; ok {
				if len(from) != len(to) {
					return fmt.Errorf("%s: %d numbers for the shape %v", p.Name, len(from), p.onnxShape())
				}
				p.toONNX(to, from, true)
				continue
			}
			rng := stream(seed, purposeInit, i, j)
			switch {
			case p.FanIn == 0:
				for k := range to {
					to[k] = p.fill
				}
			case he:
				if j == 0 {
					for k := range to {
						to[k] = float32(rng.NormFloat64() * math.Sqrt(2/float64(p.FanIn)))
					}
				}
			default:
				bound := 1 / math.Sqrt(float64(p.FanIn))
				for k := range to {
					to[k] = float32((2*rng.Float64() - 1) * bound)
				}
			}
		}
	}
	return nil
}

// What random numbers are for; values are part of what a seed means.
const (
	purposeInit = iota + 1
	purposeOrder
	purposeAugment
	purposeSplit
	purposeAttack
)

// stream gives random numbers for a purpose, an epoch and a step.
func stream(seed uint64, purpose, epoch, step int) *rand.Rand {
	return rand.New(rand.NewPCG(tape.Mix(seed+0x9e3779b97f4a7c15)^tape.Mix(uint64(purpose)), tape.Mix(uint64(epoch)<<32+uint64(step))))
}

// Network is a student within a graph: its parameters as nodes, and the ways to compute with them.
type Network struct {
	B      *tape.Builder
	Stages []Stage
	// Params are the parameters' nodes by name, in the trainer's layout (convolutions [out,kh,kw,in]); each reads and writes Weights.
	Params map[string]*tape.Node
	// Trained are those that training changes, in order.
	Trained []*tape.Node

	noise   *tape.Noise              // dropout's
	moments map[string]*tape.Moments // by the stages' names, what batch normalisation saw in the last run
	weights *Weights
	params  []Param // of Trained
}

// newNetwork puts the parameters into a graph of float32.
func newNetwork(b *tape.Builder, w *Weights) *Network {
	n := &Network{B: b, Stages: w.stages, Params: map[string]*tape.Node{}, noise: &tape.Noise{}, moments: map[string]*tape.Moments{}, weights: w}
	for _, s := range w.stages {
		for _, p := range s.Params {
			node := b.InputOf(p.Name, w.of(p), p.Shape...)
			n.Params[p.Name] = node
			if p.Trained {
				n.Trained, n.params = append(n.Trained, node), append(n.params, p)
			}
		}
	}
	return n
}

// weight and bias are a stage's parameters.
func (n *Network) weight(s Stage) *tape.Node { return n.Params[s.Name+".weight"] }
func (n *Network) bias(s Stage) *tape.Node   { return n.Params[s.Name+".bias"] }

// Forward computes the logits [N,K] of images x [N,H,W,C], as training sees them: with dropout, and with the batch's own moments.
func (n *Network) Forward(x *tape.Node) *tape.Node {
	for i := 0; i < len(n.Stages); i++ {
		s := n.Stages[i]
		if f := s.faces(); f.withRelu != nil && i+1 < len(n.Stages) && n.Stages[i+1].Kind == KindRelu {
			x = f.withRelu(n, s, x)
			i++
		} else {
			x = f.apply(n, s, x)
		}
	}
	return x
}

// Apply computes one stage, by itself: x is [N,...] of the stage's In, the result of its Out.
func (n *Network) Apply(s Stage, x *tape.Node) *tape.Node { return s.faces().apply(n, s, x) }

// batchNormMomentum is the weight of a new batch in the running statistics: PyTorch's.
const batchNormMomentum = 0.1

// settle carries the last run's moments into the running statistics, with the variance over n-1, as PyTorch does.
func (n *Network) settle() {
	for name, m := range n.moments {
		mean, variance := tape.Elements[float32](n.Params[name+".running_mean"]), tape.Elements[float32](n.Params[name+".running_var"])
		for j := range mean {
			v := m.Var[j] * float64(m.N) / math.Max(1, float64(m.N-1))
			mean[j] = float32((1-batchNormMomentum)*float64(mean[j]) + batchNormMomentum*m.Mean[j])
			variance[j] = float32((1-batchNormMomentum)*float64(variance[j]) + batchNormMomentum*v)
		}
	}
}
