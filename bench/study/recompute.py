"""Figures of a stored study computed again without shoal: accuracies, attacked accuracies and certified radii, by numpy and onnxruntime.

    python3 bench/study/recompute.py docs/study/fashion-mnist/study.json --fmnist FOLDER NAME=MODEL.onnx...

NAME is a model's as the report has it, with its seed behind an @ where it has one: normal=testdata/fmnist-conv-ts.onnx,
"8-16, temperature from normal@0=DIR/cache/train-....onnx". A model counts only where its SHA-256 is the one that the study wrote down.

Accuracies are onnxruntime's over all test images and must be equal. Attacked accuracies come from a PGD of our own (cross-entropy, 40 steps of
eps/4, uniform start, any misclassified step counts), whose derivative is written by hand (chain.py); its random starts are its own, so a few images of
200 may differ. Radii are the roots of the published Fast-Lin recursion in float64 over the ball cut by [0,1], to 1e-6: the study's proven radius has to
lie no farther below than its tolerance, and not above. As the upper end stands the smallest radius, halving as often as the study does, at which
our PGD changes the class.
"""
import argparse, hashlib, json

import numpy as np
import onnxruntime

from chain import Chain, fashion_mnist, margins

a = argparse.ArgumentParser()
a.add_argument("study")
a.add_argument("models", nargs="+")
a.add_argument("--fmnist", required=True)
a.add_argument("--radii", type=int, default=4, help="images of each model")
a.add_argument("--domain", default="fastlin-plain")
a.add_argument("--intervals", action="store_true", help="intervals decide sides of neurons, as in studies before fastlin-plain was the published recursion")
a.add_argument("--seed", type=int, default=0)
a = a.parse_args()
study = json.load(open(a.study))
images, labels = fashion_mnist(a.fmnist)


def name(row):
    text = ""
    if row.get("student"):
        text = row["student"] + (", " + row["technique"] if row.get("technique") else ", straight")
        text += " from " + row["teacher"] if row.get("teacher") else ""
    else:
        text = row["teacher"]
    text += ", " + row["retrain"] if row.get("retrain") else ""
    text += ", pruned " + row["prune"] if row.get("prune") else ""
    return text + (f"@{row['seed']}" if row["seed"] >= 0 else "")


class Model:
    def __init__(self, path):
        self.bytes = open(path, "rb").read()
        self.session = onnxruntime.InferenceSession(self.bytes, providers=["CPUExecutionProvider"])
        put = self.session.get_inputs()[0]
        self.input, self.whole = put.name, not isinstance(put.shape[0], int)
        self.net = Chain(path)

    def classes(self, x):
        x = x.astype(np.float32).reshape(-1, 1, 28, 28)
        parts = [x] if self.whole else [x[i:i + 1] for i in range(len(x))]
        return np.concatenate([self.session.run(None, {self.input: p})[0] for p in parts]).argmax(1)

    def broken(self, x, y, eps, rng, steps=40):
        """Which rows leave class y somewhere on the way of a PGD, every point seen by onnxruntime."""
        low, high = np.maximum(0, x.astype(np.float64) - eps), np.minimum(1, x.astype(np.float64) + eps)
        p, out = low + (high - low) * rng.random(x.shape), self.classes(x) != y
        for _ in range(steps):
            p = np.clip(p + eps / 4 * np.sign(self.net.gradient(p, y)), low, high)
            left = np.flatnonzero(~out)
            if len(left) == 0:
                break
            out[left] = self.classes(np.clip(p[left].astype(np.float32), low[left], high[left])) != y[left]
        return out

    def proven(self, x, y, eps):
        x = x.astype(np.float64)
        bound, _ = self.net.fastlin(np.maximum(0, x - eps), np.minimum(1, x + eps), margins(y), a.intervals)
        return bool((bound > 0).all())


def root(holds, high, tolerance):
    low = 0.0
    if holds(high):
        return high
    while high - low > tolerance:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


models = {}
for m in a.models:
    key, path = m.rsplit("=", 1)
    row = next((r for r in study["models"] if name(r) == key), None)
    if row is None:
        raise SystemExit(f"the study has no {key}; it has " + "; ".join(map(name, study["models"])))
    models[key] = (row, Model(path))
    if hashlib.sha256(models[key][1].bytes).hexdigest() != row["sha256"]:
        raise SystemExit(f"{path} is not the study's {key}: another SHA-256")

print("| accuracy of | study | ours | apart |\n|---|---|---|---|")
for key, (row, m) in models.items():
    right = int((m.classes(images[:row["samples"]]) == labels[:row["samples"]]).sum())
    print(f"| {key} | {row['correct']:,} of {row['samples']:,} | {right:,} | {right - row['correct']} |", flush=True)

print("\n| attacked | eps | study | ours | apart |\n|---|---|---|---|---|")
for key, (_, m) in models.items():
    for r in study["attacks"]:
        if name(r) != key or r["attack"] != "pgd":
            continue
        x, y = images[:r["samples"]], labels[:r["samples"]]
        for eps, stands in zip(r["eps"], r["robust"]):
            ours = int((~m.broken(x, y, eps, np.random.default_rng(a.seed))).sum())
            print(f"| {key} | {eps} | {stands} of {r['samples']} | {ours} | {ours - stands:+d} |", flush=True)

most, tolerance = study["study"]["certify"]["max_eps"], study["study"]["certify"]["tolerance"]
print(f"\n| radius of | image | study, {a.domain} | root of ours | below by | attack, study | attack, ours |\n|---|---|---|---|---|---|---|")
worst, above, crossed, n = 0.0, 0, 0, 0
for key, (_, m) in models.items():
    by = {r["domain"]: r for r in study["radii"] if name(r) == key}
    if a.domain not in by:
        continue
    for i in range(a.radii):
        x, y = images[i], int(m.classes(images[i:i + 1])[0])
        ours = root(lambda e: m.proven(x, y, e), most, 1e-6)
        theirs = by[a.domain]["radius"][i]
        upper = root(lambda e: not m.broken(x[None], np.array([y]), e, np.random.default_rng(a.seed))[0], most, tolerance)
        stored = by["attack"]["radius"][i] if "attack" in by else float("nan")
        worst, above, n = max(worst, ours - theirs), above + (theirs > ours + 1e-6), n + 1
        crossed += theirs > upper + tolerance
        print(f"| {key} | {i} | {theirs:.5f} | {ours:.5f} | {ours - theirs:.5f} | {stored:.5f} | {upper:.5f} |", flush=True)
print(f"\n{n} radii: at most {worst:.5f} below our root (tolerance {tolerance}), {above} above it, {crossed} above what our attack breaks.")
