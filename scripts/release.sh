#!/bin/sh
# Makes what a release has to download: static programs for six platforms, and their checksums.
#
#	scripts/release.sh [FOLDER] [PLATFORM...]
#
# FOLDER is dist where it is not given, and must be empty or not there. A PLATFORM is OS/ARCH, all six where none is given. Where the commit is tagged (v0.1.0),
# CHANGELOG.md must have a section of that version, which becomes CHANGES.md beside the programs: the words of the release.
set -eu
out=${1:-dist}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
if [ -d "$out" ] && [ -n "$(ls -A "$out")" ]; then
	echo "release.sh: $out is not empty" >&2
	exit 1
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
if [ -n "$(git status --porcelain 2>/dev/null)" ]; then
	echo "release.sh: the working tree has changes that no commit has: programs say so (shoal version)" >&2
fi
tag=$(git describe --tags --exact-match --match 'v[0-9]*' HEAD 2>/dev/null) || tag=
if [ -n "$tag" ]; then
	awk -v version="${tag#v}" '/^## / { inside = $2 == version; next } inside' CHANGELOG.md >"$out/CHANGES.md"
	if ! grep -q . "$out/CHANGES.md"; then
		rm "$out/CHANGES.md"
		echo "release.sh: CHANGELOG.md has no section ## ${tag#v}, and the commit is tagged $tag" >&2
		exit 1
	fi
fi
for platform in "$@"; do
	os=${platform%/*} arch=${platform#*/}
	name=shoal-$os-$arch
	[ "$os" = windows ] && name=$name.exe
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -buildvcs=auto -trimpath -ldflags="-s -w" -o "$out/$name" ./cmd/shoal
	echo "$name"
done
cd "$out"
if command -v sha256sum >/dev/null; then
	sha256sum shoal-* >SHA256SUMS
else
	shasum -a 256 shoal-* >SHA256SUMS
fi
