"""Prints what sweep.py's logs say, as the tables of docs/benchmarks.md. Ends with 1 where something is broken.

    python table.py LOG... [--before LOG...]

Where a model is in several logs the last counts. With --before there is a second table, whose cells have what was and what is.
"""
import argparse, collections, json, pathlib, sys

p = argparse.ArgumentParser()
p.add_argument("logs", nargs="+", type=pathlib.Path)
p.add_argument("--before", nargs="+", type=pathlib.Path, default=[])
o = p.parse_args()
COLUMNS = ["inspect", "run, go", "run, ort", "engines agree", "simplify", "convert up", "convert down", "prune", "gradient", "attack", "certify", "bounds"]


def read(logs):
    heads, models = [], {}
    for log in logs:
        head, *lines = map(json.loads, log.read_text().splitlines())
        heads.append(head)
        for l in lines:
            if "left" not in l or "commands" not in models.get(l["model"], {}):
                models[l["model"]] = l
    return heads, models


def count(models):
    c = collections.defaultdict(collections.Counter)
    for l in models.values():
        for name, r in l.get("commands", {}).items():
            for f in (l["family"], "all"):
                c[f][name, "broken" if r["kind"] == "PANIC" else r["kind"]] += 1
    return c


def cell(c, name):
    return str(c[name, "passed"]) + (f" + {c[name, 'refused']}" if c[name, "refused"] else "") + (f" ! {c[name, 'broken']}" if c[name, "broken"] else "")


def summary(models):
    kinds = [{r["kind"] for r in l["commands"].values()} for l in models.values()]
    whole, broken = sum(k == {"passed"} for k in kinds), sum(bool(k & {"broken", "PANIC"}) for k in kinds)
    return f"{whole} of {len(kinds)} models go through every command, {len(kinds) - whole - broken} are refused by one or more with the node's name, {broken} are broken by one or more."


def table(models, earlier):
    now, was = count(models), count(earlier)
    print("\n| family | models | " + " | ".join(COLUMNS) + " |\n|" + "---|" * (len(COLUMNS) + 2))
    for f in [*sorted(k for k in now if k != "all"), "all"]:
        cells = [cell(now[f], n) if not earlier or cell(was[f], n) == cell(now[f], n) else f"{cell(was[f], n)} → {cell(now[f], n)}" for n in COLUMNS]
        print(f"| {f} | {sum(v for (n, _), v in now[f].items() if n == 'inspect')} | " + " | ".join(cells) + " |")


heads, models = read(o.logs)
_, earlier = read(o.before)
done = {k: l for k, l in models.items() if "commands" in l}
ran = done.values()
print(summary(done), f"({sum(l['seconds'] for l in ran) / 60:.0f} minutes; onnx {heads[-1]['onnx']}, onnxruntime {heads[-1]['onnxruntime']}, --timeout {heads[-1]['timeout']:g})")
table(done, {})
both = {k: l for k, l in earlier.items() if k in done and "commands" in l}
if both:
    print(f"\nBefore and after, of the {len(both)} models that both were asked about. Before: {summary(both)}")
    table({k: done[k] for k in both}, both)

why = collections.defaultdict(list)
for l in ran:
    for name, r in l["commands"].items():
        if r["kind"] != "passed":
            why[r["kind"], name, r["why"]].append(l["model"])
print("\n| | command | why | models |\n|---|---|---|---|")
for (kind, name, text), of in sorted(why.items(), key=lambda i: (i[0][0] == "refused", i[0][1], -len(i[1]), i[0][2])):
    print(f"| {kind} | {name} | {text[:200].replace('|', '/')} | {len(of)}: {', '.join(of[:3])}{', ...' if len(of) > 3 else ''} |")
left = collections.defaultdict(list)
for l in models.values():
    if "left" in l:
        left[l["left"]].append(l["model"])
print("\n| left out | models |\n|---|---|")
for text, of in sorted(left.items()):
    print(f"| {text[:200].replace('|', '/')} | {', '.join(sorted(of))} |")
sys.exit(any(kind != "refused" for kind, _, _ in why))
