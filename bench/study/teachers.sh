#!/bin/sh
# The study's teachers for CIFAR-10, trained with shoal alone, once, and written as ONNX files.
#
#   bench/study/teachers.sh SHOAL CIFAR10 OUT [NAME...]
#
# SHOAL is the program, CIFAR10 the folder with cifar10_jpeg_train.zip, cifar10_jpeg_test.zip (all images, JPEG-compressed) and test_batch.bin (the first test
# images as they were), NAME one of cifar-a, cifar-b and cifar-b-robust, which goes on from cifar-b; none means all. A run that was cut off goes on from its
# checkpoint in OUT. What they reach stands in docs/study/thesis.md.
set -eu
shoal=$1 cifar=$2 out=$3
shift 3
here=$(dirname "$0")/teachers
mkdir -p "$out"
train() { # name, what is trained, then flags
	name=$1 student=$2
	shift 2
	"$shoal" distill --technique labels --student "$student" --data "images:$cifar/cifar10_jpeg_train.zip" --validation-share 0.02 --flip \
		--test "images:$cifar/cifar10_jpeg_test.zip" --checkpoint "$out/$name.checkpoint" --resume -o "$out/$name.trained.onnx" "$@"
	"$shoal" simplify "$out/$name.trained.onnx" -o "$out/$name.onnx"
	"$shoal" inspect "$out/$name.onnx"
	"$shoal" run "$out/$name.onnx" --data "images:$cifar/cifar10_jpeg_test.zip"
	"$shoal" run "$out/$name.onnx" --data "cifar10:$cifar/test_batch.bin"
}
[ $# -gt 0 ] || set -- cifar-a cifar-b cifar-b-robust
for name in "$@"; do
	case $name in
	cifar-a) train $name "$here/cifar-a.yaml" --epochs 6 --batch 64 --optimizer sgd --momentum 0.9 --learning-rate 0.05 --rate-schedule cosine --rate-warm-up 1 \
		--weight-decay 0.0005 --clip-norm 5 ;;
	cifar-b) train $name "$here/cifar-b.yaml" --epochs 10 --batch 64 --rate-schedule cosine --learning-rate 0.001 ;;
	cifar-b-robust) train $name "$out/cifar-b.onnx" --epochs 6 --batch 50 --rate-schedule cosine --learning-rate 0.001 \
		--robust dual --projections 10 --unbounded --eps 0.0073 --eps-start 0.001 --schedule linear --ramp 3 ;;
	*) echo "$0: no teacher $name" >&2 && exit 2 ;;
	esac
done
