#!/usr/bin/env python3
"""Tells from the records of a policy how long shards of it would take.

    shoal check shoal.yaml --shard 0/1 --records all.jsonl
    python3 scripts/simulate_shards.py all.jsonl [--start SECONDS] [--shards N,N,...] [--price PER_HOUR]

Shards are cut as shoal cuts them: each requirement's blocks (parts[].grain answers that are asked together) into equal runs of blocks. A shard takes the
sum of its answers' times, and --start. Makespan is the slowest one, busy the mean as a part of that, cost all of them together.
"""
import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("records")
parser.add_argument("--start", type=float, default=0.0)
parser.add_argument("--shards", default="1,2,4,10,30,100,300,1000,3000,10000")
parser.add_argument("--price", type=float, default=0.0, help="of an hour of one machine")
args = parser.parse_args()

with open(args.records) as f:
    head = json.loads(next(f))
    seconds = {}
    for line in f:
        try:
            one = json.loads(line)
        except ValueError:
            continue  # a line that was cut off
        seconds[one["key"], one["index"]] = one["result"].get("seconds", 0.0)

# Answers of a block are timed from the block's beginning, so that the last one has the time of all.
blocks = {}
for part in head["plan"]["settings"]["parts"]:
    grain, units = part["grain"], part["units"]
    blocks[part["name"]] = [max(seconds.get((part["name"], i), 0.0) for i in range(b, min(b + grain, units))) for b in range(0, units, grain)]
missing = sum(p["units"] for p in head["plan"]["settings"]["parts"]) - len(seconds)
if missing:
    print(f"{missing} answers are not there: their time is taken for nothing")

print(f"{'shards':>7} {'makespan, s':>12} {'busy, %':>8} {'machine hours':>14}" + (f" {'price':>10}" if args.price else ""))
for n in map(int, args.shards.split(",")):
    load = [args.start] * n
    for times in blocks.values():
        k = len(times)
        for i in range(n):
            load[i] += sum(times[i * k // n:(i + 1) * k // n])
    slowest, hours = max(load), sum(load) / 3600
    row = f"{n:>7} {slowest:>12.2f} {100 * sum(load) / n / slowest if slowest else 100:>8.1f} {hours:>14.4f}"
    print(row + (f" {args.price * hours:>10.2f}" if args.price else ""))
