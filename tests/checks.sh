# Sourced: one line per check, counted. $work is a directory for what commands say.

passed=0 failed=0 patience=10

ok() { passed=$((passed + 1)); echo "ok    $1"; }
not_ok() { failed=$((failed + 1)); echo "FAIL  $1"; }
# What the last command said, or the end of it.
shown() { tail -n 40 "$work/said" | sed 's/^/        /'; }
# check WHAT COMMAND…: the command succeeds; else what it said is shown.
check() {
  local what=$1
  shift
  if "$@" >"$work/said" 2>&1; then
    ok "$what"
  else
    not_ok "$what"
    shown
  fi
}
is() { [ "$1" = "$2" ] || { printf "it is '%s', not '%s'\n" "$1" "$2"; return 1; }; }
not() { ! "$@"; }
# until_true COMMAND…: within $patience seconds.
until_true() {
  local end=$((SECONDS + patience))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "still not so after $patience s: $*"; "$@"; return 1; }
    sleep 0.02
  done
}
