#!/usr/bin/env bash
# Makes reports of a release that does not pass and of one that does, and has scripts/axe.mjs look at them:
#
#	scripts/axe_try.sh SHOAL axe.min.js CHROMIUM [PAGE.html...]
#
# SHOAL is the program; further pages, a study's report for example, are looked at too. PICTURES=FOLDER keeps what was seen.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
shoal=$(realpath "$1") axe=$(realpath "$2") chromium=$3
shift 3
pages=()
for page in "$@"; do pages+=("$(realpath "$page")"); done
pictures=()
if [ -n "${PICTURES:-}" ]; then
	mkdir -p "$PICTURES"
	pictures=(--pictures "$(realpath "$PICTURES")")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cp -r "$root"/testdata/fmnist "$root"/testdata/fmnist-conv-dyn-robust.onnx .
"$shoal" prune fmnist-conv-dyn-robust.onnx --ratio 0.25 -o small.onnx >/dev/null
# A release that is worse than the one before in some ways, and in others not decided.
cat >shoal.yaml <<'POLICY'
policy: 1
name: fashion
models:
  candidate: {file: small.onnx}
  released: {file: fmnist-conv-dyn-robust.onnx}
data:
  test: {from: "fmnist:fmnist", range: "0:128"}
require:
  - clean_accuracy:
    at_least: 0.75
    per: class
  - name: change under attack
    robust_accuracy: {eps: 0.05, attack: pgd, steps: 5}
    change: {against: released, direction: higher_is_better, absolute: -0.03}
  - robust_accuracy: {eps: 0.1, attack: pgd, steps: 5}
    at_least: 0.9
  - certified_accuracy: {eps: 0.05, method: interval}
    at_least: 0.65
  - radius: {quantile: 0.25, method: interval}
    at_least: 0.01
  - equivalent_to: {model: released, delta: 1e-3}
  - size: {bytes: 700000, parameters: 170000}
  - file: {finite_weights: true, opset: 13..21}
POLICY
code=0
"$shoal" check shoal.yaml --report html=check.html >/dev/null 2>words || code=$?
[ "$code" = 12 ] || { cat words; echo "check ended with $code"; exit 1; }
cat >passes.yaml <<'POLICY'
policy: 1
name: small
models:
  candidate: {file: small.onnx}
data:
  test: {from: "fmnist:fmnist", range: "0:128"}
require:
  - clean_accuracy:
    at_least: 0.3
  - certified_accuracy: {eps: 0.05, method: interval}
    at_least: 0.1
  - file: {finite_weights: true}
POLICY
"$shoal" check passes.yaml --report html=passes.html >/dev/null 2>words || { cat words passes.yaml; exit 1; }
node "$root/scripts/axe.mjs" "$axe" "$chromium" "${pictures[@]}" check.html passes.html "${pages[@]}"
