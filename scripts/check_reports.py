#!/usr/bin/env python3
"""Holds what `shoal check --report` writes against others' readers of it.

    pip install jsonschema junitparser in-toto-attestation sarif-tools lxml
    shoal check shoal.yaml --report json=r.json,junit=r.xml,sarif=r.sarif,gitlab=r.gitlab.json,intoto=r.intoto.json,html=r.html,github=r.github
    python3 scripts/check_reports.py r [--sarif-schema sarif-schema-2.1.0.json]

The schema of SARIF 2.1.0 is OASIS's, with errata 01: sarif-2.1/schema/ in their repository of the specification (the copy beside the prose is an older draft's). Ends with 1 where a reader refuses a file or reads something else out of it.
"""
import argparse
import json
import sys

import jsonschema
import junitparser
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement
from lxml import html
from sarif import loader

parser = argparse.ArgumentParser()
parser.add_argument("prefix")
parser.add_argument("--sarif-schema")
args = parser.parse_args()
faults = []


def check(ok, what):
    print("ok  " if ok else "FAIL", what)
    if not ok:
        faults.append(what)


result = json.load(open(args.prefix + ".json"))
requirements = result["requirements"]


def waived(q):
    return q["outcome"] != "pass" and "waiver" in q and not q["waiver"]["expired"]


failed = [q["name"] for q in requirements if q["outcome"] == "fail" and not waived(q)]
undecided = [q["name"] for q in requirements if q["outcome"] == "inconclusive" and not waived(q)]
forgiven = [q["name"] for q in requirements if waived(q)]

xml = junitparser.JUnitXml.fromfile(args.prefix + ".xml")
cases = [case for suite in xml for case in suite]
kinds = {"Failure": [], "Error": [], "Skipped": []}
for case in cases:
    for r in case.result:
        kinds[type(r).__name__].append(case.name)
check(len(cases) == len(requirements) == xml.tests, "JUnit: a case for each requirement")
check((kinds["Failure"], kinds["Error"], kinds["Skipped"]) == (failed, undecided, forgiven), "JUnit: failures, errors and skipped")

sarif = json.load(open(args.prefix + ".sarif"))
if args.sarif_schema:
    schema = json.load(open(args.sarif_schema))
    errors = [e.message for e in jsonschema.validators.validator_for(schema)(schema).iter_errors(sarif)]
    check(not errors, f"SARIF: the schema of OASIS {errors[:3]}")
read = loader.load_sarif_file(args.prefix + ".sarif")
check(len(read.get_results()) == len(requirements), "SARIF: sarif-tools reads every result")
check([r["ruleId"] for r in read.get_results()] == [q["kind"] for q in requirements], "SARIF: in order")
check([r["kind"] for r in read.get_results()] == [{"pass": "pass", "fail": "fail", "inconclusive": "open"}[q["outcome"]] for q in requirements], "SARIF: kinds")

issues = json.load(open(args.prefix + ".gitlab.json"))
jsonschema.validate(issues, {"type": "array", "items": {
    "type": "object", "required": ["description", "check_name", "fingerprint", "severity", "location"],
    "properties": {"severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                   "location": {"type": "object", "required": ["path", "lines"], "properties": {"lines": {"type": "object", "required": ["begin"]}}}}}})
check(len({i["fingerprint"] for i in issues}) == len(issues) == len(failed + undecided + forgiven), "GitLab: an issue for each that is not met")

text = open(args.prefix + ".intoto.json").read()
read = statement.Statement([], "", {})
json_format.Parse(text, read.pb)
read.validate()
predicate = json_format.ParseDict(json.loads(text)["predicate"], test_result_pb2.TestResult())
check(list(predicate.failed_tests) == failed and list(predicate.warned_tests) == [q["name"] for q in requirements if q["name"] in undecided + forgiven], "in-toto: the statement and its predicate")
check(predicate.result == ("FAILED" if failed else "WARNED" if undecided or forgiven else "PASSED"), "in-toto: the result")

page = html.parse(args.prefix + ".html").getroot()
outside = [v for e in page.iter() for k, v in e.attrib.items() if k in ("src", "href", "srcset") and not v.startswith(("#", "data:"))]
check(not outside and not page.findall(".//script") and not page.findall(".//link"), "HTML: nothing is loaded, and no script is there")
check(result["answer"] in page.findtext(".//p"), "HTML: begins with the answer")

lines = open(args.prefix + ".github").read().splitlines()
check(all(l.startswith(("::notice ", "::error ", "::warning ")) for l in lines), "GitHub: workflow commands alone")
sys.exit(1 if faults else 0)
