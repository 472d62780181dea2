"""Small models in the forms that today's exporters write, each with four samples: OUT/NAME.onnx and OUT/NAME.npz, and the versions that made them.

    python families.py OUT [torch|sklearn|onnxruntime|hand]...

Needs the packages of requirements.txt. What cannot be exported is told and left out. sweep.py runs every command over them.
"""
import numpy as np
import onnx
import onnx.reference
from onnx import TensorProto as T, helper as h

from made import made, only, out, rng


def torch_models():
    import torch
    from torch import nn
    torch.manual_seed(0)

    class Lambda(nn.Module):
        def __init__(self, f, **parts):
            super().__init__()
            self.f = f
            for k, v in parts.items():
                setattr(self, k, v)

        def forward(self, x):
            return self.f(self, x)

    F = nn.functional
    flat = nn.Flatten()
    head = lambda n: nn.Linear(n, 5)
    heads = lambda x: x.reshape(x.shape[0], x.shape[1], 2, 8).transpose(1, 2)
    seq, img, row, vol, sig = (6, 16), (3, 12, 12), (10,), (2, 6, 6, 6), (4, 20)
    nets = {
        "mlp": (nn.Sequential(nn.Linear(10, 16), nn.ReLU(), head(16)), row),
        "mlp-tanh-softmax": (nn.Sequential(nn.Linear(10, 16), nn.Tanh(), head(16), nn.Softmax(-1)), row),
        "cnn-bn": (nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), flat, head(288)), img),
        "cnn-depthwise": (nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), flat, head(8)), img),
        "residual": (Lambda(lambda m, x: m.o(torch.flatten(F.relu(m.b(F.relu(m.a(x))) + m.s(x)).mean((2, 3)), 1)), a=nn.Conv2d(3, 8, 3, padding=1),
                            b=nn.Conv2d(8, 8, 3, padding=1), s=nn.Conv2d(3, 8, 1), o=head(8)), img),
        "convnext": (nn.Sequential(nn.Conv2d(3, 8, 4, 4), Lambda(lambda m, x: m.n(x.permute(0, 2, 3, 1)), n=nn.LayerNorm(8)), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8), flat, head(72)), img),
        "groupnorm-silu": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.SiLU(), nn.AvgPool2d(2), flat, head(200)), img),
        "instance-norm": (nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.LeakyReLU(), flat, head(400)), img),
        "squeeze-excite": (Lambda(lambda m, x: m.o((m.c(x) * torch.sigmoid(m.e(m.c(x).mean((2, 3))))[..., None, None]).mean((2, 3))), c=nn.Conv2d(3, 8, 3), e=nn.Linear(8, 8), o=head(8)), img),
        "transposed": (nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.ConvTranspose2d(4, 2, 4, 2), flat, head(288)), img),
        "upsample": (nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.ReLU(), flat, head(400)), img),
        "pixel-shuffle": (nn.Sequential(nn.Conv2d(3, 8, 3), nn.PixelShuffle(2), nn.PReLU(), flat, head(800)), img),
        "chunk": (Lambda(lambda m, x: m.o(torch.cat([a * torch.sigmoid(b) for a, b in [m.a(x).chunk(2, -1)]], -1)), a=nn.Linear(10, 16), o=head(8)), row),
        "topk": (Lambda(lambda m, x: m.o(torch.topk(m.a(x), 6)[0]), a=nn.Linear(10, 16), o=head(6)), row),
        "conv1d": (nn.Sequential(nn.Conv1d(4, 8, 3), nn.ELU(), nn.MaxPool1d(2), flat, head(72)), sig),
        "conv3d": (nn.Sequential(nn.Conv3d(2, 4, 3), nn.ReLU(), nn.AvgPool3d(2), flat, head(32)), vol),
        "attention": (Lambda(lambda m, x: m.o(m.a(x, x, x, need_weights=False)[0].mean(1)), a=nn.MultiheadAttention(16, 2, batch_first=True), o=head(16)), seq),
        "sdpa": (Lambda(lambda m, x: m.o(F.scaled_dot_product_attention(heads(m.q(x)), heads(m.k(x)), heads(m.v(x))).mean((1, 2))), q=nn.Linear(16, 16), k=nn.Linear(16, 16), v=nn.Linear(16, 16), o=head(8)), seq),
        "sdpa-causal": (Lambda(lambda m, x: m.o(F.scaled_dot_product_attention(heads(m.q(x)), heads(x), heads(x), is_causal=True).mean((1, 2))), q=nn.Linear(16, 16), o=head(8)), seq),
        "encoder": (nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, activation="gelu"), flat, head(96)), seq),
        "rmsnorm": (nn.Sequential(nn.Linear(16, 16), nn.RMSNorm(16), nn.SiLU(), flat, head(96)), seq),
        "einsum": (Lambda(lambda m, x: m.o(torch.einsum("bij,kj->bki", m.a(x), m.w).flatten(1)), a=nn.Linear(16, 8), w=nn.Parameter(torch.randn(3, 8)), o=head(18)), seq),
        "lstm": (Lambda(lambda m, x: m.o(m.r(x)[0][:, -1]), r=nn.LSTM(16, 8, batch_first=True), o=head(8)), seq),
        "gru": (Lambda(lambda m, x: m.o(m.r(x)[0][:, -1]), r=nn.GRU(16, 8, batch_first=True), o=head(8)), seq),
        "logsumexp": (Lambda(lambda m, x: m.o(torch.stack([torch.logsumexp(m.a(x), -1), m.a(x).norm(dim=-1), x.amax(-1)], -1)), a=nn.Linear(10, 6), o=head(3)), row),
        "two-heads": (Lambda(lambda m, x: (m.a(x), m.b(x)), a=nn.Linear(10, 5), b=nn.Linear(10, 4)), row),
    }
    for name, (net, shape) in nets.items():
        net.eval()
        x = rng.random((4, *shape), dtype=np.float32)
        for way, options in {"old17": dict(opset_version=17, dynamo=False, dynamic_axes={"x": {0: "N"}}),
                             "dynamo18": dict(opset_version=18, dynamo=True, dynamic_shapes=({0: torch.export.Dim("N")},)),
                             "dynamo23": dict(opset_version=23, dynamo=True, dynamic_shapes=({0: torch.export.Dim("N")},))}.items():
            if isinstance(net, Lambda) and options["dynamo"]:
                options["dynamic_shapes"] = {"x": {0: torch.export.Dim("N")}}
            if options["dynamo"]:
                options.update(verbose=False, external_data=False)
            made(f"torch-{way}-{name}", lambda path: torch.onnx.export(net, (torch.tensor(x[:2]),), path, input_names=["x"], **options), {"x": x})


