"""The distillation tasks in PyTorch, on CIFAR-10's JPEG images, tested on test_batch.bin and on all 10,000 JPEG test images.

    python reference.py TEACHER.onnx CIFAR10_FOLDER SEEDS technique ...
"""
import io, sys, zipfile

import numpy as np
import onnxruntime as ort
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

teacher_path, folder, seeds, techniques = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
torch.set_num_threads(1)


def jpegs(split, keep=None):
    z = zipfile.ZipFile(f"{folder}/cifar10_jpeg_{split}.zip")
    names = sorted(n for n in z.namelist() if n.endswith((".jpg", ".jpeg", ".png")))
    classes = sorted({n.split("/")[-2] for n in names})
    if keep is not None:
        names = [names[i] for i in np.random.default_rng(0).permutation(len(names))[:keep]]
    x = np.stack([np.asarray(Image.open(io.BytesIO(z.read(n))).convert("RGB")) for n in names])
    return torch.tensor(x).permute(0, 3, 1, 2).float() / 255, torch.tensor([classes.index(n.split("/")[-2]) for n in names])


def records(path):
    d = np.fromfile(path, np.uint8).reshape(-1, 3073)
    return torch.tensor(d[:, 1:].reshape(-1, 3, 32, 32)).float() / 255, torch.tensor(d[:, 0].astype(np.int64))


x, y = jpegs("train", 20000)
tests = {"test_batch": records(f"{folder}/test_batch.bin"), "jpeg": jpegs("test")}
s = ort.InferenceSession(teacher_path)
z = torch.tensor(np.concatenate([s.run(None, {s.get_inputs()[0].name: x[i : i + 1].numpy()})[0] for i in range(len(x))]))


def soft(a, t):
    return -(F.softmax(t, 1) * F.log_softmax(a, 1)).sum(1).mean()


def loss(name, a, t, l):
    if name == "labels":
        return F.cross_entropy(a, l)
    if name == "logits":
        return ((a - t) ** 2).mean()
    if name == "hinton":
        return 0.9 * 16 * soft(a / 4, t / 4) + 0.1 * F.cross_entropy(a, l)
    return soft(a, t / float(name.split("-")[1]))


for name in techniques:
    rows = {k: [] for k in tests}
    for seed in range(seeds):
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 100), nn.ReLU(), nn.Linear(100, 10))
        opt = torch.optim.Adam(net.parameters(), 1e-3)
        for _ in range(5):
            order = torch.randperm(len(x))
            for i in range(0, len(x) - 127, 128):
                k = order[i : i + 128]
                v = loss(name, net(x[k]), z[k], y[k])
                opt.zero_grad()
                v.backward()
                opt.step()
        with torch.no_grad():
            for k, (tx, ty) in tests.items():
                rows[k].append(100 * (net(tx).argmax(1) == ty).float().mean().item())
    print(name, {k: ([round(a, 1) for a in v], round(sum(v) / len(v), 2)) for k, v in rows.items()}, flush=True)
