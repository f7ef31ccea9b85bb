# The unit's life, from inside a booted system (run.sh). Writes a line per check to /results/checks.
set -u
exec 2>/results/trace

checks=/results/checks
program=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' /usr/lib/systemd/system/netcluster.service)
config=$(sed -n 's/^ExecStart=.* --config \([^ ]*\) .*/\1/p' /usr/lib/systemd/system/netcluster.service)
: >"$checks"

ok() { echo "ok    $1" >>"$checks"; }
not_ok() { { echo "FAIL  $1"; sed 's/^/        /' /tmp/said; } >>"$checks"; }
# check WHAT COMMAND…: the command succeeds.  refuse WHAT PART COMMAND…: it fails and says PART.
check() {
  local what=$1
  shift
  if "$@" >/tmp/said 2>&1; then ok "$what"; else not_ok "$what"; fi
}
refuse() {
  local what=$1 part=$2
  shift 2
  if "$@" >/tmp/said 2>&1; then not_ok "$what"; return; fi
  if grep -q "$part" /tmp/said; then ok "$what"; else not_ok "$what"; fi
}
# until_true COMMAND…: within 10 s.
until_true() {
  local end=$((SECONDS + 10))
  until "$@"; do
    [ $SECONDS -lt $end ] || { echo "still not so after 10 s: $*"; "$@"; return 1; }
    sleep 0.02
  done
}
show() { systemctl show --value -p "$1" "${2:-netcluster.service}"; }
is() { [ "$1" = "$2" ] || { echo "it is '$1', not '$2'"; return 1; }; }
property() { is "$(show "$1")" "$2"; }
status_says() { show StatusText | tee /tmp/status | grep -q -- "$1" || { cat /tmp/status; return 1; }; }
journal_says() { journalctl --sync; journalctl -u netcluster -o cat "${@:2}" | grep -q -- "$1"; }
main_pid() { show MainPID; }
restarted() { [ "$(main_pid)" != "$1" ] && property ActiveState active && [ "$(main_pid)" != 0 ]; }
mode_is() { is "$(stat -c '%a %U:%G' "$1")" "$2"; }
as() { local user=$1; shift; runuser -u "$user" -- env -i PATH="$PATH" HOME=/tmp "$@"; }
set_rule() { sed "s/\"propagatetonet\": [^ ]* }/\"propagatetonet\": $1 }/" "$original" >$config; }

# -- users -------------------------------------------------------------------------------------

check "users: systemd-sysusers makes the daemon's user and group" systemd-sysusers
useradd --groups netcluster alice # may use the channels
useradd bob                       # may not
original=/tmp/config.original
cp $config $original

# -- start -------------------------------------------------------------------------------------

systemctl daemon-reload
check "start: systemctl start succeeds, though the link's interface is missing" systemctl start netcluster
check "start: it returns when clients can connect" test -S /run/netcluster/A.sock
check "start: the control channel answers" ncctl stats
check "start: the unit is active" property ActiveState active
check "start: the status tells what there is" status_says '^3 channels, [0-9]* clients\?, [0-9]* other host'
check "start: the journal warns of the interface" until_true journal_says nc0 -p warning
check "rights: the run directory is the daemon's and open to look at" mode_is /run/netcluster "755 netcluster:netcluster"
check "rights: a channel is for the group" mode_is /run/netcluster/A.sock "660 netcluster:netcluster"
check "rights: control is for the daemon's user (and root)" mode_is /run/netcluster/control.sock "600 netcluster:netcluster"
check "rights: state is the daemon's own" mode_is /var/lib/netcluster "700 netcluster:netcluster"

process=$(main_pid)
proc_says() { grep -qE "$1" "/proc/$process/status"; }
check "process: runs as netcluster, all ids" proc_says "^Uid:(	$(id -u netcluster)){4}\$"
check "process: no capability, none to be had" proc_says '^CapBnd:	0+$'
check "process: system calls are filtered" proc_says '^Seccomp:	2$'
limit_is() { grep -E "^$1" "/proc/$process/limits" | grep -qE " $2 +$2 " || { grep "$1" "/proc/$process/limits"; return 1; }; }
most=$(ulimit -Hn) # of a machine that gives less itself
check "process: may open 32768 files" limit_is "Max open files" $((most < 32768 ? most : 32768))
check "process: leaves no core dump" limit_is "Max core file size" 0

# -- clients -----------------------------------------------------------------------------------

