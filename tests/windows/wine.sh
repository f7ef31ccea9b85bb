# Sourced by the scripts beside it: Wine without windows, and a fresh Windows folder. Uses $work.

# Wine keeps names of files in the encoding of the locale, and CI may have none.
export LC_ALL=C.UTF-8
export WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" DISPLAY=
for wineserver in /usr/lib/wine/wineserver64 wineserver64 wineserver; do
  command -v "$wineserver" >/dev/null && break
done

# fresh_windows: makes $WINEPREFIX. A Windows folder takes ten seconds to make and one to copy, so one
# is kept in the cache.
fresh_windows() {
  local cache=${NETCLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netcluster}
  local template
  template=$cache/wine-$(dpkg-query -W -f '${Version}' wine64 | tr -c 'a-zA-Z0-9.\n' _)
  if [ ! -d "$template" ]; then
    mkdir -p "$cache"
    rm -rf "$template.$$"
    WINEPREFIX=$template.$$ wineboot --init >"$work/wineboot" 2>&1 || {
      cat "$work/wineboot" >&2
      return 1
    }
    WINEPREFIX=$template.$$ "$wineserver" -w
    mv -T "$template.$$" "$template"
  fi
  cp -a "$template" "$WINEPREFIX"
}
