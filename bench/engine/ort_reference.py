"""Writes ten random inputs and onnxruntime's outputs for every network below a folder.

usage: ort_reference.py MODELS OUT      (needs numpy and onnxruntime)
"""
import gzip
import os
import sys

import numpy as np
import onnxruntime as ort

models, out = sys.argv[1:]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(0)
for folder, _, names in sorted(os.walk(models)):
    for name in sorted(names):
        if not name.endswith((".onnx", ".onnx.gz")):
            continue
        path = os.path.join(folder, name)
        data = open(path, "rb").read()
        if name.endswith(".gz"):
            data = gzip.decompress(data)
        options = ort.SessionOptions()
        options.log_severity_level = 3
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        shape = [d if isinstance(d, int) else 1 for d in port.shape]
        xs, ys = [], []
        for k in range(10):
            x = rng.random(shape, dtype=np.float32)
            if k >= 5:
                x = 2 * x - 1
            xs.append(x.ravel())
            ys.append(session.run([session.get_outputs()[0].name], {port.name: x})[0].ravel())
        key = os.path.relpath(path, models).replace("/", "@")
        np.savez(os.path.join(out, key + ".npz"), x=np.array(xs), y=np.array(ys))
