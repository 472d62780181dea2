#!/usr/bin/env bash
# Builds the image of deploy/Containerfile without a registry, and tries it: its size, that it runs as nobody, its version, and a policy that is written and
# checked in it.
#
#	scripts/container_try.sh
#
# Wants buildah (Debian: buildah crun), no daemon, and no rights that a container lacks (chroot isolation). The first stage is made by the Go that is here,
# by the line that stands in the file; the second is built as it stands.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
export STORAGE_DRIVER=vfs
buildah=(buildah --root "$work/storage" --runroot "$work/run")
end() {
	"${buildah[@]}" rm --all >/dev/null 2>&1 || true
	"${buildah[@]}" rmi --all --force >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap end EXIT
mkdir "$work/context" "$work/room"
line=$(sed -n 's|^RUN \(CGO_ENABLED=0 go build .*\) -o /shoal \./cmd/shoal$|\1|p' "$root/deploy/Containerfile")
[ -n "$line" ] || { echo "there is no build line in deploy/Containerfile"; exit 1; }
(cd "$root" && bash -c "$line -o '$work/context/shoal' ./cmd/shoal")
sed -n '/^FROM scratch$/,$p' "$root/deploy/Containerfile" | sed 's|^COPY --from=build /shoal |COPY shoal |' >"$work/context/Containerfile"
"${buildah[@]}" bud --isolation chroot -t shoal "$work/context" >"$work/words" 2>&1 || { cat "$work/words"; exit 1; }
user=$("${buildah[@]}" inspect --type image --format '{{.OCIv1.Config.User}}' shoal)
[ "$user" = 65534:65534 ] || { echo "it runs as $user"; exit 1; }
bytes=$("${buildah[@]}" images --format '{{.Size}}' shoal)
echo "the image has $bytes"
awk -v s="$bytes" 'BEGIN { split(s, p, " "); exit !(p[2] == "MB" && p[1] + 0 < 60) }' || { echo "that is not below 60 MB"; exit 1; }
cp -r "$root/testdata/fmnist" "$root/testdata/fmnist-conv-dyn-robust.onnx" "$work/room"
chmod -R a+rX "$work/room"
chmod 777 "$work/room"
container=$("${buildah[@]}" from shoal)
inside() { "${buildah[@]}" run --isolation chroot -v "$work/room:/work" "$container" -- /shoal "$@"; }
inside --version
inside init fmnist-conv-dyn-robust.onnx --data fmnist:fmnist --range 0:64 -o shoal.yaml >/dev/null 2>&1
inside check shoal.yaml --report html=report.html 2>/dev/null
owner=$(stat -c %u:%g "$work/room/report.html")
[ "$owner" = 65534:65534 ] || { echo "what it writes belongs to $owner"; exit 1; }
