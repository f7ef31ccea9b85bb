#!/usr/bin/env bash
# Installs what the tests need, builds, and runs all of them, closing with ctest's summaries.
#
#     tests/run.sh [--quick]
#
# 1. the quickstart, as a new user runs it (release);
# 2. the benchmarks, the quick form;
# 3. the link between hosts at full speed and in full numbers (release);
# 4. all tests under the address and undefined-behaviour sanitizers, the link's in smaller numbers;
# 5. what uses more than one thread under the thread sanitizer;
# 6. the fuzzers, half a minute each.
# --quick: all tests once, without sanitizers.
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

need_packages "${build_packages[@]}" doctest-dev nodejs socat iproute2 nftables

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=no

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

  step "building release, for the tests between hosts"
  cmake --preset release -DNETCLUSTER_TESTS=ON >/dev/null
  cmake --build --preset release --target ncserver net_loss_test net_partition_test \
    net_stopped_host_test
  test_flavour release -R '^net_(loss|partition|stopped_host)_test$'

  step "building asan"
  cmake --preset asan >/dev/null
  cmake --build --preset asan
  test_flavour asan

  # Everything else runs on one thread and has just been tested.
  step "building tsan"
  cmake --preset tsan >/dev/null
  cmake --build --preset tsan --target ncserver agent_test agent_socket_test local_test \
    scenario_flood scenario_interest
  test_flavour tsan -R '^(agent_test|agent_socket_test|local_test|scenario_flood|scenario_interest)$'

  step "fuzzers"
  bash tests/fuzz/run.sh 30 || failed=yes
fi

step "done"
cat "$work/summary"
[ "$failed" = no ]
