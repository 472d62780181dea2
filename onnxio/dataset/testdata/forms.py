"""Makes forms.npz: arrays of every type in both byte orders and both orders of storage, each beside NAME_ref, the same numbers as int64 or float64, and arrays
that hold no numbers. Needs numpy."""
import numpy as np

rng = np.random.default_rng(3)
out = {"text": np.array(["one", "two"]), "bytes": np.array([b"ab", b"c"]), "record": np.zeros(2, dtype=[("a", "<f4"), ("b", "<i2")]),
       "date": np.array(["2020-01-01"], dtype="datetime64[D]"), "complex": np.array([1 + 2j])}
for kind in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    for end in "<>":
        for order in "CF":
            shape = [(3, 4), (2, 3, 4), (5,), (2, 1, 3, 2), (1, 7)][rng.integers(5)]
            if kind[0] == "f":
                a = rng.normal(size=shape) * 10.0 ** rng.integers(-4, 4, size=shape)
            else:
                bits = 8 * int(kind[1]) - (kind[0] == "i") - (kind == "u8")
                a = rng.integers(-(2**62) if kind[0] == "i" else 0, 2**62, size=shape) >> max(0, 62 - bits)
            a = np.asarray(a, order=order).astype(end + kind, order="K")
            name = f"{kind}_{'little' if end == '<' else 'big'}_{order}"
            out[name] = a
            out[name + "_ref"] = np.ascontiguousarray(a).astype("<f8" if kind[0] == "f" else "<i8")
flags = rng.integers(0, 2, size=(3, 4)).astype(bool)
out["bool_little_F"], out["bool_little_F_ref"] = np.asfortranarray(flags), flags.astype("<i8")
np.savez_compressed("forms.npz", **out)
