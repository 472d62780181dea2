"""Three small PyTorch networks, by both of its exporters.

    python torch_nets.py --fmnist FOLDER --cifar FOLDER_OF_BIN_FILES --out ..

Needs: pip install torch==2.8.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy==1.26.4. Seeded; one thread; about three minutes.
"""
import argparse
import pathlib

import numpy as np
import torch
from torch import nn

import images

a = argparse.ArgumentParser()
a.add_argument("--fmnist", required=True)
a.add_argument("--cifar", required=True)
a.add_argument("--out", default="..")
a.add_argument("--only", default="", help="part of a network's name: make these alone")
a = a.parse_args()
torch.set_num_threads(1)


class Normalise(nn.Module):
    """The usual first step, kept inside the file."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, x):
        return (x - self.mean) / self.std


class Block(nn.Module):
    """A residual block whose shortcut is the identity."""

    def __init__(self, c):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c))

    def forward(self, x):
        return torch.relu(self.body(x) + x)


def separable(i, o, stride):
    return nn.Sequential(nn.Conv2d(i, i, 3, stride, 1, groups=i, bias=False), nn.BatchNorm2d(i), nn.ReLU6(), nn.Conv2d(i, o, 1), nn.LeakyReLU(0.1))


def mlp():
    return nn.Sequential(Normalise([0.286], [0.353]), nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 60), nn.ReLU(), nn.Linear(60, 10))


def residual():
    return nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2), Block(12),
                         nn.Conv2d(12, 32, 3, 2, 1), nn.ReLU(), nn.AvgPool2d(2), Block(32), nn.Flatten(), nn.Linear(32 * 16, 10))


def depthwise():
    return nn.Sequential(Normalise([0.49, 0.48, 0.45], [0.25, 0.24, 0.26]), nn.Conv2d(3, 24, 3, 2, 1), nn.ReLU6(), separable(24, 48, 2), separable(48, 64, 1), separable(64, 96, 2),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 10))


def train(net, x, y, epochs, rate):
    x, y = torch.tensor(x), torch.tensor(y)
    opt = torch.optim.Adam(net.parameters(), rate)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(0, len(x) - 63, 64):
            k = order[i:i + 64]
            opt.zero_grad()
            nn.functional.cross_entropy(net(x[k]), y[k]).backward()
            opt.step()
        plan.step()
    return net.eval()


def make(name, build, data, epochs, rate, **export):
    if a.only not in name:
        return
    (x, y), (tx, ty) = data
    torch.manual_seed(1)
    net = train(build(), x, y, epochs, rate)
    path = str(pathlib.Path(a.out) / (name + ".onnx"))
    torch.onnx.export(net, (torch.tensor(tx[:2]),), path, input_names=["image"], output_names=["logits"], **export)
    images.finish(path, tx[:16], ty[:16], tx[:1000], ty[:1000])


fm = [images.fmnist(a.fmnist, s) for s in ("train", "t10k")]
fm = [(x[:, None], y) for x, y in fm]
bins = sorted(pathlib.Path(a.cifar).glob("data_batch_*.bin"))
ci = [images.cifar10(bins), images.cifar10([pathlib.Path(a.cifar) / "test_batch.bin"])]
both = (np.concatenate([ci[0][0], ci[0][0][..., ::-1]]), np.concatenate([ci[0][1]] * 2))  # and mirrored

make("fmnist-mlp-ts", mlp, fm, 4, 1e-3, dynamo=False, opset_version=13, dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
make("cifar-residual-dyn", residual, [both, ci[1]], 12, 3e-3, dynamo=True, optimize=False, external_data=False, opset_version=18, dynamic_shapes=({0: torch.export.Dim("batch")},))
make("cifar-depthwise-ts", depthwise, [both, ci[1]], 12, 3e-3, dynamo=False, opset_version=13, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
     dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
