#!/usr/bin/env python3
"""Certificates of a folder's instances: python3 certificates.py SHOAL FOLDER [--take N] [--timeout S] [--python S]

FOLDER has onnx/, vnnlib/ and expected.csv, as the competition's benchmarks have. Of every family, N instances that are expected to hold, evenly spread, are certified with
--certificate; what is written is proven again by shoal recheck and, where --python gives it seconds, by scripts/recheck.py. Prints a line for each, and a row of a table.
"""
import csv, json, os, resource, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))


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
    return sorted(list)[len(list) // 2] if list else float("nan")


def main():
    shoal, folder = sys.argv[1:3]
    options = dict(zip(sys.argv[3::2], map(float, sys.argv[4::2])))
    take, limit, python = int(options.get("--take", 5)), options.get("--timeout", 60), options.get("--python", 0)
    with open(os.path.join(folder, "expected.csv")) as f:
        rows = [r for r in csv.DictReader(f) if r["expected"] == "unsat"]
    rows = [rows[i * len(rows) // take] for i in range(take)] if len(rows) > take else rows
    table, second = [], [0, 0]
    for r in rows:
        model, prop = os.path.join(folder, r["onnx"]), os.path.join(folder, r["vnnlib"])
        with tempfile.TemporaryDirectory() as d:
            cert = os.path.join(d, "x.cert")
            plain = run([shoal, "certify", model, "--vnnlib", prop, "--method", "complete", "--timeout", "%gs" % limit, "--quiet", "--json"], 2 * limit)
            code, out, _, _ = run([shoal, "certify", model, "--vnnlib", prop, "--method", "complete", "--timeout", "%gs" % limit, "--quiet", "--json",
                                   "--certificate", cert], 2 * limit)
            doc = json.loads(out) if out else {"verdict": "none"}
            c = doc.get("certificate") or {}
            line = {"instance": r["onnx"] + " " + r["vnnlib"], "verdict": doc["verdict"], "parts": c.get("parts"), "bytes": c.get("bytes"), "prove": plain[3],
                    "write": c.get("seconds"), "fault": c.get("fault")}
            if os.path.exists(cert):
                code, out, _, cpu = run([shoal, "recheck", cert, model, prop], 20 * limit)
                line.update(recheck=cpu, accepted=code == 0)
                if python:
                    code, _, seconds, _ = run([sys.executable, os.path.join(HERE, "recheck.py"), cert, model], python)
                    line.update(python={0: "accepted", 10: "refused", -1: "out of time"}.get(code, "error"), python_seconds=seconds)
                    second = [second[0] + (code == 0), second[1] + 1]
        table.append(line)
        print(json.dumps(line), flush=True)
    proven = [t for t in table if t["verdict"] == "verified"]
    good = [t for t in proven if t.get("accepted")]
    print("| family | tried | verified | accepted | parts | bytes | prove, CPU s | write, s | recheck, CPU s | Python |")
    print("| %s | %d | %d | %d | %s | %s | %.2f | %.2f | %.2f | %d of %d |" % (
        os.path.basename(os.path.normpath(folder)), len(rows), len(proven), len(good), median([t["parts"] for t in good]), median([t["bytes"] for t in good]),
        median([t["prove"] for t in good]), median([t["write"] for t in good]), median([t["recheck"] for t in good]), second[0], second[1]))


main()
