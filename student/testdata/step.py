"""Writes step.json: a small net, its losses in PyTorch with every technique, and its weights after five steps of Adam with each.

    python step.py > step.json
"""
import json

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
N, K, T, ALPHA, BETA, STEPS = 6, 3, 3.0, 0.7, 2.5, 5
x, teacher, labels = torch.randn(N, 2, 8, 7), 3 * torch.randn(N, K), torch.randint(0, K, (N,))


def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(2, 3, 3, 2, 1), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 2), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Flatten(),
                         nn.Linear(4 * 2 * 2, 5), nn.ReLU(), nn.Linear(5, K))


def soft(z, t):
    return -(F.softmax(t, 1) * F.log_softmax(z, 1)).sum(1).mean()


def dkd(z):
    on = F.one_hot(labels, K).bool()
    ps, pt = F.softmax(z / T, 1), F.softmax(teacher / T, 1)
    s, t = ps[on], pt[on]
    target = t * (t / s).log() + (1 - t) * ((1 - t) / (1 - s)).log()
    ns, nt = (z / T)[~on].view(N, K - 1), (teacher / T)[~on].view(N, K - 1)
    rest = (F.softmax(nt, 1) * (F.log_softmax(nt, 1) - F.log_softmax(ns, 1))).sum(1)
    return F.cross_entropy(z, labels) + T * T * (ALPHA * target + BETA * rest).mean()


losses = {
    "labels": lambda z: F.cross_entropy(z, labels),
    "logits": lambda z: ((z - teacher) ** 2).mean(),
    "temperature": lambda z: soft(z, teacher / T),
    "hinton": lambda z: ALPHA * T * T * soft(z / T, teacher / T) + (1 - ALPHA) * F.cross_entropy(z, labels),
    "dkd": dkd,
}
names = ["conv1.weight", "conv1.bias", "batchnorm1.weight", "batchnorm1.bias", "conv2.weight", "conv2.bias", "dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias"]


def flat(n):
    out = {name: p.detach().flatten().tolist() for name, p in zip(names, n.parameters())}
    out["batchnorm1.running_mean"], out["batchnorm1.running_var"] = n[2].running_mean.tolist(), n[2].running_var.tolist()
    return out


doc = {"inputs": x.flatten().tolist(), "teacher": teacher.flatten().tolist(), "labels": labels.tolist(), "temperature": T, "alpha": ALPHA, "beta": BETA, "steps": STEPS,
       "start": flat(net()), "runs": {}}
for name, loss in losses.items():
    n = net()
    opt = torch.optim.Adam(n.parameters(), 1e-3)
    values = []
    for _ in range(STEPS):
        v = loss(n(x))
        values.append(v.item())
        opt.zero_grad()
        v.backward()
        opt.step()
    n.eval()
    doc["runs"][name] = {"losses": values, "end": flat(n), "logits": n(x).flatten().tolist()}
print(json.dumps(doc, indent=None, separators=(",", ":")))