as alice ncctl listen A >/tmp/alice 2>&1 &
alice=$!
alice_listens() { ncctl showchannel A --json | grep -q "\"uid\": *$(id -u alice)"; }
check "clients: one of the group connects, and the daemon sees the uid" until_true alice_listens
check "clients: another one emits" as alice ncctl emit A hello '{"x":1}'
check "clients: the first one hears it" until_true grep -q 'hello {"x":1}' /tmp/alice
refuse "clients: who is not in the group is refused" "Permission denied" as bob ncctl emit A hello
refuse "clients: control is refused to the group" "Permission denied" as alice ncctl stats
check "clients: control serves the daemon's user" as netcluster ncctl stats
check "clients: the status counts them" until_true status_says ', 1 client,\|, 2 clients,'

# -- the link ----------------------------------------------------------------------------------

# The other end is another host. The daemon runs already, and joins when the interface comes.
ip netns add other
ip link add nc0 type veth peer name nc1 netns other
ip addr add 10.9.9.1/24 dev nc0 && ip link set nc0 up
ip -n other addr add 10.9.9.2/24 dev nc1 && ip -n other link set nc1 up
sed 's/"unit"/"far"/; s/nc0/nc1/' $original >/tmp/far.json
ip netns exec other "$program" /tmp/far.json --rundir /run/far >/tmp/far.log 2>&1 &
far=$!
check "link: the other host is seen" until_true sh -c 'ncctl hosts | grep -q far'
check "link: the status tells of it" until_true status_says '1 other host'
NETCLUSTER_DIR=/run/far ncctl listen A >/tmp/far.heard 2>&1 &
far_listener=$!
far_listens() { NETCLUSTER_DIR=/run/far ncctl showchannel A --json | grep -q '"uid"'; }
until_true far_listens
check "link: an event of the unit's daemon goes out by multicast" ncctl emit A out 1
check "link: and is heard there" until_true grep -q '^out 1' /tmp/far.heard
check "link: an event of the other host is sent" env NETCLUSTER_DIR=/run/far ncctl emit A in 2
check "link: and is heard here" until_true grep -q '^in 2' /tmp/alice

doctor() { ncctl doctor --json >/tmp/doctor; grep -qE "$1" /tmp/doctor || { cat /tmp/doctor; return 1; }; }
check "facts: doctor reads the buffer limits in /proc" doctor '"rmem_max": *[1-9]'
check "facts: doctor sees the membership in /proc" doctor '"member": *true'
host_facts() { ncctl hosts --json >/tmp/hosts; grep -qE "$1" /tmp/hosts || { cat /tmp/hosts; return 1; }; }
check "facts: the host's memory is told" host_facts '"total": *[1-9]|"memorytotal": *[1-9]'

# A name is looked up by the system's resolver, within the sandbox.
echo '10.9.9.2 far.example' >>/etc/hosts
sed 's/"heartbeat"/"peers": ["far.example:4454"], "heartbeat"/' $original >$config
systemctl reload netcluster
peer_known() { ncctl stats --json >/tmp/stats; grep -q '"10.9.9.2:4454"' /tmp/stats || { cat /tmp/stats; return 1; }; }
check "link: a peer is found by its name" until_true peer_known
cp $original $config
systemctl reload netcluster
until_true sh -c 'ncctl hosts | grep -q far'

# -- reload ------------------------------------------------------------------------------------

rule_is() { ncctl showchannel A --json >/tmp/rule; grep -q "\"propagatetonet\": *$1" /tmp/rule || { cat /tmp/rule; return 1; }; }
set_rule '"public.*"'
check "reload: systemctl reload succeeds" systemctl reload netcluster
check "reload: the new rule is in force" until_true rule_is '"public'
check "reload: it is the same process" is "$(main_pid)" "$process"
check "reload: clients stay connected" kill -0 "$alice"
check "reload: the unit is active again" until_true property SubState running

set_rule '"("'
refuse "bad reload: systemctl reload fails" "ailed" systemctl reload netcluster
check "bad reload: the unit stays active" property ActiveState active
check "bad reload: the old rule stays in force" rule_is '"public'
check "bad reload: the journal says what is wrong, as an error" until_true journal_says '/channels/A/propagatetonet: bad regular' -p err

kill -HUP "$process"
check "bad SIGHUP: the status says so" until_true status_says 'the last reload was refused.*/channels/A/propagatetonet'
check "bad SIGHUP: the unit stays active" until_true property SubState running
check "bad SIGHUP: the old rule stays in force" rule_is '"public'
check "bad SIGHUP: the daemon logs it as an error" until_true journal_says '^reload: .*/channels/A/propagatetonet' -p err

sed 's/"heartbeat"/"netkeyfile": "\/nowhere\/keys", "heartbeat"/' $original >$config
check "bad keys: what only the daemon can tell passes systemctl reload" systemctl reload netcluster
check "bad keys: and is refused in the status" until_true status_says 'refused.*/nowhere/keys'
check "bad keys: the unit stays active" until_true property SubState running

