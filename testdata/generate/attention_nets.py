"""Tiny vision transformers with random weights, by both of PyTorch's exporters and in both forms of attention, for bounds of what exporters write.

    python attention_nets.py --out ../../verify/testdata

Needs: pip install torch==2.8.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy==1.26.4. Seeded; one thread; some seconds.
"""
import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

a = argparse.ArgumentParser()
a.add_argument("--out", default="../../verify/testdata")
a = a.parse_args()
torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)  # a fused operator that has no form in ONNX


class Attention(nn.Module):
    """Self-attention written out: one product for queries, keys and values, and heads as an axis."""

    def __init__(self, d, heads):
        super().__init__()
        self.qkv, self.out, self.heads = nn.Linear(d, 3 * d), nn.Linear(d, d), heads

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        w = torch.softmax(q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5, dim=-1)
        return self.out((w @ v).transpose(1, 2).reshape(n, t, d))


class Written(nn.Module):
    """A pre-norm block around it."""

    def __init__(self, d, heads):
        super().__init__()
        self.a, self.attention = nn.LayerNorm(d), Attention(d, heads)
        self.b, self.mlp = nn.LayerNorm(d), nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        x = x + self.attention(self.a(x))
        return x + self.mlp(self.b(x))


class Transformer(nn.Module):
    """Patches of a 1 x 6 x 6 image, a class token and positions, one block, and a linear layer on the token."""

    def __init__(self, block, d):
        super().__init__()
        self.patch, self.block, self.head = nn.Conv2d(1, d, 3, 3), block, nn.Linear(d, 3)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, d)), nn.Parameter(torch.randn(1, 5, d) * 0.5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        return self.head(self.block(x)[:, 0])


for name, dynamo in (("ts", False), ("dyn", True)):
    for kind in ("written", "module"):
        torch.manual_seed(7)
        d = 6
        block = Written(d, 2) if kind == "written" else nn.TransformerEncoderLayer(d, 2, 2 * d, 0.0, "gelu", batch_first=True)
        net = Transformer(block, d)
        net.eval()
        x = torch.rand(4, 1, 6, 6)
        file = pathlib.Path(a.out) / f"attention-{kind}-{name}.onnx"
        with torch.no_grad():
            if dynamo:
                torch.onnx.export(net, (x[:1],), file, dynamo=True, opset_version=18, external_data=False, input_names=["x"], output_names=["y"],
                                  export_params=True, keep_initializers_as_inputs=False)
            else:
                torch.onnx.export(net, (x[:1],), file, dynamo=False, opset_version=17, input_names=["x"], output_names=["y"])
        # What the exporter notes of the source (stack traces, most of the file) is left out.
        m = onnx.load(file)
        del m.metadata_props[:], m.graph.metadata_props[:]
        for part in (*m.graph.node, *m.graph.input, *m.graph.output, *m.graph.value_info, *m.graph.initializer):
            part.doc_string = ""
            del part.metadata_props[:]
        onnx.save(m, file)
        s = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        y = np.concatenate([s.run(None, {"x": v[None].numpy()})[0] for v in x])
        assert np.allclose(y, net(x).detach().numpy(), atol=1e-5)
        np.savez_compressed(file.with_suffix(".npz"), inputs=x.numpy(), outputs=y, labels=y.argmax(1))
        print(file, file.stat().st_size)
