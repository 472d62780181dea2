"""Go engine beside onnxruntime's CPU provider: the two take turns, the same batch and threads.

    go build -o /tmp/speed ./bench/speed && python3 bench/speed/speed.py /tmp/speed MODEL.onnx ... [--batch 16] [--threads 1]

Prints per model the median over the rounds of samples per second, and the ratio Go / onnxruntime (1 is equal, above is faster).
Needs: pip install onnxruntime numpy
"""
import argparse, statistics, subprocess, time
import numpy as np
import onnxruntime as ort

a = argparse.ArgumentParser()
a.add_argument("speed"); a.add_argument("models", nargs="+")
a.add_argument("--batch", type=int, default=16); a.add_argument("--threads", type=int, default=1)
a.add_argument("--rounds", type=int, default=7); a.add_argument("--seconds", type=float, default=0.4)
a = a.parse_args()
go = subprocess.Popen([a.speed], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(f"onnxruntime {ort.__version__}, batch {a.batch}, threads {a.threads}, median of {a.rounds} rounds of {a.seconds} s each")
print(f"{'model':44s} {'go/s':>10s} {'ort/s':>10s} {'ratio':>6s}")
for model in a.models:
    o = ort.SessionOptions(); o.intra_op_num_threads = a.threads; o.inter_op_num_threads = 1; o.log_severity_level = 3
    s = ort.InferenceSession(model, o, providers=["CPUExecutionProvider"])
    feed, batch = {}, a.batch
    for i in s.get_inputs():
        shape = list(i.shape)
        if not isinstance(shape[0], int): shape[0] = batch
        batch = shape[0]
        feed[i.name] = np.random.default_rng(0).random([d if isinstance(d, int) else 1 for d in shape], dtype=np.float32)
    s.run(None, feed)
    g, r = [], []
    for _ in range(a.rounds):
        go.stdin.write(f"{model} {a.batch} {a.threads} {a.seconds}\n"); go.stdin.flush()
        g.append(float(go.stdout.readline().split()[0]))
        n, t = 0, time.perf_counter()
        while time.perf_counter() - t < a.seconds:
            s.run(None, feed); n += batch
        r.append(n / (time.perf_counter() - t))
    ratio = statistics.median(x / y for x, y in zip(g, r))
    print(f"{model[-44:]:44s} {statistics.median(g):10.0f} {statistics.median(r):10.0f} {ratio:6.2f}", flush=True)
