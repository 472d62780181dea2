# What prepare_instance.sh and run_instance.sh share; they source it. After it shoal is the program and networks the flags of the models.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
shoal=$here/bin/shoal
[ -x "$shoal" ] || { echo "there is no $shoal: run install_tool.sh v1 first" >&2; exit 1; }

# networks_of turns what stands in an instance's first column into flags: one path, or a list [('f', 'a.onnx'), ('g', 'b.onnx')] of network names and
# paths. A path that is not there is looked for with .gz behind it.
networks=()
networks_of() {
  local text=$1 pair="\\(['\"]([^'\"]+)['\"], *['\"]([^'\"]+)['\"]\\)"
  if [[ $text != \[* ]]; then
    networks=(--network "$(packed "$text")")
    return
  fi
  while [[ $text =~ $pair ]]; do
    networks+=(--network "${BASH_REMATCH[1]}=$(packed "${BASH_REMATCH[2]}")")
    text=${text#*"${BASH_REMATCH[0]}"}
  done
}

packed() {
  if [ ! -e "$1" ] && [ -e "$1.gz" ]; then echo "$1.gz"; else echo "$1"; fi
}
