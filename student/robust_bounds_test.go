package student

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/student/tape"
)

const robustArch = `
input: [2, 6, 5]
layers:
  - {conv: 4, kernel: 3, stride: [2, 1], padding: [1, 0, 1, 1], relu: true}
  - {conv: 3, kernel: [2, 3], padding: 1, relu: true}
  - {avgpool: 2, stride: 1}
  - {dense: 9, relu: true}
  - {dense: 7}
  - relu
  - {dense: 4}
`

// convsArch has three convolutions, of which the last ones' neurons see windows of the images.
const convsArch = `
input: [2, 6, 5]
layers:
  - {conv: 4, kernel: 2, relu: true}
  - {conv: 3, kernel: 2, padding: [1, 0, 0, 1], relu: true}
  - {conv: 5, kernel: [2, 1], stride: [2, 1], padding: [1, 0], relu: true}
  - {dense: 6, relu: true}
  - {dense: 4}
`

// TestNeuronsBehindConvolutionsSeeWindows: where windows are smaller than images and only convolutions and relus stand below.
func TestNeuronsBehindConvolutionsSeeWindows(t *testing.T) {
	for text, want := range map[string]map[int]bool{convsArch: {3: true, 5: true, 8: false}, robustArch: {3: true}} {
		for i, w := range want {
			if net := newRig(t, text, 1).net; net.windowed(i) != w {
				t.Errorf("%s: windows before stage %d, a %s: %t", text, i, net.Stages[i].Kind, !w)
			}
		}
	}
}

// rig is a network of float64 with random weights, images and labels.
type rig struct {
	b       *tape.Builder
	net     *Network
	arch    *Architecture
	x, y    *tape.Node
	classes []int
	params  []*tape.Node
}

const rigSamples = 3

func newRig(t *testing.T, text string, seed uint64) *rig {
	t.Helper()
	a := mustParse(t, text)
	stages, err := a.stages()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	b := tape.NewBuilder[float64](tape.NewPool(2))
	r := &rig{b: b, arch: a, net: &Network{B: b, Stages: stages, Params: map[string]*tape.Node{}, noise: &tape.Noise{},
		moments: map[string]*tape.Moments{}}}
	for _, s := range stages {
		for _, p := range s.Params {
			n := b.Input(p.Name, p.Shape...)
			for i := range tape.Elements[float64](n) {
				tape.Elements[float64](n)[i] = rng.NormFloat64() * math.Sqrt(2/float64(p.FanIn))
			}
			r.net.Params[p.Name] = n
			r.params = append(r.params, n)
		}
	}
	r.x, r.y = b.Input("x", rigSamples, 6, 5, 2), b.Input("y", rigSamples, 4)
	for i := range tape.Elements[float64](r.x) {
		tape.Elements[float64](r.x)[i] = rng.Float64()
	}
	for i := range rigSamples {
		r.classes = append(r.classes, rng.IntN(4))
		tape.Elements[float64](r.y)[i*4+r.classes[i]] = 1
	}
	return r
}

// margins of a method at a radius; beta 1 is crown alone.
func (r *rig) lower(method string, eps float64, unbounded bool) *tape.Node {
	c := Config{Robust: &Robust{Method: method, Unbounded: unbounded}}
	out := c.lowerMargins(r.net, r.net.margins(r.y), r.x, partWhole)
	tape.Elements[float64](r.b.Knob(knobEps))[0] = eps
	tape.Elements[float64](r.b.Knob(knobBeta))[0] = 1
	return out
}

