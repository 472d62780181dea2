"""Small networks of Loop, Scan and If with random weights, their inputs, and onnxruntime's outputs.

    python subgraphs.py --out ../../onnxio/engine/testdata

Needs: pip install onnx==1.23.2 onnxruntime==1.32.0 numpy. Seeded; a second.
"""
import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

a = argparse.ArgumentParser()
a.add_argument("--out", default="../../onnxio/engine/testdata")
out = pathlib.Path(a.parse_args().out)
rng = np.random.default_rng(3)
TIME, FEATURES, HIDDEN = 4, 3, 5
FLOAT, node = TensorProto.FLOAT, helper.make_node
cell = {"W": 0.6 * rng.standard_normal((FEATURES, HIDDEN)), "R": 0.4 * rng.standard_normal((HIDDEN, HIDDEN)), "h0": np.zeros((1, HIDDEN)),
        "V": rng.standard_normal((HIDDEN, 3))}
cell = {k: v.astype(np.float32) for k, v in cell.items()}


def value(name, shape=None, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constants(**arrays):
    return [numpy_helper.from_array(np.asarray(v), k) for k, v in arrays.items()]


def save(name, nodes, consts, opset, shape, batch):
    g = helper.make_graph(nodes, name, [value("x", [batch, *shape])], [value("y", [batch, 3])], consts)
    m = helper.make_model(g, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(m)
    onnx.save(m, out / f"{name}.onnx")
    x = rng.standard_normal((7, *shape)).astype(np.float32)
    run = onnxruntime.InferenceSession(m.SerializeToString()).run
    size = batch if batch != "N" else 1
    x = x[:len(x) // size * size]
    y = np.concatenate([run(None, {"x": x[i:i + size]})[0] for i in range(0, len(x), size)])
    np.savez(out / f"{name}.npz", inputs=x, outputs=y)


def side(op, given, weight):
    """A branch: the operator after a product with a weight of the branch's own. Branches call their values by the same names."""
    nodes = [node("MatMul", [given, "own"], ["inner"]), node(op, ["inner"], ["given"])]
    return helper.make_graph(nodes, "branch", [], [value("given")], constants(own=weight.astype(np.float32)))


def positive(of, to, width):
    """An If on whether a sum is positive."""
    return [node("ReduceSum", [of], ["sum"], keepdims=0), node("Greater", ["sum", "zero"], ["is"]),
            node("If", ["is"], [to], then_branch=side("Tanh", of, rng.standard_normal((width, width))),
                 else_branch=side("Neg", of, rng.standard_normal((width, width))))]


def loop(name, branch, batch):
    """A recurrent cell in a Loop that its condition ends; behind branch, each turn takes one of two ways."""
    step = [node("Gather", ["xt", "turn"], ["row"], axis=0), node("MatMul", ["row", "W"], ["a"]), node("MatMul", ["h", "R"], ["b"]),
            node("Add", ["a", "b"], ["c"]), node("Tanh", ["c"], ["d"])]
    step += positive("d", "now", HIDDEN) if branch else [node("Identity", ["d"], ["now"])]
    step += [node("Add", ["turn", "one"], ["next"]), node("Less", ["next", "time"], ["more"]), node("Identity", ["now"], ["each"])]
    body = helper.make_graph(step, "body", [value("turn", [], TensorProto.INT64), value("on", [], TensorProto.BOOL), value("h")],
                             [value("more", [], TensorProto.BOOL), value("now"), value("each")], constants(one=np.int64(1)))
    save(name, [node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]), node("Loop", ["most", "", "h0"], ["last", "all"], body=body),
                node("ReduceMean", ["all"], ["mean"], axes=[0], keepdims=0), node("Add", ["last", "mean"], ["z"]), node("MatMul", ["z", "V"], ["y"])],
         constants(most=np.int64(10 ** 9), time=np.int64(TIME), zero=np.float32(0), **cell), 13, (TIME, FEATURES), batch)


loop("loop", False, "N")
loop("loop-of-if", True, 1)
body = helper.make_graph([node("MatMul", ["row", "W"], ["a"]), node("MatMul", ["h", "R"], ["b"]), node("Add", ["a", "b"], ["c"]), node("Sigmoid", ["c"], ["now"]),
                          node("Mul", ["now", "c"], ["each"])], "body", [value("h"), value("row")], [value("now"), value("each")])
save("scan", [node("Scan", ["h0", "x"], ["last", "all"], body=body, num_scan_inputs=1, scan_input_axes=[1], scan_input_directions=[1], scan_output_axes=[1],
                   scan_output_directions=[1]),
              node("MatMul", ["all", "V"], ["rows"]), node("Slice", ["rows", "first", "second", "axis"], ["row0"]), node("Squeeze", ["row0"], ["r"], axes=[1]),
              node("MatMul", ["last", "V"], ["z"]), node("Add", ["z", "r"], ["y"])],
     constants(first=np.array([0]), second=np.array([1]), axis=np.array([1]), **cell), 11, (TIME, FEATURES), 1)
save("if", [node("Relu", ["x"], ["r"]), node("Identity", ["r"], ["rr"])] + positive("rr", "given", 3) + [node("Add", ["given", "rr"], ["y"])],
     constants(zero=np.float32(0.8)), 13, (3,), 1)
# Opset 8: the first axis of everything is a batch, whose samples go through by themselves.
save("scan8", [node("Scan", ["", "h0s", "x"], ["last", "all"], body=body, num_scan_inputs=1, directions=[1]), node("ReduceSum", ["all"], ["sum"], axes=[1], keepdims=0),
               node("Squeeze", ["last"], ["l"], axes=[1]), node("Squeeze", ["sum"], ["s"], axes=[1]), node("Add", ["l", "s"], ["z"]), node("MatMul", ["z", "V"], ["y"])],
     constants(h0s=0.5 * rng.standard_normal((2, 1, HIDDEN)).astype(np.float32), **{k: v for k, v in cell.items() if k != "h0"}), 8, (TIME, FEATURES), 2)
