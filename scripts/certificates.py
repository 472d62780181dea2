#!/usr/bin/env python3
"""Certificates of folders' instances: python3 certificates.py SHOAL FOLDER... [--take N] [--timeout S] [--python S]

A folder has onnx/, vnnlib/ and expected.csv, as the competition's benchmarks have. Of every family, N instances that are expected to hold, evenly spread, are certified without and
with --certificate; what is written is proven again by shoal recheck and, where --python gives it seconds, by scripts/recheck.py. Prints a line for each instance, then a row of a
table for each family and one for all together. Seconds are those of the processor, user and system, of whole commands; the share is that of recheck in the search without certificate.
"""
import argparse, csv, json, os, resource, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
RECHECK = 20  # times the limit of a search is the limit of who checks


def run(args, seconds):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    try:
        p = subprocess.run(args, capture_output=True, text=True, timeout=seconds)
        code, out = p.returncode, p.stdout
    except subprocess.TimeoutExpired:
        code, out = -1, ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, out, time.time() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median(list):
    list = sorted(list)
    return (list[(len(list) - 1) // 2] + list[len(list) // 2]) / 2 if list else float("nan")


def verdict(out):
    return json.loads(out) if out else {"verdict": "none"}


def instance(shoal, model, prop, limit, python):
    with tempfile.TemporaryDirectory() as d:
        cert = os.path.join(d, "x.cert")
        certify = [shoal, "certify", model, "--vnnlib", prop, "--method", "complete", "--timeout", "%gs" % limit, "--quiet", "--json"]
        _, out, _, alone = run(certify, 2 * limit + 10)
        line = {"alone": verdict(out)["verdict"], "prove": alone}
        _, out, _, both = run(certify + ["--certificate", cert], 2 * limit + 10)
        doc = verdict(out)
        c = doc.get("certificate") or {}
        line.update(verdict=doc["verdict"], parts=c.get("parts"), bytes=c.get("bytes"), both=both, fault=c.get("fault"))
        if os.path.exists(cert):
            code, _, _, cpu = run([shoal, "recheck", cert, model, prop], RECHECK * limit)
            line.update(recheck=cpu, accepted={0: "accepted", 10: "refused", -1: "out of time"}.get(code, "error"))
            if python:
                code, _, seconds, _ = run([sys.executable, os.path.join(HERE, "recheck.py"), cert, model], python)
                line.update(python={0: "accepted", 10: "refused", -1: "out of time"}.get(code, "error"), python_seconds=seconds)
    return line


def row(name, table):
    proven = [t for t in table if t["verdict"] == "verified"]
    good = [t for t in proven if t.get("accepted") == "accepted"]
    both = [t for t in good if t["alone"] == "verified"]
    second = [t["python"] for t in table if "python" in t]
    sums = tuple(sum(t[k] for t in both) for k in ("prove", "both", "recheck"))
    return "| %s | %d | %d | %d | %g, %d | %d, %d | %.3f, %.3f, %.3f | %.2f | %.1f, %.1f, %.1f | %d of %d |" % (
        (name, len(table), len(proven), len(good), median(t["parts"] for t in good), max([t["parts"] for t in good] or [0]), median(t["bytes"] for t in good),
         max([t["bytes"] for t in good] or [0])) + tuple(median(t[k] for t in both) for k in ("prove", "both", "recheck")) +
        (median(t["recheck"] / t["prove"] for t in both),) + sums + (second.count("accepted"), len(second)))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("shoal")
    p.add_argument("folders", nargs="+")
    p.add_argument("--take", type=int, default=5)
    p.add_argument("--timeout", type=float, default=60)
    p.add_argument("--python", type=float, default=0)
    args = p.parse_args()
    rows, every = [], []
    for folder in args.folders:
        name = os.path.basename(os.path.normpath(folder))
        with open(os.path.join(folder, "expected.csv")) as f:
            todo = [r for r in csv.DictReader(f) if r["expected"] == "unsat"]
        if len(todo) > args.take:
            todo = [todo[i * len(todo) // args.take] for i in range(args.take)]
        table = []
        for r in todo:
            line = instance(args.shoal, os.path.join(folder, r["onnx"]), os.path.join(folder, r["vnnlib"]), args.timeout, args.python)
            table.append(line)
            print(json.dumps(dict(line, family=name, instance=r["onnx"] + " " + r["vnnlib"])), flush=True)
        rows.append(row(name, table))
        every += table
    print("| family | tried | verified | accepted | parts: median, most | bytes: median, most | prove, with certificate, recheck: median CPU s | recheck / prove, median | sums, CPU s | Python |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows + [row("all", every)]))


main()
