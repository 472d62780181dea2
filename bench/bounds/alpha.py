"""Moved slopes beside the reference bounds: `alpha` on every case that has alpha20 or alpha100, one thread.

    go build -o /tmp/shoal ./cmd/shoal && go build -o /tmp/bounds ./bench/bounds
    python3 bench/bounds/alpha.py /tmp/shoal --loop /tmp/bounds ../shared/bench/bounds/cases/*.json

The reference's seconds are of its bounds alone: the median of several runs after one that warms up, in a process that has loaded and built the network
before, on another machine. So what goes into them is told in up to three ways:

    whole    processor time of the whole process `shoal bounds`: start, reading and compiling the file, and bounds for the first time
    first    the seconds of that process' bounds by themselves, which are the first ones
    loop     as the reference was timed: the median of bounds again and again in one process that has the network (--loop)

Prints per case the mean lower bound of both, and how often each of shoal's times goes into the reference's. At the end: on how many cases shoal is at
least as tight, to 1e-6 of the reference's size, and the medians of the ratios, for networks whose widest layer has fewer than 256 neurons and for others.
"""
import argparse, json, pathlib, resource, statistics, subprocess

a = argparse.ArgumentParser()
a.add_argument("shoal"); a.add_argument("cases", nargs="+")
a.add_argument("--loop", help="bench/bounds, built"); a.add_argument("--seconds", type=float, default=0.2)
a.add_argument("--steps", default="20,100"); a.add_argument("--rounds", type=int, default=3, help="of each; the fastest counts")
a = a.parse_args()
ways = ["whole", "first"] + (["loop"] if a.loop else [])
loop = subprocess.Popen([a.loop], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) if a.loop else None
steps = [int(s) for s in a.steps.split(",")]
print("| case | widest | steps | reference | shoal | " + " | ".join(ways) + " |\n|---|---|---|---|---|" + "---|" * len(ways))
tight, ratios = {s: [] for s in steps}, {s: {w: {"small": [], "large": []} for w in ways} for s in steps}


def bounds(*more):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run([a.shoal, "bounds", str(model), "--box", str(case), "--rows", str(case), "--threads", "1", "--json", *more], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if p.returncode:
        raise SystemExit(f"{case}: exit {p.returncode}: {p.stderr}")
    return json.loads(p.stdout), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


for case in a.cases:
    case = pathlib.Path(case)
    c = json.loads(case.read_text())
    model = case.parent.parent / c["model"]
    if not any(f"alpha{s}" in c["bounds"] for s in steps):
        continue
    widest = max([len(l["l"]) for l in bounds("--method", "interval", "--layers")[0].get("layers") or []], default=0)
    size = "small" if widest < 256 else "large"
    for s in steps:
        want = c["bounds"].get(f"alpha{s}")
        if want is None:
            continue
        whole, first = [], []
        for _ in range(a.rounds):
            got, seconds = bounds("--method", "alpha", "--alpha-steps", str(s))
            whole.append(seconds)
            first.append(got["seconds"])
        took = {"whole": min(whole), "first": min(first)}
        if loop:
            medians = []
            for _ in range(a.rounds):
                loop.stdin.write(f"{case} alpha{s} {a.seconds}\n")
                loop.stdin.flush()
                medians.append(float(loop.stdout.readline().split()[0]) / 1000)
            took["loop"] = min(medians)
        mean, ref = statistics.mean(got["lower"]), statistics.mean(want)
        tight[s].append(mean >= ref - 1e-6 * (1 + abs(ref)))
        line = f"| {case.stem} | {widest} | {s} | {ref:.5g} | {mean:.5g}{'' if tight[s][-1] else ' looser'} |"
        theirs = c.get("seconds", {}).get(f"alpha{s}")
        for w in ways:
            line += f" {theirs / took[w]:.3g} |" if theirs else " - |"
            if theirs:
                ratios[s][w][size].append(theirs / took[w])
        print(line, flush=True)
for s in steps:
    print(f"{s} steps: at least as tight on {sum(tight[s])} of {len(tight[s])} cases")
    for w in ways:
        for size, asked in (("small", 50), ("large", 10)):
            r = ratios[s][w][size]
            if r:
                print(f"    {w}, {size}: {statistics.median(r):.3g} times faster at the median of {len(r)}, {sum(x >= asked for x in r)} of them {asked} times and more")
