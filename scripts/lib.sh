# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Shared by the scripts beside it: where the checkout is, and how progress is said. Sourced, never run.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$ROOT/.venv/bin:$PATH"
# A start of the command line takes three times as long where Python may not keep what it compiled.
unset PYTHONDONTWRITEBYTECODE
cd "$ROOT"

# say TEXT...: one line of progress, with the seconds since the script began.
say() { printf '[%4ds] %s\n' "$SECONDS" "$*" >&2; }

# die TEXT...: the last line of a script that cannot go on.
die() {
  say "$*"
  exit 1
}

# step NAME COMMAND...: runs the command, says its name, its result and its seconds; returns its status.
# Inside the command an error ends it, as long as step itself is not part of an && or || list.
step() {
  local name=$1 begin=$SECONDS flags=$- status
  shift
  say "$name"
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  [[ $flags != *e* ]] || set -e
  if ((status == 0)); then
    say "$name: ok, $((SECONDS - begin)) s"
  else
    say "$name: FAILED with status $status after $((SECONDS - begin)) s"
  fi
  return "$status"
}

# as_root COMMAND...: runs the command as root, through sudo where this is not root already.
as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || die "root is needed for: $* (neither root nor sudo is there)"
    sudo "$@"
  fi
}

# need_root SCRIPT ARGUMENTS...: goes on as root when this is not root; the lab's hosts are root's containers.
need_root() {
  ((EUID == 0)) && return
  command -v sudo >/dev/null || die "the lab needs root: run this as root, or install sudo"
  say "the lab needs root: going on with sudo"
  exec sudo --preserve-env=KUBEXMS_ARTIFACT_DIRECTORY,KUBEXMS_ARTIFACT_MIRROR,PATH "$@"
}