cp $original $config
check "mended: systemctl reload succeeds" systemctl reload netcluster
no_refusal() { ! status_says 'refused'; }
check "mended: the status forgets the refusal" until_true no_refusal

# -- keys, where the daemon may write ----------------------------------------------------------

check "keys: the daemon's user makes a key file in its state directory" \
  as netcluster ncctl genkey --file /var/lib/netcluster/netkeys.json
sed 's/"heartbeat"/"netkeyfile": "\/var\/lib\/netcluster\/netkeys.json", "heartbeat"/' $original >$config
check "keys: a reload takes it" systemctl reload netcluster
keys_listed() { ncctl keys list | tee /tmp/keys | grep -qE "$1" || { cat /tmp/keys; return 1; }; }
check "keys: it is in force" until_true keys_listed '1 +tx'
check "keys: ncctl adds one, which the daemon writes" sh -c 'ncctl genkey | ncctl keys add 2'
check "keys: it is in the file" grep -q '"id": *2' /var/lib/netcluster/netkeys.json
install -o netcluster -m 600 /var/lib/netcluster/netkeys.json "$(dirname $config)/netkeys.json"
sed 's/"heartbeat"/"netkeyfile": "netkeys.json", "heartbeat"/' $original >$config
check "keys: a file in the configuration's folder is read, too" systemctl reload netcluster
check "keys: (it is in force)" until_true keys_listed "$(dirname $config)/netkeys.json"
refuse "keys: but not changed there" "cannot be replaced" ncctl keys remove 2
cp $original $config
systemctl reload netcluster

# -- journal -----------------------------------------------------------------------------------

check "journal: a start is an info, without a time of its own" \
  journal_says '^ncserver [0-9.]* ready: ' -p info..info
check "journal: a link without keys is a warning" journal_says 'neither encrypted' -p warning..warning
no_info() { ! journalctl -u netcluster -o cat -p warning | grep ' ready: '; }
check "journal: -p warning leaves out what is none" no_info

# -- crash and watchdog ------------------------------------------------------------------------

kill "$alice" "$far_listener" "$far"
wait "$alice" "$far_listener" "$far"
process=$(main_pid)
kill -SEGV "$process"
check "crash: the daemon is started again" until_true restarted "$process"
check "crash: clients can connect again" as alice ncctl emit A hello
check "crash: systemd counts it" property NRestarts 1

mkdir -p /run/systemd/system/netcluster.service.d
printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/netcluster.service.d/test.conf
systemctl daemon-reload
systemctl restart netcluster
process=$(main_pid)
check "watchdog: a daemon that works is left alone for two periods" sleep 4
check "watchdog: (it is the same process)" is "$(main_pid)" "$process"
kill -STOP "$process"
check "watchdog: one that hangs is ended and started again" until_true restarted "$process"
watchdog_said() { journalctl --sync; journalctl -b -o cat | grep -q 'netcluster.service: Watchdog timeout'; }
check "watchdog: the journal says why" until_true watchdog_said
rm -r /run/systemd/system/netcluster.service.d
systemctl daemon-reload

# -- a channel for another group ---------------------------------------------------------------

groupadd operators
mkdir -p /run/systemd/system/netcluster.service.d
printf '[Service]\nSupplementaryGroups=operators\n' >/run/systemd/system/netcluster.service.d/test.conf
sed 's/"B": {}/"B": { "group": "operators" }/' $original >$config
systemctl daemon-reload
check "group: a channel for a group that the unit gives the daemon" systemctl restart netcluster
check "group: its socket is that group's" mode_is /run/netcluster/B.sock "660 netcluster:operators"
rm -r /run/systemd/system/netcluster.service.d
cp $original $config
systemctl daemon-reload

# -- stop --------------------------------------------------------------------------------------

check "stop: systemctl stop succeeds" systemctl stop netcluster
check "stop: the unit is inactive, not failed" property ActiveState inactive
check "stop: by itself, not killed" property Result success
check "stop: the journal says that it stopped" until_true journal_says '^stopped$'
nothing_left() { ! pgrep -u netcluster && ! find /run/netcluster -type s | grep .; }
check "stop: no process and no socket is left" nothing_left

# -- a configuration that cannot be started with -----------------------------------------------

echo '{' >$config
refuse "bad start: systemctl start fails" "ailed" systemctl start netcluster
check "bad start: it is not tried again" property NRestarts 0
check "bad start: the unit has failed with the daemon's own status" property ExecMainStatus 2
check "bad start: the journal says what is wrong, as an error" until_true journal_says "^$config:[0-9]*:[0-9]*:" -p err
cp $original $config
systemctl reset-failed netcluster

