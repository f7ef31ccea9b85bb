#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all of them, closing with ctest's summary.
#
#     tests/run.sh [--quick]      --quick: the debug flavour only
#
# debug with all tests; address and undefined-behaviour sanitizers; thread sanitizer; and the
# quickstart, as a new user would run it.
set -euo pipefail
cd "$(dirname "$0")/.."
. service/packages.sh

quick=no
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    *) echo "usage: tests/run.sh [--quick]" >&2; exit 2 ;;
  esac
done

need_packages "${build_packages[@]}" doctest-dev nodejs socat iproute2 procps

# One flavour: configure, build, test. The summaries are kept for the end.
summaries=$(mktemp)
trap 'rm -f "$summaries"' EXIT
failed=no
flavour() {
  local preset=$1
  shift
  echo "== $preset"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
  if ! ctest --preset "$preset" --timeout 300 "$@" | tee "$summaries.$preset"; then failed=yes; fi
  { echo "== $preset"; grep -E 'tests passed|tests failed|Not Run|Skipped|\*\*\*' \
    "$summaries.$preset" || true; } >>"$summaries"
  rm -f "$summaries.$preset"
}

if [ "$quick" = yes ]; then
  flavour debug
else
  flavour asan
  flavour tsan
  flavour release
fi
echo
cat "$summaries"
[ "$failed" = no ]
