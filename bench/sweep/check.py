"""Loads, simplifies and runs ONNX files with shoal, and compares its Go engine with onnxruntime: one line each, failures named.

    python check.py SHOAL FILE... [-- FLAG...]

Flags after -- go to shoal, such as --dim height=48. Needs onnxruntime (shoal runtime install).
"""
import json, pathlib, subprocess, sys, tempfile

args = sys.argv[1:]
flags = args[args.index("--") + 1:] if "--" in args else []
files = args[:args.index("--")] if "--" in args else args
shoal, files = files[0], files[1:]
print("| model | nodes | simplified | engines differ by | simplified differs by |")
print("|---|---|---|---|---|")
failed = 0
for f in files:
    with tempfile.TemporaryDirectory() as d:
        small = str(pathlib.Path(d) / "small.onnx")
        run = lambda *a: subprocess.run([shoal, *a, *flags, "--json"], capture_output=True, text=True)
        row, why = [], ""
        for what in (("simplify", f, "-o", small), ("compare", f, f, "--engine", "go", "--engine-b", "ort", "--samples", "2"),
                     ("compare", f, small, "--engine", "ort", "--samples", "2")):
            r = run(*what)
            if r.returncode:
                why = r.stderr.strip().split("\n")[0]
                break
            j = json.loads(r.stdout)
            row += j["nodes"] if what[0] == "simplify" else [f"{j['max_relative']:.1e}"]
            # Near 0 an execution's own absolute error counts: onnxruntime's Sigmoid is off by 6e-8 there.
            if what[0] == "compare" and not (j["max_relative"] is not None and (j["max_relative"] <= 1e-4 or j["max_difference"] <= 1e-6)):
                why = f"{' and '.join(sorted({j['engine_a'], j['engine_b']}))} differ by {j['max_relative']}"
        failed += bool(why)
        print(f"| {pathlib.Path(f).stem} | " + " | ".join(map(str, row)) + (f" | FAILED: {why}" if why else "") + " |", flush=True)
print(f"\n{len(files) - failed} of {len(files)}")
sys.exit(failed > 0)
