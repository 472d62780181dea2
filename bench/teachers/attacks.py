"""Robust accuracy of the reference teachers beside the reference's: per cent, ours first.

    go build -o shoal ./cmd/shoal && python3 bench/teachers/attacks.py ./shoal ../shared/teachers --fmnist FOLDER --cifar10 FILE_OR_FOLDER

A cell ends in "!" where ours is more than 1.5 points and two images above the reference's, the spread of its random starts. --methods
and --models choose. Needs: nothing beyond Python.
"""
import argparse, json, pathlib, subprocess, sys, time

a = argparse.ArgumentParser()
a.add_argument("shoal")
a.add_argument("teachers", type=pathlib.Path)
a.add_argument("--fmnist", required=True)
a.add_argument("--cifar10", required=True)
a.add_argument("--engine", default="go")
a.add_argument("--threads", default="0")
a.add_argument("--models", default="")
a.add_argument("--methods", default="")
a = a.parse_args()
runs = {"fgsm": ["--method", "fgsm"], "pgd40": ["--method", "pgd"], "pgd40x5": ["--method", "pgd", "--restarts", "5"], "thesis": ["--method", "thesis"],
        "apgd-ce": ["--method", "apgd-ce"], "square1000": ["--method", "square", "--steps", "1000"], "standard": ["--method", "standard"]}
if a.methods:
    runs = {k: v for k, v in runs.items() if k in a.methods.split(",")}
manifest = {m["file"]: m for m in json.loads((a.teachers / "manifest.json").read_text())}
print("| model | ε | images | " + " | ".join(runs) + " | seconds |")
print("|---|---|---|" + "---|" * (len(runs) + 1), flush=True)
missed = 0
for model, radii in json.loads((a.teachers / "results.json").read_text())["attacks"].items():
    if a.models and model not in a.models.split(","):
        continue
    data = {"fmnist": "fmnist:" + a.fmnist, "cifar": "cifar10:" + a.cifar10}[model.split("-")[0]]
    m, norm = manifest[model + ".onnx"], []
    if m["mean"]:
        norm = ["--mean", ",".join(map(str, m["mean"])), "--std", ",".join(map(str, m["std"]))]
    for eps, reference in radii.items():
        cells, start = [], time.time()
        for method, flags in runs.items():
            if reference.get(method) is None:
                cells.append("-")
                continue
            n = reference["images_standard" if method == "standard" else "images"]
            r = subprocess.run([a.shoal, "attack", str(a.teachers / (model + ".onnx")), "--data", data, "--range", f"0:{n}", "--eps", eps, "--engine", a.engine,
                                "--threads", a.threads, "--json", *norm, *flags], capture_output=True, text=True)
            if not r.stdout.startswith("{"):
                sys.exit(r.stderr)
            ours, theirs = json.loads(r.stdout)["summary"][0]["robust_accuracy"], reference[method]
            bad = ours - theirs > 0.015 and round((ours - theirs) * n) > 2
            missed += bad
            cells.append(f"{100 * ours:.1f} ({100 * theirs:.1f})" + (" !" if bad else ""))
        print(f"| {model} | {eps} | {reference['images']} | " + " | ".join(cells) + f" | {time.time() - start:.0f} |", flush=True)
print(f"\nweaker than the reference: {missed}")
sys.exit(missed > 0)
