#!/usr/bin/env bash
# Builds the fuzzers and runs each for a while, on seeds made from valid datagrams.
#
#     tests/fuzz/run.sh [SECONDS]      30 each without it; 300 before a release
#
# What a fuzzer finds is left in build/fuzz/found. Run it again on one input with
# build/fuzz/bin/fuzz_datagram FILE.
set -euo pipefail
cd "$(dirname "$0")/../.."
. service/packages.sh

seconds=${1:-30}
need_packages "${build_packages[@]}" clang libclang-rt-14-dev

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzz_corpus fuzz_datagram fuzz_reassembly fuzz_nodes
bin=build/fuzz/bin
found=build/fuzz/found
corpus=build/fuzz/corpus
mkdir -p "$found"
"$bin/fuzz_corpus" "$corpus"

failed=no
for subject in datagram reassembly nodes; do
  echo "== fuzzing $subject for $seconds s"
  log=$found/$subject.log
  if "$bin/fuzz_$subject" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -max_len=16384 -artifact_prefix="$found/$subject-" -print_final_stats=1 \
    "$corpus/$subject" >"$log" 2>&1; then
    grep -E '^stat::number_of_executed_units|^stat::peak_rss' "$log"
  else
    tail -n 60 "$log"
    echo "the fuzzer of $subject found something; its input is in $found"
    failed=yes
  fi
done
[ "$failed" = no ]
