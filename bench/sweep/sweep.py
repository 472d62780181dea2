"""Runs every command of shoal over the models of families.py and zoo.py, checks what it writes and says, and keeps what came of it, a line a model.

    python sweep.py SHOAL FOLDER LOG [--timeout S] [--budget S] [--shard K/N] [--only NAME...]

Started again with the same LOG it goes on behind what is there. Models are taken in turns, the smallest of every family first, so that --budget (seconds) leaves out
the largest; they are in the log as such. table.py puts the logs of shards together, and prints what passes, what is refused and why, and what is broken.

A command passes with exit code 0; a written file also has to pass onnx.checker, to load in onnxruntime without and with its optimisations, and, where it computes the
same, to give the outputs of the model that it was made from; a gradient is held against differences, verdicts and bounds against points of the ball. Exit code 13 is a
refusal, which has to name its node. Everything else is broken.
"""
import argparse, hashlib, json, os, pathlib, re, resource, subprocess, sys, tempfile, time

import numpy as np
import onnx
import onnxruntime as ort

import checks

p = argparse.ArgumentParser()
p.add_argument("shoal")
p.add_argument("folder", type=pathlib.Path)
p.add_argument("log", type=pathlib.Path)
p.add_argument("--timeout", type=float, default=10)
p.add_argument("--budget", type=float, default=float("inf"))
p.add_argument("--shard", default="0/1", help="every N-th model, from the K-th on, each shard with a log of its own")
p.add_argument("--only", nargs="*", default=[])
o = p.parse_args()


def family(name):
    return "-".join(name.split("-")[:2]) if name.startswith(("torch-", "ort-", "hand-")) else name.split("-")[0]


def busy():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


class Ran:
    def __init__(self, *args):
        before, start = busy(), time.monotonic()
        self.out = ""
        try:
            r = subprocess.run([o.shoal, *map(str, args)], capture_output=True, text=True, timeout=12 * o.timeout + 30)
        except subprocess.TimeoutExpired:
            self.kind, self.why, self.err = "broken", "no end", ""
        else:
            self.out, self.err = r.stdout, r.stderr
            error = [l for l in r.stderr.splitlines() if l.startswith("shoal: ")] or [f"exit code {r.returncode}"]
            self.kind, self.why = {0: "passed", 10: "passed", 11: "passed", 13: "refused"}.get(r.returncode, "broken"), error[0].removeprefix("shoal: ")
            if "fault of shoal" in r.stderr or "panic" in r.stderr or "goroutine " in r.stderr:
                self.kind = "PANIC"
            elif self.kind == "refused" and not re.search(r'node "|(initializer|output|input|value) "|output holds', self.why):
                self.kind, self.why = "broken", "refused without a node: " + self.why
        self.seconds, self.cpu = time.monotonic() - start, busy() - before

    def fails(self, wrong):
        if self.kind == "passed" and wrong:
            self.kind, self.why = "broken", wrong
        return self

    def json(self):
        return json.loads(self.out) if self.kind == "passed" else {}

    def in_time(self, limit):
        """Neither the clock, which others may slow down, nor the processor's time of one core says that it ended in time."""
        late = min(self.seconds, self.cpu)
        return self.fails(f"took {late:.1f} s where {limit:.0f} s were given" if late > limit * 1.1 + 1 else "")


