"""Makes the table of docs/benchmarks.md from the folder that reference.sh has written."""
import json, pathlib, sys

# mean test accuracy over three seeds and mean agreement of the same tasks in PyTorch
reference = {
    "fmnist-conv-ts": {"labels": (84.2, 90.2), "logits": (82.0, 88.5), "temperature-1": (84.7, 92.6), "temperature-2": (85.0, 93.1), "temperature-4": (84.9, 93.2), "hinton": (84.0, 91.4)},
    "cifar-b-baseline": {"labels": (46.5, 57.2), "logits": (45.1, 56.4), "temperature-1": (49.7, 64.1), "temperature-2": (50.5, 64.5), "temperature-4": (49.8, 65.2), "hinton": (46.2, 59.4)},
}
print("| teacher | technique | test accuracy, seeds 0, 1, 2 | mean | PyTorch | difference | agreement | PyTorch |")
print("|---|---|---|---|---|---|---|---|")
for teacher, rows in reference.items():
    for technique in [*rows, "dkd"]:
        file = pathlib.Path(sys.argv[1]) / f"{teacher}.{technique}.json"
        if not file.exists():
            continue
        runs = json.loads(file.read_text())["runs"]
        acc = [100 * r["test"]["accuracy"] for r in runs]
        agree = sum(100 * r["test"]["agreement"] for r in runs) / len(runs)
        mean = sum(acc) / len(acc)
        ref = rows.get(technique)
        cells = [teacher, technique, ", ".join(f"{a:.1f}" for a in acc), f"{mean:.1f}"]
        cells += [f"{ref[0]:.1f}", f"{mean - ref[0]:+.1f}", f"{agree:.1f}", f"{ref[1]:.1f}"] if ref else ["-", "-", f"{agree:.1f}", "-"]
        print("| " + " | ".join(cells) + " |")
