#!/usr/bin/env bash
# Measures netcluster beside its peers: installs what that needs, builds release, measures, and
# prints one table. README.md says what the works and the series are.
#
#     tests/bench/run.sh [--build DIR] [--self-test] [OPTION…]       --help lists the options
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/service/packages.sh"

build=$root/build/release
options=()
quick=no
peers=(nats-server libnats-dev redis-server libhiredis-dev mosquitto libmosquitto-dev libzmq3-dev
  dbus-daemon libsystemd-dev libbenchmark-dev nodejs liblcm-dev libnorm-dev)
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$(realpath -m "$2"); shift ;;
    -h | --help) cd "$root/tests/bench" && exec python3 -B -m runner --help ;;
    --self-test) cd "$root/tests/bench" && exec python3 -B -m unittest runner.test_judge runner.test_links ;;
    *)
      case $1 in
        --quick) quick=yes ;;
        --curves) peers+=(gnuplot-nox) ;;
      esac
      options+=("$1")
      ;;
  esac
  shift
done

need_packages "${build_packages[@]}" python3
# What cannot be had of these is left out of the measuring, which names it.
need_packages nftables iproute2 || true
if [ "$quick" = no ] && ! need_packages "${peers[@]}"; then
  for package in "${peers[@]}"; do need_packages "$package" || true; done
fi

cd "$root"
cmake --preset release -B "$build" -DNETCLUSTER_TESTS=OFF -DNETCLUSTER_BENCH=ON >/dev/null
cmake --build "$build" --target bench

cd tests/bench
exec python3 -B -m runner --programs "$build/bin" --out "$root/build/bench" "${options[@]}"
