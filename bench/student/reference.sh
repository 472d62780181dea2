#!/bin/sh
# The distillation tasks of docs/benchmarks.md: two teachers, six techniques, three seeds each. Writes JSON documents into a folder; table.py
# makes the table of them.
#
#   bench/student/reference.sh SHOAL TEACHERS FASHION_MNIST CIFAR10 OUT
#
# SHOAL is the program, TEACHERS the folder with fmnist-conv-ts.onnx and cifar-b-baseline.onnx, CIFAR10 the folder with
# cifar10_jpeg_train.zip and test_batch.bin.
set -eu
shoal=$1 teachers=$2 fmnist=$3 cifar=$4 out=$5
mkdir -p "$out"
one() { # name, teacher, student, data, test, then flags
	name=$1 teacher=$2 student=$3 data=$4 test=$5
	shift 5
	"$shoal" sweep --teacher "$teachers/$teacher.onnx" --student "$student" --data "$data" --test "$test" --validation-share 0 --epochs 5 \
		--seeds 0,1,2 --engine go --json "$@" >"$out/$teacher.$name.json"
}
task() {
	for t in labels logits; do one $t "$@" --technique $t; done
	for t in 1 2 4; do one temperature-$t "$@" --technique temperature --temperatures $t; done
	one hinton "$@" --technique hinton --temperatures 4
	one dkd "$@" --technique dkd --temperatures 4
}
task fmnist-conv-ts small-fmnist-8-16 "fmnist:$fmnist" "fmnist:$fmnist" --range 0:20000
task cifar-b-baseline small-cifar-8-16 "images:$cifar/cifar10_jpeg_train.zip" "cifar10:$cifar/test_batch.bin" --samples 20000
