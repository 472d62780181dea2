"""What families.py and zoo.py make is kept by this: a file, four samples that go with it, and the labels that onnxruntime gives them."""
import pathlib, signal, sys, warnings

import numpy as np

warnings.filterwarnings("ignore")
out, only = pathlib.Path(sys.argv[1]), sys.argv[2:]
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
LIMIT = 600  # seconds that an export and its first run may take


def late(*_):
    raise TimeoutError(f"not exported within {LIMIT} s")


signal.signal(signal.SIGALRM, late)


def samples(name, arrays):
    """Labels are what onnxruntime says, where that is one row of scores."""
    import onnxruntime as ort
    ort.set_default_logger_severity(3)
    s = ort.InferenceSession(str(out / f"{name}.onnx"))
    labels = []
    if len(arrays) == 1:  # whatever the exporter called it
        arrays = {s.get_inputs()[0].name: next(iter(arrays.values()))}
    n = len(next(iter(arrays.values())))
    for i in range(n):
        y = [v for v in s.run(None, {k: a[i:i + 1] for k, a in arrays.items()}) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
        labels.append(int(y[0].argmax()) if y else 0)
    arrays = {"inputs": next(iter(arrays.values()))} if len(arrays) == 1 else arrays
    np.savez(out / f"{name}.npz", labels=np.array(labels), **arrays)


def made(name, save, arrays):
    (out / f"{name}.left").unlink(missing_ok=True)
    signal.alarm(LIMIT)
    try:
        save(str(out / f"{name}.onnx"))
        samples(name, arrays)
        print(name, flush=True)
    except Exception as e:
        (out / f"{name}.onnx").unlink(missing_ok=True)
        left(name, e)
    finally:
        signal.alarm(0)


def left(name, e):
    """What cannot be made is in the sweep's table too."""
    why = f"{type(e).__name__}: {str(e).replace(f'{out}/', '').splitlines()[0][:150] if str(e) else ''}"
    (out / f"{name}.left").write_text(why)
    print(f"{name}: cannot be made: {why}", flush=True)
