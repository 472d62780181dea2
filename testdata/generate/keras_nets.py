"""Two small Keras networks through tf2onnx: channels-last, with what that exporter leaves behind.

    python keras_nets.py --fmnist FOLDER --out ..

Needs: pip install tensorflow==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==1.26.4. Seeded;
weights and outputs come out the same each time, only the numbers in tf2onnx's node names vary. About two minutes.
"""
import argparse
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import tf2onnx
from tensorflow import keras
from tensorflow.keras import layers

import images

a = argparse.ArgumentParser()
a.add_argument("--fmnist", required=True)
a.add_argument("--out", default="..")
a = a.parse_args()
tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(1)


def conv():
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.Conv2D(24, 3, padding="same"), layers.ReLU(), layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, activation="tanh"), layers.Flatten(), layers.Dense(48, activation="sigmoid"), layers.Dense(10, activation="softmax"),
    ])


def branches():
    x = keras.Input((28, 28, 1))
    y = layers.Conv2D(12, 5, strides=3, activation="relu")(x)
    z = layers.AveragePooling2D(3)(x)
    z = layers.Conv2D(12, 2, activation="relu")(z)
    y = layers.Concatenate()([y, z])
    y = layers.BatchNormalization()(y)  # no convolution in front of it that could take it up
    y = layers.DepthwiseConv2D(3, padding="same")(y)
    y = layers.Conv2D(48, 1)(y)
    y = layers.LeakyReLU(negative_slope=0.2)(y)
    y = layers.GlobalAveragePooling2D()(y)
    y = layers.Dense(32, activation="relu")(y)
    return keras.Model(x, layers.Dense(10)(y))


(x, y), (tx, ty) = (images.fmnist(a.fmnist, s) for s in ("train", "t10k"))
x, tx = x[..., None], tx[..., None]
for name, build, softmax, opset, epochs in (("fmnist-keras-conv", conv, True, 15, 4), ("fmnist-keras-branches", branches, False, 17, 10)):
    net = build()
    net.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=not softmax))
    net.fit(x[:30000], y[:30000], batch_size=64, epochs=epochs, verbose=0)
    path = str(pathlib.Path(a.out) / (name + ".onnx"))
    call = tf.function(lambda image: net(image, training=False), input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32, "image")])
    tf2onnx.convert.from_function(call, call.input_signature, opset=opset, output_path=path)
    images.finish(path, tx[:16], ty[:16], tx[:1000], ty[:1000])
