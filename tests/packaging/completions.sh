#!/usr/bin/env bash
# The completions, in real shells: what they offer, also of a daemon that runs.
#
#     tests/packaging/completions.sh BIN MANUAL
#
# BIN     a directory with ncserver and ncctl
# MANUAL  the directory where the build has put the completions
#
# One line per check; exit status 0 when all passed. Needs bash, zsh, fish and socat.
set -euo pipefail
bin=$(realpath "$1") manual=$(realpath "$2")
cd "$(dirname "$0")"
work=$(mktemp -d)
daemon= listener= node=
cleanup() {
  local pid
  for pid in $node $listener $daemon; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT
. ../checks.sh

export PATH=$bin:$PATH HOME=$work
cat >"$work/config.json" <<'CONFIG'
{ "connecttonet": false, "channels": { "control": {}, "Alpha": {}, "Axe": {}, "B": {} } }
CONFIG
ncserver "$work/config.json" --rundir "$work/run" 2>"$work/log" &
daemon=$!
until_true ncctl --dir "$work/run" stats
ncctl --dir "$work/run" listen Alpha >/dev/null &
listener=$!
client() { uuid=$(ncctl --dir "$work/run" complete "showclient Alpha ") && [ -n "$uuid" ]; }
until_true client
client
mkfifo "$work/say"
socat -u "PIPE:$work/say" "UNIX-CONNECT:$work/run/Axe.sock" &
node=$!
exec 3>"$work/say"
printf '{"event":"nc-node-register","data":{"id":"web-1","regions":["eu"]}}\0' >&3
until_true ncctl --dir "$work/run" node web-1

# offered SHELL WORD…: what that shell offers for the last word, sorted, on one line.
offered() {
  local shell=$1
  shift
  case $shell in
    bash) bash --norc bash_offers.sh "$manual/$1.bash" "$@" ;;
    zsh) zsh -f zsh_offers.zsh "$manual" "$*" ;;
    fish)
      # fish says `word<tab>summary`
      fish --no-config -c "source '$manual/$1.fish'; complete -C '$*'" | cut -f1
      ;;
  esac | sed 's/ $//' | sort -u | tr '\n' ' ' | sed 's/ $//'
}
offers() { # SHELL EXPECTED WORD…
  local shell=$1 expected=$2
  shift 2
  is "$(offered "$shell" "$@")" "$expected"
}
includes() { # SHELL WORD… : the last argument is among what is offered for those before it
  local wanted=${*: -1} all
  all=" $(offered "${@:1:$#-1}") "
  [[ $all == *" $wanted "* ]] || { echo "$wanted is not in:$all"; return 1; }
}

for shell in bash zsh fish; do
  check "$shell: commands that begin as typed" \
    offers $shell "showchannel showclient showconfig" ncctl sho
  check "$shell: all commands" includes $shell ncctl "" genkey
  check "$shell: channels of the daemon that runs" \
    offers $shell "Alpha Axe" ncctl --dir "$work/run" listen A
  check "$shell: clients of a channel" offers $shell "$uuid" ncctl --dir "$work/run" showclient Alpha ""
  check "$shell: nodes" offers $shell "web-1" ncctl --dir "$work/run" node w
  check "$shell: nodes and regions" offers $shell "eu web-1" ncctl --dir "$work/run" nodes ""
  check "$shell: the words that an argument may be" \
    offers $shell "remove" ncctl keys re
  check "$shell: options of the command" offers $shell "--broadcast" ncctl emit --b
  check "$shell: options of every command" includes $shell ncctl stats --j --json
  check "$shell: a value is not taken for a command" \
    offers $shell "showchannel showclient showconfig" ncctl --timeout 3 sho
  check "$shell: commands to explain" offers $shell "listen" ncctl help li
  check "$shell: values of a command's option" \
    offers $shell "last leastLoaded leastMemory" ncctl call --pick l
  check "$shell: nodes and regions as a command's option" \
    offers $shell "eu web-1" ncctl --dir "$work/run" call --target ""
  check "$shell: ncserver's options" offers $shell "--rundir" ncserver --ru
  check "$shell: the words that a value may be" \
    offers $shell "debug" ncserver --log-level de
done

# A program that offers what a shell would carry out: whoever serves `control` says what there is.
mkdir "$work/hostile"
cat >"$work/hostile/ncctl" <<'HOSTILE'
#!/bin/sh
echo 'A$(touch${IFS}pwned)'
HOSTILE
chmod +x "$work/hostile/ncctl"
harmless() { # SHELL
  (PATH=$work/hostile:$PATH offered "$1" ncctl listen A)
  [ ! -e pwned ] || { rm pwned; return 1; }
}
for shell in bash zsh fish; do
  check "$shell: what it is offered is not carried out" harmless $shell
done

echo "completions: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
