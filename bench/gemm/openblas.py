"""Times numpy's OpenBLAS at the shapes of BenchmarkGemm, one thread.

usage: OPENBLAS_NUM_THREADS=1 OPENBLAS_CORETYPE=SKYLAKEX python3 bench/gemm/openblas.py
"""
import time

import numpy as np

rng = np.random.default_rng(0)
for m, n, k in [(256, 256, 256), (1024, 1024, 1024), (100, 50, 50), (1000, 256, 256), (9, 784, 256), (4096, 144, 16), (2000, 288, 32), (512, 800, 64)]:
    for name, dtype in (("f64", np.float64), ("f32", np.float32)):
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        c = np.empty((m, n), dtype)
        np.matmul(a, b, out=c)
        times = []
        reps = max(3, int(2e8 / (m * n * k)))
        for _ in range(7):
            start = time.perf_counter()
            for _ in range(reps):
                np.matmul(a, b, out=c)
            times.append((time.perf_counter() - start) / reps)
        print(f"{name}/{m}x{n}x{k} {2 * m * n * k / sorted(times)[3] / 1e9:.1f} GFLOP/s")