def sklearn_models():
    from skl2onnx import to_onnx
    from sklearn import ensemble, linear_model, neural_network, pipeline, preprocessing, svm, tree
    x = rng.random((80, 4), dtype=np.float32)
    y = (x @ rng.normal(size=(4, 3))).argmax(1)
    z = (x @ rng.normal(size=4)).astype(np.float32)
    nets = {"mlp": neural_network.MLPClassifier((8,), max_iter=50), "logistic": linear_model.LogisticRegression(), "svc": svm.SVC(probability=True),
            "tree": tree.DecisionTreeClassifier(max_depth=3), "forest": ensemble.RandomForestClassifier(3, max_depth=3),
            "boosting": ensemble.GradientBoostingClassifier(n_estimators=3), "pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), preprocessing.Normalizer(), neural_network.MLPClassifier((8,), max_iter=50))}
    for name, net in nets.items():
        net.fit(x, y)
        for zipped in (True, False):
            made(f"sklearn-{name}{'' if zipped else '-table'}", lambda path: onnx.save(to_onnx(net, x[:1], options={id(net): {"zipmap": zipped}}), path), {"X": x[:4]})
    for name, net in {"mlp-regressor": neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=50), "linear": linear_model.LinearRegression(), "forest-regressor": ensemble.RandomForestRegressor(3, max_depth=3)}.items():
        net.fit(x, z)
        made(f"sklearn-{name}", lambda path: onnx.save(to_onnx(net, x[:1]), path), {"X": x[:4]})


