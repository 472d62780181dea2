#!/usr/bin/env bash
# Looks whether an instance can be run, as VNN-COMP calls it: prepare_instance.sh v1 CATEGORY ONNX VNNLIB. Nothing is left running or written; whatever depends
# on the instance is done in run_instance.sh, where it is timed. Exit code 0: it can.
set -euo pipefail
[ "${1:-}" = v1 ] && [ $# -ge 4 ] || { echo "usage: prepare_instance.sh v1 CATEGORY ONNX VNNLIB" >&2; exit 1; }
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
networks_of "$3"
[ ${#networks[@]} -gt 0 ] || { echo "prepare_instance.sh: no model in '$3'" >&2; exit 1; }
for flag in "${networks[@]}"; do
  [ "$flag" = --network ] || [ -r "${flag#*=}" ] || { echo "prepare_instance.sh: ${flag#*=} cannot be read" >&2; exit 1; }
done
exec "$shoal" vnnlib check "$(packed "$4")"
