package student

import (
	"math"

	"github.com/shallow-waters/shoal/student/tape"
)

// SGD is the optimiser that Config.Optimizer names beside Adam: with momentum, and weight decay as a part of the gradient, as PyTorch has both:
//
//	g = g + decay w,  m = g in the first step, then momentum m + g,  w = w - rate m
const SGD = "sgd"

// sgd makes one step with the moments' first array as the momentum.
func (a *adam) sgd(p *tape.Pool, params, grads [][]float32) {
	rate, decay, momentum := float32(a.rate), float32(a.decay), float32(a.momentum)
	if a.step == 1 {
		momentum = 0
	}
	at := 0
	for i, w := range params {
		m, g := a.m[at:at+len(w)], grads[i]
		at += len(w)
		p.Each(len(w), tape.ElementsEach/2, func(_, from, to int) {
			for k := from; k < to; k++ {
				m[k] = momentum*m[k] + (g[k] + decay*w[k])
				w[k] -= rate * m[k]
			}
		})
	}
}

// clipRounding keeps the division of clipNorm from one by 0, as PyTorch's clip_grad_norm_ does.
const clipRounding = 1e-6

// clipNorm makes gradients shorter so that all of them together are no longer than most. Source: Pascanu et al. 2013, algorithm 1.
func clipNorm(grads [][]float32, most float64) {
	sum := 0.0
	for _, g := range grads {
		for _, v := range g {
			sum += float64(v) * float64(v)
		}
	}
	scale := most / (math.Sqrt(sum) + clipRounding)
	if !(scale < 1) {
		return
	}
	for _, g := range grads {
		for k := range g {
			g[k] *= float32(scale)
		}
	}
}