# -- socket activation -------------------------------------------------------------------------

systemctl start netcluster
refuse "socket: a daemon that runs keeps the socket it has" "" systemctl start netcluster-control.socket
systemctl stop netcluster
systemctl reset-failed netcluster-control.socket 2>/dev/null
rm -rf /run/netcluster # as after a boot
check "socket: the unit starts" systemctl start netcluster-control.socket
check "socket: it is for the daemon's user (and root)" mode_is /run/netcluster/control.sock "600 netcluster:netcluster"
check "socket: the daemon does not run yet" property ActiveState inactive
inode=$(stat -c %i /run/netcluster/control.sock)
check "socket: ncctl's first question starts it" ncctl stats
check "socket: it runs" until_true property ActiveState active  # an answer may come before READY is taken
check "socket: the run directory is the daemon's" mode_is /run/netcluster "755 netcluster:netcluster"
check "socket: the other channels are there" as alice ncctl emit A hello
refuse "socket: control is refused to the group" "Permission denied" as alice ncctl stats
no_unused() { ! journal_says 'no channel does'; }
check "socket: the daemon uses what it was handed" no_unused
process=$(main_pid)
set_rule '"public.*"'
check "socket: a reload leaves it alone" systemctl reload netcluster
check "socket: and is taken" until_true rule_is '"public'
check "socket: a restart leaves it alone" systemctl restart netcluster
check "socket: (it is the same socket)" is "$(stat -c %i /run/netcluster/control.sock)" "$inode"
check "socket: and serves ncctl" ncctl stats
systemctl stop netcluster 2>/dev/null
check "socket: a stop leaves it alone" is "$(stat -c %i /run/netcluster/control.sock)" "$inode"
check "socket: and the next question starts the daemon again" ncctl stats
systemctl stop netcluster-control.socket netcluster 2>/dev/null
check "socket: with both stopped no socket is left" nothing_left

sed 's/"heartbeat"/"startcontrol": false, "heartbeat"/' $original >$config
systemctl start netcluster-control.socket netcluster
check "socket: one that no channel uses is a warning" until_true journal_says 'control.sock: .* no channel does' -p warning
systemctl stop netcluster-control.socket netcluster 2>/dev/null
cp $original $config

# -- 1.x agents --------------------------------------------------------------------------------

printf 'L+ /run/netcluster-A - - - - /run/netcluster/A.sock\n' >/etc/tmpfiles.d/netcluster-1.x.conf
check "1.x: tmpfiles makes the link that the daemon may not" systemd-tmpfiles --create
systemctl start netcluster
check "1.x: the path of 1.x leads to the channel" test -S /run/netcluster-A
systemctl stop netcluster

# -- a worker ----------------------------------------------------------------------------------

workers=$(sed -n 's/^ExecStart=.* --script \([^ ]*\)\/%i .*/\1/p' /usr/lib/systemd/system/netcluster-worker@.service)
worker=netcluster-worker@shop
call() { ncctl call -target eu -fn "$@"; }
calls() { call tasks.test1 -data '{"price": 5}' | grep -q '"total":5'; }
worker_says() { journalctl --sync; journalctl -u $worker -o cat | grep -q -- "$1"; }
refuse "worker: without scripts it does not run" "inactive\|activating\|failed" \
  eval "systemctl start $worker; sleep 0.5; systemctl is-active $worker"
systemctl stop $worker
mkdir -p "$workers"
cp -r /usr/share/worker "$workers/shop"
echo 'OPTIONS=-region shop:eu --exec "who=id -un; id -Gn"' >"$workers/shop.env"
check "worker: starts, and the daemon with it" systemctl start $worker
check "worker: does tasks" until_true calls
check "worker: as a user of its own, in the group of the channels" until_true eval \
  'ncctl call -target eu -fn who | grep -v root | grep -q netcluster'
check "worker: systemctl reload succeeds" systemctl reload $worker
check "worker: the scripts are loaded anew" until_true worker_says 'shop are loaded anew'
echo 'x = = 3' >>"$workers/shop/tasks.lua"
refuse "worker: a reload of scripts that are wrong fails" "ailed" systemctl reload $worker
check "worker: and the journal says where" until_true worker_says 'ncworker: .*tasks.lua:[0-9]*: '
check "worker: and changes nothing" calls
systemctl kill --signal=KILL $worker
cp /usr/share/worker/tasks.lua "$workers/shop"
check "worker: killed, it comes back" until_true calls
check "worker: stops by itself" systemctl stop $worker
check "worker: (with success)" is "$(show Result $worker)" success
check "worker: having said good-bye" worker_says 'has ended'
systemctl stop netcluster

journalctl -o short-monotonic >/results/journal
touch /results/complete
exit 0
