"""Classifiers of torchvision and of Keras applications with random weights, exported with a free batch.

    python export.py torchvision OUT [NAME...]
    python export.py keras OUT [NAME...]

Then check.py loads, simplifies and runs them. Needs: pip install torch torchvision onnx, or tensorflow tf2onnx.
"""
import os, pathlib, sys, warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
kind, out, only = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
out.mkdir(parents=True, exist_ok=True)

TORCHVISION = {"alexnet": 224, "squeezenet1_0": 64, "squeezenet1_1": 64, "resnet18": 64, "resnet50": 64, "resnext50_32x4d": 64, "wide_resnet50_2": 64,
               "densenet121": 64, "googlenet": 64, "inception_v3": 96, "mobilenet_v2": 64, "mobilenet_v3_small": 64, "mobilenet_v3_large": 64,
               "mnasnet0_5": 64, "mnasnet1_0": 64, "shufflenet_v2_x0_5": 64, "shufflenet_v2_x1_0": 64, "efficientnet_b0": 64, "efficientnet_b1": 64,
               "efficientnet_v2_s": 64, "regnet_x_400mf": 64, "regnet_y_400mf": 64, "vgg11": 224, "vgg11_bn": 224, "convnext_tiny": 64, "swin_t": 64,
               "swin_v2_t": 64, "vit_b_16": 64, "maxvit_t": 64}
KERAS = {"MobileNet": 64, "MobileNetV2": 64, "MobileNetV3Small": 64, "MobileNetV3Large": 64, "DenseNet121": 64, "EfficientNetB0": 64, "EfficientNetV2B0": 64,
         "ResNet50": 64, "ResNet50V2": 64, "Xception": 96, "InceptionV3": 96, "NASNetMobile": 64, "ConvNeXtTiny": 64, "VGG16": 64}


def torchvision_models():
    import torch, torchvision
    torch.manual_seed(0)
    for name, size in TORCHVISION.items():
        if only and name not in only:
            continue
        extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        if name == "vit_b_16":
            extra["image_size"] = size
        if name == "maxvit_t":
            extra["input_size"] = (size, size)
            build = lambda: torchvision.models.maxvit.MaxVit(input_size=(64, 64), stem_channels=64, partition_size=2, block_channels=[64, 128, 256, 512], block_layers=[2, 2, 5, 2], head_dim=32, stochastic_depth_prob=0.2)
        else:
            build = lambda: getattr(torchvision.models, name)(weights=None, **extra)
        net = build()
        for m in net.modules():  # as after training: statistics that are not 0 and 1
            if isinstance(m, torch.nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1)
                m.running_var.uniform_(0.5, 1.5)
        net.eval()
        path = out / f"torchvision-{name}.onnx"
        try:
            torch.onnx.export(net, (torch.rand(1, 3, size, size),), str(path), opset_version=17, input_names=["image"], output_names=["logits"],
                              dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, dynamo=False)
            print(path, flush=True)
        except Exception as e:
            print(name, "cannot be exported:", str(e)[:200].split("\n")[0], flush=True)


def keras_models():
    import tensorflow as tf, tf2onnx
    from tensorflow import keras
    keras.utils.set_random_seed(0)
    for name, size in KERAS.items():
        if only and name not in only:
            continue
        net = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=100)
        call = tf.function(lambda x: net(x, training=False), input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32, "image")])
        path = out / f"keras-{name}.onnx"
        tf2onnx.convert.from_function(call, call.input_signature, opset=17, output_path=str(path))
        print(path, flush=True)


{"torchvision": torchvision_models, "keras": keras_models}[kind]()
