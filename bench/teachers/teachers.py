"""Certified accuracy of the reference teachers beside the reference's: counts of images, ours first.

    go build -o shoal ./cmd/shoal && python3 bench/teachers/teachers.py ./shoal ../shared/teachers --fmnist FOLDER --cifar10 FILE_OR_FOLDER

Fails where interval differs from the reference, or fastlin or deeppoly certify fewer images. Needs: nothing beyond Python.
"""
import argparse, json, pathlib, subprocess, sys

a = argparse.ArgumentParser()
a.add_argument("shoal")
a.add_argument("teachers", type=pathlib.Path)
a.add_argument("--fmnist", required=True)
a.add_argument("--cifar10", required=True)
a = a.parse_args()
keys = {"interval": "ibp", "fastlin": "fastlin", "deeppoly": "crown"}
print("| model | ε | images | " + " | ".join(keys) + " |")
print("|---|---|---|" + "---|" * len(keys))
missed = 0
for model, radii in json.loads((a.teachers / "results.json").read_text())["certified"].items():
    kind = model.split("-")[0]
    data = {"fmnist": "fmnist:" + a.fmnist, "cifar": "cifar10:" + a.cifar10}[kind]
    for eps, reference in radii.items():
        n, cells = reference["images"], []
        for method, key in keys.items():
            if key not in reference:
                cells.append("-")
                continue
            r = subprocess.run([a.shoal, "certify", str(a.teachers / (model + ".onnx")), "--data", data, "--range", f"0:{n}", "--eps", eps, "--method", method, "--json"],
                               capture_output=True, text=True)
            if not r.stdout.startswith("{"):
                sys.exit(r.stderr)
            ours, theirs = json.loads(r.stdout)["summary"]["verified"], round(reference[key] * n)
            bad = ours != theirs if method == "interval" else ours < theirs
            missed += bad
            cells.append(f"{ours} ({theirs})" + (" !" if bad else ""))
        print(f"| {model} | {eps} | {n} | " + " | ".join(cells) + " |", flush=True)
print(f"\nshort of the reference: {missed}")
sys.exit(missed > 0)
