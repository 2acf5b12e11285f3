# What the scripts in this folder share: places, messages, steps with a log each, and Debian packages.
# Sourced, never run; the script that sources it has set -euo pipefail.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build
logs=$build/log

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Prints the comment that a script opens with, less its first line (#!).
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# step TEXT COMMAND...: says TEXT, runs COMMAND with its output in a log, and meanwhile shows how far the log is. Where
# COMMAND fails, shows the end of the log and ends the script.
step() {
  local text=$1 log ticker status started=$SECONDS
  shift
  mkdir -p "$logs"
  log=$logs/$(tr -cs '[:alnum:]' '-' <<<"${text,,}" | sed 's/^-//; s/-$//').log
  : >"$log"
  show_progress "$text" "$log" &
  ticker=$!
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  [[ -t 1 ]] && printf '\r\033[K'
  if ((status != 0)); then
    say "$text: FAILED after $((SECONDS - started)) s. The end of $log:"
    tail -n 40 "$log" | sed 's/^/    /'
    exit 1
  fi
  say "$text: done ($((SECONDS - started)) s)"
}

# Beside step: on a terminal one line that is rewritten every second, elsewhere a line every 30 s.
show_progress() {
  local text=$1 log=$2 started=$SECONDS next=30 seconds line
  while sleep 1 >/dev/null && kill -0 $$ 2>/dev/null; do
    seconds=$((SECONDS - started))
    [[ -t 1 ]] || ((seconds >= next)) || continue
    next=$((seconds + 30))
    line=$(tail -c 300 "$log" | tr '\r' '\n' | tr -cd '[:print:]\n' | grep -v '^ *$' | tail -n 1 || true)
    line="$text: $seconds s  $line"
    if [[ -t 1 ]]; then printf '\r\033[K%s' "${line:0:$((${COLUMNS:-80} - 1))}"; else say "${line:0:110}"; fi
  done
}

# What ccache wants to be told before it caches files that use precompiled headers (ccache(1), Precompiled headers).
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}

# configure FOLDER CMAKE-OPTIONS...: with ccache where it is installed.
configure() {
  local options=()
  if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  step "Configuring ${1#"$top"/}" cmake -S "$top" -B "$1" -G Ninja "${options[@]}" "${@:2}"
}

# as_root COMMAND...: as it is for root, by sudo for others.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

package_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# The name and version of installed packages, for keys of what was made from them.
package_versions() { dpkg-query -W -f='${Package} ${Version}\n' "$@"; }
