#!/usr/bin/env python3
"""Writes internal/standard/standard.txt: what the ONNX standard's operators may hold, version by version, from the schemas of PyPI's onnx.

    python3 scripts/onnx_schemas.py > internal/standard/standard.txt

Versions that opset 7 and newer never see are left out. An onnx that knows newer opsets gives a longer table: an operator that changed beyond
op.MaxOpset is then refused until its definition has been looked at.
"""
import onnx
from onnx import defs

OLDEST = 7
ANY = 2**31 - 1


def span(least, most):
    return f"{least}-{'*' if most == ANY else most}"


def main():
    versions = {}
    for s in defs.get_all_schemas_with_history():
        if s.domain == "":
            versions.setdefault(s.name, {})[s.since_version] = s
    print(f"# Made by scripts/onnx_schemas.py from the schemas of onnx {onnx.__version__}. Facts of the standard's own domain.")
    print("# operator, opset that brought the form, inputs, outputs, attributes with their types (! where one must be given), deprecated")
    print("opset", defs.onnx_opset_version())
    for name in sorted(versions):
        seen = sorted(versions[name])
        first = max([v for v in seen if v <= OLDEST], default=0)
        for v in seen:
            s = versions[name][v]
            if v < first:
                continue
            attrs = [a.name + "=" + str(a.type).split(".")[-1].lower() + ("!" if a.required else "") for a in s.attributes.values()]
            print(name, v, span(s.min_input, s.max_input), span(s.min_output, s.max_output), *sorted(attrs), *(["deprecated"] if s.deprecated else []))


main()
