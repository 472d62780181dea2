package verify

import (
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// each applies a function of one number.
func each(f func(x *big.Float) *big.Float) func(n *bigNode) []*bigTensor {
	return eachOf(func(_ *bigNode, x *big.Float) *big.Float { return f(x) })
}

// eachOf applies a function that reads attributes.
func eachOf(f func(n *bigNode, x *big.Float) *big.Float) func(n *bigNode) []*bigTensor {
	return func(n *bigNode) []*bigTensor {
		out := &bigTensor{n.in[0].shape, make([]*big.Float, len(n.in[0].v))}
		for i, x := range n.in[0].v {
			out.v[i] = f(n, x)
		}
		return one(out)
	}
}

func two(f func(a, b *big.Float) *big.Float) func(n *bigNode) []*bigTensor {
	return zip(func(_ *bigNode, v []*big.Float) *big.Float { return f(v[0], v[1]) })
}

func fold(f func(lane []*big.Float) *big.Float) func(n *bigNode) []*bigTensor {
	return foldAxes(func(_ *bigNode, lane []*big.Float) *big.Float { return f(lane) })
}

// reduce folds two at a time.
func reduceBig(f func(a, b *big.Float) *big.Float) func(v []*big.Float) *big.Float {
	return func(v []*big.Float) *big.Float {
		r := v[0]
		for _, x := range v[1:] {
			r = f(r, x)
		}
		return r
	}
}

func squares(v []*big.Float) *big.Float {
	s := newBig()
	for _, x := range v {
		s = bigAdd(s, bigMul(x, x))
	}
	return s
}

func magnitudes(v []*big.Float) *big.Float {
	s := newBig()
	for _, x := range v {
		s = bigAdd(s, bigAbs(x))
	}
	return s
}

// shiftedExp are the exponentials of numbers less the largest, and that.
func shiftedExp(v []*big.Float) (e []*big.Float, most *big.Float) {
	most = reduceBig(bigMax)(v)
	for _, x := range v {
		d := bigSub(x, most)
		if small(d, 29) {
			e = append(e, bigExp(d))
		} else {
			e = append(e, newBig()) // less than e^-2^28
		}
	}
	return e, most
}

func logSumExp(v []*big.Float) *big.Float {
	e, most := shiftedExp(v)
	return bigAdd(most, bigLog(bigSum(e)))
}

// elu is a(e^(x/b) - 1) below 0.
func bigElu(x, a, b *big.Float) *big.Float {
	if x.Sign() >= 0 {
		return x
	}
	q := bigQuo(x, b)
	if !small(q, 29) {
		if q.Sign() > 0 {
			panic(outOfRange{"an exponential of a huge number"})
		}
		return bigNeg(a)
	}
	return bigMul(a, bigSub(bigExp(q), bigOf(1)))
}

// alongAxis gives operators along one axis; before opset 13 those of the softmax family see all axes from theirs on as one.
func alongAxis(f func(lane []*big.Float) []*big.Float, family bool) func(n *bigNode) []*bigTensor {
	return func(n *bigNode) []*bigTensor {
		x := n.in[0]
		view, axis := x, n.axis(-1)
		if family && n.Opset < 13 {
			axis = n.axis(1)
			view = &bigTensor{[]int{onnxio.NumElements(x.shape[:axis]), onnxio.NumElements(x.shape[axis:])}, x.v}
			axis = 1
		}
		out := newBigTensor(x.shape)
		view.lanes(axis, func(base, step int, lane []*big.Float) {
			for k, v := range f(lane) {
				out.v[base+k*step] = v
			}
		})
		return one(out)
	}
}

// best is the place of the largest (or, with sign -1, least) number of a lane: the first, or the last.
func best(lane []*big.Float, sign int, last bool) int {
	b := 0
	for k, v := range lane {
		if c := sign * v.Cmp(lane[b]); c > 0 || c == 0 && last {
			b = k
		}
	}
	return b
}

func arg(sign int) func(n *bigNode) []*bigTensor {
	return func(n *bigNode) []*bigTensor {
		out := newBigTensor(n.Outputs[0].Shape)
		i := 0
		last := n.Attrs.Int("select_last_index", 0) != 0
		n.in[0].lanes(n.axis(0), func(_, _ int, lane []*big.Float) {
			out.v[i] = bigOf(float64(best(lane, sign, last)))
			i++
		})
		return one(out)
	}
}

// normalised is (x-mean)/sqrt(variance+epsilon) of groups of elements; scale and shift are by element.
func normalised(x []*big.Float, epsilon *big.Float) []*big.Float {
	mean, v := bigVariance(x)
	root := bigSqrt(bigAdd(v, epsilon))
	out := make([]*big.Float, len(x))
	for i, e := range x {
		out[i] = bigQuo(bigSub(e, mean), root)
	}
	return out
}

var bigOps map[string]func(n *bigNode) []*bigTensor

func init() {
	bigOps = map[string]func(n *bigNode) []*bigTensor{
		"Abs": each(bigAbs), "Neg": each(bigNeg), "Identity": each(func(x *big.Float) *big.Float { return x }),
		"Relu": each(func(x *big.Float) *big.Float { return bigMax(x, newBig()) }),
		"Ceil": each(func(x *big.Float) *big.Float { return bigNeg(bigFloor(bigNeg(x))) }), "Floor": each(bigFloor), "Round": each(bigRound),
		"Sign": each(func(x *big.Float) *big.Float { return bigOf(float64(x.Sign())) }),
		"Exp":  each(bigExp), "Log": each(bigLog), "Sqrt": each(bigSqrt), "Erf": each(bigErf), "Tanh": each(bigTanh), "Sigmoid": each(bigSigmoid),
		"Softplus": each(bigSoftplus), "Sinh": each(bigSinh), "Cosh": each(bigCosh), "Asinh": each(bigAsinh), "Acosh": each(bigAcosh),
		"Atanh": each(bigAtanh), "Asin": each(bigAsin), "Atan": each(bigAtan),
		"Acos":       each(func(x *big.Float) *big.Float { return bigSub(half(newBig().Set(bigPi())), bigAsin(x)) }),
		"Sin":        each(func(x *big.Float) *big.Float { s, _ := bigSinCos(x); return s }),
		"Cos":        each(func(x *big.Float) *big.Float { _, c := bigSinCos(x); return c }),
		"Tan":        each(func(x *big.Float) *big.Float { s, c := bigSinCos(x); return bigQuo(s, c) }),
		"Reciprocal": each(func(x *big.Float) *big.Float { return bigQuo(bigOf(1), x) }),
		"Softsign":   each(func(x *big.Float) *big.Float { return bigQuo(x, bigAdd(bigOf(1), bigAbs(x))) }),
		"Not":        each(func(x *big.Float) *big.Float { return truth(x.Sign() == 0) }),
		"IsNaN":      each(func(x *big.Float) *big.Float { return newBig() }), "IsInf": each(func(x *big.Float) *big.Float { return newBig() }),
		"Mish": each(func(x *big.Float) *big.Float { return bigMul(x, bigTanh(bigSoftplus(x))) }),
		"HardSwish": each(func(x *big.Float) *big.Float {
			return bigMul(x, bigMax(newBig(), bigMin(bigOf(1), bigAdd(bigQuo(x, bigOf(6)), bigOf(0.5)))))
		}),
		"HardSigmoid": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			return bigMax(newBig(), bigMin(bigOf(1), bigAdd(bigMul(n.float("alpha", 0.2), x), n.float("beta", 0.5))))
		}),
		"Elu": eachOf(func(n *bigNode, x *big.Float) *big.Float { return bigElu(x, n.float("alpha", 1), bigOf(1)) }),
		"Celu": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			return bigElu(x, n.float("alpha", 1), n.float("alpha", 1))
		}),
		"Selu": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			return bigMul(n.float("gamma", 1.05070102214813232421875), bigElu(x, n.float("alpha", 1.67326319217681884765625), bigOf(1)))
		}),
		"LeakyRelu": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			if x.Sign() < 0 {
				return bigMul(n.float("alpha", 0.01), x)
			}
			return x
		}),
		"Swish": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			return bigMul(x, bigSigmoid(bigMul(n.float("alpha", 1), x)))
		}),
		"ThresholdedRelu": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			if x.Cmp(n.float("alpha", 1)) > 0 {
				return x
			}
			return newBig()
		}),
		"Shrink": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			lambd, bias := n.float("lambd", 0.5), n.float("bias", 0)
			switch {
			case x.Cmp(bigNeg(lambd)) < 0:
				return bigAdd(x, bias)
			case x.Cmp(lambd) > 0:
				return bigSub(x, bias)
			}
			return newBig()
		}),
		"Gelu": eachOf(func(n *bigNode, x *big.Float) *big.Float {
			if n.Attrs.String("approximate", "none") == "tanh" {
				u := bigAdd(x, bigMul(bigQuo(bigOf(44715), bigOf(1000000)), bigMul(x, bigMul(x, x))))
				u = bigMul(bigSqrt(bigQuo(bigOf(2), newBig().Set(bigPi()))), u)
				return bigMul(half(x), bigAdd(bigOf(1), bigTanh(u)))
			}
			return bigMul(half(x), bigAdd(bigOf(1), bigErf(bigQuo(x, bigSqrt(bigOf(2))))))
		}),
		"Cast":     eachOf(func(n *bigNode, x *big.Float) *big.Float { return castTo(x, n.Outputs[0].DType) }),
		"CastLike": eachOf(func(n *bigNode, x *big.Float) *big.Float { return castTo(x, n.Outputs[0].DType) }),
		"Dropout":  each(func(x *big.Float) *big.Float { return x }),
		"Clip": func(n *bigNode) []*bigTensor {
			lo, hi := n.in[1].v[0], n.in[2].v[0]
			return each(func(x *big.Float) *big.Float { return bigMin(hi, bigMax(lo, x)) })(n)
		},

		"Add": two(bigAdd), "Sub": two(bigSub), "Mul": two(bigMul), "Div": two(bigQuo), "Pow": two(bigPow),
		"Mod": two(func(a, b *big.Float) *big.Float { // fmod
			q := bigQuo(a, b)
			whole := bigFloor(bigAbs(q))
			if q.Sign() < 0 {
				whole.Neg(whole)
			}
			return bigSub(a, bigMul(whole, b))
		}),
		"Greater":        two(func(a, b *big.Float) *big.Float { return truth(a.Cmp(b) > 0) }),
		"Less":           two(func(a, b *big.Float) *big.Float { return truth(a.Cmp(b) < 0) }),
		"Equal":          two(func(a, b *big.Float) *big.Float { return truth(a.Cmp(b) == 0) }),
		"GreaterOrEqual": two(func(a, b *big.Float) *big.Float { return truth(a.Cmp(b) >= 0) }),
		"LessOrEqual":    two(func(a, b *big.Float) *big.Float { return truth(a.Cmp(b) <= 0) }),
		"And":            two(func(a, b *big.Float) *big.Float { return truth(a.Sign() != 0 && b.Sign() != 0) }),
		"Or":             two(func(a, b *big.Float) *big.Float { return truth(a.Sign() != 0 || b.Sign() != 0) }),
		"Xor":            two(func(a, b *big.Float) *big.Float { return truth((a.Sign() != 0) != (b.Sign() != 0)) }),
		"PRelu": two(func(a, b *big.Float) *big.Float {
			if a.Sign() < 0 {
				return bigMul(a, b)
			}
			return a
		}),
		"Where": zip(func(_ *bigNode, v []*big.Float) *big.Float {
			if v[0].Sign() != 0 {
				return v[1]
			}
			return v[2]
		}),
		"Max":  zip(func(_ *bigNode, v []*big.Float) *big.Float { return reduceBig(bigMax)(v) }),
		"Min":  zip(func(_ *bigNode, v []*big.Float) *big.Float { return reduceBig(bigMin)(v) }),
		"Sum":  zip(func(_ *bigNode, v []*big.Float) *big.Float { return bigSum(v) }),
		"Mean": zip(func(_ *bigNode, v []*big.Float) *big.Float { return bigMean(v) }),

		"ReduceMax": fold(reduceBig(bigMax)), "ReduceMin": fold(reduceBig(bigMin)), "ReduceProd": fold(reduceBig(bigMul)),
		"ReduceSum": fold(bigSum), "ReduceMean": fold(bigMean), "ReduceSumSquare": fold(squares), "ReduceL1": fold(magnitudes),
		"ReduceL2":        fold(func(v []*big.Float) *big.Float { return bigSqrt(squares(v)) }),
		"ReduceLogSum":    fold(func(v []*big.Float) *big.Float { return bigLog(bigSum(v)) }),
		"ReduceLogSumExp": fold(logSumExp),

		"Softmax": alongAxis(func(lane []*big.Float) []*big.Float {
			e, _ := shiftedExp(lane)
			sum := bigSum(e)
			for k := range e {
				e[k] = bigQuo(e[k], sum)
			}
			return e
		}, true),
		"LogSoftmax": alongAxis(func(lane []*big.Float) []*big.Float {
			l := logSumExp(lane)
			out := make([]*big.Float, len(lane))
			for k, x := range lane {
				out[k] = bigSub(x, l)
			}
			return out
		}, true),
		"Hardmax": alongAxis(func(lane []*big.Float) []*big.Float {
			out := make([]*big.Float, len(lane))
			for k := range out {
				out[k] = truth(k == best(lane, 1, false))
			}
			return out
		}, true),
		"ArgMax": arg(1), "ArgMin": arg(-1),
		"CumSum": func(n *bigNode) []*bigTensor {
			axis := n.intsOf(1)[0]
			if axis < 0 {
				axis += len(n.in[0].shape)
			}
			exclusive, reverse := n.Attrs.Int("exclusive", 0) != 0, n.Attrs.Int("reverse", 0) != 0
			out := newBigTensor(n.in[0].shape)
			n.in[0].lanes(axis, func(base, step int, lane []*big.Float) {
				sum := newBig()
				for j := range lane {
					k := j
					if reverse {
						k = len(lane) - 1 - j
					}
					if exclusive {
						out.v[base+k*step] = sum
					}
					sum = bigAdd(sum, lane[k])
					if !exclusive {
						out.v[base+k*step] = sum
					}
				}
			})
			return one(out)
		},
		"TopK": func(n *bigNode) []*bigTensor {
			x, axis, k := n.in[0], n.axis(-1), n.intsOf(1)[0]
			sign := 1
			if n.Attrs.Int("largest", 1) == 0 {
				sign = -1
			}
			values, places := newBigTensor(n.Outputs[0].Shape), newBigTensor(n.Outputs[0].Shape)
			x.lanes(axis, func(base, step int, lane []*big.Float) {
				order := make([]int, len(lane))
				for i := range order {
					order[i] = i
				}
				slices.SortStableFunc(order, func(a, b int) int { return -sign * lane[a].Cmp(lane[b]) })
				outer, inner := base/(step*len(lane)), base%step
				for j := range k {
					i := (outer*k+j)*step + inner
					values.v[i], places.v[i] = lane[order[j]], bigOf(float64(order[j]))
				}
			})
			return []*bigTensor{values, places}
		},
		"OneHot": func(n *bigNode) []*bigTensor {
			out := newBigTensor(n.Outputs[0].Shape)
			depth := n.intsOf(1)[0]
			for i, k := range n.intsOf(0) {
				for d := range depth {
					out.v[i*depth+d] = n.in[2].v[0]
					if d == (k+depth)%depth {
						out.v[i*depth+d] = n.in[2].v[1]
					}
				}
			}
			return one(out)
		},
		"EyeLike": func(n *bigNode) []*bigTensor {
			out := newBigTensor(n.in[0].shape)
			for i := range min(out.shape[0], out.shape[1]) {
				out.v[i*out.shape[1]+i] = bigOf(1)
			}
			return one(out)
		},

		"BatchNormalization": func(n *bigNode) []*bigTensor {
			x := n.in[0]
			out := newBigTensor(x.shape)
			eps := n.float("epsilon", 1e-5)
			area := onnxio.NumElements(x.shape[2:])
			for i, v := range x.v {
				c := i / area % x.shape[1]
				k := bigQuo(n.in[1].v[c], bigSqrt(bigAdd(n.in[4].v[c], eps)))
				out.v[i] = bigAdd(bigMul(bigSub(v, n.in[3].v[c]), k), n.in[2].v[c])
			}
			return one(out)
		},
		"LayerNormalization": func(n *bigNode) []*bigTensor {
			x := n.in[0]
			out := newBigTensor(x.shape)
			size := onnxio.NumElements(x.shape[n.axis(-1):])
			for at := 0; at < len(x.v); at += size {
				for k, v := range normalised(x.v[at:at+size], n.float("epsilon", 1e-5)) {
					v = bigMul(v, n.in[1].v[k%len(n.in[1].v)])
					if len(n.in) > 2 && n.in[2] != nil {
						v = bigAdd(v, n.in[2].v[k%len(n.in[2].v)])
					}
					out.v[at+k] = v
				}
			}
			return one(out)
		},
		"InstanceNormalization": func(n *bigNode) []*bigTensor { return groupNorm(n, n.in[0].shape[1]) },
		"GroupNormalization":    func(n *bigNode) []*bigTensor { return groupNorm(n, n.Attrs.Int("num_groups", 1)) },
		"MeanVarianceNormalization": func(n *bigNode) []*bigTensor {
			x := n.in[0]
			gone := make([]bool, len(x.shape))
			for _, a := range n.list("axes", 0, 2, 3) {
				gone[a] = true
			}
			groups := map[int][]int{}
			eachIndex(x.shape, func(i int, at []int) {
				key := 0
				for d, k := range at {
					key *= x.shape[d]
					if !gone[d] {
						key += k
					}
				}
				groups[key] = append(groups[key], i)
			})
			out := newBigTensor(x.shape)
			for _, g := range groups {
				var v []*big.Float
				for _, i := range g {
					v = append(v, x.v[i])
				}
				mean, variance := bigVariance(v)
				d := bigAdd(bigSqrt(variance), bigOf(float64(float32(1e-9))))
				for _, i := range g {
					out.v[i] = bigQuo(bigSub(x.v[i], mean), d)
				}
			}
			return one(out)
		},
		"LRN": func(n *bigNode) []*bigTensor {
			x := n.in[0]
			size := n.Attrs.Int("size", 1)
			out := newBigTensor(x.shape)
			area := onnxio.NumElements(x.shape[2:])
			for i, v := range x.v {
				c, first := i/area%x.shape[1], i-i/area%x.shape[1]*area
				sum := newBig()
				for k := max(0, c-(size-1)/2); k <= min(x.shape[1]-1, c+size/2); k++ {
					sum = bigAdd(sum, bigMul(x.v[first+k*area], x.v[first+k*area]))
				}
				base := bigAdd(n.float("bias", 1), bigMul(bigQuo(n.float("alpha", 1e-4), bigOf(float64(size))), sum))
				out.v[i] = bigQuo(v, bigPow(base, n.float("beta", 0.75)))
			}
			return one(out)
		},
	}
	for name, f := range bigMoves() {
		bigOps[name] = f
	}
	for name, f := range bigSums() {
		bigOps[name] = f
	}
}

// groupNorm normalises groups of channels; scale and shift are by channel, or by group.
func groupNorm(n *bigNode, groups int) []*bigTensor {
	x := n.in[0]
	out := newBigTensor(x.shape)
	channels, area := x.shape[1], onnxio.NumElements(x.shape[2:])
	size := channels / groups * area
	for at := 0; at < len(x.v); at += size {
		for k, v := range normalised(x.v[at:at+size], n.float("epsilon", 1e-5)) {
			c := (at + k) / area % channels
			if len(n.in[1].v) == groups {
				c = c / (channels / groups)
			}
			out.v[at+k] = bigAdd(bigMul(v, n.in[1].v[c]), n.in[2].v[c])
		}
	}
	return one(out)
}
