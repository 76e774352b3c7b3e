#!/usr/bin/env bash
# usage: demo.sh [HOME_DIR]
# Without an argument: makes a sandbox home with a dozen projects in a temporary
# directory, starts the controller on it, shows how it corrects an edit, a move,
# a copy, a deletion and a corrupt file, and stays up until Ctrl-C.
# With one: runs the controller on that home.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=$PWD/bin/mesh-controller

if [ -n "${1:-}" ]; then
  home=${1/#\~/$HOME}
  [ -d "$home" ] || { echo "demo.sh: $home is not a directory" >&2; exit 64; }
  exec "$bin" run --dork-home "$home" --log-format console
fi

box=$(mktemp -d "${TMPDIR:-/tmp}/mesh-demo.XXXXXX")
home=$box/home projects=$box/projects
log=$box/controller.log
export MESH_CONTROLLER_DORK_HOME=$home MESH_CONTROLLER_SCAN_ROOT=$projects
export MESH_CONTROLLER_SOCKET=$box/control.sock
pid=
cleanup() {
  trap - EXIT INT TERM
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  rm -rf "$box"
}
trap cleanup EXIT
trap 'echo; echo "stopping"; exit 0' INT TERM

bold() { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\033[1m%s\033[0m\n' "$*"; else printf '%s\n' "$*"; fi; }
say() { echo; bold "== $*"; }
show() { echo "\$ mesh-controller $*"; "$bin" "$@" || true; }

manifest() { # team/name id
  mkdir -p "$projects/$1/.dork"
  cat >"$projects/$1/.dork/agent.json" <<JSON
{
  "id": "$2",
  "name": "${1##*/}",
  "description": "Looks after ${1##*/}",
  "runtime": "claude-code",
  "capabilities": ["review"],
  "registeredAt": "2026-01-15T09:30:00.000Z",
  "registeredBy": "demo"
}
JSON
}

mkdir -p "$home" "$projects"
n=0
for project in shop/storefront shop/checkout shop/search shop/pictures \
  platform/deploy platform/certificates platform/logs platform/backups \
  research/papers research/figures research/notebook research/citations; do
  n=$((n + 1))
  manifest "$project" "$(printf '01JDEMO%019d' "$n")"
done

say "a dozen projects in $projects; the first sweep registers them"
"$bin" run --listen-address 127.0.0.1:0 --log-level info 2>"$log" &
pid=$!
for _ in $(seq 100); do
  [ -S "$MESH_CONTROLLER_SOCKET" ] && "$bin" sync >/dev/null 2>&1 && break
  kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/.*"listen_address":"\([^"]*\)".*/\1/p' "$log" | head -n 1)
show agents

say "an edit: checkout gets another description"
sed -i.bak 's/Looks after checkout/Takes the money/' "$projects/shop/checkout/.dork/agent.json"
rm -f "$projects/shop/checkout/.dork/agent.json.bak"
show plan
show sync

say "a move: logs becomes journals, in another team"
mv "$projects/platform/logs" "$projects/research/journals"
show plan
show sync

say "a copy: notebook is copied; the first home keeps the identity"
cp -R "$projects/research/notebook" "$projects/research/notebook-copy"
show sync
show agents --problems

say "a deletion: pictures is gone; unreachable at once, removed after 24 h"
rm -rf "$projects/shop/pictures"
show sync
show explain "$projects/shop/pictures"

say "a corrupt file: deploy's manifest is cut off; the last good state stays"
head -c 90 "$projects/platform/deploy/.dork/agent.json" >"$box/cut" && cat "$box/cut" >"$projects/platform/deploy/.dork/agent.json"
show sync
show agents --problems

say "what happened"
show events

say "still running, on http://${address:-127.0.0.1} (metrics at /metrics); projects in $projects; Ctrl-C ends it"
wait "$pid"
