"""Asks shoal every query of a folder like ../shared/bench/vnnlib2 and compares the answers with expected.csv. What is sat is looked at by means that share
nothing with shoal: onnxruntime runs the models on the inputs that were assigned, and the query's assertions are evaluated on them and on its outputs.

usage: python3 bench/vnnlib/queries.py SHOAL FOLDER [SECONDS]
"""

import ast
import csv
import gzip
import math
import os
import re
import subprocess
import sys
import time

import numpy as np
import onnxruntime

FAR = 1e-4  # by how much two float32 engines may differ where sums are of some hundred numbers of about 1


def existing(path):
    return path if os.path.exists(path) else path + ".gz"


def read(path):
    path = existing(path)
    return (gzip.open if path.endswith(".gz") else open)(path, "rb").read()


def assignment(lines):
    """The variables of the standard's form, in float64."""
    values = {}
    while lines:
        name, _, dims = lines[0].split(" ", 2)
        shape = ast.literal_eval(dims)
        n = math.prod(shape)
        values[name] = np.array([float(x) for x in lines[1 : 1 + n]]).reshape(shape)
        lines = lines[1 + n :]
    return values


def expression(words):
    """Takes one expression from the front of a list of words."""
    word = words.pop(0)
    if word != "(":
        return word
    out = []
    while words[0] != ")":
        out.append(expression(words))
    words.pop(0)
    return out


def number(e, values):
    if isinstance(e, list):
        terms = [number(t, values) for t in e[1:]]
        if e[0] == "-":
            return terms[0] - sum(terms[1:]) if len(terms) > 1 else -terms[0]
        return sum(terms) if e[0] == "+" else math.prod(terms)
    element = re.fullmatch(r"(\w+)(?:\[([\d,]+)\])?", e)
    if element and element[1] in values:
        at = tuple(int(i) for i in element[2].split(",")) if element[2] else ()
        return float(values[element[1]][at])
    return float(e)


def holds(e, values):
    if e[0] in ("and", "or"):
        return (all if e[0] == "and" else any)(holds(k, values) for k in e[1:])
    a, b = number(e[1], values), number(e[2], values)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "=": a == b, "!=": a != b}[e[0]]


def confirm(text, values, models):
    """How far the assigned outputs are from onnxruntime's, and whether all assertions hold."""
    words = re.findall(r"[()]|[^\s()]+", re.sub(r";.*", "", text))
    far, ok = 0.0, True
    while words:
        command = expression(words)
        if command[0] == "assert":
            ok = ok and holds(command[1], values)
        if command[0] != "declare-network":
            continue
        # The shapes of variables are [..] behind their types, and no expressions.
        parts = [p for p in command[2:] if isinstance(p, list)]
        other = [p[1] for p in parts if p[0] == "equal-to"]
        model = models[other[0] if other else command[1]]
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        given = [values[p[1]] for p in parts if p[0] == "declare-input"]
        feed = {i.name: x.astype(np.float32) for i, x in zip(session.get_inputs(), given)}
        got = session.run(None, feed)
        for y, p in zip(got, [p for p in parts if p[0] == "declare-output"]):
            far = max(far, float(np.abs(y - values[p[1]]).max()))
    return far, ok


def main():
    shoal, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    os.chdir(folder)
    right = wrong = 0
    for row in csv.DictReader(open("expected.csv")):
        nets = ast.literal_eval(row["networks"])
        flags = [f for name, path in nets for f in ("--network", f"{name}={existing(path)}")]
        start = time.time()
        done = subprocess.run(
            [shoal, "vnnlib", "verify", row["vnnlib"], *flags, "--timeout", str(min(most, int(row["timeout"]))), "--competition"],
            capture_output=True, text=True)
        word, *lines = done.stdout.splitlines() or ["error"]
        note = ""
        if word == "sat":
            far, ok = confirm(read(row["vnnlib"]).decode(), assignment(lines), {name: read(path) for name, path in nets})
            note = f"onnxruntime differs by {far:.1e}, assertions hold: {ok}"
            if far > FAR or not ok:
                word = "sat?"
        right += word == row["expected"]
        wrong += word not in (row["expected"], "unknown", "timeout")
        print(f"{row['vnnlib'][7:]:72} {word:8} {row['expected']:6} {time.time() - start:6.1f} s  {note}", flush=True)
    print(f"{right} right, {wrong} wrong")
    sys.exit(wrong > 0)


main()
