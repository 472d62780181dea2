"""Small networks with random weights as onnxruntime's quantiser writes them (operators on whole numbers), for pruning.

    python quantised_nets.py --out ../../prune/testdata/quantised

Needs: pip install onnx==1.23.2 onnxruntime==1.32.0 onnx_ir==1.1.0 numpy. Seeded; some seconds.

sums: QLinearConv, QLinearMatMul and QGemm. between: with QLinearAdd, Mul, Sigmoid, LeakyRelu, AveragePool, GlobalAveragePool and Concat between them.
Each with one scale for all weights and with one for each filter, of unsigned and of signed numbers.
ranges: what is between, quantised as it runs: DynamicQuantizeLinear, ConvInteger and MatMulInteger.
bits: MatMulNBits in blocks of 16, of 4 bits with and without zero points and of 8.
"""
import argparse
import pathlib
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

a = argparse.ArgumentParser()
a.add_argument("--out", default="../../prune/testdata/quantised")
out = pathlib.Path(a.parse_args().out)
out.mkdir(parents=True, exist_ok=True)


class Network:
    def __init__(self, seed):
        self.rng, self.nodes, self.constants = np.random.default_rng(seed), [], []

    def weights(self, *shape, depth=1):
        name = f"w{len(self.constants)}"
        w = self.rng.standard_normal(shape) * 1.5 / np.sqrt(depth)
        self.constants.append(numpy_helper.from_array(w.astype(np.float32), name))
        return name

    def node(self, op, name, *inputs, **attrs):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name + "_node", **attrs))
        return name

    def conv(self, name, x, cin, cout, **attrs):
        depth = cin * 9 // attrs.get("group", 1)
        w = self.weights(cout, cin // attrs.get("group", 1), 3, 3, depth=depth)
        return self.node("Conv", name, x, w, self.weights(cout, depth=9), pads=[1, 1, 1, 1], **attrs)

    def matmul(self, name, x, cin, cout):
        return self.node("MatMul", name, x, self.weights(cin, cout, depth=cin))

    def gemm(self, name, x, cin, cout):
        return self.node("Gemm", name, x, self.weights(cout, cin, depth=cin), self.weights(cout, depth=9), transB=1)

    def model(self, y, classes, takes=(3, 8, 8)):
        graph = helper.make_graph(
            self.nodes, "network", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *takes])],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, ["N", classes])], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def sums():
    n = Network(1)
    y = n.conv("first", "x", 3, 10)
    y = n.node("MaxPool", "pooled", y, kernel_shape=[2, 2], strides=[2, 2])
    y = n.conv("grouped", y, 10, 10, group=5)
    y = n.node("Relu", "positive", n.conv("second", y, 10, 12))
    y = n.matmul("product", n.node("Flatten", "flat", n.conv("third", y, 12, 6)), 96, 16)
    return n.model(n.gemm("scores", n.matmul("hidden", y, 16, 12), 12, 7), 7)


def between():
    n = Network(2)
    y = n.node("LeakyRelu", "leaky", n.conv("first", "x", 3, 10), alpha=0.1)
    gate = n.conv("second", y, 10, 8)
    y = n.node("Mul", "swish", gate, n.node("Sigmoid", "gate", gate))
    y = n.node("AveragePool", "pooled", y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    y = n.node("Add", "residual", n.conv("third", y, 8, 8), y)
    y = n.node("Concat", "both", y, n.conv("fourth", y, 8, 6), axis=1)
    y = n.conv("fifth", y, 14, 12)
    y = n.node("Flatten", "flat", n.node("GlobalAveragePool", "means", y))
    y = n.node("Add", "shifted", n.matmul("product", y, 12, 16), n.weights(16, depth=9))
    y = n.node("LeakyRelu", "slope", y, alpha=0.2)
    return n.model(n.gemm("scores", y, 16, 7), 7)


class Inputs(CalibrationDataReader):
    def __init__(self):
        rng = np.random.default_rng(3)
        self.left = iter([{"x": rng.standard_normal((4, 3, 8, 8)).astype(np.float32)} for _ in range(6)])

    def get_next(self):
        return next(self.left, None)


U, S = QuantType.QUInt8, QuantType.QInt8
for name, make in [("sums", sums), ("between", between)]:
    with tempfile.TemporaryDirectory() as folder:
        real = pathlib.Path(folder) / "real.onnx"
        onnx.save(make(), real)
        for kind, each, of, weights in [("tensor", False, U, U), ("channel", True, U, S), ("signed", True, S, S)]:
            to = out / f"{name}-{kind}.onnx"
            quantize_static(real, to, Inputs(), quant_format=QuantFormat.QOperator, per_channel=each, activation_type=of, weight_type=weights)
            m = onnx.load(to)
            onnx.checker.check_model(m)
            print(to, [n.op_type for n in m.graph.node])

with tempfile.TemporaryDirectory() as folder:
    real = pathlib.Path(folder) / "real.onnx"
    onnx.save(between(), real)
    for kind, each, weights in [("tensor", False, U), ("channel", True, S)]:  # of signed weights onnxruntime takes one scale for each column only
        to = out / f"ranges-{kind}.onnx"
        only = None if kind == "tensor" else ["MatMul"]
        quantize_dynamic(real, to, per_channel=each, reduce_range=each, weight_type=weights, op_types_to_quantize=only)
        print(to, [n.op_type for n in onnx.load(to).graph.node])


def bits():
    n = Network(4)
    y = n.node("Add", "shifted", n.matmul("first", "x", 24, 48), n.weights(48, depth=9))
    y = n.matmul("second", n.node("Relu", "positive", y), 48, 64)
    y = n.matmul("third", n.node("Sigmoid", "half", y), 64, 40)
    return n.model(n.matmul("scores", n.node("Tanh", "bent", y), 40, 7), 7, [24])


for kind, width, symmetric in [("four", 4, True), ("zeros", 4, False), ("eight", 8, False)]:
    q = MatMulNBitsQuantizer(bits(), bits=width, block_size=16, is_symmetric=symmetric)
    q.process()
    to = out / f"bits-{kind}.onnx"
    onnx.save(q.model.model, to)
    print(to, [n.op_type for n in q.model.model.graph.node])
