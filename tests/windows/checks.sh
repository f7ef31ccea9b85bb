# Sourced by the scripts beside it, in the project's folder: checks, and how programs are run under
# Wine. Uses $work.

. tests/checks.sh
patience=30  # under Wine all takes longer

# answers WHAT STATUS PART COMMAND…: it ends with this exit status and says PART somewhere.
answers() {
  local what=$1 wanted=$2 part=$3 status=0
  shift 3
  "$@" >"$work/said" 2>&1 || status=$?
  if [ "$status" = "$wanted" ] && grep -qF -- "$part" "$work/said"; then
    ok "$what"
  else
    not_ok "$what"
    shown
    echo "        (exit status $status, wanted $wanted and \"$part\")"
  fi
}

# windows PROGRAM ARGUMENT…: runs it; lines end as here.
windows() {
  local status=0
  timeout 60 wine "$@" </dev/null 2>"$work/stderr" | tr -d '\r' || status=${PIPESTATUS[0]}
  tr -d '\r' <"$work/stderr" >&2
  return "$status"
}

says() { grep -qF -- "$2" "$1"; }
