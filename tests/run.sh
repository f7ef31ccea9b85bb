#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all of them, closing with ctest's summaries.
#
#     tests/run.sh [--quick] [--no-windows]
#
# 1. the quickstart, as a new user runs it (release);
# 2. the benchmarks, the quick form;
# 3. the service under a systemd that is really booted;
# 4. the Debian packages: built, installed, used, upgraded, purged in a root of their own;
# 5. the link between hosts at full speed and in full numbers (release);
# 6. all tests under the address and undefined-behaviour sanitizers, the link's in smaller numbers;
# 7. what uses more than one thread under the thread sanitizer;
# 8. the fuzzers, half a minute each;
# 9. the Windows programs, cross-built: tests, service and multicast under Wine.
# --quick: all tests once, without sanitizers, and nothing else.
# --no-windows: without the last, for those who have no Wine.
set -euo pipefail
cd "$(dirname "$0")/.."
. service/packages.sh

quick=no
windows=yes
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    --no-windows) windows=no ;;
    *) echo "usage: tests/run.sh [--quick] [--no-windows]" >&2; exit 2 ;;
  esac
done

need_packages "${build_packages[@]}" doctest-dev nodejs socat iproute2 nftables

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=no

# lane NAME SCRIPT [ARGUMENT…]: a script of checks that says itself what went wrong.
lane() {
  local name=$1
  shift
  step "$name"
  if bash "$@"; then
    printf '\n== %s: passed\n' "$name" >>"$work/summary"
  else
    printf '\n== %s: FAILED\n' "$name" >>"$work/summary"
    failed=yes
  fi
}

step() { printf '\n== %s (%d s so far)\n' "$1" "$SECONDS"; }

# test PRESET [CTEST-ARGUMENT…]: runs the tests of a flavour that is built.
test_flavour() {
  local preset=$1
  shift
  step "testing $preset"
  ctest --preset "$preset" -j2 --timeout 300 "$@" | tee "$work/$preset" || failed=yes
  { printf '\n== %s\n' "$preset"; sed -n '/tests passed/,$p' "$work/$preset"; } >>"$work/summary"
}

if [ "$quick" = yes ]; then
  step "building debug"
  cmake --preset debug >/dev/null
  cmake --build --preset debug
  test_flavour debug
else
  step "quickstart"
  if bash service/quickstart.sh >"$work/quickstart" 2>&1; then
    tail -n 60 "$work/quickstart"
  else
    cat "$work/quickstart"
    echo "the quickstart FAILED"
    failed=yes
  fi

  # On the release that the quickstart has built: loses nothing, and is not half as good as it was.
  step "benchmarks, quick"
  bash tests/bench/run.sh --self-test || failed=yes
  bash tests/bench/run.sh --quick || failed=yes

  lane "service under systemd" tests/service/run.sh build/release/bin
  lane "packages" tests/packaging/run.sh

  step "building release, for the tests between hosts"
  cmake --preset release -DNETCLUSTER_TESTS=ON >/dev/null
  cmake --build --preset release --target ncserver net_loss_test net_partition_test \
    net_stopped_host_test net_tasks_test
  test_flavour release -R '^net_(loss|partition|stopped_host|tasks)_test$'

  step "building asan"
  cmake --preset asan >/dev/null
  cmake --build --preset asan
  test_flavour asan

  # Everything else runs on one thread and has just been tested.
  step "building tsan"
  cmake --preset tsan >/dev/null
  cmake --build --preset tsan --target ncserver agent_test agent_socket_test local_test \
    scenario_flood scenario_interest scenario_tasks_life
  test_flavour tsan -R '^(agent_test|agent_socket_test|local_test|scenario_flood|scenario_interest|scenario_tasks_life)$'

  step "fuzzers"
  bash tests/fuzz/run.sh 30 || failed=yes

  if [ "$windows" = yes ]; then lane "Windows" tests/windows/run.sh build/release/bin; fi
fi

step "done"
cat "$work/summary"
[ "$failed" = no ]
