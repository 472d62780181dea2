"""What has to hold of the files that shoal writes and of what it says. Each function tells what is wrong, and "" where nothing is; onnxruntime is the judge."""
import functools, os, pathlib

import numpy as np
import onnx
import onnxruntime as ort

ort.set_default_logger_severity(4)
os.environ.setdefault("SHOAL_ONNXRUNTIME", str(next(pathlib.Path(ort.__file__).parent.glob("capi/libonnxruntime.so.1.*"))))  # the one that files are checked with
TOLERANCE = 2e-4  # of the largest output: float32 sums in another order
STEP = 0.05  # the same of quantised models, whose executions may round to the next step
LEVELS = (ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)


def session(path, level=LEVELS[0]):
    o = ort.SessionOptions()
    o.graph_optimization_level, o.intra_op_num_threads = level, 1
    return ort.InferenceSession(str(path), o)


def outputs(s, feed):
    return [v for v in s.run(None, feed) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]


@functools.lru_cache(maxsize=4)
def quantised(path):
    return any("Quantize" in n.op_type or n.op_type.startswith(("QLinear", "QGemm")) or n.op_type.endswith(("Integer", "NBits")) for n in onnx.load(str(path), load_external_data=False).graph.node)


def valid(path):
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as e:
        return f"checker: {str(e).splitlines()[0][:120]}"
    return ""


def alone(path, names, arrays):
    """Whether samples in company have the classes that they have alone, which is how they were labelled."""
    labels = arrays["labels"]
    try:
        y = outputs(session(path), {n: arrays["inputs" if len(names) == 1 else n] for n in names})
    except Exception:
        return False  # the batch is fixed
    return bool(y) and len(y[0]) == len(labels) and (y[0].reshape(len(labels), -1).argmax(1) == labels).all()


class Original:
    """The model that files are made from: what it gives is asked of onnxruntime once."""

    def __init__(self, path, feed):
        self.path, self.feed, self.valid, self.gives = path, feed, not valid(path), {}
        for level in LEVELS:
            try:
                self.gives[level] = outputs(session(path, level), feed)
            except Exception:
                pass  # onnxruntime does not run the model either

    def written(self, path, same):
        """Of a file that computes the same, or (same is False) another function."""
        if not path.exists():
            return "no file was written"
        if self.valid and (wrong := valid(path)):
            return wrong
        for level in LEVELS:
            try:
                s = session(path, level)
                if not same or level not in self.gives:
                    continue
                got = outputs(s, self.feed)
            except Exception as e:
                if level not in self.gives or same and "NOT_IMPLEMENTED" in str(e):  # of a newer opset: the file is right, the library does not have it yet
                    continue
                return f"onnxruntime: {str(e).splitlines()[0][:120]}"
            d = far(self.gives[level], got)
            if d > (STEP if quantised(self.path) else TOLERANCE):
                return f"outputs differ by {d:.1e}"
        return ""


def far(a, b):
    if len(a) != len(b):
        return 9.0
    return max((float(np.abs(x.astype(float) - y).max() / max(1e-30, np.abs(x).max())) if x.shape == y.shape else 9.0) for x, y in zip(a, b)) if a else 0.0


def slope(path, feed):
    """Of a gradient's file: along its own signs and along random ones the loss has to change as it says."""
    s = session(path)
    feed, rng = dict(feed), np.random.default_rng(0)
    x = next(iter(feed))
    for i in s.get_inputs():
        if i.name not in feed:
            feed[i.name] = np.eye(1, [d for d in i.shape if isinstance(d, int)][-1], dtype=np.float32)
    def ask(v):
        return (np.asarray(r, float) for r in s.run(["shoal_loss", "shoal_gradient"], {**feed, x: v.astype(np.float32)}))
    loss, g = ask(feed[x])
    size = float(np.linalg.norm(g))
    if not np.isfinite(size):
        return "gradient is not finite"
    if size < 1e-4:
        return ""
    worst = 0.0
    for d in (np.sign(g), rng.choice([-1.0, 1.0], g.shape), rng.choice([-1.0, 1.0], g.shape)):
        d /= np.linalg.norm(d)
        off = []
        for h in (3e-2, 1e-2, 3e-3, 1e-3, 3e-4):  # the longest are over kinks, the shortest are of rounding
            up, down = (next(iter(ask(feed[x] + k * h * d))) for k in (1, -1))
            noise = 1e-6 * max(1, float(np.abs(loss).max())) / h
            off.append(max(0.0, abs(float((up - down).sum()) / (2 * h) - float((g * d).sum())) - noise) / size)
        worst = max(worst, min(off))
    return f"gradient is off by {worst:.1e} of its length" if worst > 0.05 else ""


def around(v, eps, n=24):
    """Points of the ball around one sample: corners, and points inside."""
    rng = np.random.default_rng(0)
    out = [v]
    for k in range(n):
        out.append(v + np.float32(eps) * (rng.choice([-1, 1], v.shape) if k % 2 else rng.uniform(-1, 1, v.shape)))
    inside = lambda p: np.clip(p, np.nextafter(v - np.float32(eps), v), np.nextafter(v + np.float32(eps), v))
    return [inside(np.clip(p, 0, 1)).astype(np.float32) for p in out]


def verdicts(model, name, arrays, eps, answers):
    """Of a certificate's answers: where one says that a sample is verified no point of its ball may be of another class."""
    s = session(model)
    for a in answers:
        if a["verdict"] != "verified":
            continue
        for p in around(arrays["inputs"][a["index"]][None], eps):
            y = outputs(s, {name: p})[0].ravel().astype(float)
            if y.size > 1 and y.max() - y[a["label"]] > TOLERANCE * np.abs(y).max():
                return f"sample {a['index']} is said to be verified and has class {int(y.argmax())} in its ball"
    return ""


def steepest(path, x, v, eps):
    """Corners of the ball towards which one output after the other grows or falls, by a gradient's file of --loss linear."""
    s = session(path)
    (weights,) = (i for i in s.get_inputs() if i.name != x)
    n = [d for d in weights.shape if isinstance(d, int)][-1]
    for k in range(min(n, 8)):
        (g,) = s.run(["shoal_gradient"], {x: v, weights.name: np.eye(n, dtype=np.float32)[k:k + 1]})
        for sign in (-1, 1):
            yield np.clip(v + np.float32(0.999 * eps * sign) * np.sign(g), 0, 1).astype(np.float32)


def bounds(model, name, arrays, eps, answers, output, gradient=None):
    """Of bounds of numbers: no point of the ball may give others."""
    s = session(model)
    slack = STEP if quantised(model) else TOLERANCE
    for a in answers:
        got = a.get("outputs") or {}
        if not got.get("lower"):
            continue
        low, high = (np.array([np.nan if v is None else v for v in got[k]], float) for k in ("lower", "upper"))
        v = arrays["inputs"][a["index"]][None]
        for p in [*around(v, eps), *(steepest(gradient, name, v, eps) if gradient else [])]:
            y = np.asarray(s.run([output], {name: p})[0], float).ravel()
            if y.shape != low.shape:
                return f"bounds of {low.size} numbers where there are {y.size}"
            over = np.nanmax(np.concatenate([low - y, y - high, [-1]]))
            if over > slack * np.abs(y).max():
                return f"a bound is wrong by {over:.1e}"
    return ""
