#!/usr/bin/env bash
# Answers an instance, as VNN-COMP calls it: run_instance.sh v1 CATEGORY ONNX VNNLIB RESULTS TIMEOUT. RESULTS gets sat, unsat, unknown, timeout or error; behind sat
# the counterexample, in VNN-COMP's form for a property of VNN-LIB 1.0 and in the standard's for one of 2.0.
set -euo pipefail
[ "${1:-}" = v1 ] && [ $# -ge 6 ] || { echo "usage: run_instance.sh v1 CATEGORY ONNX VNNLIB RESULTS TIMEOUT" >&2; exit 1; }
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
results=$5
networks_of "$3"
seconds=${6%.*}
rm -f "$results"
code=0
"$shoal" vnnlib verify "$(packed "$4")" ${networks[@]+"${networks[@]}"} --timeout "${seconds:-0}" --competition >"$results.part" || code=$?
case $code in
  0) ;;
  13) echo unknown >"$results.part" ;; # what shoal does not support
  *) echo error >"$results.part" ;;
esac
mv "$results.part" "$results"
head -n 1 "$results"
exit $((code == 13 ? 0 : code))