func (r *rig) run(t *testing.T, outs ...*tape.Node) {
	t.Helper()
	m, err := tape.NewMachine(r.b, outs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// dense is one stage as a matrix [out][in] and a vector, or a relu.
type matrixStage struct {
	w    [][]float64
	c    []float64
	relu bool
}

// matrices writes every stage out by its definition, without any of the trainer's operators.
func (r *rig) matrices() []matrixStage {
	var out []matrixStage
	for _, s := range r.net.Stages {
		in, units := 1, 1
		for _, d := range s.In {
			in *= d
		}
		for _, d := range s.Out {
			units *= d
		}
		d := matrixStage{relu: s.Kind == KindRelu}
		for range units {
			d.w, d.c = append(d.w, make([]float64, in)), append(d.c, 0)
		}
		switch s.Kind {
		case KindDense:
			w := tape.Elements[float64](r.net.weight(s))
			for o := range units {
				copy(d.w[o], w[o*in:])
				d.c[o] = tape.Elements[float64](r.net.bias(s))[o]
			}
		case KindFlatten:
			for o := range units {
				d.w[o][o] = 1
			}
		case KindConv, KindAvgPool:
			h, w, c := s.In[0], s.In[1], s.In[2]
			oh, ow, m := s.Out[0], s.Out[1], s.Out[2]
			for oy := range oh {
				for ox := range ow {
					for f := range m {
						o := (oy*ow+ox)*m + f
						if s.Kind == KindConv {
							d.c[o] = tape.Elements[float64](r.net.bias(s))[f]
						}
						for ky := range s.Window[0] {
							for kx := range s.Window[1] {
								y, x := oy*s.Stride[0]+ky-s.Pad[0], ox*s.Stride[1]+kx-s.Pad[1]
								if y < 0 || y >= h || x < 0 || x >= w {
									continue
								}
								for ch := range c {
									if s.Kind == KindConv {
										d.w[o][(y*w+x)*c+ch] = tape.Elements[float64](r.net.weight(s))[((f*s.Window[0]+ky)*s.Window[1]+kx)*c+ch]
									} else if ch == f {
										d.w[o][(y*w+x)*c+ch] = 1 / float64(s.Window[0]*s.Window[1])
									}
								}
							}
						}
					}
				}
			}
		}
		out = append(out, d)
	}
	return out
}

type interval struct{ lo, hi float64 }

func forward(net []matrixStage, x []float64) []float64 {
	for _, s := range net {
		y := make([]float64, len(s.c))
		for o := range y {
			if s.relu {
				y[o] = max(x[o], 0)
				continue
			}
			y[o] = s.c[o]
			for i, v := range x {
				y[o] += s.w[o][i] * v
			}
		}
		x = y
	}
	return x
}

// through takes a box through a stage, end by end.
func (s matrixStage) through(x []interval) []interval {
	y := make([]interval, len(s.c))
	for o := range y {
		if s.relu {
			y[o] = interval{max(x[o].lo, 0), max(x[o].hi, 0)}
			continue
		}
		y[o] = interval{s.c[o], s.c[o]}
		for i, v := range x {
			if w := s.w[o][i]; w > 0 {
				y[o].lo, y[o].hi = y[o].lo+w*v.lo, y[o].hi+w*v.hi
			} else {
				y[o].lo, y[o].hi = y[o].lo+w*v.hi, y[o].hi+w*v.lo
			}
		}
	}
	return y
}

// rowBelow bounds one row over the output of net from below over the box, going back through one line a neuron; before[i] bounds what enters
// stage i.
func rowBelow(net []matrixStage, row []float64, constant float64, box []interval, before [][]interval, adaptive bool) float64 {
	for i := len(net) - 1; i >= 0; i-- {
		s := net[i]
		if s.relu {
			next := make([]float64, len(row))
			for j, a := range row {
				l, u := before[i][j].lo, before[i][j].hi
				switch {
				case l >= 0:
					next[j] = a
				case u <= 0:
				case a < 0:
					next[j] = a * u / (u - l)
					constant -= next[j] * l
				case adaptive && u > -l:
					next[j] = a
				case !adaptive:
					next[j] = a * u / (u - l)
				}
			}
			row = next
			continue
		}
		next := make([]float64, len(s.w[0]))
		for o, a := range row {
			constant += a * s.c[o]
			for k, w := range s.w[o] {
				next[k] += a * w
			}
		}
		row = next
	}
	for k, a := range row {
		constant += min(a*box[k].lo, a*box[k].hi)
	}
	return constant
}

// reference are the margins' bounds of one sample by the textbook.
func reference(net []matrixStage, box []interval, label, classes int, method string) []float64 {
	last := net[len(net)-1]
	body := net[:len(net)-1]
	before := make([][]interval, len(body))
	x := box
	for i, s := range body {
		before[i] = x
		if method == Dual && s.relu {
			for o := range x {
				row := make([]float64, len(x))
				row[o] = 1
				x[o].lo = rowBelow(body[:i], row, 0, box, before, false)
				row[o] = -1
				x[o].hi = -rowBelow(body[:i], row, 0, box, before, false)
			}
		}
		x = s.through(x)
	}
	out := make([]float64, classes)
	for k := range classes {
		row := make([]float64, len(last.w[0]))
		for i := range row {
			row[i] = last.w[label][i] - last.w[k][i]
		}
		c := last.c[label] - last.c[k]
		if method != IBP {
			out[k] = rowBelow(body, row, c, box, before, method == CrownIBP)
			continue
		}
		for i, a := range row {
			c += min(a*x[i].lo, a*x[i].hi)
		}
		out[k] = c
	}
	return out
}

// boundTolerance is float64's rounding over a few layers of sums of less than a hundred terms of about 1.
const boundTolerance = 1e-10

// TestTrainingBoundsAreTheTextbooks compares the graphs' bounds with loops over matrices that are written out, and with points of the ball.
func TestTrainingBoundsAreTheTextbooks(t *testing.T) {
	for seed := range uint64(8) {
		for _, method := range []string{IBP, CrownIBP, Dual} {
			for _, unbounded := range []bool{false, true} {
				r := newRig(t, []string{robustArch, convsArch}[seed/4], seed)
				eps := []float64{0.01, 0.05, 0.3, 0.1}[seed%4]
				lower := r.lower(method, eps, unbounded)
				r.run(t, lower)
				net := r.matrices()
				rng := rand.New(rand.NewPCG(seed, 9))
				slack := math.Inf(1)
				for i := range rigSamples {
					x := tape.Elements[float64](r.x)[i*60 : (i+1)*60]
					box := make([]interval, len(x))
					for k, v := range x {
						box[k] = interval{v - eps, v + eps}
						if !unbounded {
							box[k] = interval{max(0, v-eps), min(1, v+eps)}
						}
					}
					want := reference(net, box, r.classes[i], 4, method)
					got := tape.Elements[float64](lower)[i*4 : i*4+4]
					for k := range got {
						if k != r.classes[i] && !(math.Abs(got[k]-want[k]) <= boundTolerance*max(1, math.Abs(want[k]))) {
							t.Fatalf("%s, seed %d, sample %d, class %d: %v, the textbook says %v", method, seed, i, k, got[k], want[k])
						}
					}
					if math.Abs(got[r.classes[i]]) > boundTolerance {
						t.Errorf("%s: the label's own margin is %v", method, got[r.classes[i]])
					}
					for try := range 200 {
						p := make([]float64, len(x))
						for k := range p {
							u := rng.Float64()
							if try%2 == 0 {
								u = math.Round(u)
							}
							p[k] = box[k].lo + u*(box[k].hi-box[k].lo)
						}
						z := forward(net, p)
						for k := range got {
							m := z[r.classes[i]] - z[k]
							if m < got[k]-boundTolerance {
								t.Fatalf("%s, seed %d: a point of the ball has margin %v below the bound %v", method, seed, m, got[k])
							}
							if k != r.classes[i] {
								slack = min(slack, m-got[k])
							}
						}
					}
				}
				if slack > 50 {
					t.Errorf("%s, seed %d: no point comes nearer to its bound than %v", method, seed, slack)
				}
			}
		}
	}
}

// TestRadiusZeroGivesTheLogits: with no room, all bounds are the margins themselves.
func TestRadiusZeroGivesTheLogits(t *testing.T) {
	for _, method := range []string{IBP, CrownIBP, Dual} {
		r := newRig(t, robustArch, 3)
		lower, z := r.lower(method, 0, false), r.net.Forward(r.x)
		r.run(t, lower, z)
		for i, got := range tape.Elements[float64](lower) {
			s := i / 4
			logits := tape.Elements[float64](z)[s*4 : s*4+4]
			if want := logits[r.classes[s]] - logits[i%4]; math.Abs(got-want) > boundTolerance {
				t.Errorf("%s: margin %d is %v, the logits say %v", method, i, got, want)
			}
		}
	}
}

// robustDifference is the step of central differences, robustGradient what kinks within it and its square may do.
const (
	robustDifference = 1e-6
	robustGradient   = 1e-5
)

// TestRobustGradientsAgainstDifferences moves weights of every layer.
func TestRobustGradientsAgainstDifferences(t *testing.T) {
	for k, method := range []string{IBP, CrownIBP, Dual, PGD, Mixture, Dual} {
		r := newRig(t, []string{robustArch, convsArch}[k/5], 5)
		half := 0.5
		cfg := Config{Robust: &Robust{Method: method, Eps: 0.05, KappaStart: &half, KappaEnd: &half}}
		if method == Mixture {
			cfg.Robust.KappaStart, cfg.Robust.KappaEnd, cfg.Robust.Temperature = nil, nil, 2
		}
		cfg = cfg.withDefaults()
		hard, teacher := r.b.Input("adversarial", rigSamples, 6, 5, 2), r.b.Input("teacher", rigSamples, 4)
		rng := rand.New(rand.NewPCG(1, 1))
		for i := range tape.Elements[float64](hard) {
			tape.Elements[float64](hard)[i] = tape.Elements[float64](r.x)[i] + 0.1*rng.Float64()
		}
		for i := range tape.Elements[float64](teacher) {
			tape.Elements[float64](teacher)[i] = rng.NormFloat64()
		}
		loss := cfg.robustLoss(hard, partWhole)(r.net, Targets{X: r.x, Labels: r.y, Teacher: teacher})
		for name, v := range map[string]float64{knobEps: 0.05, knobKappa: 0.3, knobBeta: 0.6} {
			tape.Elements[float64](r.b.Knob(name))[0] = v
		}
		r.differs(t, method, loss, rng)
	}
}

// differs holds gradients of a loss against differences.
func (r *rig) differs(t *testing.T, what string, loss *tape.Node, rng *rand.Rand) {
	t.Helper()
	grads := r.b.Gradient(loss, r.params...)
	m, err := tape.NewMachine(r.b, append(grads, loss)...)
	if err != nil {
		t.Fatal(err)
	}
	value := func() float64 {
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return tape.Elements[float64](loss)[0]
	}
	for k, p := range r.params {
		value()
		got := append([]float64{}, tape.Elements[float64](grads[k])...)
		w := tape.Elements[float64](p)
		for _, i := range rng.Perm(len(w))[:min(8, len(w))] {
			old := w[i]
			w[i] = old + robustDifference
			up := value()
			w[i] = old - robustDifference
			down := value()
			w[i] = old
			if want := (up - down) / (2 * robustDifference); !(math.Abs(want-got[i]) <= robustGradient*max(1, math.Abs(want))) {
				t.Errorf("%s, %s[%d]: gradient %v, differences say %v", what, p.Name(), i, got[i], want)
			}
		}
	}
}
