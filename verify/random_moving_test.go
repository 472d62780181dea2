package verify

import (
	"github.com/shallow-waters/shoal/onnxio"
)

// movingLayers draws operators that move, copy or drop elements, and running sums.
func movingLayers() []layer {
	return []layer{
		{"Concat", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Concat", onnxio.Attrs{"axis": int64(1)}, x, m.other(x))
		}},
		{"CumSum", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			axis := m.constant(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{m.pick(x)}})
			return m.add("CumSum", onnxio.Attrs{"exclusive": int64(m.rng.IntN(2)), "reverse": int64(m.rng.IntN(2))}, x, axis)
		}},
		{"DepthToSpace", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.add("Reshape", nil, m.gemm(x, 16), m.ints(1, 4, 2, 2))
			return m.add("DepthToSpace", onnxio.Attrs{"blocksize": int64(2), "mode": []string{"DCR", "CRD"}[m.rng.IntN(2)]}, x)
		}},
		{"SpaceToDepth", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.add("Reshape", nil, m.gemm(x, 16), m.ints(1, 1, 4, 4))
			return m.add("SpaceToDepth", onnxio.Attrs{"blocksize": int64(2)}, x)
		}},
		{"Dropout", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add("Dropout", nil, x) }},
		{"Expand", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Expand", nil, m.add("Reshape", nil, m.gemm(x, 3), m.ints(1, 1, 3)), m.ints(1, 2, 3))
		}},
		{"Flatten", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add("Flatten", nil, x) }},
		{"Gather", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a := m.pick(x)
			k := int64(at(x, a))
			return m.add("Gather", onnxio.Attrs{"axis": a}, x, m.ints(m.rng.Int64N(k), m.rng.Int64N(k), -1))
		}},
		{"GatherElements", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("GatherElements", onnxio.Attrs{"axis": int64(1)}, x, m.places(x, 1))
		}},
		{"GatherND", 12, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			k := int64(x.Shape[1])
			index := onnxio.FromInt64([]int64{0, m.rng.Int64N(k), 0, m.rng.Int64N(k), 0, -1}, 1, 3, 2)
			return m.add("GatherND", nil, x, m.constant(index))
		}},
		{"Pad", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			mode := []string{"constant", "edge", "reflect"}[m.rng.IntN(3)]
			return m.add("Pad", onnxio.Attrs{"mode": mode}, x, m.ints(0, 0, 1, 0, 0, 0, 0, 1))
		}},
		{"Reshape", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add("Reshape", nil, x, m.ints(1, -1, 1)) }},
		{"Resize", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			// Scales that are powers of two: of others bounds are refused, since executions round the weights differently.
			attrs := onnxio.Attrs{"mode": []string{"nearest", "linear"}[m.rng.IntN(2)],
				"coordinate_transformation_mode": []string{"half_pixel", "asymmetric", "pytorch_half_pixel"}[m.rng.IntN(3)]}
			scales := m.constant(onnxio.FromFloat32([]float32{1, 1, 0.5, 2}, 4))
			if m.coin() {
				scales = m.constant(onnxio.FromFloat32([]float32{1, 1, 2, 4}, 4))
			}
			return m.add("Resize", attrs, x, m.constant(onnxio.NewTensor(onnxio.Float, 0)), scales)
		}},
		{"Upsample", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			opset := m.opset
			defer func() { m.opset = opset }() // other layers may be too young for it
			x = m.image(x)
			m.opset = 9 // the last version that knows it
			return m.add("Upsample", onnxio.Attrs{"mode": "linear"}, x, m.constant(onnxio.FromFloat32([]float32{1, 1, 2, 1}, 4)))
		}},
		{"ReverseSequence", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("ReverseSequence", onnxio.Attrs{"batch_axis": int64(0), "time_axis": int64(1)}, x, m.ints(int64(1+m.rng.IntN(x.Shape[1]))))
		}},
		{"ScatterElements", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			index := m.places(x, 1)
			// Places that do not repeat: the standard leaves open which update would count.
			rest := onnxio.NumElements(x.Shape) / x.Shape[0] / x.Shape[1]
			perm := m.rng.Perm(x.Shape[1])
			for i := range index.Const.I64() {
				index.Const.I64()[i] = int64(perm[i/rest])
			}
			return m.add("ScatterElements", onnxio.Attrs{"axis": int64(1)}, x, index, m.other(x))
		}},
		{"ScatterND", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			index := onnxio.FromInt64([]int64{0, m.rng.Int64N(4), 0, 4}, 2, 2)
			return m.add("ScatterND", nil, m.gemm(x, 5), m.constant(index), m.add("Reshape", nil, m.gemm(x, 2), m.ints(2)))
		}},
		{"Slice", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.coin() {
				return m.add("Slice", nil, x, m.ints(-1), m.ints(-1000), m.ints(1), m.ints(-1))
			}
			return m.add("Slice", nil, x, m.ints(0), m.ints(int64(1+m.rng.IntN(x.Shape[1]))), m.ints(1), m.ints(1))
		}},
		{"Split", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.gemm(x, 6)
			attrs, in := onnxio.Attrs{"axis": int64(1)}, []*onnxio.Value{x}
			if m.opset < 13 {
				attrs["split"] = []int64{2, 4}
			} else {
				in = append(in, m.ints(2, 4))
			}
			y := m.outputs("Split", 2, attrs, in...)
			return m.add("Concat", onnxio.Attrs{"axis": int64(1)}, y[1], m.add("Relu", nil, y[0]))
		}},
		{"Squeeze", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.over("Squeeze", 13, m.over("Unsqueeze", 13, x, nil, 1), nil, 1)
		}},
		{"Unsqueeze", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.over("Unsqueeze", 13, m.flat(x), nil, 2) }},
		{"Tile", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Tile", nil, m.gemm(x, 3), m.ints(1, 2))
		}},
		{"Transpose", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Transpose", onnxio.Attrs{"perm": []int64{0, 2, 3, 1}}, m.image(x))
		}},
		{"Trilu", 14, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Trilu", onnxio.Attrs{"upper": int64(m.rng.IntN(2))}, m.image(x))
		}},
	}
}

// places is a tensor of indices of x's shape along an axis.
func (m *mixer) places(x *onnxio.Value, axis int) *onnxio.Value {
	t := onnxio.NewTensor(onnxio.Int64, x.Shape...)
	for i := range t.I64() {
		t.I64()[i] = m.rng.Int64N(int64(x.Shape[axis]))
	}
	return m.constant(t)
}
