#!/usr/bin/env bash
# The systemd unit: checked as a file, and lived through under a systemd that is really booted.
#
#     tests/service/run.sh [BIN]
#
# BIN   a directory with ncserver and ncctl, beside whose parent's `service` directory the build has
#       put the unit; default: build/release/bin
#
# One line per check, then `N passed, N failed`. Needs root. Takes about half a minute.
set -euo pipefail
cd "$(dirname "$0")/../.."
. service/packages.sh

bin=$(realpath "${1:-build/release/bin}")
units=$bin/../service
if [ "$(id -u)" -ne 0 ]; then
  echo "tests/service/run.sh: booting a system of its own needs root" >&2
  exit 2
fi
need_packages systemd systemd-container procps iproute2 util-linux passwd

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/checks.sh

# -- the files, as they would be installed -----------------------------------------------------

root=$work/files
program=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$units/netcluster.service")
config=$(sed -n 's/^ExecStart=.* --config \([^ ]*\) .*/\1/p' "$units/netcluster.service")
install -D -m 755 "$bin/ncserver" "$root$program"
install -D -m 755 "$bin/ncctl" "$root/usr/bin/ncctl"
worker=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$units/netcluster-worker@.service")
install -D -m 755 "$bin/ncworker" "$root$worker"
install -D -m 644 -t "$root/usr/share/worker" docs/examples/worker/*.lua
install -D -m 644 -t "$root/usr/lib/systemd/system" "$units/netcluster.service" \
  "$units/netcluster-control.socket" "$units/netcluster-worker@.service"
install -D -m 644 "$units/netcluster.sysusers" "$root/usr/lib/sysusers.d/netcluster.conf"
install -D -m 644 tests/service/config.json "$root$config"

# Documentation= is left out: whether the man pages are installed is not the unit's business here.
verify() {
  mkdir -p "$work/units"
  for unit in netcluster.service netcluster-control.socket netcluster-worker@.service; do
    sed -e '/^Documentation=/d' -e "s,$program,$bin/ncserver,; s,=$worker,=$bin/ncworker," "$units/$unit" >"$work/units/$unit"
  done
  systemd-analyze verify --recursive-errors=yes "$work/units/netcluster.service" \
    "$work/units/netcluster-control.socket" "$work/units/netcluster-worker@.service"
}
check "file: systemd knows every line of the units" verify
check "file: exposure is at most 1.5 ($(systemd-analyze security --offline=true \
  "$units/netcluster.service" 2>/dev/null | sed -n 's/.*exposure level.*: \([0-9.]*\).*/\1/p'))" \
  systemd-analyze security --offline=true --threshold=15 --no-pager "$units/netcluster.service"

# -- the unit's life ---------------------------------------------------------------------------

mkdir "$work/results"
status=0
bash tests/service/boot.sh "$root" tests/service/life.sh "$work/results" >"$work/boot" 2>&1 ||
  status=$?
touch "$work/results/checks"
cat "$work/results/checks"
passed=$((passed + $(grep -c '^ok ' "$work/results/checks" || true)))
failed=$((failed + $(grep -c '^FAIL ' "$work/results/checks" || true)))
if [ "$status" -ne 0 ] || [ ! -e "$work/results/complete" ]; then
  not_ok "life: the script came to its end (status $status)"
fi
if [ "$failed" -ne 0 ]; then
  echo "-- what the booted system said"
  tail -n 20 "$work/boot"
  tail -n 120 "$work/results/journal" 2>/dev/null || true
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