def commands(model, arrays, d):
    whole = onnx.load(str(model), load_external_data=False)
    opset = next((v.version for v in whole.opset_import if v.domain in ("", "ai.onnx")), 17)
    names, maps = [i.name for i in checks.session(model).get_inputs()], any(not v.type.startswith("tensor") for v in checks.session(model).get_outputs())
    feed = {n: arrays["inputs" if len(names) == 1 else n][:1] for n in names}
    original, blocks = checks.Original(model, feed), checks.quantised(model)
    npz, numbers = f"npz:{model.with_suffix('.npz')}", "regressor" in model.name or model.stem == "sklearn-linear"
    together = not checks.alone(model, names, arrays)
    heads = ["--output", whole.graph.output[0].name] if "two-heads" in model.name else []
    some = ["--decision", "regress"] if numbers else heads
    yield "inspect", Ran("inspect", model)
    for engine in ("go", "ort"):
        r = Ran("run", model, "--engine", engine, "--data", npz, "--json", *some)
        right = r.json().get("accuracy")
        yield f"run, {engine}", r.fails("" if right in (None, 1) or blocks or maps or together else f"accuracy {right} on labels of onnxruntime's own")
    r = Ran("compare", model, model, "--engine", "go", "--engine-b", "ort", "--samples", "4", "--json")
    apart = r.json().get("max_relative")
    yield "engines agree", r.fails("" if apart is not None and apart <= (checks.STEP if blocks else checks.TOLERANCE) else f"engines differ by {apart}")
    for name, args, same in (("simplify", (), True), ("convert up", ("--opset", "25"), True), ("convert down", ("--opset", str(max(13, min(opset - 3, 17)))), True), ("prune", ("--ratio", "0.3"), False)):
        if name != "convert up" or opset < 25:
            path = d / f"{name.replace(' ', '-')}.onnx"
            r = Ran(name.split()[0], model, "-o", path, *args)
            yield name, r.fails(original.written(path, same) if r.kind == "passed" else "")
    path = d / "gradient.onnx"
    r = Ran("gradient", model, "-o", path, *(["--loss", "linear"] if numbers else []))
    steps = r.kind == "refused" and "straight-through" in r.err
    if steps:
        r = Ran("gradient", model, "-o", path, "--straight-through")
    if r.kind == "passed":
        r.fails(original.written(path, False) or ("" if steps or blocks else checks.slope(path, feed)))
    blind = steps or blocks or r.kind != "passed"
    yield "gradient", r
    yield "attack", Ran("attack", model, "--engine", "go", "--data", npz, "--range", "0:2", "--eps", "0.02", *(["--method", "square", "--steps", "500"] if blind else ["--method", "fgsm"]), *some,
                        *(["--tolerance", "0.5"] if numbers else []))
    r = Ran("certify", model, "--data", npz, "--range", "0:2", "--eps", "1e-4", "--timeout", f"{o.timeout}s", "--json", *some).in_time(2 * o.timeout)
    if r.kind == "passed" and len(names) == 1 and not numbers and not maps:
        r.fails(checks.verdicts(model, names[0], arrays, 1e-4, r.json()["samples"]))
    yield "certify", r
    if len(names) == 1 and not maps:
        output = next((v.name for v in whole.graph.output if v.type.tensor_type.elem_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)), "")
        r = Ran("certify", model, "--data", npz, "--range", "0:1", "--eps", "0.01", "--decision", "regress", "--output", output, "--timeout", f"{o.timeout}s", "--json").in_time(o.timeout)
        path = d / "linear.onnx"
        slopes = path if not blind and Ran("gradient", model, "-o", path, "--loss", "linear", "--keep-softmax").kind == "passed" else None
        yield "bounds", r.fails(checks.bounds(model, names[0], arrays, 0.01, r.json()["samples"], output, slopes) if r.kind == "passed" else "")


def log(**line):
    with o.log.open("a") as f:
        f.write(json.dumps(line) + "\n")


head = dict(shoal=hashlib.sha256(pathlib.Path(o.shoal).read_bytes()).hexdigest(), version=subprocess.run([o.shoal, "version"], capture_output=True, text=True).stdout.split("\n")[0],
            timeout=o.timeout, onnx=onnx.__version__, onnxruntime=ort.__version__)
old = [json.loads(l) for l in o.log.read_text().splitlines()] if o.log.exists() else []
if not old:
    log(**head)
elif old[0] != head:
    sys.exit(f"{o.log} is of {old[0]}, and this is {head}")
done, begun, ranks = {l["model"] for l in old[1:] if "commands" in l}, time.monotonic(), {}
for model in sorted(o.folder.glob("*.onnx"), key=lambda m: (m.stat().st_size, m.stem)):
    ranks.setdefault(family(model.stem), []).append(model)
shard, shards = map(int, o.shard.split("/"))
for rank, _, model in sorted((i, f, m) for f, of in ranks.items() for i, m in enumerate(of))[shard::shards]:
    if model.stem in done or o.only and model.stem not in o.only or not model.with_suffix(".npz").exists():
        continue
    if time.monotonic() - begun > o.budget:
        log(model=model.stem, family=family(model.stem), left="no time", bytes=model.stat().st_size)
        continue
    start, found = time.monotonic(), {}
    with tempfile.TemporaryDirectory() as d:
        arrays = dict(np.load(model.with_suffix(".npz")))
        try:
            for name, r in commands(model, arrays, pathlib.Path(d)):
                found[name] = dict(kind=r.kind, seconds=round(r.seconds, 3), cpu=round(r.cpu, 3))
                if r.kind != "passed":
                    found[name]["why"] = r.why.replace(d + "/", "").replace(str(o.folder) + "/", "").replace(model.name + ": ", "")
        except Exception as e:
            found["checks"] = dict(kind="broken", why=f"behind {list(found)[-1:]}: {type(e).__name__}: {str(e)[:150]}")
    log(model=model.stem, family=family(model.stem), sha256=hashlib.sha256(model.read_bytes()).hexdigest(), bytes=model.stat().st_size, seconds=round(time.monotonic() - start, 2), commands=found)
    wrong = [f"{k}: {v['why']}" for k, v in found.items() if v["kind"] in ("broken", "PANIC")]
    print(model.stem, *wrong, sep="\n    ", file=sys.stderr, flush=True)
for note in sorted(o.folder.glob("*.left")):
    if not o.only and shard == 0:
        log(model=note.stem, family=family(note.stem), left=note.read_text())
