"""What pruning gains: size, multiply-adds and time under onnxruntime, and what shoal prune itself takes.

    python3 bench/prune/speed.py ./shoal MODEL... [--ratio 0.5] [--engine ort:cpu]

Prints a table. Times are of one sample, the two models in turns, measured by shoal prune --time.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

p = argparse.ArgumentParser()
p.add_argument("shoal")
p.add_argument("models", nargs="+")
p.add_argument("--ratio", default="0.5")
p.add_argument("--engine", default="ort:cpu")
a = p.parse_args()


def run(args):
    """Runs a command; gives its stdout, seconds and peak memory in bytes."""
    start = time.time()
    child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate()
    return child.returncode, out, err, time.time() - start


def peak(args):
    """Runs a command under a shell that reports its peak memory."""
    start = time.time()
    pid = os.spawnvp(os.P_NOWAIT, "sh", ["sh", "-c", 'exec "$0" "$@" >/dev/null 2>&1', *args])
    _, status, usage = os.wait4(pid, 0)
    return status, time.time() - start, usage.ru_maxrss * 1024


print("| model | MB | parameters | multiply-adds | ms | faster | shoal prune, s | peak memory / file |")
print("|---|---|---|---|---|---|---|---|")
for m in a.models:
    with tempfile.TemporaryDirectory() as d:
        small = os.path.join(d, "small.onnx")
        status, seconds, memory = peak([a.shoal, "prune", m, "--ratio", a.ratio, "-o", small])
        if status:
            print(f"| {os.path.basename(m)} | failed |||||||")
            continue
        code, out, err, _ = run([a.shoal, "prune", m, "--ratio", a.ratio, "--dry-run", "--time", "--engine", a.engine, "--json"])
        if code:
            raise SystemExit(err.decode())
        r = json.loads(out)
        b, c = r["before"], r["after"]
        print(f"| {os.path.basename(m)[:-5]} | {os.path.getsize(m) / 1e6:.1f} → {os.path.getsize(small) / 1e6:.1f} | {b['params'] / 1e6:.2f}M → {c['params'] / 1e6:.2f}M "
              f"| {b['macs'] / 1e6:.0f}M → {c['macs'] / 1e6:.0f}M | {b['ms']:.2f} → {c['ms']:.2f} | {b['ms'] / c['ms']:.2f}× | {seconds:.1f} "
              f"| {memory / os.path.getsize(m):.1f} |", flush=True)
