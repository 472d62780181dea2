"""Two builds of bench/bounds on the reference cases, in turns, one thread each: what a change costs, and whether bounds became looser.

    go build -o /tmp/new ./bench/bounds   # and /tmp/old in a checkout of the other commit
    python3 bench/bounds/turns.py /tmp/old /tmp/new ../shared/bench/bounds/cases/*.json

Prints per case and method the ratio of the fastest times (below 1 the second is faster) and the mean lower bounds where they differ by
more than 1e-9 of their size, then the geometric mean per method. Needs Python alone.
"""
import argparse, math, pathlib, subprocess

a = argparse.ArgumentParser()
a.add_argument("old"); a.add_argument("new"); a.add_argument("cases", nargs="+")
a.add_argument("--rounds", type=int, default=4); a.add_argument("--seconds", type=float, default=0.1)
a.add_argument("--methods", default="interval,fastlin,deeppoly")
a = a.parse_args()


class Build:
    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, case, method):
        self.process.stdin.write(f"{case} {method} {a.seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().split()
        if not line:
            self.process.wait()
            self.start()
            return None
        return float(line[0]), float(line[1])


old, new = Build(a.old), Build(a.new)
for method in a.methods.split(","):
    logs, looser, tighter, left = [], 0, 0, 0
    for case in a.cases:
        name, times, mean = pathlib.Path(case).stem, {old: [], new: []}, {}
        for k in range(a.rounds):
            for build in (old, new) if k % 2 == 0 else (new, old):
                got = build.ask(case, method)
                if got:
                    times[build].append(got[0])
                    mean[build] = got[1]
        if not (times[old] and times[new]):
            left += 1
            print(f"{name:28s} {method:9s} not by {'the first' if not times[old] else 'the second'}", flush=True)
            continue
        ratio = min(times[new]) / min(times[old])
        logs.append(math.log(ratio))
        note = ""
        if abs(mean[new] - mean[old]) > 1e-9 * max(1, abs(mean[old])):
            note = f"  mean bound {mean[old]:.9g} -> {mean[new]:.9g}"
            looser, tighter = looser + (mean[new] < mean[old]), tighter + (mean[new] > mean[old])
        print(f"{name:28s} {method:9s} {min(times[old]):9.3f} ms {min(times[new]):9.3f} ms  {ratio:6.3f}{note}", flush=True)
    if logs:
        print(f"{method}: {len(logs)} cases, {left} left out, geometric mean of ratios {math.exp(sum(logs) / len(logs)):.3f}, bounds tighter in {tighter}, looser in {looser}", flush=True)
