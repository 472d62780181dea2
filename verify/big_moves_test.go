package verify

import (
	"math"
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// moved builds an output whose elements are picked from the first input; from gives the place, or nil for zero.
func moved(n *bigNode, from func(at []int) []int) []*bigTensor {
	x := n.in[0]
	out := newBigTensor(n.Outputs[0].Shape)
	eachIndex(out.shape, func(i int, at []int) {
		if p := from(at); p != nil {
			out.v[i] = x.v[place(x.shape, p)]
		}
	})
	return one(out)
}

// reshaped keeps the elements.
func reshaped(n *bigNode) []*bigTensor {
	return one(&bigTensor{n.Outputs[0].Shape, n.in[0].v})
}

// index is an index counted from the front.
func index(v *big.Float, size int) int {
	f, _ := v.Float64()
	if f < 0 {
		f += float64(size)
	}
	return int(f)
}

// scattered writes updates over a copy of the first input.
func scattered(n *bigNode, put func(put func(at []int, v *big.Float))) []*bigTensor {
	out := &bigTensor{n.in[0].shape, slices.Clone(n.in[0].v)}
	put(func(at []int, v *big.Float) { out.v[place(out.shape, at)] = v })
	return one(out)
}

// bigMoves are the operators that move elements.
func bigMoves() map[string]func(n *bigNode) []*bigTensor {
	return map[string]func(n *bigNode) []*bigTensor{
		"Reshape": reshaped, "Flatten": reshaped, "Squeeze": reshaped, "Unsqueeze": reshaped,
		"Expand": func(n *bigNode) []*bigTensor {
			out := newBigTensor(n.Outputs[0].Shape)
			eachIndex(out.shape, func(i int, at []int) { out.v[i] = n.in[0].spread(at) })
			return one(out)
		},
		"Concat": func(n *bigNode) []*bigTensor {
			out, axis := newBigTensor(n.Outputs[0].Shape), n.axis(0)
			eachIndex(out.shape, func(i int, at []int) {
				p := slices.Clone(at)
				for _, t := range n.in {
					if p[axis] < t.shape[axis] {
						out.v[i] = t.v[place(t.shape, p)]
						return
					}
					p[axis] -= t.shape[axis]
				}
			})
			return one(out)
		},
		"Split": func(n *bigNode) []*bigTensor {
			x, axis, from := n.in[0], n.axis(0), 0
			var outs []*bigTensor
			for _, o := range n.Outputs {
				out := newBigTensor(o.Shape)
				eachIndex(out.shape, func(i int, at []int) {
					p := slices.Clone(at)
					p[axis] += from
					out.v[i] = x.v[place(x.shape, p)]
				})
				from += o.Shape[axis]
				outs = append(outs, out)
			}
			return outs
		},
		"DepthToSpace": func(n *bigNode) []*bigTensor {
			b, c := n.Attrs.Int("blocksize", 1), n.Outputs[0].Shape[1]
			return moved(n, func(at []int) []int {
				row, col := at[2]%b, at[3]%b
				ch := (row*b+col)*c + at[1]
				if n.Attrs.String("mode", "DCR") == "CRD" {
					ch = (at[1]*b+row)*b + col
				}
				return []int{at[0], ch, at[2] / b, at[3] / b}
			})
		},
		"SpaceToDepth": func(n *bigNode) []*bigTensor {
			b, c := n.Attrs.Int("blocksize", 1), n.in[0].shape[1]
			return moved(n, func(at []int) []int {
				block := at[1] / c
				return []int{at[0], at[1] % c, at[2]*b + block/b, at[3]*b + block%b}
			})
		},
		"Gather": func(n *bigNode) []*bigTensor {
			axis, idx := n.axis(0), n.in[1]
			return moved(n, func(at []int) []int {
				k := idx.v[place(idx.shape, at[axis:axis+len(idx.shape)])]
				p := append(slices.Clone(at[:axis]), index(k, n.in[0].shape[axis]))
				return append(p, at[axis+len(idx.shape):]...)
			})
		},
		"GatherElements": func(n *bigNode) []*bigTensor {
			axis := n.axis(0)
			return moved(n, func(at []int) []int {
				p := slices.Clone(at)
				p[axis] = index(n.in[1].v[place(n.in[1].shape, at)], n.in[0].shape[axis])
				return p
			})
		},
		"GatherND": func(n *bigNode) []*bigTensor {
			idx := n.in[1]
			k := idx.shape[len(idx.shape)-1]
			return moved(n, func(at []int) []int {
				lead := len(idx.shape) - 1
				var p []int
				for j := range k {
					p = append(p, index(idx.v[place(idx.shape, append(slices.Clone(at[:lead]), j))], n.in[0].shape[j]))
				}
				return append(p, at[lead:]...)
			})
		},
		"ScatterElements": func(n *bigNode) []*bigTensor {
			axis := n.axis(0)
			return scattered(n, func(put func([]int, *big.Float)) {
				eachIndex(n.in[1].shape, func(i int, at []int) {
					p := slices.Clone(at)
					p[axis] = index(n.in[1].v[i], n.in[0].shape[axis])
					put(p, n.in[2].v[i])
				})
			})
		},
		"ScatterND": func(n *bigNode) []*bigTensor {
			idx := n.in[1]
			lead := idx.shape[:len(idx.shape)-1]
			k := idx.shape[len(idx.shape)-1]
			rest := n.in[0].shape[k:]
			return scattered(n, func(put func([]int, *big.Float)) {
				eachIndex(append(slices.Clone(lead), rest...), func(i int, at []int) {
					var p []int
					for j := range k {
						p = append(p, index(idx.v[place(idx.shape, append(slices.Clone(at[:len(lead)]), j))], n.in[0].shape[j]))
					}
					put(append(p, at[len(lead):]...), n.in[2].v[i])
				})
			})
		},
		"Pad": func(n *bigNode) []*bigTensor {
			s := n.in[0].shape
			pads := n.intsOf(1)
			mode := n.Attrs.String("mode", "constant")
			return moved(n, func(at []int) []int {
				p := make([]int, len(at))
				for d := range at {
					k := at[d] - pads[d]
					switch {
					case k >= 0 && k < s[d]:
					case mode == "constant":
						return nil
					case mode == "edge":
						k = max(0, min(s[d]-1, k))
					case k < 0:
						k = -k
					default:
						k = 2*(s[d]-1) - k
					}
					p[d] = k
				}
				return p
			})
		},
		"ReverseSequence": func(n *bigNode) []*bigTensor { // of batch axis 0 and time axis 1
			lens := n.intsOf(1)
			return moved(n, func(at []int) []int {
				p := slices.Clone(at)
				if l := lens[at[0]]; at[1] < l {
					p[1] = l - 1 - at[1]
				}
				return p
			})
		},
		"Slice": func(n *bigNode) []*bigTensor {
			starts, axes, steps := n.intsOf(1), n.intsOf(3), n.intsOf(4)
			return moved(n, func(at []int) []int {
				p := slices.Clone(at)
				for k, a := range axes {
					size := n.in[0].shape[a]
					s := starts[k]
					if s < 0 {
						s += size
					}
					if steps[k] < 0 {
						s = max(0, min(size-1, s))
					} else {
						s = max(0, min(size, s))
					}
					p[a] = s + at[a]*steps[k]
				}
				return p
			})
		},
		"Tile": func(n *bigNode) []*bigTensor {
			return moved(n, func(at []int) []int {
				p := slices.Clone(at)
				for d := range p {
					p[d] %= n.in[0].shape[d]
				}
				return p
			})
		},
		"Transpose": func(n *bigNode) []*bigTensor {
			perm := n.list("perm")
			return moved(n, func(at []int) []int {
				p := make([]int, len(at))
				for d, s := range perm {
					p[s] = at[d]
				}
				return p
			})
		},
		"Trilu": func(n *bigNode) []*bigTensor {
			upper := n.Attrs.Int("upper", 1) != 0
			return moved(n, func(at []int) []int {
				row, col := at[len(at)-2], at[len(at)-1]
				if upper && col < row || !upper && col > row {
					return nil
				}
				return at
			})
		},
		"Resize": resizeBig, "Upsample": resizeBig,
	}
}

// resizeBig is Resize by scales, and Upsample, whose coordinates are asymmetric.
func resizeBig(n *bigNode) []*bigTensor {
	x, out := n.in[0], newBigTensor(n.Outputs[0].Shape)
	scales := n.in[len(n.in)-1]
	mode, coordinates := n.Attrs.String("mode", "nearest"), n.Attrs.String("coordinate_transformation_mode", "half_pixel")
	if n.Op == "Upsample" {
		coordinates = "asymmetric"
	}
	type tap struct {
		at     int
		weight float64
	}
	taps := make([][][]tap, len(x.shape)) // by axis and place; exact, for scales that are powers of two
	for d := range x.shape {
		scale, _ := scales.v[d].Float64()
		size, length := x.shape[d], out.shape[d]
		for k := range length {
			var c float64
			switch {
			case scale == 1:
				c = float64(k)
			case coordinates == "asymmetric":
				c = float64(k) / scale
			case coordinates == "pytorch_half_pixel" && length == 1:
				c = 0
			default:
				c = (float64(k)+0.5)/scale - 0.5
			}
			inside := func(i float64) int { return int(max(0, min(float64(size-1), i))) }
			if mode == "nearest" { // round_prefer_floor
				taps[d] = append(taps[d], []tap{{inside(math.Ceil(c - 0.5)), 1}})
				continue
			}
			f := math.Floor(c)
			taps[d] = append(taps[d], []tap{{inside(f), 1 - (c - f)}, {inside(f + 1), c - f}})
		}
	}
	eachIndex(out.shape, func(i int, at []int) {
		terms := []tap{{0, 1}}
		for d := range at {
			var next []tap
			for _, t := range terms {
				for _, u := range taps[d][at[d]] {
					if u.weight != 0 {
						next = append(next, tap{t.at*x.shape[d] + u.at, t.weight * u.weight})
					}
				}
			}
			terms = next
		}
		for _, t := range terms {
			out.v[i] = bigAdd(out.v[i], bigMul(bigOf(t.weight), x.v[t.at]))
		}
	})
	return one(out)
}

// bigSums are sums of products, windows, and 8-bit arithmetic.
func bigSums() map[string]func(n *bigNode) []*bigTensor {
	return map[string]func(n *bigNode) []*bigTensor{
		"Gemm": func(n *bigNode) []*bigTensor {
			out := newBigTensor(n.Outputs[0].Shape)
			element := func(t *bigTensor, r, c int, turned string) *big.Float {
				if n.Attrs.Int(turned, 0) != 0 {
					r, c = c, r
				}
				return t.v[r*t.shape[1]+c]
			}
			inner := n.in[0].shape[1-n.Attrs.Int("transA", 0)]
			eachIndex(out.shape, func(i int, at []int) {
				sum := newBig()
				for k := range inner {
					sum = bigAdd(sum, bigMul(element(n.in[0], at[0], k, "transA"), element(n.in[1], k, at[1], "transB")))
				}
				sum = bigMul(sum, n.float("alpha", 1))
				if len(n.in) > 2 && n.in[2] != nil {
					sum = bigAdd(sum, bigMul(n.float("beta", 1), n.in[2].spread(at)))
				}
				out.v[i] = sum
			})
			return one(out)
		},
		"MatMul":        func(n *bigNode) []*bigTensor { return one(matmulBig(n.in[0], n.in[1], n.Outputs[0].Shape)) },
		"MatMulInteger": func(n *bigNode) []*bigTensor { return one(matmulBig(less(n, 0, 2), less(n, 1, 3), n.Outputs[0].Shape)) },
		"Einsum":        einsumBig,
		"Conv":          func(n *bigNode) []*bigTensor { return one(convBig(n, n.in[0], n.in[1], nth(n.in, 2))) },
		"ConvInteger":   func(n *bigNode) []*bigTensor { return one(convBig(n, less(n, 0, 2), less(n, 1, 3), nil)) },
		"ConvTranspose": func(n *bigNode) []*bigTensor { // of one group, no padding
			x, w := n.in[0], n.in[1]
			out := newBigTensor(n.Outputs[0].Shape)
			strides := n.list("strides", 1, 1)
			eachIndex(x.shape, func(i int, p []int) {
				eachIndex(w.shape[1:], func(_ int, q []int) {
					o := place(out.shape, []int{p[0], q[0], p[2]*strides[0] + q[1], p[3]*strides[1] + q[2]})
					out.v[o] = bigAdd(out.v[o], bigMul(x.v[i], w.v[place(w.shape, append([]int{p[1]}, q...))]))
				})
			})
			if b := nth(n.in, 2); b != nil {
				eachIndex(out.shape, func(i int, p []int) { out.v[i] = bigAdd(out.v[i], b.v[p[1]]) })
			}
			return one(out)
		},
		"MaxPool": func(n *bigNode) []*bigTensor {
			return windows(n, func(seen []*big.Float, _ int) *big.Float { return reduceBig(bigMax)(seen) })
		},
		"AveragePool": func(n *bigNode) []*bigTensor {
			all := n.Attrs.Int("count_include_pad", 0) != 0
			return windows(n, func(seen []*big.Float, size int) *big.Float {
				if all {
					return bigQuo(bigSum(seen), bigOf(float64(size)))
				}
				return bigMean(seen)
			})
		},
		"GlobalMaxPool":     func(n *bigNode) []*bigTensor { return overImage(n, reduceBig(bigMax)) },
		"GlobalAveragePool": func(n *bigNode) []*bigTensor { return overImage(n, bigMean) },

		"QuantizeLinear": zip(func(n *bigNode, v []*big.Float) *big.Float {
			return saturate(bigAdd(bigRound(bigQuo(v[0], v[1])), v[2]), n.Outputs[0].DType)
		}),
		"DequantizeLinear": zip(func(_ *bigNode, v []*big.Float) *big.Float { return bigMul(bigSub(v[0], v[2]), v[1]) }),
		"DynamicQuantizeLinear": func(n *bigNode) []*bigTensor {
			lo, hi := bigMin(newBig(), reduceBig(bigMin)(n.in[0].v)), bigMax(newBig(), reduceBig(bigMax)(n.in[0].v))
			scale := bigQuo(bigSub(hi, lo), bigOf(255))
			zero := saturate(bigRound(bigQuo(bigNeg(lo), scale)), onnxio.Uint8)
			y := newBigTensor(n.in[0].shape)
			for i, x := range n.in[0].v {
				y.v[i] = saturate(bigAdd(bigRound(bigQuo(x, scale)), zero), onnxio.Uint8)
			}
			return []*bigTensor{y, {[]int{}, []*big.Float{scale}}, {[]int{}, []*big.Float{zero}}}
		},
		"QLinearMatMul": func(n *bigNode) []*bigTensor {
			return requantize(n, matmulBig(less(n, 0, 2), less(n, 3, 5), n.Outputs[0].Shape))
		},
		"QLinearConv": func(n *bigNode) []*bigTensor { return requantize(n, convBig(n, less(n, 0, 2), less(n, 3, 5), nil)) },
	}
}

func nth(in []*bigTensor, i int) *bigTensor {
	if i < len(in) {
		return in[i]
	}
	return nil
}

// less is input i less its zero point, input z, where there is one.
func less(n *bigNode, i, z int) *bigTensor {
	x, zero := n.in[i], nth(n.in, z)
	if zero == nil {
		return x
	}
	out := newBigTensor(x.shape)
	for k, v := range x.v {
		out.v[k] = bigSub(v, zero.v[0])
	}
	return out
}

// requantize scales the sums of a QLinear operator.
func requantize(n *bigNode, sums *bigTensor) []*bigTensor {
	scale := bigQuo(bigMul(n.in[1].v[0], n.in[4].v[0]), n.in[6].v[0])
	for i, s := range sums.v {
		sums.v[i] = saturate(bigAdd(bigRound(bigMul(s, scale)), n.in[7].v[0]), n.Outputs[0].DType)
	}
	return one(sums)
}

func matmulBig(a, b *bigTensor, shape []int) *bigTensor {
	out := newBigTensor(shape)
	k := a.shape[len(a.shape)-1]
	eachIndex(shape, func(i int, p []int) {
		sum := newBig()
		last := len(p) - 1
		for j := range k {
			l, r := slices.Clone(p), slices.Clone(p)
			l[last], r[last-1] = j, j
			sum = bigAdd(sum, bigMul(a.spread(l), b.spread(r)))
		}
		out.v[i] = sum
	})
	return out
}

// einsumBig knows the equations that the layers draw.
func einsumBig(n *bigNode) []*bigTensor {
	a, b := n.in[0], nth(n.in, 1)
	out := newBigTensor(n.Outputs[0].Shape)
	eachIndex(out.shape, func(i int, p []int) {
		sum := newBig()
		switch n.Attrs.String("equation", "") {
		case "bij,jk->bki":
			for j := range a.shape[2] {
				sum = bigAdd(sum, bigMul(a.v[place(a.shape, []int{p[0], p[2], j})], b.v[place(b.shape, []int{j, p[1]})]))
			}
		case "bij,bkj->bik":
			for j := range a.shape[2] {
				sum = bigAdd(sum, bigMul(a.v[place(a.shape, []int{p[0], p[1], j})], b.v[place(b.shape, []int{p[0], p[2], j})]))
			}
		case "...i,...i->...i":
			sum = bigMul(a.v[i], b.v[i])
		case "bij->bj":
			for k := range a.shape[1] {
				sum = bigAdd(sum, a.v[place(a.shape, []int{p[0], k, p[1]})])
			}
		default:
			panic("an equation that the reference lacks")
		}
		out.v[i] = sum
	})
	return one(out)
}

// window calls f with the places of the input (inside it) under the window of an output place.
func (n *bigNode) window(h, w, oh, ow, kh, kw int, f func(i, j, y, x int)) {
	pads, strides := n.list("pads", 0, 0, 0, 0), n.list("strides", 1, 1)
	for i := range kh {
		for j := range kw {
			y, x := oh*strides[0]+i-pads[0], ow*strides[1]+j-pads[1]
			if y >= 0 && y < h && x >= 0 && x < w {
				f(i, j, y, x)
			}
		}
	}
}

func convBig(n *bigNode, x, w, b *bigTensor) *bigTensor {
	out := newBigTensor(n.Outputs[0].Shape)
	groups := n.Attrs.Int("group", 1)
	each := out.shape[1] / groups
	eachIndex(out.shape, func(o int, p []int) {
		sum := newBig()
		n.window(x.shape[2], x.shape[3], p[2], p[3], w.shape[2], w.shape[3], func(i, j, row, col int) {
			for c := range w.shape[1] {
				v := x.v[place(x.shape, []int{p[0], p[1]/each*w.shape[1] + c, row, col})]
				sum = bigAdd(sum, bigMul(v, w.v[place(w.shape, []int{p[1], c, i, j})]))
			}
		})
		if b != nil {
			sum = bigAdd(sum, b.v[p[1]])
		}
		out.v[o] = sum
	})
	return out
}

// windows pools; size counts places of the window that are padding too.
func windows(n *bigNode, f func(seen []*big.Float, size int) *big.Float) []*bigTensor {
	x, out, k := n.in[0], newBigTensor(n.Outputs[0].Shape), n.list("kernel_shape")
	eachIndex(out.shape, func(o int, p []int) {
		var seen []*big.Float
		n.window(x.shape[2], x.shape[3], p[2], p[3], k[0], k[1], func(_, _, row, col int) {
			seen = append(seen, x.v[place(x.shape, []int{p[0], p[1], row, col})])
		})
		out.v[o] = f(seen, k[0]*k[1])
	})
	return one(out)
}

func overImage(n *bigNode, f func(v []*big.Float) *big.Float) []*bigTensor {
	out := newBigTensor(n.Outputs[0].Shape)
	area := onnxio.NumElements(n.in[0].shape[2:])
	for i := range out.v {
		out.v[i] = f(n.in[0].v[i*area : (i+1)*area])
	}
	return one(out)
}
