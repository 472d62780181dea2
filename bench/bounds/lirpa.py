"""shoal beside auto_LiRPA on the reference cases: the two take turns, one thread each, float64.

    go build -o /tmp/bounds ./bench/bounds && python bench/bounds/lirpa.py /tmp/bounds ../shared/bench/bounds/cases/mnist_fc-*.json

Prints per case and method the median milliseconds of both over the rounds, their ratio (below 1 shoal is faster), and both mean lower
bounds, so that it can be seen that the same thing is computed. Needs: pip install auto_LiRPA onnx2pytorch torch onnx
"""
import argparse, gzip, json, os, pathlib, statistics, subprocess, time, warnings

warnings.filterwarnings("ignore")
os.environ["OMP_NUM_THREADS"] = "1"
import onnx, torch
from auto_LiRPA import BoundedModule, BoundedTensor, __version__
from auto_LiRPA.perturbations import PerturbationLpNorm
from onnx2pytorch import ConvertModel

a = argparse.ArgumentParser()
a.add_argument("bounds"); a.add_argument("cases", nargs="+")
a.add_argument("--rounds", type=int, default=5); a.add_argument("--seconds", type=float, default=0.3)
a = a.parse_args()
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
go = subprocess.Popen([a.bounds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(f"auto_LiRPA {__version__}, PyTorch {torch.__version__}, one thread, float64, median of {a.rounds} rounds")
print(f"{'case':22s} {'method':9s} {'shoal ms':>9s} {'lirpa ms':>9s} {'ratio':>7s} {'shoal':>10s} {'lirpa':>10s}")


def ask(case, method):
    go.stdin.write(f"{case} {method} {a.seconds}\n"); go.stdin.flush()
    return [float(x) for x in go.stdout.readline().split()]


for case in a.cases:
    c = json.loads(pathlib.Path(case).read_text())
    path = pathlib.Path(case).parent.parent / c["model"]
    if not path.exists():
        path = path.with_name(path.name + ".gz")
    data = path.read_bytes()
    try:
        net = ConvertModel(onnx.load_model_from_string(gzip.decompress(data) if path.suffix == ".gz" else data), experimental=True).double().eval()
        shape = [d if d > 0 else 1 for d in c["input_shape"]]
        lo, up = (torch.tensor(c[k]).reshape(shape) for k in ("lower", "upper"))
        if lo.dim() < 2 or lo.shape[0] != 1:
            lo, up = lo[None], up[None]
        mid = (lo + up) / 2
        bounded = BoundedModule(net, mid, device="cpu", bound_opts={"conv_mode": "patches"})
        x = BoundedTensor(mid, PerturbationLpNorm(norm=float("inf"), x_L=lo, x_U=up))
        rows = torch.tensor(c["rows"])[None]
        run = lambda m: bounded.compute_bounds(x=(x,), C=rows, method=m, bound_upper=False)[0]
        with torch.no_grad():
            for ours, theirs in (("interval", "IBP"), ("deeppoly", "CROWN")):
                mean = run(theirs).mean().item()
                g, r, value = [], [], 0
                for _ in range(a.rounds):
                    ms, value = ask(case, ours)
                    g.append(ms)
                    times, t = [], time.perf_counter()
                    while time.perf_counter() - t < a.seconds or len(times) < 3:
                        s = time.perf_counter(); run(theirs); times.append(1000 * (time.perf_counter() - s))
                    r.append(statistics.median(times))
                ratio = statistics.median(p / q for p, q in zip(g, r))
                print(f"{pathlib.Path(case).stem:22s} {ours:9s} {statistics.median(g):9.3f} {statistics.median(r):9.3f} {ratio:7.4f} {value:10.4g} {mean:10.4g}", flush=True)
    except Exception as e:
        print(f"{pathlib.Path(case).stem:22s} not by auto_LiRPA: {str(e).splitlines()[0][:100] if str(e) else type(e).__name__}", flush=True)
