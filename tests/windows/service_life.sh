# Sourced by run.sh: the service, from the zip to its removal. Uses Wine's service manager,
# registry and consoles, which are those of $WINEPREFIX.
root=$WINEPREFIX/drive_c
# Where install.ps1 puts it: a path with a space in it.
program="$root/Program Files/netcluster"
data=$root/ProgramData/netcluster
log=$root/cluster/service.log
build=$PWD/build/windows

ncserver() { windows "$program/ncserver.exe" "$@"; }
ncctl() { windows "$program/ncctl.exe" "$@"; }
probe() { windows "$build/bin/service_probe.exe" "$@"; }
registry() { windows reg query "$@"; }
refuse() { ! "$@"; }

# -- the zip ---------------------------------------------------------------------------------------

unpack() {
  (cd "$work" && cmake -E tar xf "$build"/netcluster-*-windows-x64.zip)
  mkdir -p "$program" "$root/cluster"
  cp -r "$work"/netcluster-*-windows-x64/. "$program"
  for part in ncserver.exe ncctl.exe config.json LICENSE README.md install.ps1 \
    docs/operations.md licences/libre2-dev.txt; do
    [ -s "$program/$part" ] || { echo "$part is missing"; return 1; }
  done
}
check "zip: the programs and what goes with them" unpack
answers "zip: the daemon tells its version" 0 "ncserver " ncserver --version

cat >"$root/cluster/config.json" <<'CONFIG'
{
  "connecttonet": false,
  "channels": { "control": {}, "A": { "propagatetochannels": "^B$" }, "B": {} }
}
CONFIG
cat >"$root/cluster/bad.json" <<'CONFIG'
{
  "conecttonet": false,
  "channels": { "control": {} }
}
CONFIG
good_config() { cp "$root/cluster/config.json" "$root/cluster/now.json"; }
bad_config() { cp "$root/cluster/bad.json" "$root/cluster/now.json"; }
with_channel() { sed "s/\"B\": {}/\"B\": {}, \"$1\": {}/" "$root/cluster/config.json" >"$root/cluster/now.json"; }

# As somebody does it who has the zip, MinGW-w64 and nlohmann-json, and nothing of ours besides.
program_of_others() {
  mkdir "$work/program"
  cp docs/examples/two-processes/sender.cpp "$work/program"
  cat >"$work/program/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(sender LANGUAGES CXX)
find_package(netcluster 2 REQUIRED)
add_executable(sender sender.cpp)
target_link_libraries(sender PRIVATE netcluster::agent)
CMAKE
  cmake -S "$work/program" -B "$work/program/build" -G Ninja \
    -DCMAKE_TOOLCHAIN_FILE="$PWD/service/windows/mingw-w64.cmake" \
    -Dnetcluster_DIR="$program/lib/cmake/netcluster" -Dre2_DIR="$program/lib/cmake/re2"
  cmake --build "$work/program/build"
}
check "zip: a program is built with its library" program_of_others

# A name that no code page but UTF-8 holds.
cp "$root/cluster/config.json" "$root/cluster/über 漢.json"
answers "paths: of any letters" 0 $'über 漢.json: the configuration is valid' ncserver -t $'C:\\cluster\\über 漢.json'

# -- before it is installed ------------------------------------------------------------------------

answers "start: refused while it is not installed" 1 "ncserver install" ncserver start
answers "stop: refused while it is not installed" 1 "ncserver install" ncserver stop
answers "reload: refused while it is not installed" 1 "ncserver install" ncserver reload
bad_config
answers "install: refused with a bad configuration, which is explained" 2 "now.json:2:3: /conecttonet" \
  ncserver install 'C:\cluster\now.json'
answers "install: then nothing is installed" 0 "ABSENT" probe state

# -- installed -------------------------------------------------------------------------------------

if [ "$(id -u)" = 0 ]; then  # who else cannot give a file away
  install -o 1000 "$root/cluster/config.json" "$data/config.json"
  answers "install: refused with a configuration that somebody put there before" 1 \
    "who is no administrator" ncserver install
  answers "start: such a configuration is not found by itself either" 1 \
    "who is no administrator" ncserver --test-config
  rm "$data/config.json"
fi
rmdir "$data/log" && echo x >"$data/log"
answers "install: refused when something else is in a folder's place" 1 "is no folder" ncserver install
rm "$data/log"
answers "install: without a configuration, the default goes to %ProgramData%" 0 \
  'C:\ProgramData\netcluster\config.json: the default configuration' ncserver install
check "install: the data folder has its parts" test -s "$data/config.json" -a -d "$data/log" -a -d "$data/keys" -a -d "$data/run"
good_config
answers "install: again, with another configuration, brings it up to date" 0 "up to date" \
  ncserver install 'C:\cluster\now.json' --log-file 'C:\cluster\service.log'
answers "install: HKLM\\Software\\Netcluster, conf" 0 'C:\cluster\now.json' \
  registry 'HKLM\Software\Netcluster' /v conf
answers "install: the program's path is quoted" 0 \
  'command "C:\Program Files\netcluster\ncserver.exe" "--log-file" "C:\cluster\service.log"' probe config
answers "install: an account of its own" 0 'account NT SERVICE\netcluster' probe config
answers "install: starts with Windows" 0 'start 2' probe config
answers "install: the event log knows where the texts are" 0 \
  'C:\Program Files\netcluster\ncserver.exe' \
  registry 'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\netcluster' /v EventMessageFile
answers "configuration: found by the registry" 0 'C:\cluster\now.json' ncserver --test-config
answers "configuration: %NETCLUSTER_CONFIG% goes before the registry" 2 'bad.json' \
  env NETCLUSTER_CONFIG='C:\cluster\bad.json' bash -c \
  'timeout 60 wine "$0" --test-config' "$program/ncserver.exe"

