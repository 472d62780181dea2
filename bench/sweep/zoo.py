"""Small members of whole libraries' model families, with random weights, each with four samples: OUT/NAME.onnx and OUT/NAME.npz. Nothing is downloaded.

    python zoo.py OUT [timm|transformers|keras|jax]... [NAME]...

Where models are named (vit, mobilevit_xxs) no others are made, in the order of the names; the seeds are the same, the random weights of a few are not those of the whole run.
Each kind has its own requirements-KIND.txt (torch's and TensorFlow's packages do not go into one environment). What cannot be exported is told and left out. sweep.py
runs every command over them.
"""
import os

import numpy as np

from made import left, made, only, rng

KINDS = ("timm", "transformers", "keras", "jax")
names = [k for k in only if k not in KINDS]

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="")


def asked(nets):
    """The items of those that are named: all, where none is."""
    return [(k, nets[k]) for k in names if k in nets] if names else nets.items()


def exported(name, net, shape):
    """By PyTorch's old exporter, and by the dynamo one where it takes the model."""
    import torch
    net.eval()
    x = rng.random((4, *shape), dtype=np.float32)
    for way, options in {"old17": dict(opset_version=17, dynamo=False, dynamic_axes={"x": {0: "N"}, "y": {0: "N"}}),
                         "dynamo20": dict(opset_version=20, dynamo=True, dynamic_shapes=({0: torch.export.Dim("N")},), verbose=False, external_data=False)}.items():
        made(f"{name}-{way}", lambda path: torch.onnx.export(net, (torch.tensor(x[:2]),), path, input_names=["x"], output_names=["y"], **options), {"x": x})


def timm_models():
    import timm, torch
    torch.manual_seed(0)
    nets = {"test_vit": 32, "test_vit2": 32, "test_vit3": 32, "test_vit4": 32, "test_resnet": 48, "test_convnext": 64, "test_convnext2": 64, "test_efficientnet": 48,
            "test_efficientnet_ln": 48, "test_efficientnet_gn": 48, "test_byobnet": 48, "test_nfnet": 64, "test_mambaout": 64, "xcit_nano_12_p16_224": 32, "edgenext_xx_small": 64, "levit_128s": 64, "mobilevit_xxs": 64, "mobilenetv3_small_050": 48,
            "swin_tiny_patch4_window7_224": 56, "eva02_tiny_patch14_224": 28, "repvgg_a0": 48, "ghostnet_050": 48, "hrnet_w18_small": 64, "tiny_vit_5m_224": 64}
    small = {"xcit_nano_12_p16_224": dict(embed_dim=32, depth=2, num_heads=2), "eva02_tiny_patch14_224": dict(embed_dim=48, depth=2, num_heads=3),
             "swin_tiny_patch4_window7_224": dict(embed_dim=24, depths=(1, 1, 1), num_heads=(2, 2, 2), window_size=7)}
    for name, size in asked(nets):
        try:
            sized = {"img_size": size} if any(k in name for k in ("vit", "xcit", "levit", "swin", "eva")) and "mobilevit" not in name and "tiny_vit" not in name else {}
            net = timm.create_model(name, pretrained=False, num_classes=5, **sized, **small.get(name, {}))
        except Exception as e:
            left(f"timm-{name}", e)
            continue
        for m in net.modules():  # as after training: statistics that are not 0 and 1
            if isinstance(m, torch.nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1)
                m.running_var.uniform_(0.5, 1.5)
        exported(f"timm-{name}", net, (3, size, size))
    from timm.models import metaformer, mlp_mixer
    mixer = dict(num_classes=5, img_size=32, patch_size=8, num_blocks=2, embed_dim=32)
    for name, build in asked({"mixer": lambda: mlp_mixer.MlpMixer(**mixer), "resmlp": lambda: mlp_mixer.MlpMixer(block_layer=mlp_mixer.ResBlock, mlp_ratio=4, **mixer),
                              "gmlp": lambda: mlp_mixer.MlpMixer(block_layer=mlp_mixer.SpatialGatingBlock, mlp_layer=timm.layers.GatedMlp, mlp_ratio=6, **mixer),
                              "poolformer": lambda: metaformer.MetaFormer(depths=(1, 1, 1, 1), dims=(16, 24, 32, 48), num_classes=5)}):
        exported(f"timm-{name}", build(), (3, 32, 32))


