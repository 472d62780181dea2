"""Model evaluations a second inside PGD-40 beside PyTorch, in turns: same network, images, batch and threads.

    go build -o shoal ./cmd/shoal && python3 bench/attack/throughput.py ./shoal --fmnist FOLDER --cifar10 FILE_OR_FOLDER MODEL.onnx...

Networks are chains of Conv, Relu, MaxPool, Flatten, Reshape, Gemm, MatMul and Add, which are rebuilt in PyTorch from the file. PyTorch
runs Madry's loop: random start, 40 steps of eps/4, all images to the end, gradients by autograd in the input alone. shoal leaves out
images that are broken, so evaluations that it made are what counts. Needs: torch, numpy, onnx; ort runs need onnxruntime (--onnxruntime).
"""
import argparse, gzip, json, pathlib, statistics, subprocess, time

import numpy as np
import onnx, onnx.numpy_helper as nh
import torch
import torch.nn.functional as F

a = argparse.ArgumentParser()
a.add_argument("shoal")
a.add_argument("models", nargs="+")
a.add_argument("--fmnist")
a.add_argument("--cifar10")
a.add_argument("--eps", default="0.004")
a.add_argument("--images", type=int, default=256)
a.add_argument("--rounds", type=int, default=3)
a.add_argument("--onnxruntime", default="")
a = a.parse_args()
torch.set_num_threads(1)


def chain(path):
    m = onnx.load(path)
    w = {i.name: torch.from_numpy(nh.to_array(i).copy()) for i in m.graph.initializer}
    for n in m.graph.node:
        if n.op_type == "Constant":
            w[n.output[0]] = torch.from_numpy(np.array(nh.to_array(n.attribute[0].t)))
    steps = [(n, {t.name: onnx.helper.get_attribute_value(t) for t in n.attribute}) for n in m.graph.node if n.op_type != "Constant"]

    def forward(x):
        v = dict(w)
        v[[i.name for i in m.graph.input if i.name not in w][0]] = x
        for n, at in steps:
            i = [v[k] for k in n.input if k]
            if n.op_type == "Conv":
                p = at.get("pads", [0, 0, 0, 0])
                assert p[:2] == p[2:]
                y = F.conv2d(i[0], i[1], i[2] if len(i) > 2 else None, at.get("strides", 1), p[:2], at.get("dilations", 1), at.get("group", 1))
            elif n.op_type == "Relu":
                y = F.relu(i[0])
            elif n.op_type == "MaxPool":
                y = F.max_pool2d(i[0], at["kernel_shape"], at["strides"])
            elif n.op_type in ("Flatten", "Reshape"):
                y = i[0].flatten(1)
            elif n.op_type == "Gemm":
                y = F.linear(i[0], i[1] if at.get("transB") else i[1].T, i[2])
            elif n.op_type == "MatMul":
                y = i[0] @ i[1]
            elif n.op_type == "Add":
                y = i[0] + i[1]
            else:
                raise SystemExit(f"{path}: {n.op_type} is not rebuilt here")
            v[n.output[0]] = y
        return y

    return forward


def images(kind, n):
    if kind == "fmnist":
        d = pathlib.Path(a.fmnist)
        read = lambda f, skip: np.frombuffer(gzip.open(d / f).read(), np.uint8)[skip:]
        return read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[:n] / np.float32(255), read("t10k-labels-idx1-ubyte.gz", 8)[:n]
    f = pathlib.Path(a.cifar10)
    raw = np.frombuffer((f / "test_batch.bin" if f.is_dir() else f).read_bytes(), np.uint8).reshape(-1, 3073)[:n]
    return raw[:, 1:].reshape(-1, 3, 32, 32) / np.float32(255), raw[:, 0]


def pgd(f, x, y, eps):
    adv = (x + (2 * torch.rand_like(x) - 1) * eps).clamp(0, 1)
    for _ in range(40):
        adv.requires_grad_(True)
        g, = torch.autograd.grad(F.cross_entropy(f(adv), y, reduction="sum"), adv)
        adv = (torch.min(torch.max(adv.detach() + eps / 4 * g.sign(), x - eps), x + eps)).clamp(0, 1)
    return f(adv)


print("| network | PyTorch, evaluations/s | shoal, Go engine | ratio | shoal, onnxruntime | ratio |\n|---|---|---|---|---|---|")
for path in a.models:
    kind = "fmnist" if "fmnist" in path else "cifar10"
    x, y = images(kind, a.images)
    x, y = torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y.astype(np.int64))
    f, eps = chain(path), float(a.eps)
    rates = {"torch": [], "go": [], "ort": []}
    for _ in range(a.rounds):
        start = time.perf_counter()
        for k in range(0, len(x), 64):
            pgd(f, x[k:k + 64], y[k:k + 64], eps)
        rates["torch"].append(40 * len(x) / (time.perf_counter() - start))
        for engine in ("go", "ort") if a.onnxruntime else ("go",):
            more = ["--onnxruntime", a.onnxruntime] if engine == "ort" else []
            r = subprocess.run([a.shoal, "attack", path, "--data", f"{kind}:{getattr(a, kind)}", "--range", f"0:{a.images}", "--eps", a.eps, "--method", "pgd",
                                "--batch", "64", "--threads", "1", "--engine", engine, "--json", *more], capture_output=True, text=True)
            s = json.loads(r.stdout)["summary"][0]
            rates[engine].append(s["evaluations"] / s["seconds"])
    m = {k: statistics.median(v) for k, v in rates.items() if v}
    ort = f"{m['ort']:.0f} | {m['ort'] / m['torch']:.2f}" if "ort" in m else "- | -"
    print(f"| {pathlib.Path(path).stem} | {m['torch']:.0f} | {m['go']:.0f} | {m['go'] / m['torch']:.2f} | {ort} |", flush=True)
