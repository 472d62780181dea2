"""Writes recipe.json: the small net of step.json trained for twelve steps by PyTorch's own optimisers, schedules, label smoothing and clipping, its loss
at each step and its weights behind the last one. Recipes are written as student.Config has them.

    python recipe.py > recipe.json
"""
import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim import lr_scheduler as rates

doc = json.loads(pathlib.Path(__file__).with_name("step.json").read_text())
STEPS = 12
x, labels = torch.tensor(doc["inputs"]).view(-1, 2, 8, 7), torch.tensor(doc["labels"])
names = [n for n in doc["start"] if "running" not in n]
recipes = {
    "adam": {"learning_rate": 1e-3},
    "adamw": {"learning_rate": 1e-3, "weight_decay": 0.1},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05},
    "momentum": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    "decay": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 0.05},
    "cosine": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "rate_schedule": "cosine"},
    "warm cosine": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "rate_schedule": "cosine", "rate_warm_up": 4},
    "steps": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "rate_schedule": "step", "rate_every": 3, "rate_factor": 0.3},
    "smoothing": {"optimizer": "sgd", "learning_rate": 0.05, "label_smoothing": 0.2},
    "clipped": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "clip_norm": 0.3},
    "adam, all": {"learning_rate": 1e-3, "weight_decay": 0.05, "rate_schedule": "cosine", "rate_warm_up": 2, "label_smoothing": 0.1, "clip_norm": 0.5},
    "sgd, all": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.8, "weight_decay": 0.01, "rate_schedule": "cosine", "rate_warm_up": 3,
                 "label_smoothing": 0.1, "clip_norm": 0.5},
}


def net():
    n = nn.Sequential(nn.Conv2d(2, 3, 3, 2, 1), nn.ReLU(), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 2), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Flatten(),
                      nn.Linear(4 * 2 * 2, 5), nn.ReLU(), nn.Linear(5, 3))
    with torch.no_grad():
        for name, p in zip(names, n.parameters()):
            p.copy_(torch.tensor(doc["start"][name]).view(p.shape))
    return n


def run(r):
    n = net()
    if r.get("optimizer") == "sgd":
        opt = torch.optim.SGD(n.parameters(), r["learning_rate"], momentum=r.get("momentum", 0), weight_decay=r.get("weight_decay", 0))
    else:
        opt = torch.optim.AdamW(n.parameters(), r["learning_rate"], weight_decay=r.get("weight_decay", 0))
    warm = r.get("rate_warm_up", 0)
    rest = {"cosine": lambda: rates.CosineAnnealingLR(opt, STEPS - warm), "step": lambda: rates.StepLR(opt, r["rate_every"], r["rate_factor"]),
            "": lambda: rates.ConstantLR(opt, 1)}[r.get("rate_schedule", "")]()
    if warm:  # 1/warm of the rate at first, all of it at step warm - 1
        rest = rates.SequentialLR(opt, [rates.LinearLR(opt, 1 / warm, 1, warm - 1), rest], [warm])
    losses = []
    for _ in range(STEPS):
        loss = F.cross_entropy(n(x), labels, label_smoothing=r.get("label_smoothing", 0))
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        if "clip_norm" in r:
            nn.utils.clip_grad_norm_(n.parameters(), r["clip_norm"])
        opt.step()
        rest.step()
    end = {name: p.detach().flatten().tolist() for name, p in zip(names, n.parameters())}
    end["batchnorm1.running_mean"], end["batchnorm1.running_var"] = n[2].running_mean.tolist(), n[2].running_var.tolist()
    return {"config": r, "losses": losses, "end": {k: [float(f"{v:.9g}") for v in w] for k, w in end.items()}}


torch.set_num_threads(1)
print(json.dumps({"torch": torch.__version__, "runs": {name: run(r) for name, r in recipes.items()}}, separators=(",", ":")))
