#!/usr/bin/env bash
# A host of each system in a network of their own: they meet by multicast and hear each other's
# events, in the clear and with keys.
#
#     tests/windows/multicast.sh [BIN [WINDOWS-BIN]]
#
# BIN           a directory with Linux' ncserver and ncctl; default: build/release/bin
# WINDOWS-BIN   one with those of Windows, run by Wine; default: build/windows/bin
#
# One line per check, then `N passed, N failed`. For root: it makes two network namespaces. Wine's
# sockets are those of its server, which is therefore started in the namespace of the Windows host,
# with a Windows folder of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
. service/packages.sh

bin=$(realpath "${1:-build/release/bin}")
windows_bin=$(realpath "${2:-build/windows/bin}")
need_packages wine wine64 iproute2

work=$(mktemp -d)
. tests/windows/wine.sh
. tests/windows/checks.sh
export WINEPREFIX=$work/windows
linux_net=nc-linux-$$ windows_net=nc-windows-$$

started=()
cleanup() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  [ ! -d "$WINEPREFIX" ] || { "$wineserver" -k && "$wineserver" -w; } || true
  ip netns del "$linux_net" 2>/dev/null || true
  ip netns del "$windows_net" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# -- two hosts, one cable --------------------------------------------------------------------------

ip netns add "$linux_net"
ip netns add "$windows_net"
ip link add name eth0 netns "$linux_net" type veth peer name eth0 netns "$windows_net"
plug_in() { # NETWORK ADDRESS
  ip -n "$1" address add "$2/24" dev eth0
  ip -n "$1" link set lo up
  ip -n "$1" link set eth0 up
}
plug_in "$linux_net" 10.44.0.1
plug_in "$windows_net" 10.44.0.2

on_linux() { exec ip netns exec "$linux_net" env NETCLUSTER_DIR="$work/run" "$@"; }
on_windows() { exec ip netns exec "$windows_net" wine "$@"; }
# Of a question and its answer; lines end as here.
linux() { (on_linux timeout 60 "$bin/ncctl" "$@") </dev/null; }
windows_ctl() { (on_windows "$windows_bin/ncctl.exe" "$@") </dev/null 2>&1 | tr -d '\r'; }

fresh_windows
ip netns exec "$windows_net" "$wineserver" -p

# -- the exchange ----------------------------------------------------------------------------------

config() { # NAME [KEYFILE]
  cat <<CONFIG
{
  "name": "$1",
  "heartbeat": 200,
  "netkeyfile": "${2:-}",
  "channels": {
    "control": {},
    "news": { "propagatetonet": true },
    "secret": { "propagatetonet": false }
  }
}
CONFIG
}

online() { # CTL NAME: that host's daemon is heard
  "$1" hosts --json | tr -d ' \n' | grep -q "\"name\":\"$2\",\"online\":true"
}
listens() { "$1" showchannel news --json | grep -q '"encoding"'; }

start_daemons() {
  (on_linux "$bin/ncserver" "$work/linux.json" --rundir "$work/run" </dev/null 2>"$work/linux.log") &
  linux_daemon=$!
  (on_windows "$windows_bin/ncserver.exe" run "Z:$work/windows.json" --log-file "Z:$work/windows.log" \
    </dev/null >"$work/windows.out" 2>&1) &
  windows_daemon=$!
  started+=("$linux_daemon" "$windows_daemon")
}
# Wine knows no SIGINT: the Windows daemon dies at once, which the other finds out.
stop_daemons() {
  kill "$windows_daemon"
  wait "$windows_daemon" 2>/dev/null || true
  until_true refuse online linux windows-host
  kill "$linux_daemon"
  wait "$linux_daemon"
}
refuse() { ! "$@"; }

start_listeners() {
  (on_linux "$bin/ncctl" listen news </dev/null >"$work/heard-linux") &
  started+=($!)
  listeners=($!)
  (on_windows "$windows_bin/ncctl.exe" listen news </dev/null >"$work/heard-windows" 2>&1) &
  started+=($!)
  listeners+=($!)
  until_true listens linux && until_true listens windows_ctl
}
stop_listeners() {
  kill "${listeners[@]}"
  wait "${listeners[@]}" 2>/dev/null || true
}

exchange() { # HOW
  check "$1: the daemons start" start_daemons
  check "$1: the Windows daemon is ready" until_true says "$work/windows.log" " ready: 3 channels"
  check "$1: it is in the group on its network" says "$work/windows.log" "joined 239.255.44.54:4454 on eth0"
  check "$1: Linux' hosts has the Windows host" until_true online linux windows-host
  check "$1: Windows' hosts has the Linux host" until_true online windows_ctl linux-host
  check "$1: listeners on both" start_listeners
  check "$1: emitted on Windows" windows_ctl emit news from-windows 1
  check "$1: heard on Linux" until_true says "$work/heard-linux" "from-windows 1"
  check "$1: emitted on Linux" linux emit news from-linux 2
  check "$1: heard on Windows" until_true says "$work/heard-windows" "from-linux 2"
  # What must not come is followed by what must.
  windows_ctl emit secret private 3 >/dev/null
  linux emit secret private 3 >/dev/null
  large_both_ways "$1"
  check "$1: what stays on its host has not come" refuse grep -q private "$work/heard-linux" "$work/heard-windows"
  answers "$1: nothing was lost" 0 '"count":0' gaps
  check "$1: the doctor on Windows finds no problem" healthy
  stop_listeners
  check "$1: the end of the Windows daemon is seen on Linux" stop_daemons
}
# Many datagrams each, at the same time.
large_both_ways() {
  printf '"%0100000d"' 4 >"$work/large"
  (on_linux "$bin/ncctl" emit news large-linux - <"$work/large") >/dev/null &
  local emitting=$!
  (on_windows "$windows_bin/ncctl.exe" emit news large-windows - <"$work/large") >/dev/null 2>&1 || true
  wait "$emitting"
  check "$1: a large event of Windows' is heard on Linux, whole" \
    until_true whole "$work/heard-linux" large-windows
  check "$1: a large event of Linux' is heard on Windows, whole" \
    until_true whole "$work/heard-windows" large-linux
}
whole() { tr -d '\r' <"$1" | grep -qxF -- "$2 $(cat "$work/large")"; }
gaps() { linux stats --json | tr -d ' \n' | grep -o '"gaps":{"count":[0-9]*' | sort -u; }
healthy() {
  windows_ctl doctor --json >"$work/doctor" || true
  cat "$work/doctor"
  tr -d ' \n' <"$work/doctor" >"$work/facts"
  ! says "$work/facts" '"severity":"problem"' && says "$work/facts" '"severity":"ok"'
}

config linux-host >"$work/linux.json"
config windows-host >"$work/windows.json"
exchange "in the clear"

# -- with keys -------------------------------------------------------------------------------------

config linux-host linux.keys >"$work/linux.json"
config windows-host windows.keys >"$work/windows.json"
check "keys: made on Windows" windows_ctl genkey --file "Z:$work/windows.keys"
install -m 600 "$work/windows.keys" "$work/linux.keys"
exchange "with keys"
check "with keys: the link says that it is encrypted" says "$work/facts" '"encrypted":true'

chmod 644 "$work/windows.keys"
answers "keys: a file that others may read is refused on Windows" 1 "others may read or write it" \
  ip netns exec "$windows_net" timeout 60 wine "$windows_bin/ncserver.exe" run "Z:$work/windows.json"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
