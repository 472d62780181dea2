"""Two small networks that compute in bfloat16, and inputs with the classes that ONNX's reference evaluator gives them (it rounds after every node).

    python halves.py --out ../../cmd/shoal/testdata/forms

Needs: pip install onnx==1.23.2 numpy. Seeded; a second.
"""
import argparse
import pathlib

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

a = argparse.ArgumentParser()
a.add_argument("--out", default="../../cmd/shoal/testdata/forms")
out = pathlib.Path(a.parse_args().out)
rng = np.random.default_rng(16)
HALF, FLOAT, node = TensorProto.BFLOAT16, TensorProto.FLOAT, helper.make_node
arrays = {"W": rng.normal(size=(4, 6)), "b": rng.normal(size=6), "V": rng.normal(size=(6, 3)), "c": rng.normal(size=3)}
weights = [helper.make_tensor(k, HALF, v.shape, v.flatten().tolist()) for k, v in arrays.items()]


def save(name, before, after, first, last, kind):
    nodes = before + [node("MatMul", [first, "W"], ["m"]), node("Add", ["m", "b"], ["h"]), node("Relu", ["h"], ["r"]),
                      node("Gemm", ["r", "V", "c"], [last])] + after
    graph = helper.make_graph(nodes, "halves", [helper.make_tensor_value_info("x", kind, ["N", 4])],
                              [helper.make_tensor_value_info("y", kind, ["N", 3])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, out / name)
    return ReferenceEvaluator(model)


plain = save("bfloat16.onnx", [], [], "x", "y", HALF)
# The input is cast like a weight, and the answer like the input.
casts = save("bfloat16-casts.onnx", [node("CastLike", ["x", "W"], ["xh"])], [node("Cast", ["yh"], ["y"], to=FLOAT)], "xh", "yh", FLOAT)

x = rng.normal(size=(400, 4)).astype(np.float32)
scores = plain.run(None, {"x": x.astype(ml_dtypes.bfloat16)})[0].astype(np.float32)
other = casts.run(None, {"x": x})[0]
assert np.array_equal(scores, other)
top = np.sort(scores, axis=1)
clear = np.flatnonzero(top[:, 2] - top[:, 1] > 0.5)[:12]
np.savez(out / "bfloat16.npz", inputs=x[clear], labels=scores[clear].argmax(axis=1))
