"""Writes svhn.mat with scipy and arrays.npz with numpy, as the readers' tests expect them: python make.py."""
import numpy as np
import scipy.io

r, c, ch, n = np.ogrid[:32, :32, :3, :3]
x = ((7 * r + 13 * c + 50 * ch + 101 * n) % 256).astype(np.uint8)
scipy.io.savemat("svhn.mat", {"X": x, "y": np.array([[10], [4], [1]], np.uint8)}, do_compression=True)

np.savez_compressed(
    "arrays.npz",
    inputs=np.arange(24, dtype=np.float32).reshape(3, 2, 4) / 8 - 1,
    labels=np.array([2, 0, 1]),
    **{t: np.array([[0, 1, 100]], t) for t in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", "?")},
    scalar=np.float64(2.5),
)
