#!/usr/bin/env bash
# Writes the manifest of a job that runs a command of shoal, check, certify, radius, attack, compare or study, in shards, a pod each; and that of the one which
# puts them together:
#
#	deploy/kubernetes/job.sh shards shoal-attack 8 attack /release/model.onnx --data fmnist:/release/data --eps 2/255 | kubectl apply -f -
#	deploy/kubernetes/job.sh merge shoal-attack 8 attack /release/model.onnx --data fmnist:/release/data --eps 2/255 --min-robust 0.5 | kubectl apply -f -
#
# The second word is the job's name, the third the number of shards. Files are named as pods see them: /release is mounted for reading, /records for
# writing, and has NAME-INDEX.jsonl of each shard and NAME.jsonl of all. merge takes the flags that are about all samples as well. Both are job.yaml with
# other names and arguments.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
kind=$1 name=$2 shards=$3
shift 3
[[ "$kind" =~ ^(shards|merge)$ ]] || { echo "job.sh: want shards or merge, not $kind" >&2; exit 2; }
[[ "$name" =~ ^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$ ]] || { echo "job.sh: $name is no name of a job" >&2; exit 2; }
[[ "$shards" =~ ^[1-9][0-9]{0,4}$ ]] || { echo "job.sh: want a number of shards, not $shards" >&2; exit 2; }

# list writes words as a list of YAML, each a string of JSON; a shell's $ is Kubernetes' own unless it is doubled.
list() {
	local word text=""
	for word in "$@"; do
		case $word in *[[:cntrl:]]*) echo "job.sh: a word has a control character" >&2; exit 2 ;; esac
		word=${word//\\/\\\\}
		text+=", \"${word//\"/\\\"}\""
	done
	printf '[%s]' "${text:2}"
}
words=()
for word in "$@"; do words+=("${word//\$/\$\$}"); done
if [ "$kind" = shards ]; then
	args=$(list "${words[@]}" --shard auto --threads 4 --records "/records/$name-\$(JOB_COMPLETION_INDEX).jsonl")
	first=""
else
	files=()
	for ((i = 0; i < shards; i++)); do files+=("/records/$name-$i.jsonl"); done
	args=$(list "${words[@]}" --records "/records/$name.jsonl")
	first=$(list merge "${files[@]}" -o "/records/$name.jsonl")
fi
export kind name shards args first
awk '
	{ merge = ENVIRON["kind"] == "merge" }
	/^#/ { next }
	/^  name: / { print "  name: " ENVIRON["name"] (merge ? "-merge" : ""); next }
	/^  completionMode: / && merge { next }
	/^  backoffLimitPerIndex: / && merge { print "  backoffLimit: 0"; next } # its exit code is the answer
	/^  (completions|parallelism): / { if (!merge) print "  " $1 " " ENVIRON["shards"]; next }
	/^          args: / { $0 = "          args: " ENVIRON["args"] }
	/^          env:/ { inside = 1; if (merge) next }
	/^          resources:/ { inside = 0 }
	inside && merge { next }
	/^              value: / { print "              value: \"" ENVIRON["shards"] "\""; next }
	/^      containers:/ && merge { containers = 1 }
	# The container that merges is the other with other arguments: it is kept, and written twice.
	containers && /^      volumes:/ {
		print "      initContainers:"
		for (k = 1; k <= n; k++) {
			line = held[k]
			if (line ~ /^        - name: /) line = "        - name: merge"
			if (line ~ /^          args: /) line = "          args: " ENVIRON["first"]
			print line
		}
		print "      containers:"
		for (k = 1; k <= n; k++) print held[k]
		containers = 0
	}
	containers && /^      containers:/ { next }
	containers { held[++n] = $0; next }
	{ print }
' "$(dirname "$0")/job.yaml"
