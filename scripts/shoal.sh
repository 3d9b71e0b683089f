#!/usr/bin/env bash
# Behind the four scripts of the assignment: scripts/shoal.sh N USAGE COMMAND [OPTION…] -- PATH…
# checks that there are N paths and runs shoal, from any working directory, on the Python of the
# .venv beside the scripts, else on the current one. After the paths a training script takes
# --resume and --force.
set -u
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
count="$1" usage="$2"
shift 2
command=()
while [ "$1" != "--" ]; do command+=("$1"); shift; done
shift
SHOAL_COMMAND="$(printf '%q ' bash "${usage%% <*}" "$@")"
export SHOAL_COMMAND
if [ "${command[0]}" = train ]; then
  while [ "$#" -gt "$count" ]; do
    case "${!#}" in
      --resume | --force) command+=("${!#}") ;;
      *) break ;;
    esac
    set -- "${@:1:$#-1}"
  done
fi
if [ "$#" -ne "$count" ]; then
  echo "usage: bash $usage (needs $count paths, got $#)" >&2
  exit 2
fi
python="$root/.venv/bin/python"
[ -x "$python" ] || python="$(command -v python3 || command -v python || true)"
needed="import torch, numpy, PIL, scipy, sklearn, threadpoolctl, platformdirs, faiss, openTSNE, pyarrow, matplotlib, jinja2, reportlab, pypdf, typer, rich, starlette, uvicorn"
missing='import importlib.util as u, sys
names = sys.argv[1].removeprefix("import ").split(", ")
sys.exit(any(u.find_spec(name) is None for name in names))'
if [ -z "$python" ] || ! "$python" -c "$missing" "$needed" 2>/dev/null; then
  echo "shoal's dependencies are missing: run 'make install' in $root, or 'pip install $root'" >&2
  exit 2
fi
PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m shoal "${command[@]}" -- "$@"