def transformers_models():
    import torch, transformers as t
    torch.manual_seed(0)

    class Logits(torch.nn.Module):
        def __init__(self, net, by):
            super().__init__()
            self.net, self.by = net, by

        def forward(self, x):
            return self.net(**{self.by: x}).logits

    text = dict(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=16, num_labels=5, pad_token_id=0)
    causal = dict(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=32, max_position_embeddings=16, num_labels=5, pad_token_id=0, use_cache=False)
    image = dict(image_size=16, patch_size=4, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=5)
    words, pixels = ("inputs_embeds", (6, 16)), ("pixel_values", (3, 16, 16))
    nets = {"bert": ("Bert", text, words), "roberta": ("Roberta", {**text, "max_position_embeddings": 20, "pad_token_id": 1}, words), "electra": ("Electra", {**text, "embedding_size": 16}, words),
            "distilbert": ("DistilBert", dict(vocab_size=40, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=16, num_labels=5), words),
            "albert": ("Albert", {**text, "embedding_size": 16}, words), "mobilebert": ("MobileBert", {**text, "embedding_size": 16, "intra_bottleneck_size": 8, "true_hidden_size": 8}, words),
            "squeezebert": ("SqueezeBert", {**text, "embedding_size": 16}, words), "xlm-roberta": ("XLMRoberta", {**text, "max_position_embeddings": 20, "pad_token_id": 1}, words),
            "modernbert": ("ModernBert", {**text, "local_attention": 4}, words), "deberta-v2": ("DebertaV2", {**text, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}, words),
            "gpt2": ("GPT2", dict(vocab_size=40, n_embd=16, n_layer=2, n_head=2, n_positions=16, num_labels=5, use_cache=False, pad_token_id=0), words),
            "llama": ("Llama", causal, words), "mistral": ("Mistral", causal, words), "qwen2": ("Qwen2", causal, words), "qwen3": ("Qwen3", {**causal, "head_dim": 8}, words),
            "gemma": ("Gemma", {**causal, "head_dim": 8}, words), "phi": ("Phi", causal, words), "gpt-neox": ("GPTNeoX", {k: v for k, v in causal.items() if k != "num_key_value_heads"}, words),
            "opt": ("OPT", dict(vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=32, max_position_embeddings=16, word_embed_proj_dim=16, num_labels=5, use_cache=False), words)}
    heads = {k: (f"{c}ForSequenceClassification", f"{c}Config", o, w) for k, (c, o, w) in nets.items()}
    for k, (c, o) in {"vit": ("ViT", image), "deit": ("Deit", image), "beit": ("Beit", image), "dinov2": ("Dinov2", image), "resnet": ("ResNet", dict(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=5)),
                      "convnextv2": ("ConvNextV2", dict(hidden_sizes=[8, 12, 16, 16], depths=[1, 1, 1, 1], patch_size=2, num_labels=5)), "mobilenet-v2": ("MobileNetV2", dict(depth_multiplier=0.1, min_depth=4, num_labels=5)),
                      "swinv2": ("Swinv2", dict(image_size=16, patch_size=2, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4, num_labels=5)),
                      "poolformer": ("PoolFormer", dict(hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_labels=5)),
                      "segformer": ("Segformer", dict(hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], num_labels=5))}.items():
        heads[k] = (f"{'DeiT' if c == 'Deit' else c}ForImageClassification", f"{'DeiT' if c == 'Deit' else c}Config", o, ("pixel_values", (3, 32, 32)) if k in ("poolformer", "segformer", "resnet", "mobilenet-v2", "convnextv2") else pixels)
    for name, (model, config, o, (by, shape)) in asked(heads):
        try:
            c = getattr(t, config)(**o)
            if name in ("squeezebert", "deberta-v2", "resnet", "convnextv2", "mobilenet-v2", "swinv2", "poolformer"):
                c._attn_implementation = "eager"  # there is no other
            net = Logits(getattr(t, model)(c), by)
        except Exception as e:
            left(f"transformers-{name}", e)
            continue
        exported(f"transformers-{name}", net, shape)


