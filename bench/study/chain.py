"""Chains of Conv, Gemm and Relu as dense matrices, and what can be said of them with numpy alone.

Nothing here comes from shoal: a file is read with the onnx package, a convolution is written out as the matrix that it is, and forward pass,
derivative and the Fast-Lin bound are a few lines each. All in float64.
"""
import gzip, pathlib

import numpy as np
import onnx
import onnx.numpy_helper as nh


def fashion_mnist(folder, split="t10k"):
    """Images as float32 in [0,1], one row of 784 each, and their labels."""
    def idx(name, head):
        for path, opener in ((pathlib.Path(folder) / (name + ".gz"), gzip.open), (pathlib.Path(folder) / name, open)):
            if path.exists():
                with opener(path, "rb") as f:
                    return np.frombuffer(f.read(), np.uint8, offset=head)
        raise SystemExit(f"{folder} has no {name}")
    x = idx(split + "-images-idx3-ubyte", 16).reshape(-1, 784)
    return x.astype(np.float32) / np.float32(255), idx(split + "-labels-idx1-ubyte", 8).astype(int)


def unrolled(w, shape, stride, pad):
    """The matrix and the output's shape of a convolution of an image of that shape."""
    channels, height, width = shape
    out, _, kh, kw = w.shape
    rows, columns = (height + pad[0] + pad[2] - kh) // stride[0] + 1, (width + pad[1] + pad[3] - kw) // stride[1] + 1
    m = np.zeros((out, rows, columns, channels, height, width))
    for r in range(rows):
        for c in range(columns):
            for i in range(kh):
                for j in range(kw):
                    y, x = r * stride[0] + i - pad[0], c * stride[1] + j - pad[1]
                    if 0 <= y < height and 0 <= x < width:
                        m[:, r, c, :, y, x] = w[:, :, i, j]
    return m.reshape(out * rows * columns, -1), (out, rows, columns)


class Chain:
    """z_1 = W_1 x + b_1, z_{i+1} = W_{i+1} relu(z_i) + b_{i+1}; the last z are the scores."""

    def __init__(self, path, shape=(1, 28, 28)):
        g = onnx.load(path).graph
        const = {t.name: nh.to_array(t).astype(np.float64) for t in g.initializer}
        for n in g.node:
            if n.op_type == "Constant":
                const[n.output[0]] = nh.to_array(n.attribute[0].t).astype(np.float64)
        self.input, self.layers, affine = next(i.name for i in g.input if i.name not in const), [], None

        def then(w, b):  # joins affine maps that no relu parts
            nonlocal affine
            affine = (w, b) if affine is None else (w @ affine[0], w @ affine[1] + b)
        for n in g.node:
            at = {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}
            if n.op_type in ("Constant", "Flatten", "Reshape", "Identity"):
                continue
            if n.op_type == "Relu":
                self.layers.append(affine)
                affine = None
            elif n.op_type == "Conv":
                assert at.get("group", 1) == 1 and set(at.get("dilations", [1])) == {1} and at.get("auto_pad", b"NOTSET") == b"NOTSET"
                w, shape = unrolled(const[n.input[1]], shape, at.get("strides", [1, 1]), at.get("pads", [0] * 4))
                then(w, np.repeat(const[n.input[2]], shape[1] * shape[2]))
            elif n.op_type == "Gemm":
                assert at.get("alpha", 1) == 1 and at.get("beta", 1) == 1 and at.get("transA", 0) == 0
                w = const[n.input[1]]
                then(w if at.get("transB", 0) else w.T, const[n.input[2]])
            elif n.op_type in ("Sub", "Div"):
                size = int(np.prod(shape))
                v = np.broadcast_to(const[n.input[1]], (1,) + shape).reshape(-1)
                then(np.eye(size) if n.op_type == "Sub" else np.diag(1 / v), -v if n.op_type == "Sub" else np.zeros(size))
            else:
                raise SystemExit(f"{path}: {n.op_type} is not part of a chain")
        self.layers.append(affine)

    def scores(self, x):
        """Scores of rows of images."""
        for i, (w, b) in enumerate(self.layers):
            x = x @ w.T + b
            if i + 1 < len(self.layers):
                x = np.maximum(x, 0)
        return x

    def gradient(self, x, label):
        """The gradient in x of the cross-entropy of rows of images."""
        kept = []
        for i, (w, b) in enumerate(self.layers):
            x = x @ w.T + b
            if i + 1 < len(self.layers):
                kept.append(x > 0)
                x = np.maximum(x, 0)
        g = np.exp(x - x.max(1, keepdims=True))
        g /= g.sum(1, keepdims=True)
        g[np.arange(len(g)), label] -= 1
        for i in range(len(self.layers) - 1, -1, -1):
            g = g @ self.layers[i][0]
            if i:
                g *= kept[i - 1]
        return g

    def fastlin(self, low, high, rows, intervals=False):
        """Lower bounds of rows of linear forms of the scores over a box, and the bounds of every relu's input: the published recursion, in which
        each unstable neuron lies between u/(u-l) z and u/(u-l) (z - l), and all bounds come from rows taken down to the box. With intervals,
        neurons that have a side by the interval of what they read keep it and that interval, and rows are for the others alone."""
        known, box = [], (low, high)

        def lower(a, constant, top):
            """min over the box of a @ relu(z_{top-1}) + constant, or of a @ x + constant where top is 0."""
            for i in range(top - 1, -1, -1):
                l, u = known[i]
                open_ = (l < 0) & (u > 0)
                slope = np.where(l >= 0, 1.0, 0.0)
                slope[open_] = u[open_] / (u[open_] - l[open_])
                # a relu's upper line is slope (z - l), its lower one slope z: a negative coefficient takes the upper one
                constant = constant + np.minimum(a[:, open_], 0) @ (-slope[open_] * l[open_])
                a = a * slope
                constant = constant + a @ self.layers[i][1]
                a = a @ self.layers[i][0]
            return constant + np.maximum(a, 0) @ low + np.minimum(a, 0) @ high
        for i in range(len(self.layers) - 1):
            w, b = self.layers[i]
            l, u = lower(w, b, i), -lower(-w, -b, i)
            if intervals:
                middle, radius = (box[0] + box[1]) / 2, (box[1] - box[0]) / 2
                least, most = w @ middle + b - np.abs(w) @ radius, w @ middle + b + np.abs(w) @ radius
                sure = (least >= 0) | (most <= 0)
                l, u = np.where(sure, least, l), np.where(sure, most, u)
                box = np.maximum(l, 0), np.maximum(u, 0)
            known.append((l, u))
        w, b = self.layers[-1]
        return lower(rows @ w, rows @ b, len(self.layers) - 1), known


def margins(label, classes=10):
    """The rows e_label - e_k of all other classes."""
    rows = -np.eye(classes)
    rows[:, label] += 1
    return np.delete(rows, label, 0)