def onnxruntime_models():
    import onnxruntime as ort
    from onnxruntime import quantization as q
    for base in ("cnn-bn", "mlp", "encoder", "convnext", "residual"):
        source = out / f"torch-old17-{base}.onnx"
        if not source.exists():
            continue
        data = np.load(out / f"torch-old17-{base}.npz")["inputs"]

        class Reader(q.CalibrationDataReader):
            def __init__(self):
                self.left = list(data)

            def get_next(self):
                return {"x": self.left.pop()[None]} if self.left else None

        made(f"ort-dynamic-{base}", lambda path: q.quantize_dynamic(source, path), {"x": data})
        made(f"ort-qdq-{base}", lambda path: q.quantize_static(source, path, Reader(), quant_format=q.QuantFormat.QDQ), {"x": data})
        made(f"ort-qdq-channel-{base}", lambda path: q.quantize_static(source, path, Reader(), quant_format=q.QuantFormat.QDQ, per_channel=True), {"x": data})
        made(f"ort-qoperator-{base}", lambda path: q.quantize_static(source, path, Reader(), quant_format=q.QuantFormat.QOperator), {"x": data})
        for level in ("BASIC", "EXTENDED", "ALL"):
            def save(path):
                o = ort.SessionOptions()
                o.graph_optimization_level, o.optimized_model_filepath = getattr(ort.GraphOptimizationLevel, f"ORT_ENABLE_{level}"), path
                ort.InferenceSession(str(source), o)
            made(f"ort-{level.lower()}-{base}", save, {"x": data})


