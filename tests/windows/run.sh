#!/usr/bin/env bash
# The Windows programs, cross-built and run under Wine: the tests of every layer, the service's life,
# events by multicast between a daemon of each system.
#
#     tests/windows/run.sh [BIN]
#
# BIN   a directory with Linux' ncserver and ncctl; default: build/release/bin
#
# One line per check, then `N passed, N failed`. Installs Wine and the cross compiler when they are
# missing, and keeps in its cache ($NETCLUSTER_CACHE, else ~/.cache/netcluster) what takes long to
# make: the libraries for Windows and a fresh Windows folder, which each run copies.
set -euo pipefail
cd "$(dirname "$0")/../.."
. service/packages.sh

bin=$(realpath "${1:-build/release/bin}")
need_packages wine wine64 bsdutils
bash service/windows/dependencies.sh

echo "building for Windows"
cmake --preset windows >/dev/null
cmake --build --preset windows --target all windows_zip | tail -n 1

work=$(mktemp -d)
export WINEPREFIX=$work/windows WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
export DISPLAY=
wineserver=$(command -v wineserver64 wineserver /usr/lib/wine/wineserver64 | head -n 1)

cleanup() {
  [ ! -d "$WINEPREFIX" ] || { "$wineserver" -k && "$wineserver" -w; } || true
  rm -rf "$work"
}
trap cleanup EXIT

# A Windows folder takes ten seconds to make and one to copy.
fresh_windows() {
  local cache=${NETCLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netcluster}
  local template
  template=$cache/wine-$(dpkg-query -W -f '${Version}' wine64 | tr -c 'a-zA-Z0-9.\n' _)
  if [ ! -d "$template" ]; then
    mkdir -p "$cache"
    rm -rf "$template.$$"
    WINEPREFIX=$template.$$ wineboot --init >"$work/wineboot" 2>&1 || {
      cat "$work/wineboot" >&2
      return 1
    }
    WINEPREFIX=$template.$$ "$wineserver" -w
    mv -T "$template.$$" "$template"
  fi
  cp -a "$template" "$WINEPREFIX"
}
fresh_windows
# Else Wine's server, and with it the services, ends with the last ordinary program.
"$wineserver" -p

. tests/windows/checks.sh

unit_tests() {
  ctest --preset windows -j2 --timeout 300 >"$work/ctest" 2>&1 || {
    grep -v '   Passed ' "$work/ctest"
    return 1
  }
}
check "tests: every layer's own, under Wine" unit_tests
sed -n '/tests passed/p; /Total Test time/p' "$work/ctest"

. tests/windows/service_life.sh

if [ -e tests/windows/multicast.sh ]; then
  check "multicast: a daemon of each system" bash tests/windows/multicast.sh "$bin"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
