#!/usr/bin/env bash
# From nothing to events between two hosts: installs what is missing, builds release, and runs the
# tour: two daemons that stand for two hosts, joined by multicast on the loopback interface.
# Leaves nothing running. Exit status 0 when everybody heard what the rules say.
set -euo pipefail
cd "$(dirname "$0")/.."
. service/packages.sh

need_packages "${build_packages[@]}"
echo "building (build/release; the first time takes a few minutes)"
cmake --preset release -DNETCLUSTER_TESTS=OFF >/dev/null
cmake --build --preset release

bin=$PWD/build/release/bin
work=$(mktemp -d)
daemons=()
cleanup() {
  local pid
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${daemons[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# One daemon for each host. A group and port of this run's own keep it apart from anything else.
port=$((20000 + $$ % 20000))
for host in alpha beta; do
  cat >"$work/$host.json" <<CONFIG
{
  "name": "$host",
  "addr": "239.255.44.55", "port": $port, "netinterface": "lo",
  "channels": {
    "control": {},
    "sensors": { "propagatetochannels": "^display$", "propagatetonet": "(temperature|fence).*" },
    "display": {},
    "private": {}
  }
}
CONFIG
  "$bin/ncserver" "$work/$host.json" --rundir "$work/$host" --log-file "$work/$host.log" &
  daemons+=($!)
done
echo
echo "two hosts: alpha and beta, each with the channels sensors, display and private"
echo "  sensors: propagates to display, and what matches (temperature|fence).* to the net"
echo "  display, private: propagate nowhere"
echo
if ! "$bin/example_tour" "$work/alpha" "$work/beta"; then
  tail -n 20 "$work"/*.log >&2
  exit 1
fi
echo
echo "what alpha's daemon counted (ncctl stats):"
"$bin/ncctl" --dir "$work/alpha" stats
echo
echo "all as it should be. Try it yourself:"
echo "  build/release/bin/ncserver config/config.json     (then, in a second terminal)"
echo "  build/release/bin/ncctl listen A                  (and in a third)"
echo "  build/release/bin/ncctl emit A hello '{\"x\":1}'"
