# The packages' life, from inside a booted system (run.sh). The packages are in /packages and, as a
# later version, in /packages/later; this folder is /checks. Writes a line per check to
# /results/checks.
set -u
exec 2>/results/trace

work=/tmp/life
mkdir -p $work
. /checks/checks.sh
exec >/results/checks

config=/etc/netcluster/config.json
export DEBIAN_FRONTEND=noninteractive
packages() { dpkg --force-confdef --force-confold --install "$1"/*.deb </dev/null; }
show() { systemctl show --value -p "$1" "${2:-netcluster.service}"; }
enabled() { is "$(systemctl is-enabled "${1:-netcluster.service}" 2>/dev/null)" "$2"; }
active() { is "$(systemctl is-active "${1:-netcluster.service}")" "$2"; }
idle() {
  enabled netcluster.service disabled && enabled netcluster-control.socket disabled &&
    active netcluster.service inactive && active netcluster-control.socket inactive
}
as() { local user=$1; shift; runuser -u "$user" -- env -i PATH="$PATH" HOME=/tmp "$@"; }

# The machine under us may have them, or forbid that services are started.
dpkg --purge netcluster libnetcluster-dev libnetcluster >/dev/null 2>&1
rm -f /usr/sbin/policy-rc.d

# -- install -----------------------------------------------------------------------------------

ours() { # what bears our name; man keeps pages that were read where it likes
  find / -xdev \( -path /packages -o -path /checks -o -path /var/cache/man \) -prune \
    -o -name '*netcluster*' -print | sort
}
ours >$work/before
check "install: dpkg takes the packages" packages /packages
check "install: every file is as it was packed" dpkg --verify netcluster libnetcluster libnetcluster-dev
check "install: nothing is enabled, nothing runs" idle
check "install: the daemon's user is a system user without a shell" \
  is "$(getent passwd netcluster | cut -d: -f6,7)" "/var/lib/netcluster:/usr/sbin/nologin"
check "install: the group is there" getent group netcluster
check "install: the configuration is valid" ncserver --test-config $config
check "install: systemd knows every line of the units" systemd-analyze verify \
  --recursive-errors=yes netcluster.service netcluster-control.socket
for page in ncserver.8 ncctl.1 ncworker.1 netcluster.json.5; do
  check "install: man finds $page" man --where "${page##*.}" "${page%.*}"
done
check "install: bash, zsh and fish find the completions" test \
  -f /usr/share/bash-completion/completions/ncctl -a -f /usr/share/zsh/vendor-completions/_ncctl \
  -a -f /usr/share/fish/vendor_completions.d/ncctl.fish

# -- use ---------------------------------------------------------------------------------------

useradd --groups netcluster alice
useradd bob
check "use: the admin starts it" systemctl enable --now netcluster
check "use: ncctl has the daemon's version" \
  is "$(ncctl --json stats | sed 's/.*"version":"\([^"]*\)".*/\1/')" "$(dpkg-query -W -f '${Version}' netcluster)"
check "use: a member of the group emits" as alice ncctl emit A hello
check "use: somebody else does not" not as bob ncctl --timeout 1 emit A hello

# heard WHO PROGRAM…: the program hears what the same program, run as another process, says.
heard() {
  local said=$work/heard.$RANDOM hearing status=0
  "$@" hear A >"$said" &
  hearing=$!
  until_true grep -q ready "$said" || status=1
  "$@" say A || status=1
  wait $hearing || status=1
  cat "$said"
  grep -q 'greeting "hello"' "$said" && return $status
}
cxx=(c++ -std=c++20 -O1)
compile() { "${cxx[@]}" -c /checks/consumer/consumer.cpp -o $work/consumer.o $(pkg-config --cflags netcluster); }
link_shared() { "${cxx[@]}" $work/consumer.o -o $work/shared $(pkg-config --libs netcluster); }
link_static() { # our library by its archive, everything else as usual
  "${cxx[@]}" $work/consumer.o -o $work/static -Wl,-Bstatic -lnetcluster -Wl,-Bdynamic \
    $(pkg-config --static --libs netcluster | sed 's/-lnetcluster//')
}
links_to() { ldd "$1" | grep -q "libnetcluster.so.2 => /lib"; }
check "pkg-config: the version" is "$(pkg-config --modversion netcluster)" "$(ncctl --version | cut -d' ' -f2)"
check "pkg-config: a program compiles" compile
check "pkg-config: it links to the shared library" link_shared
check "pkg-config: and needs it" links_to $work/shared
check "pkg-config: the program emits and hears through the daemon" heard $work/shared
check "pkg-config: it links to the archive" link_static
check "pkg-config: and does not need the shared library" not links_to $work/static
check "pkg-config: the program emits and hears, linked to the archive" heard $work/static
check "cmake: find_package finds it" cmake -S /checks/consumer -B $work/consumer -DCMAKE_BUILD_TYPE=Release
check "cmake: the programs build" cmake --build $work/consumer -j2
check "cmake: netcluster::agent is the shared library" links_to $work/consumer/with_agent
check "cmake: a program with it emits and hears" heard $work/consumer/with_agent
check "cmake: netcluster::agent_static is the archive" not links_to $work/consumer/with_agent_static
check "cmake: a program with it emits and hears, its own Asio beside ours" heard $work/consumer/with_agent_static
rm -rf $work/consumer

# -- upgrade -----------------------------------------------------------------------------------

sed -i 's/"B": {}/"B": {}, "Mine": {}/' $config
check "upgrade: the admin changes the configuration" systemctl reload netcluster
check "upgrade: the daemon has it" ncctl showchannel Mine
before=$(show MainPID)
check "upgrade: dpkg takes the next version" packages /packages/later
check "upgrade: the changed configuration is kept" grep -q '"Mine"' $config
check "upgrade: the new default lies beside it" grep -q 'The next version' $config.dpkg-dist
restarted() { test "$before" -gt 0 -a "$(show MainPID)" -gt 0 -a "$(show MainPID)" != "$before"; }
check "upgrade: the daemon that ran was restarted" restarted
check "upgrade: and runs, with the configuration" ncctl showchannel Mine
check "upgrade: it is still enabled, and the socket still is not" \
  eval 'enabled netcluster.service enabled && enabled netcluster-control.socket disabled'
systemctl stop netcluster
check "upgrade: a daemon that is stopped is not started" \
  eval 'packages /packages && active netcluster.service inactive'

# -- remove ------------------------------------------------------------------------------------

systemctl start netcluster
touch /var/lib/netcluster/netkeys.json
check "remove: dpkg removes it" dpkg --remove netcluster
check "remove: the daemon is stopped" test ! -e /run/netcluster -a -z "$(pgrep -x ncserver)"
check "remove: the configuration and the state are kept" \
  test -f $config -a -f /var/lib/netcluster/netkeys.json
check "remove: installed again it is enabled, as the admin had it, and not started" \
  eval 'packages /packages && enabled netcluster.service enabled && active netcluster.service inactive'
check "remove: with the admin's configuration" grep -q '"Mine"' $config

# -- purge -------------------------------------------------------------------------------------

nothing_left() { ours | diff $work/before -; }
systemctl start netcluster
check "purge: dpkg purges them all" dpkg --purge netcluster libnetcluster-dev libnetcluster
check "purge: nothing is left" nothing_left
check "purge: but the user, whose files elsewhere would be somebody's" getent passwd netcluster
check "purge: no unit has failed" is "$(systemctl --failed --no-legend)" ""

echo "$passed $failed" >/results/complete
