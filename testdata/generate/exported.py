"""Small files as exporters and optimisers write them: a Keras GRU as the Loop that tf2onnx makes of it, and onnxruntime's layers with outputs that
nobody reads.

    python exported.py --out ../../cmd/shoal/testdata/models/files

Needs: pip install onnx==1.23.2 numpy. Seeded; a second.
"""
import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

a = argparse.ArgumentParser()
a.add_argument("--out", default="../../cmd/shoal/testdata/models/files")
out = pathlib.Path(a.parse_args().out)
rng = np.random.default_rng(9)
FLOAT, node = TensorProto.FLOAT, helper.make_node


def weights(*shape):
    return (0.5 * rng.standard_normal(shape)).astype(np.float32)


def value(name, kind=FLOAT, shape=None):
    v = helper.make_tensor_value_info(name, kind, shape)
    if shape is None:  # as such files have them
        v.type.tensor_type.ClearField("shape")
    return v


def save(name, nodes, shape, constants, opset):
    graph = helper.make_graph(nodes, name, [value("x", FLOAT, shape)], [value("y")],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), out / name)


# z and r gates, reset after the product: Keras' GRU(reset_after=True), a turn for each step of a time-major sequence
body = helper.make_graph(
    [node("Identity", ["go"], ["on"]), node("Gather", ["steps", "i"], ["now"], axis=0),
     node("Gemm", ["now", "W", "b"], ["a"]), node("Gemm", ["h", "U", "c"], ["u"]),
     node("Split", ["a", "thirds"], ["az", "ar", "ah"], axis=1), node("Split", ["u", "thirds"], ["uz", "ur", "uh"], axis=1),
     node("Add", ["az", "uz"], ["sz"]), node("Sigmoid", ["sz"], ["z"]), node("Add", ["ar", "ur"], ["sr"]), node("Sigmoid", ["sr"], ["r"]),
     node("Mul", ["r", "uh"], ["reset"]), node("Add", ["ah", "reset"], ["sh"]), node("Tanh", ["sh"], ["fresh"]),
     node("Sub", ["one", "z"], ["rest"]), node("Mul", ["rest", "fresh"], ["p"]), node("Mul", ["z", "h"], ["q"]),
     node("Add", ["p", "q"], ["next"]), node("Identity", ["next"], ["all"])],
    "step", [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("h")],
    [value("on", TensorProto.BOOL, []), value("next"), value("all")])
save("gru-loop.onnx",
     [node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]), node("Shape", ["steps"], ["sizes"]), node("Gather", ["sizes", "first"], ["batch"], axis=0),
      node("Concat", ["batch", "units"], ["state"], axis=0), node("ConstantOfShape", ["state"], ["zero"]),
      node("Loop", ["trip", "start", "zero"], ["last", "sequence"], body=body), node("Gemm", ["last", "V", "d"], ["y"])],
     ["N", 5, 3], {"W": weights(3, 12), "b": weights(12), "U": weights(4, 12), "c": weights(12), "thirds": np.array([4, 4, 4]), "one": np.float32(1),
                   "first": np.array([1]), "units": np.array([4]), "trip": np.array(5), "start": np.array(True), "V": weights(4, 3), "d": weights(3)}, 15)
save("skip-sum.onnx",
     [node("MatMul", ["x", "W"], ["a"]), node("SkipLayerNormalization", ["a", "a", "g", "b", "c"], ["s", "", "", "sum"], domain="com.microsoft"),
      node("Add", ["s", "sum"], ["t"]), node("ReduceMean", ["t"], ["m"], axes=[1], keepdims=0), node("MatMul", ["m", "V"], ["y"])],
     ["N", 4, 5], {"W": weights(5, 6), "g": weights(6), "b": weights(6), "c": weights(6), "V": weights(6, 3)}, 17)
save("embed-mask.onnx",
     [node("Cast", ["x"], ["ids"], to=TensorProto.INT32),
      node("EmbedLayerNormalization", ["ids", "", "words", "places", "", "g", "b"], ["e", "mask"], domain="com.microsoft"),
      node("ReduceMean", ["e"], ["m"], axes=[1], keepdims=0), node("MatMul", ["m", "V"], ["y"])],
     ["N", 4], {"words": weights(9, 6), "places": weights(8, 6), "g": weights(6), "b": weights(6), "V": weights(6, 3)}, 17)
