"""Training steps of the small student beside PyTorch on the CPU, in turns, on one and on two threads.

    go build -o step ./bench/student/step && python3 bench/student/step.py ./step
"""
import re, subprocess, sys, time

import torch
import torch.nn as nn
import torch.nn.functional as F

ROUNDS, STEPS = 3, 150


def pytorch(c, h, threads):
    torch.set_num_threads(threads)
    net = nn.Sequential(nn.Conv2d(c, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(h * h, 100), nn.ReLU(), nn.Linear(100, 10))
    opt = torch.optim.Adam(net.parameters(), 1e-3)
    x, z, order, times = torch.rand(20000, c, h, h), torch.randn(20000, 10), torch.randperm(20000), []
    for s in range(STEPS):
        start = time.perf_counter()
        i = order[s * 128 : s * 128 + 128]
        loss = -(F.softmax(z[i], 1) * F.log_softmax(net(x[i]), 1)).sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        times.append((time.perf_counter() - start) * 1e3)
        if s == 19:
            before = time.process_time()
    spent = (time.process_time() - before) * 1e3 / (STEPS - 20)
    times = sorted(times[20:])
    return times[len(times) // 2], times[0], spent


def shoal(c, h, threads):
    out = subprocess.run([sys.argv[1], "-input", f"{c}x{h}x{h}", "-threads", str(threads), "-steps", str(STEPS)], capture_output=True, text=True, check=True).stdout
    return tuple(float(v) for v in re.search(r"median ([\d.]+) ms, best ([\d.]+) ms, processor ([\d.]+)", out).groups())


print("| input | threads | | median | best | processor time |\n|---|---|---|---|---|---|")
for c, h in ((1, 28), (3, 32)):
    for threads in [int(t) for t in sys.argv[2:]] or [1, 2]:
        rounds = [(shoal(c, h, threads), pytorch(c, h, threads)) for _ in range(ROUNDS)]
        for who, i in (("shoal", 0), ("PyTorch", 1)):
            cells = [sorted(r[i][0] for r in rounds)[ROUNDS // 2], min(r[i][1] for r in rounds), sorted(r[i][2] for r in rounds)[ROUNDS // 2]]
            print(f"| {c}x{h}x{h} | {threads} | {who} | " + " | ".join(f"{v:.2f}" for v in cells) + " |", flush=True)
