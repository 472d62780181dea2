#!/usr/bin/env bash
# Installs shoal as VNN-COMP calls it: install_tool.sh v1. Builds the source that this script lies in; Go is all that it needs.
set -euo pipefail
[ "${1:-}" = v1 ] || { echo "install_tool.sh: the version is v1, not '${1:-}'" >&2; exit 1; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

if ! command -v go >/dev/null; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "install_tool.sh: there is no go, and nobody to install it" >&2; exit 1; }
  apt-get update >/dev/null && apt-get install -y golang-go >/dev/null
fi
mkdir -p "$here/bin"
(cd "$root" && go build -o "$here/bin/shoal" ./cmd/shoal)
"$here/bin/shoal" version
