# Sourced by run.sh: checks, and how programs are run under Wine. Uses $work.
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok    $1"; }
not_ok() { failed=$((failed + 1)); echo "FAIL  $1"; sed 's/^/        /' "$work/said"; }

# check WHAT COMMAND…: it succeeds.
check() {
  local what=$1
  shift
  if "$@" >"$work/said" 2>&1; then ok "$what"; else not_ok "$what"; fi
}

# answers WHAT STATUS PART COMMAND…: it ends with this exit status and says PART somewhere.
answers() {
  local what=$1 wanted=$2 part=$3 status=0
  shift 3
  "$@" >"$work/said" 2>&1 || status=$?
  if [ "$status" = "$wanted" ] && grep -qF -- "$part" "$work/said"; then
    ok "$what"
  else
    echo "(exit status $status, wanted $wanted and \"$part\")" >>"$work/said"
    not_ok "$what"
  fi
}

# windows PROGRAM ARGUMENT…: runs it; lines end as here.
windows() {
  local status=0
  timeout 60 wine "$@" </dev/null 2>"$work/stderr" | tr -d '\r' || status=${PIPESTATUS[0]}
  tr -d '\r' <"$work/stderr" >&2
  return "$status"
}

# until_true SECONDS COMMAND…: asks again and again; where there is no event to wait for.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

says() { grep -qF -- "$2" "$1"; }
