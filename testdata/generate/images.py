"""Images for the generating scripts: Fashion-MNIST from idx files, CIFAR-10 from binary batches, and what stands beside every network."""
import gzip
import pathlib

import numpy as np


def fmnist(folder, split):
    """Images [N, 28, 28] in [0, 1] and labels of 'train' or 't10k'."""
    def read(name, skip):
        for suffix, opener in (("", open), (".gz", gzip.open)):
            path = pathlib.Path(folder) / (name + suffix)
            if path.exists():
                with opener(path, "rb") as f:
                    return np.frombuffer(f.read(), np.uint8, offset=skip)
        raise SystemExit(f"{folder}: no {name}")
    x = read(f"{split}-images-idx3-ubyte", 16).reshape(-1, 28, 28)
    return x.astype(np.float32) / 255, read(f"{split}-labels-idx1-ubyte", 8).astype(np.int64)


def cifar10(files):
    """Images [N, 3, 32, 32] in [0, 1] and labels: the first 1,017 of each binary batch, so that full and shortened files give the same."""
    raw = np.concatenate([np.fromfile(f, np.uint8, 1017 * 3073).reshape(-1, 3073) for f in files])
    return raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255, raw[:, 0].astype(np.int64)


def finish(path, inputs, labels, test_inputs, test_labels):
    """Runs the file in onnxruntime, writes the first images with its outputs beside it, and prints the accuracy."""
    import onnx
    import onnxruntime as ort
    m = onnx.load(path)
    for node in m.graph.node:  # the dynamo exporter writes where on the machine each line of Python stood
        kept = [p for p in node.metadata_props if p.key != "pkg.torch.onnx.stack_trace"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.checker.check_model(m)
    onnx.save(m, path)
    s = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = s.get_inputs()[0].name
    run = lambda x: s.run(None, {name: x})[0]
    np.savez_compressed(path.replace(".onnx", ".npz"), inputs=inputs, labels=labels, outputs=run(inputs))
    right = np.mean(run(test_inputs).argmax(1) == test_labels)
    print(f"{path}: {pathlib.Path(path).stat().st_size} bytes, accuracy {right:.3f} of {len(test_labels)}")