def hand_models():
    f = lambda *s: rng.normal(size=s).astype(np.float32)
    def model(name, opset, nodes, shape, consts, tail="t"):
        """nodes end in t, which is flattened and multiplied into five scores."""
        def save(path):
            probe = h.make_model(h.make_graph(nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, ["N", *shape])], [onnx.ValueInfoProto(name=tail)], [onnx.numpy_helper.from_array(v, k) for k, v in consts.items()]),
                                 opset_imports=[h.make_opsetid("", opset)], ir_version=10)
            size = int(np.prod(onnx.reference.ReferenceEvaluator(probe).run(None, {"x": f(1, *shape)})[0].shape))
            all_ = {**consts, "flat_w": f(size, 5)}
            g = h.make_graph(nodes + [h.make_node("Flatten", [tail], ["flat"]), h.make_node("MatMul", ["flat", "flat_w"], ["y"])], "g",
                             [h.make_tensor_value_info("x", T.FLOAT, ["N", *shape])], [h.make_tensor_value_info("y", T.FLOAT, ["N", 5])], [onnx.numpy_helper.from_array(v, k) for k, v in all_.items()])
            m = h.make_model(g, opset_imports=[h.make_opsetid("", opset)], ir_version=10)
            onnx.checker.check_model(m)
            onnx.save(m, path)
        made(f"hand-{opset}-{name}", save, {"x": rng.random((4, *shape), dtype=np.float32)})
    n = h.make_node
    dense = lambda to="a", src="x", w="w": n("MatMul", [src, w], [to])
    for opset in (20, 21, 22, 23, 24, 25):
        model("gelu", opset, [dense(), n("Gelu", ["a"], ["t"], approximate="tanh")], (8,), {"w": f(8, 6)})
        model("layernorm", opset, [dense(), n("LayerNormalization", ["a", "s", "b"], ["t"])], (4, 8), {"w": f(8, 6), "s": f(6), "b": f(6)})
        model("split-reduce", opset, [dense(), n("Split", ["a"], ["p", "q"], axis=-1, num_outputs=2), n("Mul", ["p", "q"], ["m"]), n("ReduceMax", ["m", "ax"], ["t"], keepdims=0)], (4, 8), {"w": f(8, 6), "ax": np.array([1])})
        model("conv-hardswish", opset, [n("Conv", ["x", "w"], ["a"]), n("HardSwish", ["a"], ["b"]), n("AveragePool", ["b"], ["t"], kernel_shape=[2, 2])], (2, 6, 6), {"w": f(3, 2, 3, 3)})
    for opset in (21, 23, 25):
        model("int4-blocks", opset, [n("DequantizeLinear", ["q", "s"], ["w"], axis=0, block_size=4), dense("t")], (8,), {"q": rng.integers(-8, 8, (8, 6)).astype(__import__("ml_dtypes").int4), "s": np.abs(f(2, 6))})
        model("groupnorm", opset, [n("Conv", ["x", "w"], ["a"]), n("GroupNormalization", ["a", "s", "b"], ["t"], num_groups=2)], (2, 6, 6), {"w": f(4, 2, 3, 3), "s": f(4), "b": f(4)})
        model("qdq", opset, [n("QuantizeLinear", ["x", "s", "z"], ["q"]), n("DequantizeLinear", ["q", "s", "z"], ["r"]), dense("t", "r")], (8,), {"s": np.float32(0.01), "z": np.uint8(3), "w": f(8, 6)})
    for opset in (23, 24, 25):
        model("rmsnorm", opset, [dense(), n("RMSNormalization", ["a", "s"], ["t"])], (4, 8), {"w": f(8, 6), "s": f(6)})
        model("attention", opset, [dense("a", w="w"), dense("b", w="v"), n("Attention", ["a", "b", "b"], ["t"], q_num_heads=2, kv_num_heads=2)], (4, 8), {"w": f(8, 6), "v": f(8, 6)})
        model("attention-grouped", opset, [dense("a", w="w"), dense("b", w="v"), n("Attention", ["a", "b", "b"], ["t"], q_num_heads=4, kv_num_heads=2, softcap=2.0, is_causal=1)], (4, 8), {"w": f(8, 8), "v": f(8, 4)})
        model("rotary", opset, [dense(), n("RotaryEmbedding", ["a", "c", "s", "p"], ["t"], num_heads=2)], (4, 8), {"w": f(8, 8), "c": f(6, 2), "s": f(6, 2), "p": np.arange(4)[None]})
    for opset in (24, 25):
        model("swish", opset, [dense(), n("Swish", ["a"], ["t"], alpha=1.5)], (8,), {"w": f(8, 6)})
    for opset in (20, 25):
        body = h.make_graph([n("Mul", ["v", "v"], ["v2"]), n("Identity", ["c"], ["c2"])], "body", [h.make_tensor_value_info("i", T.INT64, []), h.make_tensor_value_info("c", T.BOOL, []), h.make_tensor_value_info("v", T.FLOAT, None)],
                            [h.make_tensor_value_info("c2", T.BOOL, []), h.make_tensor_value_info("v2", T.FLOAT, None)])
        model("loop", opset, [dense(), n("Loop", ["k", "go", "a"], ["t"], body=body)], (8,), {"w": f(8, 6), "k": np.array(2), "go": np.array(True)})
        then, other = (h.make_graph([n(o, ["a"], ["r"])], o, [], [h.make_tensor_value_info("r", T.FLOAT, None)]) for o in ("Relu", "Neg"))
        model("if-constant", opset, [dense(), n("If", ["go"], ["t"], then_branch=then, else_branch=other)], (8,), {"w": f(8, 6), "go": np.array(True)})
        model("if-data", opset, [dense(), n("ReduceSum", ["a"], ["s"], keepdims=0), n("Greater", ["s", "o"], ["go"]), n("If", ["go"], ["t"], then_branch=then, else_branch=other)], (8,), {"w": f(8, 6), "o": np.float32(0)})


for kind, make in {"torch": torch_models, "sklearn": sklearn_models, "onnxruntime": onnxruntime_models, "hand": hand_models}.items():
    if not only or kind in only:
        make()
