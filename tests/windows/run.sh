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

work=$(mktemp -d)
echo "building for Windows"
if ! { cmake --preset windows && cmake --build --preset windows --target all windows_zip; } \
  >"$work/build" 2>&1; then
  tail -n 40 "$work/build" >&2
  rm -rf "$work"
  exit 1
fi
export WINEPREFIX=$work/windows
. tests/windows/wine.sh

cleanup() {
  [ ! -d "$WINEPREFIX" ] || { "$wineserver" -k && "$wineserver" -w; } || true
  rm -rf "$work"
}
trap cleanup EXIT

fresh_windows
# Else Wine's server, and with it the services, ends with the last ordinary program.
"$wineserver" -p
# The first program starts Windows' own services, which keep its output: it must not be ctest's pipe,
# whose end ctest waits for.
wine cmd /c exit </dev/null >/dev/null 2>&1

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

bash tests/windows/multicast.sh "$bin" || not_ok "multicast: a daemon of each system, see above"

echo "$passed passed, $failed failed (and those of the multicast exchange)"
[ "$failed" -eq 0 ]
