#!/usr/bin/env python3
"""Writes the ONNX project's node tests as folders: DIR/test_*/model.onnx and test_data_set_*/{input,output}_*.pb.

    python3 scripts/onnx_node_tests.py DIR

Needs PyPI's onnx, whose version decides which tests there are (its own generate-data leaves the nodes' tests out). Then:

    SHOAL_NODE_TESTS=DIR go test ./onnxio/engine -run TestNodeTestsOfFolder -v
"""
import pathlib
import sys

import onnx.backend.test.case.node as nodes
from onnx import TensorProto, numpy_helper


def message(value, info):
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name)
    return value if isinstance(value, TensorProto) else numpy_helper.from_array(value, info.name)


def main():
    top = pathlib.Path(sys.argv[1])
    cases = nodes.collect_testcases()
    for case in cases:
        for k, data in enumerate(case.data_sets):
            folder = top / case.name / f"test_data_set_{k}"
            folder.mkdir(parents=True, exist_ok=True)
            for word, values, infos in (("input", data[0], case.model.graph.input), ("output", data[1], case.model.graph.output)):
                for j, value in enumerate(values):
                    (folder / f"{word}_{j}.pb").write_bytes(message(value, infos[j]).SerializeToString())
        (top / case.name / "model.onnx").write_bytes(case.model.SerializeToString())
    print(len(cases), "node tests")


main()
