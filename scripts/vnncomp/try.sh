#!/usr/bin/env bash
# Tries the three scripts as the competition uses them: a copy of the tracked files in a new folder, an environment without anything of the user's, and
# instances in another folder. Ends with an error where an answer or its form is not what it has to be.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/clone" "$work/home" "$work/bench"
(cd "$root" && git ls-files -z | tar --null -cf - -T -) | tar -xf - -C "$work/clone"
cp "$root/testdata/fmnist-mlp-ts.onnx" "$work/bench/net.onnx"
cd "$work/bench"

# The modules that are here already need not be fetched again.
clean=(env -i "PATH=$PATH" "HOME=$work/home" "GOMODCACHE=$(go env GOMODCACHE)" "GOCACHE=$(go env GOCACHE)" "GOPROXY=$(go env GOPROXY)" "GOSUMDB=$(go env GOSUMDB)"
  GOFLAGS=-buildvcs=false)
fail() { echo "try.sh: $*" >&2; exit 1; }

# A box of pixels below 0.001, in either version.
one() { # LAST ASSERTION
  for ((i = 0; i < 784; i++)); do echo "(declare-const X_$i Real)"; done
  for ((i = 0; i < 10; i++)); do echo "(declare-const Y_$i Real)"; done
  for ((i = 0; i < 784; i++)); do echo "(assert (>= X_$i 0.0)) (assert (<= X_$i 0.001))"; done
  echo "$1"
}
two() { # LAST ASSERTION
  cat <<'DECLARED'
(vnnlib-version <2.0>)
(declare-network f (declare-input X float32 [1,1,28,28]) (declare-output Y float32 [1,10]))
(declare-network g (equal-to f) (declare-input U float32 [1,1,28,28]) (declare-output V float32 [1,10]))
DECLARED
  for ((i = 0; i < 784; i++)); do
    at="[0,0,$((i / 28)),$((i % 28))]"
    echo "(assert (and (>= X$at 0.0) (<= X$at 0.001) (== X$at U$at)))"
  done
  echo "$1"
}
one "(assert (>= Y_0 1000000.0))" >unsat1.vnnlib
one "(assert (<= Y_0 1000000.0))" >sat1.vnnlib
one "(assert (<= (* Y_0 Y_1) 1.0))" >odd.vnnlib
two "(assert (> Y[0,3] V[0,3]))" >unsat2.vnnlib
two "(assert (>= Y[0,3] V[0,3]))" | gzip >sat2.vnnlib.gz

"${clean[@]}" "$work/clone/scripts/vnncomp/install_tool.sh" v1
"${clean[@]}" "$work/clone/scripts/vnncomp/install_tool.sh" v2 2>/dev/null && fail "install_tool.sh takes another version"

run() { # WORD LINES MODELS PROPERTY TIMEOUT
  if [ "$1" != unknown ]; then
    "${clean[@]}" "$work/clone/scripts/vnncomp/prepare_instance.sh" v1 test "$3" "$4" >/dev/null
  fi
  "${clean[@]}" "$work/clone/scripts/vnncomp/run_instance.sh" v1 test "$3" "$4" out.txt "$5"
  [ "$(head -n 1 out.txt)" = "$1" ] || fail "$4 gives $(head -n 1 out.txt), not $1"
  [ "$(wc -l <out.txt)" = "$2" ] || fail "$4 gives $(wc -l <out.txt) lines, not $2"
}
pair="[('f', 'net.onnx'), ('g', 'net.onnx')]"
run unsat 1 net.onnx unsat1.vnnlib 600
run sat 795 net.onnx sat1.vnnlib 600.0
grep -q '^((X_0 [0-9.e-]*)$' out.txt || fail "no counterexample as VNN-COMP writes it: $(sed -n 2p out.txt)"
run unsat 1 "$pair" unsat2.vnnlib 600
run sat 1593 "$pair" sat2.vnnlib 600
grep -qx 'V float32 \[1,10\]' out.txt || fail "no counterexample as the standard writes it"
run sat 1593 "[('f', 'net.onnx')]" sat2.vnnlib 600
run unknown 1 net.onnx odd.vnnlib 600
if "${clean[@]}" "$work/clone/scripts/vnncomp/prepare_instance.sh" v1 test none.onnx unsat1.vnnlib 2>/dev/null; then fail "a model that is not there is prepared"; fi
if "${clean[@]}" "$work/clone/scripts/vnncomp/run_instance.sh" v1 test none.onnx unsat1.vnnlib out.txt 600 2>/dev/null; then fail "a model that is not there is run"; fi
[ "$(cat out.txt)" = error ] || fail "a model that is not there gives $(cat out.txt)"
echo "the competition's scripts answer as they must"
