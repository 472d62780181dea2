"""Runs every command of shoal over the models of families.py, checks what it writes, and prints what passes, what is refused and why, and what is broken.

    python sweep.py SHOAL FOLDER [TIMEOUT]

A command passes with exit code 0; a written file also has to pass onnx.checker and to load in onnxruntime without and with its optimisations, and, where it computes
the same, to give the outputs of the model that it was made from. Exit code 13 is a refusal, which names the node. Everything else is broken. Ends with 1 where
something is.
"""
import collections, json, os, pathlib, subprocess, sys, tempfile

import numpy as np
import onnx
import onnxruntime as ort

ort.set_default_logger_severity(4)
os.environ.setdefault("SHOAL_ONNXRUNTIME", str(next(pathlib.Path(ort.__file__).parent.glob("capi/libonnxruntime.so.1.*"))))  # the one that files are checked with
shoal, folder, limit = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 20
TOLERANCE = 2e-4  # of the largest output: float32 sums in another order; quantised models may round to the next step, which is told apart below
LEVELS = (ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)


def session(path, level):
    o = ort.SessionOptions()
    o.graph_optimization_level, o.intra_op_num_threads = level, 1
    return ort.InferenceSession(str(path), o)


def outputs(path, level, feed):
    return [v for v in session(path, level).run(None, feed) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]


def far(a, b):
    return max((float(np.abs(x.astype(float) - y).max() / max(1e-30, np.abs(x).max())) if x.shape == y.shape else 9.0) for x, y in zip(a, b)) if a else 0.0


def written(model, path, feed, same):
    """What is wrong with a file; "" for nothing."""
    if not path.exists():
        return "no file was written"
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as e:
        try:
            onnx.checker.check_model(str(model), full_check=True)
        except Exception:
            return ""  # as the model itself
        return f"checker: {str(e).splitlines()[0][:120]}"
    for level in LEVELS:
        try:
            if not same:
                session(path, level)
                continue
            want = outputs(model, level, feed)
        except Exception as e:
            if not same:
                return f"onnxruntime: {str(e).splitlines()[0][:120]}"
            continue  # onnxruntime does not run the model either
        try:
            d = far(want, outputs(path, level, feed))
        except Exception as e:
            if "NOT_IMPLEMENTED" in str(e):  # of a newer opset: the file is right, the library does not have it yet
                continue
            return f"onnxruntime: {str(e).splitlines()[0][:120]}"
        if d > TOLERANCE and not quantised(model):
            return f"outputs differ by {d:.1e}"
    return ""


def quantised(path):
    return any("Quantize" in n.op_type or n.op_type.startswith("QLinear") or n.op_type.endswith("Integer") for n in onnx.load(str(path), load_external_data=False).graph.node)


def ran(*args):
    try:
        r = subprocess.run([shoal, *map(str, args)], capture_output=True, text=True, timeout=6 * limit)
    except subprocess.TimeoutExpired:
        return "broken", "no end", None
    error = [l for l in r.stderr.splitlines() if l.startswith("shoal: ")]
    if "fault of shoal" in r.stderr or "panic" in r.stderr or "goroutine " in r.stderr:
        return "PANIC", (error or r.stderr.splitlines() or [""])[0], r
    return {0: "passed", 10: "passed", 11: "passed", 13: "refused"}.get(r.returncode, "broken"), (error or [f"exit code {r.returncode}"])[0].removeprefix("shoal: "), r


