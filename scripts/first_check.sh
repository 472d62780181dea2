#!/usr/bin/env bash
# Does what the tutorial for release managers begins with, on a machine with Go alone, and says how long it takes: the first block of commands in
# docs/tutorials/release-manager.md, as they stand, from the last commit of this repository.
#
#	scripts/first_check.sh [FOLDER]
#
# FOLDER, a temporary one where it is not given, gets a GOPATH and a build cache of its own, both empty. The commit is served to "go install ...@latest" as
# a module proxy's files; what it requires comes from where Go is told to look (GOPROXY), before the clock starts, since that is the network's time.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
[ -n "${1:-}" ] || trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
module=github.com/shallow-waters/shoal
version=v0.0.1
seconds() { date +%s.%N; }
took() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { printf "%.1f s", b - a }'; }

# The commit as a proxy has it; a module below another is none of its files.
at=$work/proxy/$module/@v
mkdir -p "$at"
excluded=()
while read -r path; do
	[ "$path" = go.mod ] || excluded+=(":(exclude)$(dirname "$path")")
done < <(git -C "$root" ls-files -- '*go.mod')
git -C "$root" archive --format=zip --prefix="$module@$version/" -o "$at/$version.zip" HEAD -- . "${excluded[@]}"
git -C "$root" show HEAD:go.mod >"$at/$version.mod"
echo "{\"Version\":\"$version\"}" >"$at/$version.info"
echo "$version" >"$at/list"

proxies=$(go env GOPROXY)
export GOPATH=$work/gopath GOMODCACHE=$work/gopath/pkg/mod GOCACHE=$work/gocache GOBIN= GOFLAGS=-mod=mod GOWORK=off GONOSUMDB=$module
export GOPROXY=file://$work/proxy,$proxies
export PATH=$GOPATH/bin:$PATH
mkdir -p "$work/room"
cp -r "$root/testdata/fmnist" "$root/testdata/fmnist-conv-dyn-robust.onnx" "$work/room"
cd "$work/room"

start=$(seconds)
(mkdir -p "$work/load" && cd "$work/load" && git -C "$root" show HEAD:go.mod >go.mod && git -C "$root" show HEAD:go.sum >go.sum && go mod download)
echo "downloads: $(took "$start")"

all=$(seconds)
times >"$work/times" # of this shell's children, in the second line; a shell below this one would tell its own
lines=0
while IFS= read -r line; do
	lines=$((lines + 1))
	start=$(seconds)
	bash -c "$line" >"$work/out" 2>"$work/said" || { echo "$line: exit $?"; cat "$work/out" "$work/said"; exit 1; }
	echo "$(took "$start"): $line"
done < <(awk '/^```sh$/ { inside = 1; next } /^```$/ && inside { exit } inside' "$root/docs/tutorials/release-manager.md")
tail -n 3 "$work/out"
total=$(took "$all")
times >>"$work/times"
work_time=$(awk 'NR % 2 == 0 { s = 0; for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); s += 60 * t[1] + t[2] } all[NR] = s }
	END { printf "%.1f", all[4] - all[2] }' "$work/times")
echo "$lines commands: $total, and $work_time s of processor time; $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null || echo unknown)"
[ "$lines" = 3 ] || { echo "these are not three commands"; exit 1; }
# Others may be at work on this machine: three minutes are held against what a single core would take.
awk -v t="$work_time" 'BEGIN { exit t > 180 }' || { echo "that is more than three minutes of processor time"; exit 1; }
