"""Small models whose inputs are several, of whole numbers, or not along the first axis, and data for them, with what onnxruntime says of each sample alone.

Needs numpy, onnx and onnxruntime. Writes cmd/shoal/testdata/models/inputs, or the folder named on the command line. Weights are random, of a fixed seed.
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

rng = np.random.default_rng(7)
out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "cmd/shoal/testdata/models/inputs")
out.mkdir(parents=True, exist_ok=True)


def f32(*shape, scale=1.0):
    return (scale * rng.normal(size=shape)).astype(np.float32)


def save(name, nodes, inputs, outputs, constants, opset=17):
    g = h.make_graph(nodes, name, inputs, outputs, [nh.from_array(v, k) for k, v in constants.items()])
    m = h.make_model(g, opset_imports=[h.make_opsetid("", opset)], ir_version=9)
    onnx.checker.check_model(m)
    path = out / (name + ".onnx")
    onnx.save(m, path)
    return path


def tell(path, feeds, output=0):
    """The scores of each sample alone, as rows."""
    s = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.stack([s.run(None, f)[output].reshape(-1) for f in feeds])


def data(name, arrays, scores):
    np.savez(out / (name + ".npz"), **arrays, labels=scores.argmax(1).astype(np.int64))


# A gated recurrent cell written out: x [N,4], state h [N,5]; scores [N,3] and the next state.
def cell():
    c = {"wz": f32(9, 5), "bz": f32(5), "wn": f32(9, 5), "bn": f32(5), "wo": f32(5, 3), "bo": f32(3), "one": np.float32(1)}
    nodes = [
        h.make_node("Concat", ["x", "h"], ["xh"], axis=1),
        h.make_node("MatMul", ["xh", "wz"], ["z0"]), h.make_node("Add", ["z0", "bz"], ["z1"]), h.make_node("Sigmoid", ["z1"], ["z"]),
        h.make_node("MatMul", ["xh", "wn"], ["n0"]), h.make_node("Add", ["n0", "bn"], ["n1"]), h.make_node("Tanh", ["n1"], ["n"]),
        h.make_node("Sub", ["one", "z"], ["k"]), h.make_node("Mul", ["k", "n"], ["a"]), h.make_node("Mul", ["z", "h"], ["b"]), h.make_node("Add", ["a", "b"], ["hn"]),
        h.make_node("MatMul", ["hn", "wo"], ["s0"]), h.make_node("Add", ["s0", "bo"], ["scores"]),
    ]
    p = save("cell", nodes, [h.make_tensor_value_info("x", T.FLOAT, ["N", 4]), h.make_tensor_value_info("h", T.FLOAT, ["N", 5])],
             [h.make_tensor_value_info("scores", T.FLOAT, ["N", 3]), h.make_tensor_value_info("hn", T.FLOAT, ["N", 5])], c)
    x, s = f32(6, 4), f32(6, 5)
    data("cell", {"x": x, "h": s}, tell(p, [{"x": x[i:i+1], "h": s[i:i+1]} for i in range(6)]))
    data("cell-zero", {"inputs": x}, tell(p, [{"x": x[i:i+1], "h": np.zeros((1, 5), np.float32)} for i in range(6)]))


# The LSTM operator as PyTorch exports it: x [T,N,3], states [1,N,4]; scores [N,2] of the last step. The data is given both ways round.
def lstm():
    c = {"w": f32(1, 16, 3), "r": f32(1, 16, 4), "b": f32(1, 32), "wo": f32(4, 2), "last": np.int64(-1)}
    nodes = [
        h.make_node("LSTM", ["x", "w", "r", "b", "", "h0", "c0"], ["y", "hn", "cn"], hidden_size=4),
        h.make_node("Gather", ["y", "last"], ["y1"], axis=0), h.make_node("Squeeze", ["y1", "zero"], ["y2"]), h.make_node("MatMul", ["y2", "wo"], ["scores"]),
    ]
    c["zero"] = np.array([0], np.int64)
    p = save("lstm", nodes, [h.make_tensor_value_info("x", T.FLOAT, ["T", "batch", 3])] + [h.make_tensor_value_info(k, T.FLOAT, [1, "batch", 4]) for k in ("h0", "c0")],
             [h.make_tensor_value_info("scores", T.FLOAT, ["batch", 2]), h.make_tensor_value_info("hn", T.FLOAT, [1, "batch", 4])], c)
    x, h0, c0 = f32(5, 7, 3), f32(1, 7, 4), f32(1, 7, 4)
    scores = tell(p, [{"x": x[:, i:i+1], "h0": h0[:, i:i+1], "c0": c0[:, i:i+1]} for i in range(7)])
    data("lstm", {"x": x, "h0": h0, "c0": c0}, scores)
    data("lstm-first", {"inputs": x.transpose(1, 0, 2), "h0": h0[0], "c0": c0[0]}, scores)


# Lengths: the mean of the first `lengths` rows of x [batch,time,3], then scores.
def lengths():
    c = {"wo": f32(3, 2), "range": np.arange(6, dtype=np.int64)[None], "ax": np.array([2], np.int64), "ax1": np.array([1], np.int64)}
    nodes = [
        h.make_node("Unsqueeze", ["lengths", "ax1"], ["l1"]), h.make_node("Less", ["range", "l1"], ["m"]), h.make_node("Cast", ["m"], ["mf"], to=T.FLOAT),
        h.make_node("Unsqueeze", ["mf", "ax"], ["m3"]), h.make_node("Mul", ["x", "m3"], ["xm"]), h.make_node("ReduceSum", ["xm", "ax1"], ["s"], keepdims=0),
        h.make_node("Cast", ["l1"], ["lf"], to=T.FLOAT), h.make_node("Div", ["s", "lf"], ["mean"]), h.make_node("Tanh", ["mean"], ["r"]), h.make_node("MatMul", ["r", "wo"], ["scores"]),
    ]
    p = save("lengths", nodes, [h.make_tensor_value_info("x", T.FLOAT, ["batch", 6, 3]), h.make_tensor_value_info("lengths", T.INT64, ["batch"])],
             [h.make_tensor_value_info("scores", T.FLOAT, ["batch", 2])], c)
    x, n = f32(5, 6, 3), np.array([6, 2, 3, 6, 1], np.int64)
    data("lengths", {"inputs": x, "lengths": n}, tell(p, [{"x": x[i:i+1], "lengths": n[i:i+1]} for i in range(5)]))


# Tokens and their mask, both int64: scores by a table of embeddings.
def tokens():
    c = {"table": f32(11, 4), "wo": f32(4, 3), "ax": np.array([2], np.int64), "ax1": np.array([1], np.int64)}
    nodes = [
        h.make_node("Gather", ["table", "input_ids"], ["e"], axis=0), h.make_node("Cast", ["attention_mask"], ["m"], to=T.FLOAT), h.make_node("Unsqueeze", ["m", "ax"], ["m3"]),
        h.make_node("Mul", ["e", "m3"], ["em"]), h.make_node("ReduceSum", ["em", "ax1"], ["s"], keepdims=0), h.make_node("MatMul", ["s", "wo"], ["scores"]),
    ]
    p = save("tokens", nodes, [h.make_tensor_value_info(k, T.INT64, ["batch", "sequence"]) for k in ("input_ids", "attention_mask")],
             [h.make_tensor_value_info("scores", T.FLOAT, ["batch", 3])], c)
    ids, mask = rng.integers(0, 11, (5, 8)), (rng.random((5, 8)) < 0.7).astype(np.int64)
    data("tokens", {"input_ids": ids, "attention_mask": mask}, tell(p, [{"input_ids": ids[i:i+1], "attention_mask": mask[i:i+1]} for i in range(5)]))


# A batch that the file fixes to 4: Reshape targets and declared shapes speak of it. mixed has a sum over it, and is another function for one sample.
def fixed():
    for name, mixed in (("fixed", False), ("fixed-mixed", True)):
        c = {"w": f32(6, 8), "wo": f32(8, 3), "to": np.array([4, 6], np.int64)}
        nodes = [h.make_node("Reshape", ["x", "to"], ["x2"]), h.make_node("MatMul", ["x2", "w"], ["a"]), h.make_node("Relu", ["a"], ["b"])]
        if mixed:
            nodes += [h.make_node("ReduceMean", ["b"], ["mean"], axes=[0], keepdims=1), h.make_node("Sub", ["b", "mean"], ["d"])]
        nodes += [h.make_node("MatMul", ["d" if mixed else "b", "wo"], ["scores"])]
        p = save(name, nodes, [h.make_tensor_value_info("x", T.FLOAT, [4, 2, 3])], [h.make_tensor_value_info("scores", T.FLOAT, [4, 3])], c)
        x = f32(6, 2, 3)
        s = ort.InferenceSession(str(p), providers=["CPUExecutionProvider"])
        data(name, {"inputs": x}, np.stack([s.run(None, {"x": np.repeat(x[i:i+1], 4, 0)})[0][0] for i in range(6)]))


# Time first, all sizes fixed: x [5,1,3], a recurrence over the first axis; and time first with names that say nothing, output [T,N,2].
def time_first():
    c = {"w": f32(1, 6, 3), "r": f32(1, 6, 6), "wo": f32(6, 2), "ax": np.array([1], np.int64)}
    nodes = [h.make_node("RNN", ["x", "w", "r"], ["y", "hn"], hidden_size=6), h.make_node("Squeeze", ["y", "ax"], ["y1"]), h.make_node("MatMul", ["y1", "wo"], ["scores"])]
    p = save("time", nodes, [h.make_tensor_value_info("x", T.FLOAT, [5, 1, 3])], [h.make_tensor_value_info("scores", T.FLOAT, [5, 1, 2])], c)
    x = f32(5, 4, 3)
    data("time", {"inputs": x.transpose(1, 0, 2)}, tell(p, [{"x": x[:, i:i+1]} for i in range(4)]))
    p = save("time-free", nodes, [h.make_tensor_value_info("x", T.FLOAT, ["d0", "d1", 3])], [h.make_tensor_value_info("scores", T.FLOAT, ["d0", "d1", 2])], c)
    data("time-free", {"x": x}, tell(p, [{"x": x[:, i:i+1]} for i in range(4)]))


# The rows of all steps and samples in one axis: y [T*N,2], once with the samples inside of the steps, once the other way round.
def stacked():
    for name, perm in (("stacked-steps", [1, 0, 2]), ("stacked-samples", [0, 1, 2])):
        c = {"w": f32(3, 2), "to": np.array([-1, 2], np.int64)}
        nodes = [h.make_node("MatMul", ["x", "w"], ["a"]), h.make_node("Transpose", ["a"], ["t"], perm=perm), h.make_node("Reshape", ["t", "to"], ["y"])]
        p = save(name, nodes, [h.make_tensor_value_info("x", T.FLOAT, ["N", 5, 3])], [h.make_tensor_value_info("y", T.FLOAT, ["M", 2])], c)
        x = f32(4, 5, 3)
        data(name, {"inputs": x}, tell(p, [{"x": x[i:i+1]} for i in range(4)]))


# Element types: scores of x in float64, float16, uint8 and int32.
def types():
    for name, t, x in (("double", T.DOUBLE, rng.normal(size=(5, 4))), ("half", T.FLOAT16, rng.normal(size=(5, 4)).astype(np.float16)),
                       ("byte", T.UINT8, rng.integers(0, 256, (5, 4)).astype(np.uint8)), ("int32", T.INT32, rng.integers(-9, 9, (5, 4)).astype(np.int32))):
        c = {"w": f32(4, 3), "b": f32(3)}
        nodes = [h.make_node("Cast", ["x"], ["f"], to=T.FLOAT), h.make_node("MatMul", ["f", "w"], ["a"]), h.make_node("Add", ["a", "b"], ["scores"])]
        p = save(name, nodes, [h.make_tensor_value_info("x", t, ["N", 4])], [h.make_tensor_value_info("scores", T.FLOAT, ["N", 3])], c)
        data(name, {"inputs": x}, tell(p, [{"x": x[i:i+1]} for i in range(5)]))


# Pictures and two further numbers: a convolution, its mean over the picture, and scores [N,10] of both.
def picture():
    c = {"k": f32(4, 1, 5, 5), "b": f32(4), "w": f32(6, 10)}
    nodes = [h.make_node("Conv", ["x", "k", "b"], ["c"], strides=[2, 2]), h.make_node("Relu", ["c"], ["r"]), h.make_node("GlobalAveragePool", ["r"], ["g"]),
             h.make_node("Flatten", ["g"], ["f"]), h.make_node("Concat", ["f", "extra"], ["e"], axis=1), h.make_node("MatMul", ["e", "w"], ["scores"])]
    save("picture", nodes, [h.make_tensor_value_info("x", T.FLOAT, ["N", 1, 28, 28]), h.make_tensor_value_info("extra", T.FLOAT, ["N", 2])],
         [h.make_tensor_value_info("scores", T.FLOAT, ["N", 10])], c)


# A file for one sample, without an axis for several: x [5], scores [4].
def whole():
    p = save("whole", [h.make_node("MatMul", ["x", "w"], ["scores"])], [h.make_tensor_value_info("x", T.FLOAT, [5])], [h.make_tensor_value_info("scores", T.FLOAT, [4])],
             {"w": f32(5, 4)})
    x = f32(6, 5)
    data("whole", {"inputs": x}, tell(p, [{"x": x[i]} for i in range(6)]))


# A detector of voices: x [N,7], a state [2,N,4] and a rate, one number for all, by which a branch chooses weights; one probability.
def branch():
    c = {"w1": f32(7, 4), "w2": f32(7, 4), "wo": f32(4, 1), "fast": np.int64(16000), "ax": np.array([0], np.int64)}
    sides = [h.make_graph([h.make_node("MatMul", ["x", "w" + k], ["a" + k])], "side" + k, [], [h.make_tensor_value_info("a" + k, T.FLOAT, None)]) for k in ("1", "2")]
    nodes = [h.make_node("Equal", ["rate", "fast"], ["is"]), h.make_node("If", ["is"], ["a"], then_branch=sides[0], else_branch=sides[1]),
             h.make_node("ReduceSum", ["state", "ax"], ["s"], keepdims=0), h.make_node("Add", ["a", "s"], ["b"]), h.make_node("Tanh", ["b"], ["t"]),
             h.make_node("MatMul", ["t", "wo"], ["l"]), h.make_node("Sigmoid", ["l"], ["p"]), h.make_node("Identity", ["state"], ["next"])]
    m = save("branch", nodes, [h.make_tensor_value_info("x", T.FLOAT, ["N", 7]), h.make_tensor_value_info("state", T.FLOAT, [2, "N", 4]), h.make_tensor_value_info("rate", T.INT64, [])],
             [h.make_tensor_value_info("p", T.FLOAT, ["N", 1]), h.make_tensor_value_info("next", T.FLOAT, [2, "N", 4])], c)
    x, s, rate = f32(6, 7), f32(2, 6, 4), np.array(8000, np.int64)
    p = tell(m, [{"x": x[i:i+1], "state": s[:, i:i+1], "rate": rate} for i in range(6)])
    data("branch", {"x": x, "state": s, "rate": rate}, np.concatenate([1 - p, p], 1))


for make in (cell, lstm, lengths, tokens, fixed, time_first, stacked, types, picture, whole, branch):
    make()