def commands(model, data, d):
    opset = next((o.version for o in onnx.load(str(model)).opset_import if o.domain in ("", "ai.onnx")), 17)
    a = np.load(data)
    names = [i.name for i in session(model, LEVELS[0]).get_inputs()]
    feed = {n: a["inputs" if len(names) == 1 else n] for n in names}
    feed1 = {n: v[:1] for n, v in feed.items()}
    npz, some = f"npz:{data}", ["--decision", "regress"] if "regressor" in model.name or "linear" in model.name else []
    if "two-heads" in model.name:
        some = ["--output", onnx.load(str(model)).graph.output[0].name]
    yield "inspect", ran("inspect", model)
    yield "run, go", ran("run", model, "--engine", "go", "--data", npz, *some)
    yield "run, ort", ran("run", model, "--engine", "ort", "--data", npz, *some)
    kind, why, r = ran("compare", model, model, "--engine", "go", "--engine-b", "ort", "--samples", "4", "--json")
    if kind == "passed":
        j = json.loads(r.stdout)
        relative = j["max_relative"]
        if not (relative is not None and relative <= (0.05 if quantised(model) else TOLERANCE)):
            kind, why = "broken", f"engines differ by {relative}"
    yield "engines agree", (kind, why, r)
    for name, args, same in (("simplify", (), True), ("convert up", ("--opset", "25"), True), ("convert down", ("--opset", str(max(13, min(opset - 3, 17)))), True), ("prune", ("--ratio", "0.3"), False), ("gradient", (), False)):
        path = d / f"{name.replace(' ', '-')}.onnx"
        if name == "convert up" and opset >= 25:
            continue
        one = name == "gradient" and "regress" in some
        kind, why, r = ran(name.split()[0], model, "-o", path, *(["--loss", "linear"] if one else args))
        if name == "gradient" and kind == "refused" and "straight-through" in r.stderr:
            kind, why, r = ran(name, model, "-o", path, "--straight-through")
        if kind == "passed" and (wrong := written(model, path, feed1, same)):
            kind, why = "broken", wrong
        if name == "gradient":
            blind = kind != "passed"
        yield name, (kind, why, r)
    yield "attack", ran("attack", model, "--engine", "go", "--data", npz, "--range", "0:2", "--eps", "0.02", "--method", "square" if blind or quantised(model) else "fgsm", *([] if not some or "--output" in some else some + ["--tolerance", "0.5"]), *(some if "--output" in some else []))
    yield "certify", ran("certify", model, "--data", npz, "--range", "0:2", "--eps", "1e-4", "--timeout", f"{limit}s", *some)


count, why, models = collections.defaultdict(collections.Counter), collections.defaultdict(list), 0
for model in sorted(folder.glob("*.onnx")):
    data, family = model.with_suffix(".npz"), model.stem.split("-")[0]
    if family in ("torch", "ort", "hand"):
        family = "-".join(model.stem.split("-")[:2])
    if not data.exists():
        continue
    models += 1
    with tempfile.TemporaryDirectory() as d:
        for name, (kind, text, _) in commands(model, data, pathlib.Path(d)):
            count[family][name, kind] += 1
            count["all"][name, kind] += 1
            if kind != "passed":
                why[kind, name, text.replace(str(folder) + "/", "").replace(model.name + ": ", "")].append(model.stem)
    print(model.stem, file=sys.stderr, flush=True)

columns = ["inspect", "run, go", "run, ort", "engines agree", "simplify", "convert up", "convert down", "prune", "gradient", "attack", "certify"]
print(f"{models} models; onnx {onnx.__version__}, onnxruntime {ort.__version__}. Passed, + refused with a node, ! broken.\n")
print("| family | models | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 2))
for family in [*sorted(k for k in count if k != "all"), "all"]:
    c = count[family]
    cell = lambda n: str(c[n, "passed"]) + (f" + {c[n, 'refused']}" if c[n, "refused"] else "") + (f" ! {c[n, 'broken'] + c[n, 'PANIC']}" if c[n, "broken"] + c[n, "PANIC"] else "")
    print(f"| {family} | {sum(v for (n, _), v in c.items() if n == 'inspect')} | " + " | ".join(map(cell, columns)) + " |")
print("\n| | command | why | models |\n|---|---|---|---|")
for (kind, name, text), of in sorted(why.items(), key=lambda i: (i[0][0] == "refused", -len(i[1]))):
    print(f"| {kind} | {name} | {text[:200].replace('|', '/')} | {len(of)}: {', '.join(of[:3])}{', ...' if len(of) > 3 else ''} |")
sys.exit(any(kind in ("broken", "PANIC") for kind, _, _ in why))
