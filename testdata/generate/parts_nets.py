"""Small networks of operators that shoal writes in parts, whose channels go in the file: com.microsoft's, and those of opset 23 and 24.

    python parts_nets.py --out ../../prune/testdata/parts

Needs: pip install onnx==1.23.2 onnxruntime==1.32.0 numpy. Seeded; a second.
"""
import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

a = argparse.ArgumentParser()
a.add_argument("--out", default="../../prune/testdata/parts")
out = pathlib.Path(a.parse_args().out)
rng = np.random.default_rng(23)
MS = "com.microsoft"


class Net:
    def __init__(self):
        self.nodes, self.weights = [], []

    def const(self, *shape, array=None):
        if array is None:
            array = rng.standard_normal(shape) / np.sqrt(max(1, np.prod(shape[:-1]) if len(shape) > 1 else 4))
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    def __call__(self, op, *inputs, domain="", **attrs):
        y = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [y], name="n_" + y, domain=domain, **attrs))
        return y

    def save(self, name, y, shape, opset=17):
        self.nodes[-1].output[0] = "y"
        f = TensorProto.FLOAT
        graph = helper.make_graph(self.nodes, name, [helper.make_tensor_value_info("x", f, shape)], [helper.make_tensor_value_info("y", f, None)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)], ir_version=min(11, 8 + (opset > 20)))
        del model.graph.output[0].type.tensor_type.shape.dim[:]
        model.graph.output[0].type.tensor_type.ClearField("shape")
        onnx.save(model, out / name)
        s = onnxruntime.InferenceSession(str(out / name), providers=["CPUExecutionProvider"])
        s.run(None, {"x": rng.random([2 if isinstance(d, str) else d for d in shape], dtype=np.float32)})


def dense():
    n = Net()
    x = n("BiasGelu", n("MatMul", "x", n.const(6, 16)), n.const(16), domain=MS)
    x = n("FastGelu", n("MatMul", x, n.const(16, 12)), n.const(12), domain=MS)
    x = n("FusedGemm", x, n.const(14, 12), n.const(14), domain=MS, transB=1, activation="LeakyRelu", activation_alpha=0.1)
    x = n("QuickGelu", n("FusedMatMul", x, n.const(10, 14), domain=MS, transB=1, alpha=0.7), domain=MS, alpha=1.3)
    x = n("Gelu", n("FusedMatMul", x, n.const(10, 8), domain=MS), domain=MS)
    n.save("dense.onnx", n("Gemm", x, n.const(8, 3), n.const(3)), ["N", 6])


def images():
    n = Net()
    pads = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    first = n("FusedConv", "x", n.const(8, 2, 3, 3), n.const(8), domain=MS, activation="Relu", **pads)
    x = n("FusedConv", first, n.const(8, 1, 3, 3), n.const(8), domain=MS, activation="HardSigmoid", activation_params=[0.3, 0.4], group=8, **pads)
    x = n("FusedConv", x, n.const(8, 8, 3, 3), n.const(8), first, domain=MS, activation="Relu", **pads)
    x = n("FusedConv", x, n.const(8, 4, 3, 3), n.const(8), domain=MS, activation="LeakyRelu", activation_params=[0.2], group=2, **pads)
    x = n("LpPool", x, kernel_shape=[2, 2], p=2)
    x = n("Flatten", n("GlobalLpPool", x, p=2))
    n.save("images.onnx", n("Gemm", x, n.const(8, 3), n.const(3)), ["N", 2, 6, 6])


def heads():
    n = Net()
    x = n("MatMul", "x", n.const(4, 8))
    parts = [n("MatMul", x, n.const(8, 16)) for _ in "qkv"]
    y = n("MultiHeadAttention", *parts, n.const(48), domain=MS, num_heads=4)
    y = n("SkipSimplifiedLayerNormalization", n("MatMul", y, n.const(16, 8)), x, n.const(8), domain=MS, epsilon=1e-5)
    z = n("BiasGelu", n("MatMul", y, n.const(8, 16)), n.const(16), domain=MS)
    y = n("SkipLayerNormalization", n("MatMul", z, n.const(16, 8)), y, n.const(8), n.const(8), domain=MS, epsilon=1e-5)
    n.save("heads.onnx", n("MatMul", n("ReduceMean", y, axes=[1], keepdims=0), n.const(8, 3)), ["N", 5, 4])


def joined():
    n = Net()
    x = n("MatMul", "x", n.const(4, 6))
    y = n("Attention", x, n.const(6, 48), n.const(48), domain=MS, num_heads=4)
    y = n("MatMul", y, n.const(16, 6))
    n.save("joined.onnx", n("MatMul", n("ReduceMean", n("Add", x, y), axes=[1], keepdims=0), n.const(6, 3)), ["N", 5, 4])


def groups():
    n = Net()
    angles = np.arange(5)[:, None] / np.array([1.0, 10.0])
    turns = [n.const(array=np.cos(angles)), n.const(array=np.sin(angles))]
    n.weights.append(numpy_helper.from_array(np.arange(5)[None], "at"))
    x = n("RMSNormalization", n("MatMul", "x", n.const(4, 8)), n.const(8), axis=-1)
    q = n("RotaryEmbedding", n("MatMul", x, n.const(8, 32)), *turns, "at", num_heads=8)
    k = n("RotaryEmbedding", n("MatMul", x, n.const(8, 16)), *turns, "at", num_heads=4)
    y = n("Attention", q, k, n("MatMul", x, n.const(8, 12)), q_num_heads=8, kv_num_heads=4, is_causal=1)
    y = n("Add", n("MatMul", y, n.const(24, 8)), x)
    y = n("MatMul", n("Swish", n("MatMul", n("RMSNormalization", y, n.const(8)), n.const(8, 16)), alpha=1.2), n.const(16, 8))
    n.weights.append(numpy_helper.from_array(np.array([1]), "tokens"))
    n.save("groups.onnx", n("MatMul", n("ReduceMean", y, "tokens", keepdims=0), n.const(8, 3)), [1, 5, 4], opset=24)


def apart():
    n = Net()
    n.weights.append(numpy_helper.from_array(np.array([0, 0, 4, 4]), "split"))
    parts = [n("Transpose", n("Reshape", n("MatMul", "x", n.const(4, 16)), "split"), perm=[0, 2, 1, 3]) for _ in "qkv"]
    y = n("Transpose", n("Attention", *parts, softcap=2.0), perm=[0, 2, 1, 3])
    n.weights.append(numpy_helper.from_array(np.array([0, 0, 16]), "join"))
    n.save("apart.onnx", n("MatMul", n("Reshape", y, "join"), n.const(16, 3)), [1, 5, 4], opset=23)


for make in dense, images, heads, joined, groups, apart:
    make()