# -- running ---------------------------------------------------------------------------------------

answers "start: by net start" 0 "started successfully" windows net start netcluster
answers "start: it runs" 0 "RUNNING" probe state
answers "start: and answers at once, for RUNNING means that the channels listen" 0 '"A"' ncctl stats --json
answers "start: again is no error" 0 "runs already" ncserver start
check "log: in its file" says "$log" " ready: 3 channels"

# listen FILE CHANNEL: leaves its process in $listener, returns when the daemon knows it.
listen() {
  wine "$program/ncctl.exe" listen "$2" </dev/null >"$1" 2>"$1.err" &
  listener=$!
  until_true channel_has_client "$2"
}
channel_has_client() { ncctl showchannel "$1" --json | grep -q '"encoding"'; }
hears() { until_true says "$@"; }

listener=
check "events: a listener on B" listen "$work/heard" B
check "events: emitted on A" ncctl emit A hello '{"x":1}'
check "events: heard on B, as the rule says" hears "$work/heard" 'hello {"x":1}'

check "events: emitted on A by the program that was built with the zip" \
  windows "$work/program/build/sender.exe" 1
check "events: and heard" hears "$work/heard" 'sensor.temperature {"celsius":20}'

with_channel C
check "reload: by control code 128" probe control 128
check "reload: then there is a new channel" until_true ncctl showchannel C
with_channel D
check "reload: by ncserver reload" ncserver reload
check "reload: then there is another" until_true ncctl showchannel D
with_channel E
check "reload: by PARAMCHANGE, as sc control does it" probe control 6
check "reload: then there is a third" until_true ncctl showchannel E
bad_config
check "reload: by control code 128, a bad configuration" probe control 128
check "reload: which the log explains" until_true says "$log" "now.json:2:3: /conecttonet"
answers "reload: by ncctl, a bad configuration" 1 "now.json:2:3: /conecttonet" ncctl reloadconfig
check "reload: nothing has changed" ncctl showchannel E
good_config
answers "reload: by ncctl, a good one, tells what changed" 0 "/channels/E" ncctl reloadconfig
check "reload: the listener has stayed" ncctl emit A still 1
check "reload: and hears" hears "$work/heard" "still 1"
answers "a second daemon is refused while the service runs" 1 "ncserver: " \
  ncserver run 'C:\cluster\config.json'
check "and has not disturbed it" ncctl stats

# -- stopped ---------------------------------------------------------------------------------------

answers "stop: by ncserver stop" 0 "netcluster is stopped" ncserver stop
check "stop: clients are told" hears "$work/heard.err" "said goodbye"
[ -z "$listener" ] || { kill "$listener" && wait "$listener"; } 2>/dev/null || true
answers "stop: STOPPED" 0 "STOPPED" probe state
answers "stop: without an error" 0 "0 0" probe exitcode
check "stop: the log has its end" says "$log" "info: stopped"
answers "stop: again is no error" 0 "did not run" ncserver stop
answers "reload: refused while it is stopped" 1 "ncserver start" ncserver reload
answers "start: by ncserver start" 0 "netcluster runs" ncserver start
answers "start: and answers" 0 '"A"' ncctl stats --json
answers "stop: by net stop" 0 "stopped successfully" windows net stop netcluster
bad_config
answers "start: with a bad configuration fails, and explains" 2 "now.json:2:3: /conecttonet" ncserver start
answers "start: the service manager has an error of the service's own, 2" 0 "1066 2" probe exitcode
good_config

# -- in a console ----------------------------------------------------------------------------------

# On a terminal of its own, whose keys are what is written to its input. `exec`: else a shell that does
# not do so by itself (dash) is there too, and Ctrl-C ends it with an error of its own.
console() {
  local keys=$work/keys
  mkfifo "$keys"
  timeout 60 script -qec "exec wine '$program/ncserver.exe' $1 'C:\\cluster\\config.json' --log-file 'C:\\cluster\\console.log'" \
    "$work/console" <"$keys" >/dev/null 2>&1 &
  local process=$! status=0
  exec 8>"$keys"
  until_true says "$root/cluster/console.log" " ready: " || status=1
  printf '\003' >&8
  wait "$process" || status=$?
  exec 8>&-
  rm "$keys"
  says "$root/cluster/console.log" "stopping (Ctrl-C)" || status=1
  mv "$root/cluster/console.log" "$work/said"
  cat "$work/said"
  return "$status"
}
check "console: ncserver run, ended by Ctrl-C" console run
check "console: ncserver without a command does the same outside the service manager" console ""

# -- removed ---------------------------------------------------------------------------------------

check "uninstall: of a service that runs" ncserver start
answers "uninstall: stops it and removes it" 0 "stopped and removed" ncserver uninstall
answers "uninstall: it is gone" 0 "ABSENT" probe state
check "uninstall: no settings in the registry" refuse registry 'HKLM\Software\Netcluster'
check "uninstall: no event source" refuse registry \
  'HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\netcluster'
check "uninstall: no service in the registry" refuse registry \
  'HKLM\SYSTEM\CurrentControlSet\Services\netcluster'
check "uninstall: the configuration is still there" test -s "$data/config.json"
answers "uninstall: again is no error" 0 "was not installed" ncserver uninstall
check "install: another's service" windows sc create netcluster 'binPath=' 'C:\other.exe'
answers "install: a service of that name that runs something else is left alone" 1 'C:\other.exe' \
  ncserver install 'C:\cluster\config.json'
check "install: and is removed by its own means" windows sc delete netcluster
