"""Gradients of three networks by PyTorch's autograd, in float64: attack/testdata/gradients.npz, against which package attack is tested.

    python3 testdata/generate/gradients.py

The networks are read from their ONNX files, so that weights are the file's; their operators are run by torch.nn.functional. Needs: torch,
numpy, onnx.
"""
import pathlib

import numpy as np
import onnx, onnx.numpy_helper as nh
import torch
import torch.nn.functional as F

here = pathlib.Path(__file__).resolve().parent.parent


def forward(path):
    m = onnx.load(path)
    w = {i.name: torch.from_numpy(nh.to_array(i).copy()) for i in m.graph.initializer}
    w = {k: v.double() if v.is_floating_point() else v for k, v in w.items()}

    def run(x):
        v = dict(w)
        v[[i.name for i in m.graph.input if i.name not in w][0]] = x
        for n in m.graph.node:
            at = {t.name: onnx.helper.get_attribute_value(t) for t in n.attribute}
            i = [v.get(k) for k in n.input if k]
            if n.op_type == "Conv":
                p = at.get("pads", [0, 0, 0, 0])
                assert p[:2] == p[2:]
                y = F.conv2d(i[0], i[1], i[2] if len(i) > 2 else None, at.get("strides", 1), p[:2], at.get("dilations", 1), at.get("group", 1))
            elif n.op_type == "Relu":
                y = F.relu(i[0])
            elif n.op_type == "MaxPool":
                y = F.max_pool2d(i[0], at["kernel_shape"], at["strides"])
            elif n.op_type == "AveragePool":
                y = F.avg_pool2d(i[0], at["kernel_shape"], at["strides"])
            elif n.op_type == "BatchNormalization":
                y = F.batch_norm(i[0], i[3], i[4], i[1], i[2], eps=at.get("epsilon", 1e-5))
            elif n.op_type == "LeakyRelu":
                y = F.leaky_relu(i[0], at.get("alpha", 0.01))
            elif n.op_type == "Clip":
                y = i[0].clamp(*(float(k) for k in i[1:]))
            elif n.op_type in ("Sub", "Div"):
                y = i[0] - i[1] if n.op_type == "Sub" else i[0] / i[1]
            elif n.op_type in ("Shape", "Squeeze", "Concat"):
                y = None  # the target of a Reshape
            elif n.op_type == "GlobalAveragePool" or n.op_type == "ReduceMean":
                y = i[0].mean((2, 3), keepdim=bool(at.get("keepdims", 1)))
            elif n.op_type in ("Flatten", "Reshape"):
                y = None if i[0] is None else i[0].flatten(1)
            elif n.op_type == "Gemm":
                y = F.linear(i[0], i[1] if at.get("transB") else i[1].T, i[2])
            elif n.op_type == "Add":
                y = i[0] + i[1]
            elif n.op_type == "Constant":
                a = onnx.helper.get_attribute_value(n.attribute[0])
                y = torch.from_numpy(np.array(nh.to_array(a) if isinstance(a, onnx.TensorProto) else a))
                y = y.double() if y.is_floating_point() else y
            else:
                raise SystemExit(f"{path}: {n.op_type}")
            v[n.output[0]] = y
        return v[m.graph.output[0].name]

    return run


out = {}
rng = np.random.default_rng(0)
for name, shape in [("fmnist-conv-ts", (1, 28, 28)), ("cifar-depthwise-ts", (3, 32, 32)), ("cifar-residual-dyn", (3, 32, 32))]:
    x = torch.from_numpy(rng.random((2, *shape)).astype(np.float32).astype(np.float64)).requires_grad_(True)
    y = torch.tensor([3, 7])
    z = forward(here / (name + ".onnx"))(x)
    s = z.sort(1, descending=True).values
    rows = torch.arange(2)
    other = z.clone()
    other[rows, y] = -1e30
    losses = {"ce": F.cross_entropy(z, y, reduction="none"), "dlr": (other.max(1).values - z[rows, y]) / (s[:, 0] - s[:, 2] + 1e-12)}
    key = name.replace("-", "_")
    out[key + "_inputs"] = x.detach().numpy().astype(np.float32)
    for kind, l in losses.items():
        out[f"{key}_{kind}_loss"] = l.detach().numpy()
        out[f"{key}_{kind}_gradient"] = torch.autograd.grad(l.sum(), x, retain_graph=True)[0].numpy().astype(np.float32)
np.savez_compressed(here.parent / "attack" / "testdata" / "gradients.npz", **out)