def keras_models():
    import keras, tensorflow as tf, tf2onnx
    from keras import layers as l
    keras.utils.set_random_seed(0)
    image, seq, row = (12, 12, 3), (6, 8), (10,)
    nets = {"mlp": ([l.Dense(16, "relu"), l.BatchNormalization(), l.Dense(5, "softmax")], row),
            "activations": ([l.Dense(16, "gelu"), l.Dense(16, "selu"), l.Dense(12, "swish"), l.Dense(12, "mish"), l.Dense(12, "softplus"), l.LeakyReLU(), l.PReLU(), l.Dense(5)], row),
            "cnn": ([l.Conv2D(8, 3, activation="relu", padding="same"), l.MaxPooling2D(2), l.Conv2D(8, 3, strides=2), l.BatchNormalization(), l.ReLU(6.0), l.GlobalAveragePooling2D(), l.Dense(5)], image),
            "separable": ([l.SeparableConv2D(8, 3), l.DepthwiseConv2D(3, activation="hard_swish"), l.AveragePooling2D(2), l.Flatten(), l.Dense(5)], image),
            "transposed": ([l.Conv2D(4, 3, strides=2), l.Conv2DTranspose(3, 4, strides=2, padding="same"), l.UpSampling2D(interpolation="bilinear"), l.Flatten(), l.Dense(5)], image),
            "resized": ([l.Resizing(8, 8), l.Rescaling(2.0, -1), l.ZeroPadding2D(1), l.Cropping2D(1), l.Conv2D(4, 3), l.Flatten(), l.Dense(5)], image),
            "conv1d": ([l.Conv1D(8, 3, activation="elu"), l.GlobalMaxPooling1D(), l.Dense(5)], seq), "conv3d": ([l.Reshape((4, 4, 4, 2)), l.Conv3D(4, 2), l.AveragePooling3D(2), l.Flatten(), l.Dense(5)], (128,)),
            "lstm": ([l.LSTM(8), l.Dense(5)], seq), "gru": ([l.GRU(8), l.Dense(5)], seq), "simple-rnn": ([l.SimpleRNN(8), l.Dense(5)], seq), "bidirectional": ([l.Bidirectional(l.LSTM(6)), l.Dense(5)], seq),
            "layer-norm": ([l.Dense(16), l.LayerNormalization(), l.UnitNormalization(), l.Flatten(), l.Dense(5)], seq), "group-norm": ([l.Conv2D(8, 3), l.GroupNormalization(groups=4), l.Flatten(), l.Dense(5)], image)}
    models = {k: (lambda parts=parts, shape=shape: keras.Sequential([keras.Input(shape), *parts]), shape) for k, (parts, shape) in nets.items()}

    def attention():
        x = keras.Input(seq)
        y = l.LayerNormalization()(l.Add()([x, l.MultiHeadAttention(2, 4)(x, x)]))
        return keras.Model(x, l.Dense(5)(l.GlobalAveragePooling1D()(y)))
    models["attention"] = (attention, seq)
    for name, size, extra in (("MobileNetV3Small", 32, dict(alpha=0.25, minimalistic=True)), ("MobileNetV2", 32, dict(alpha=0.1)), ("EfficientNetV2B0", 32, {})):
        models[name.lower()] = (lambda name=name, size=size, extra=extra: getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=5, **extra), (size, size, 3))
    for name, (build, shape) in asked(models):
        x = rng.random((4, *shape), dtype=np.float32)
        net = build()
        call = tf.function(lambda v: net(v, training=False), input_signature=[tf.TensorSpec((None, *shape), tf.float32, "x")])
        made(f"keras-tf2onnx-{name}", lambda path: tf2onnx.convert.from_function(call, call.input_signature, opset=17, output_path=path), {"x": x})
        made(f"keras-export-{name}", lambda path: net.export(path, format="onnx", verbose=False), {"x": x})


