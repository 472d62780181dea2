"""A classifier whose labels are words, as scikit-learn's converter writes it without maps: testdata/faults/zipmap/words.onnx and words.npz.

    python words.py FOLDER
"""
import pathlib, sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h

out, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(0)
w, b = rng.normal(size=(3, 4)).round(2), rng.normal(size=3).round(2)
nodes = [h.make_node("LinearClassifier", ["x"], ["label", "raw"], domain="ai.onnx.ml", coefficients=w.ravel().tolist(), intercepts=b.tolist(), classlabels_strings=["cat", "dog", "eel"],
                     multi_class=1, post_transform="SOFTMAX"),
         h.make_node("Normalizer", ["raw"], ["scores"], domain="ai.onnx.ml", norm="L1")]
g = h.make_graph(nodes, "words", [h.make_tensor_value_info("x", T.FLOAT, ["N", 4])], [h.make_tensor_value_info("label", T.STRING, ["N"]), h.make_tensor_value_info("scores", T.FLOAT, ["N", 3])])
onnx.save(h.make_model(g, opset_imports=[h.make_opsetid("", 21), h.make_opsetid("ai.onnx.ml", 1)], ir_version=10), out / "words.onnx")
x = rng.normal(size=(6, 4)).astype(np.float32)
np.savez(out / "words.npz", inputs=x, labels=(x @ w.T + b).argmax(1))
