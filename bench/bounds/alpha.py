"""Moved slopes beside the reference bounds: `shoal bounds --method alpha` on every case that has alpha20 or alpha100, one thread.

    go build -o /tmp/shoal ./cmd/shoal && python3 bench/bounds/alpha.py /tmp/shoal ../shared/bench/bounds/cases/*.json

Prints per case the mean lower bound of both after 20 and 100 steps, and how often shoal's seconds (processor time of the whole process, reading the
file included) go into the reference's, which were taken on another machine. At the end: on how many cases shoal is at least as tight, to 1e-6 of the
reference's size, and the median of the ratios.
"""
import json, pathlib, resource, statistics, subprocess, sys

shoal, cases = sys.argv[1], sys.argv[2:]
print("| case | rows | reference 20 | shoal 20 | times faster | reference 100 | shoal 100 | times faster |\n|---|---|---|---|---|---|---|---|")
tight, ratios = {20: [], 100: []}, {20: [], 100: []}
for case in cases:
    case = pathlib.Path(case)
    c = json.loads(case.read_text())
    model = case.parent.parent / c["model"]
    line = f"| {case.stem} | {len(c['rows'])} |"
    told = False
    for steps in (20, 100):
        want = c["bounds"].get(f"alpha{steps}")
        if want is None:
            line += " - | - | - |"
            continue
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        p = subprocess.run([shoal, "bounds", str(model), "--box", str(case), "--rows", str(case), "--method", "alpha", "--alpha-steps", str(steps),
                            "--threads", "1", "--json"], capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if p.returncode:
            line += f" {statistics.mean(want):.5g} | exit {p.returncode} | - |"
            tight[steps].append(False)
            continue
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        got, ref = statistics.mean(json.loads(p.stdout)["lower"]), statistics.mean(want)
        tight[steps].append(got >= ref - 1e-6 * (1 + abs(ref)))
        took = c.get("seconds", {}).get(f"alpha{steps}")
        if took:
            ratios[steps].append(took / seconds)
        line += f" {ref:.5g} | {got:.5g} | {took / seconds:.3g} |" if took else f" {ref:.5g} | {got:.5g} | - |"
        told = True
    if told:
        print(line, flush=True)
for steps in (20, 100):
    r = ratios[steps]
    print(f"{steps} steps: at least as tight on {sum(tight[steps])} of {len(tight[steps])} cases" + (f", median {statistics.median(r):.3g} times faster" if r else ""))
