#!/usr/bin/env bash
# Boots a systemd of its own on a throw-away copy of this machine's files, and runs a script in it.
#
#     tests/service/boot.sh FILES SCRIPT RESULTS
#
# FILES    a directory whose files are laid over the copy (usr/sbin/ncserver, …)
# SCRIPT   run by bash as root, once basic.target is reached
# RESULTS  a directory that the script sees as /results; its output goes to the journal
#
# Exit status: the script's. Needs root, systemd-container and overlayfs. The copy is an overlay in
# memory: nothing on this machine changes, and the network is the copy's own (lo alone).
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,11p' "$0" >&2; exit 2; }
files=$(realpath "$1") script=$(realpath "$2") results=$(realpath "$3")
machine=netcluster-test-$$

cleanup() {
  # What nspawn leaves where cgroups are of version 1. rmdir refuses those that are in use.
  find /sys/fs/cgroup/*/payload /sys/fs/cgroup/*/supervisor -depth -type d \
    -exec rmdir {} \; 2>/dev/null || true
}

boot() {
  local top=$1 root=$1/root
  mount -t tmpfs -o mode=0755 netcluster-test "$top"
  mkdir "$top/upper" "$top/work" "$root"
  mount -t overlay -o lowerdir=/,upperdir="$top/upper",workdir="$top/work" netcluster-test "$root"
  cp -a --no-preserve=ownership "$files/." "$root/"
  cp "$script" "$root/netcluster-test.sh"
  cat >"$root/etc/systemd/system/netcluster-test.service" <<UNIT
[Unit]
Description=a test
After=basic.target
Requires=basic.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'bash /netcluster-test.sh; systemctl exit \$?'
TimeoutStartSec=300
UNIT
  mkdir "$root/results"
  timeout --kill-after=10 300 systemd-nspawn --quiet --directory="$root" --boot --register=no \
    --keep-unit --private-network --machine="$machine" --bind="$results:/results" \
    --resolv-conf=off --timezone=off --link-journal=no systemd.unit=netcluster-test.service \
    systemd.show_status=no </dev/null
}

if [ -n "${NETCLUSTER_TEST_MOUNT:-}" ]; then
  boot "$NETCLUSTER_TEST_MOUNT"
  exit
fi
# One at a time: two would be given one cgroup.
exec 9>/run/lock/netcluster-test-boot
flock 9
# In a mount namespace of its own, which takes the mounts with it when it ends.
place=$(mktemp -d)
status=0
NETCLUSTER_TEST_MOUNT=$place unshare --mount --propagation private \
  bash "$0" "$files" "$script" "$results" 9>&- || status=$?
cleanup
rmdir "$place"
exit "$status"
