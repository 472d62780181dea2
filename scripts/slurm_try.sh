#!/usr/bin/env bash
# Runs shards on a real Slurm: two virtual nodes on this machine, the scripts of deploy/slurm, and each result beside that of one process.
#
#	scripts/slurm_try.sh SHOAL
#
# SHOAL is the program. Wants munged, slurmctld, slurmd and sbatch (Debian: slurmctld slurmd slurm-client munge), and to be root. Everything lies in a
# temporary folder; what was started is ended again.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
SHOAL=$(realpath "$1")
export SHOAL
work=$(mktemp -d)
chmod 755 "$work"
host=$(hostname -s)
running=()
end() {
	status=$?
	if [ $status != 0 ]; then
		tail -n 20 "$work"/*.log "$work"/room/slurm-*.out 2>/dev/null || true
	fi
	for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
	exit $status
}
trap end EXIT

mkdir -m 700 "$work/munge" "$work/state" "$work/spool-node0" "$work/spool-node1"
chmod 755 "$work/munge"
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 2>/dev/null
chmod 400 "$work/munge/key"
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" --seed-file="$work/munge/seed" \
	--log-file="$work/munge.log" >/dev/null 2>&1 &
running+=($!)

# Three ports that nobody uses: the daemons' own are 6817 and 6818, and those from 32768 on are given to whoever asks for any.
taken() { for at in "$@"; do (exec 3<>"/dev/tcp/127.0.0.1/$at") 2>/dev/null && return; done; return 1; }
port=$((20000 + $$ % 12000))
while taken "$port" $((port + 1)) $((port + 2)); do port=$((20000 + (port - 19997) % 12000)); done
cat >"$work/slurm.conf" <<CONF
ClusterName=try
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool-%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd-%n.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
MailProg=/bin/true
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MinJobAge=300
NodeName=node[0-1] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=4 RealMemory=16000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$work/slurm.conf
for _ in $(seq 1200); do [ -S "$work/munge/socket" ] && break; sleep 0.1; done
slurmctld -D -f "$SLURM_CONF" >/dev/null 2>&1 &
running+=($!)
for node in node0 node1; do
	slurmd -D -N "$node" -f "$SLURM_CONF" >/dev/null 2>&1 &
	running+=($!)
done
for _ in $(seq 3000); do
	[ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = 2 ] && break
	sleep 0.1
done
sinfo --Node --noheader --format='%N %T'

mkdir "$work/room"
cd "$work/room"
cp -r "$root"/testdata/fmnist "$root"/testdata/fmnist-conv-*.onnx .
cat >shoal.yaml <<'POLICY'
policy: 1
name: two nodes
confidence: none
models:
  candidate: {file: fmnist-conv-dyn-robust.onnx}
data:
  test: {from: "fmnist:fmnist", range: "0:96"}
require:
  - clean_accuracy:
    at_least: 0.7
    per: class
  - robust_accuracy: {eps: 0.05, attack: fgsm}
    at_least: 0.5
  - certified_accuracy: {eps: 0.05, method: interval}
    at_least: 0.5
POLICY
cat >study.yaml <<'STUDY'
name: two nodes
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:60"}
  test: {from: "fmnist:fmnist", range: "60:150"}
  validation: 0.2
seeds: [0, 1]
training: {epochs: 2, batch: 16}
teachers: [{name: normal, model: fmnist-conv-ts.onnx}]
students:
  - {name: conv, layers: [{conv: 2, kernel: 4, stride: 2, padding: 1, relu: true}, {dense: 10}]}
techniques: [{technique: labels}, {technique: temperature, temperatures: [1, 4]}]
attacks: [{method: fgsm, eps: [0.02], on: {techniques: [temperature]}}]
certify: {domains: [interval], images: 5, max_eps: 0.05, on: {techniques: [temperature]}}
claims: [{claim: 10, teacher: normal, techniques: [temperature]}]
STUDY

# timeless leaves out what may differ from run to run.
timeless() { sed -E '/"(seconds|samples_per_second|evaluations_per_second|.*_seconds)": /d; s/,$//' "$1"; }
# both runs a command in two tasks of an array, and in one process, and compares what they print. Its first words are for the folder and the exit code.
both() {
	local name=$1 want=$2 job code=0
	shift 2
	job=$(sbatch --parsable --array=0-1 --time=60 --output="slurm-$name-%a.out" "$root/deploy/slurm/shards.sbatch" "records-$name" "$@")
	sbatch --wait --time=60 --dependency="afterok:$job" --kill-on-invalid-dep=yes --output="$name.slurm" "$root/deploy/slurm/merge.sbatch" "records-$name" "$@" --json >/dev/null ||
		code=$?
	[ "$code" = "$want" ] || { echo "$name on Slurm: exit code $code, not $want"; cat "$name.slurm" "slurm-$name"-*.out; exit 1; }
	nodes=$(sacct_free "$job")
	if [ "${1:-}" = study ]; then # in a folder of its own
		set -- "${@/#out/whole}"
	fi
	code=0
	"$SHOAL" "$@" --json >"$name.one" 2>"$name.words" || code=$?
	[ "$code" = "$want" ] || { echo "$name in one process: exit code $code, not $want"; cat "$name.words"; exit 1; }
	sed -n '/^{/,$p' "$name.slurm" >"$name.merged"
	[ -s "$name.one" ] && diff <(timeless "$name.one" | sed '/^ *"output": /d') <(timeless "$name.merged" | sed '/^ *"output": /d') >"$name.diff" || {
		echo "$name: the array and one process differ"; head -n 20 "$name.diff"; exit 1; }
	echo "$name: two tasks on $nodes say what one process says"
}
# sacct_free are the nodes that an array's tasks ran on; there is no accounting.
sacct_free() { scontrol show job "$1" | sed -n 's/^ *NodeList=//p' | sort -u | paste -sd ' '; }

data="--data fmnist:fmnist"
both check 12 check shoal.yaml # a class is below the limit
# shellcheck disable=SC2086
{
	both certify 0 certify fmnist-conv-dyn-robust.onnx $data --range 0:12 --eps 0.05,0.1 --method interval
	both radius 0 radius fmnist-conv-dyn-robust.onnx $data --range 0:12 --max-eps 0.1 --tol 0.01 --method interval --falsify off
	both attack 0 attack fmnist-conv-dyn-robust.onnx $data --range 0:96 --batch 16 --eps 0.05,0.1 --method pgd --steps 3 --engine go
	both compare 0 compare fmnist-conv-dyn-robust.onnx fmnist-conv-ts.onnx $data --range 0:96 --batch 16 --engine go
}
both models 0 study study.yaml -o out --only models
both study 0 study study.yaml -o out