def jax_models():
    import jax, onnx
    from flax import nnx
    from jax2onnx import to_onnx
    key = nnx.Rngs(0)
    n = jax.nn

    class Net(nnx.Module):
        def __init__(self, f, **parts):
            self.f = f
            for k, v in parts.items():
                setattr(self, k, v)

        def __call__(self, x):
            return self.f(self, x)
    d = lambda i, o: nnx.Linear(i, o, rngs=key)
    image, seq, row = (12, 12, 3), (6, 16), (10,)
    flat = lambda x: x.reshape(x.shape[0], -1)
    nets = {"mlp": (Net(lambda m, x: m.b(n.relu(m.a(x))), a=d(10, 16), b=d(16, 5)), row), "gelu": (Net(lambda m, x: m.b(n.gelu(m.a(x))), a=d(10, 16), b=d(16, 5)), row),
            "silu-softmax": (Net(lambda m, x: n.softmax(m.b(n.silu(m.a(x)))), a=d(10, 16), b=d(16, 5)), row),
            "tanh-softplus": (Net(lambda m, x: m.b(n.softplus(jax.numpy.tanh(m.a(x)))), a=d(10, 16), b=d(16, 5)), row),
            "cnn": (Net(lambda m, x: m.b(flat(nnx.max_pool(n.relu(m.a(x)), window_shape=(2, 2), strides=(2, 2)))), a=nnx.Conv(3, 8, (3, 3), rngs=key), b=d(288, 5)), image),
            "cnn-bn": (Net(lambda m, x: m.b(n.relu(m.s(m.a(x))).mean((1, 2))), a=nnx.Conv(3, 8, (3, 3), strides=2, rngs=key), s=nnx.BatchNorm(8, use_running_average=True, rngs=key), b=d(8, 5)), image),
            "depthwise": (Net(lambda m, x: m.b(flat(n.hard_swish(m.a(x)))), a=nnx.Conv(3, 6, (3, 3), feature_group_count=3, rngs=key), b=d(864, 5)), image),
            "layer-norm": (Net(lambda m, x: m.b(flat(m.n(m.a(x)))), a=d(16, 8), n=nnx.LayerNorm(8, rngs=key), b=d(48, 5)), seq), "rms-norm": (Net(lambda m, x: m.b(flat(m.n(m.a(x)))), a=d(16, 8), n=nnx.RMSNorm(8, rngs=key), b=d(48, 5)), seq),
            "group-norm": (Net(lambda m, x: m.b(flat(m.n(m.a(x)))), a=nnx.Conv(3, 8, (3, 3), rngs=key), n=nnx.GroupNorm(8, 2, rngs=key), b=d(1152, 5)), image),
            "attention": (Net(lambda m, x: m.b(m.a(x).mean(1)), a=nnx.MultiHeadAttention(2, 16, decode=False, rngs=key), b=d(16, 5)), seq),
            "einsum": (Net(lambda m, x: m.b(flat(jax.numpy.einsum("bij,bkj->bik", m.a(x), x))), a=d(16, 16), b=d(36, 5)), seq),
            "clip-where": (Net(lambda m, x: m.b(jax.numpy.where(m.a(x) > 0, jax.numpy.clip(m.a(x), 0, 1), -0.1 * m.a(x))), a=d(10, 16), b=d(16, 5)), row),
            "logsumexp-top": (Net(lambda m, x: jax.numpy.concatenate([n.logsumexp(m.a(x), -1, keepdims=True), jax.numpy.sort(m.a(x), -1)[:, :4]], -1), a=d(10, 6)), row)}
    for name, (net, shape) in asked(nets):
        getattr(net, "eval", lambda: None)()
        made(f"jax-{name}", lambda path: onnx.save(to_onnx(net, [("B", *shape)]), path), {"x": rng.random((4, *shape), dtype=np.float32)})


for kind, make in {"timm": timm_models, "transformers": transformers_models, "keras": keras_models, "jax": jax_models}.items():
    if kind in only or not set(only) & set(KINDS):
        make()
