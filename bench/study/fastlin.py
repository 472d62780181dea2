"""fastlin-plain beside an implementation of its own: the published Fast-Lin recursion in numpy (chain.py), over Fashion-MNIST test images.

    go build -o shoal ./cmd/shoal && python3 bench/study/fastlin.py ./shoal --fmnist FOLDER [--eps 0.02] MODEL.onnx...

For every image the margins of the predicted class over the ball (not cut by [0,1]) and both bounds of every relu's input are compared with what
`shoal bounds --method fastlin-plain --layers` says of the same box, and the two counts of images proven are `shoal certify`'s and ours. A
neuron whose bound lies within a rounding of 0 may be open to one and closed to the other, which moves what lies above it by as little.
"""
import argparse, json, subprocess, tempfile, pathlib

import numpy as np

from chain import Chain, fashion_mnist, margins

a = argparse.ArgumentParser()
a.add_argument("shoal")
a.add_argument("models", nargs="+")
a.add_argument("--fmnist", required=True)
a.add_argument("--eps", default="0.02")
a.add_argument("--images", type=int, default=50)
a = a.parse_args()
images, labels = fashion_mnist(a.fmnist)
eps = float(a.eps)
shoal = lambda *args: json.loads(subprocess.run([a.shoal, *map(str, args), "--json"], check=True, capture_output=True, text=True).stdout)

print("| model | images | relus | margins: farthest apart | layers: farthest apart | above ours | proven by us, by shoal |\n|---|---|---|---|---|---|---|")
for path in a.models:
    net = Chain(path)
    apart, layers, above, proven = 0.0, 0.0, 0.0, 0
    for x, label in zip(images[:a.images].astype(np.float64), labels):
        low, high = x - eps, x + eps
        predicted = int(net.scores(x[None])[0].argmax())
        rows = margins(predicted)
        ours, known = net.fastlin(low, high, rows)
        proven += predicted == label and bool((ours > 0).all())
        with tempfile.TemporaryDirectory() as d:
            case = pathlib.Path(d) / "case.json"
            case.write_text(json.dumps({"lower": low.tolist(), "upper": high.tolist(), "rows": rows.tolist()}))
            r = shoal("bounds", path, "--box", case, "--rows", case, "--method", "fastlin-plain", "--layers")
        theirs = np.array(r["lower"])
        scale = lambda v: np.maximum(1, np.abs(v))
        apart = max(apart, float((np.abs(ours - theirs) / scale(ours)).max()))
        above = max(above, float(((theirs - ours) / scale(ours)).max()))
        for (l, u), layer in zip(known, r["layers"], strict=True):
            l2, u2 = np.array(layer["l"]), np.array(layer["u"])
            layers = max(layers, float((np.abs(l - l2) / scale(l)).max()), float((np.abs(u - u2) / scale(u)).max()))
    s = shoal("certify", path, "--data", "fmnist:" + a.fmnist, "--range", f"0:{a.images}", "--eps", a.eps, "--unbounded", "--method", "fastlin-plain",
              "--falsify", "off")["summary"]
    print(f"| {pathlib.Path(path).name} | {a.images} | {sum(len(b) for _, b in net.layers[:-1]):,} | {apart:.1e} | {layers:.1e} | {above:.1e} | "
          f"{proven}, {s['verified']} |", flush=True)
