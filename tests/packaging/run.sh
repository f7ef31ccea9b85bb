#!/usr/bin/env bash
# The Debian packages: built from the source as it is, looked at, and lived through under a systemd
# that is really booted on a throw-away copy of this machine: install, use by programs and people,
# upgrade, remove, purge. Also what `cmake --install` puts below a prefix.
#
#     tests/packaging/run.sh
#
# One line per check, then `N passed, N failed`. Needs root. A minute and a half, and the time that a
# release takes to compile if none was compiled before (ccache).
set -euo pipefail
cd "$(dirname "$0")/../.."
. service/packages.sh

if [ "$(id -u)" -ne 0 ]; then
  echo "tests/packaging/run.sh: booting a system of its own needs root" >&2
  exit 2
fi
need_packages "${build_packages[@]}" dpkg-dev lintian man-db mandoc bash zsh fish systemd \
  systemd-container procps util-linux passwd

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. tests/checks.sh
built=$PWD/build/debian

# -- build -------------------------------------------------------------------------------------

rm -f "$built"/*.deb
if ! cmake --workflow --preset debian >"$work/build" 2>&1; then
  tail -n 60 "$work/build"
  echo "FAIL  build: the packages"
  exit 1
fi
version=$(sed -n 's/^project(netcluster VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
three() { is "$(cd "$built" && echo *.deb | sed "s/_${version}_[a-z0-9]*//g")" \
  "libnetcluster-dev.deb libnetcluster.deb netcluster.deb"; }
check "build: the three packages, of version $version" three

# -- files -------------------------------------------------------------------------------------

check "lintian: no error, no warning" lintian --allow-root --fail-on error,warning "$built"/*.deb
exports() { # 'A' is the version's own name
  nm -DC --defined-only "$1" | grep -v ' A NETCLUSTER_2$' |
    grep -Ev ' [TV] ((typeinfo|typeinfo name|vtable) for )?netcluster::(Agent::|Event::|Error|Picker::|Reply::|Tasks::|nameOf\(netcluster::Answer::Outcome\))'
}
check "library: it offers the API and nothing else" \
  not exports "$built/agent/libnetcluster.so.$version"
exports_archive() { nm -gC --defined-only "$built/agent/libnetcluster.a" 2>/dev/null | grep '^[0-9a-f]' |
  grep -Ev ' [TV] ((typeinfo|typeinfo name|vtable) for )?netcluster::(Agent::|Event::|Error|Picker::|Reply::|Tasks::|nameOf\(netcluster::Answer::Outcome\))'; }
check "library: so does the archive" not exports_archive
for page in ncserver.8 ncctl.1 ncworker.1 netcluster.json.5; do
  check "manual: mandoc finds nothing wrong in $page" mandoc -Tlint -Wwarning "$built/manual/$page"
  warnings() { is "$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null)" ""; }
  check "manual: neither does man in $page" warnings "$built/manual/$page"
done
if bash tests/packaging/completions.sh "$built/bin" "$built/manual" >"$work/completions" 2>&1; then
  ok "completions: bash, zsh and fish offer what they should"
else
  not_ok "completions: bash, zsh and fish offer what they should"
  grep -v '^ok' "$work/completions"
fi

# -- below a prefix ----------------------------------------------------------------------------

# The release as it is built from source; the compiler's work has been done above.
prefix=$work/prefix
release() { cmake --preset release -DNETCLUSTER_TESTS=OFF && cmake --build --preset release; }
check "prefix: the release is built" release
check "prefix: cmake --install" cmake --install build/release --prefix "$prefix"
check "prefix: programs and pages are there" test -x "$prefix/sbin/ncserver" \
  -a -x "$prefix/bin/ncctl" -a -x "$prefix/bin/ncworker" -a -f "$prefix/share/man/man8/ncserver.8.gz"
names_prefix() { grep -q "^ExecStart=$prefix/sbin/ncserver --config $prefix/etc/netcluster/config.json" \
  "$prefix/lib/systemd/system/netcluster.service" && "$prefix/sbin/ncserver" -t "$prefix/etc/netcluster/config.json"; }
check "prefix: the unit names what is installed" names_prefix
uses_prefix() {
  cmake -S tests/packaging/consumer -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" &&
    cmake --build "$work/consumer" && ldd "$work/consumer/with_agent" | grep "$prefix/lib/libnetcluster.so.2"
}
check "prefix: find_package finds it there" uses_prefix
includes() { is "$(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --variable=includedir netcluster)" "$prefix/include"; }
check "prefix: so does pkg-config" includes
echo '{ "channels": { "control": {} } } // mine' >"$prefix/etc/netcluster/config.json"
again() { cmake --install build/release --prefix "$prefix" && grep -q mine "$prefix/etc/netcluster/config.json"; }
check "prefix: installed again, the configuration stays" again

# -- a later version, as the upgrade needs it --------------------------------------------------

packages=$work/files/packages
mkdir -p "$packages/later" "$work/files/checks" "$work/results"
cp "$built"/*.deb "$packages"
cp -r tests/packaging/. tests/checks.sh "$work/files/checks"
for deb in "$packages"/*.deb; do
  root=$work/later
  dpkg-deb --raw-extract "$deb" "$root"
  sed -i "s/^Version: .*/&+next/; s/(= $version)/(= $version+next)/" "$root/DEBIAN/control"
  if [ -e "$root/etc" ]; then
    sed -i '1i // The next version says this.' "$root/etc/netcluster/config.json"
    (cd "$root" && md5sum $(cut -d' ' -f3 DEBIAN/md5sums) >DEBIAN/md5sums.new)
    mv "$root/DEBIAN/md5sums.new" "$root/DEBIAN/md5sums"
  fi
  dpkg-deb --build --root-owner-group "$root" "$packages/later" >/dev/null
  rm -rf "$root"
done

# -- life --------------------------------------------------------------------------------------

# Without a running systemd, as in a container that is being made.
chroot_life() {
  unshare --mount --propagation private bash -e -c '
    mount -t tmpfs -o mode=0755 netcluster-test "$1"
    mkdir "$1/upper" "$1/work" "$1/root"
    mount -t overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" netcluster-test "$1/root"
    mkdir "$1/root/packages"
    cp "$2"/*.deb "$1/root/packages"
    mount -t tmpfs -o mode=0755 netcluster-test "$1/root/run"
    chroot "$1/root" dpkg --install $(cd "$1/root" && echo packages/*.deb | sed "s, packages, /packages,g; s,^,/,")
    chroot "$1/root" ncserver --test-config
    chroot "$1/root" getent passwd netcluster
    chroot "$1/root" dpkg --purge netcluster libnetcluster-dev libnetcluster
    test ! -e "$1/root/etc/netcluster"' bash "$1" "$packages"
}
mkdir "$work/place"
check "chroot: install and purge without a systemd that runs" chroot_life "$work/place"

status=0
bash tests/service/boot.sh "$work/files" tests/packaging/life.sh "$work/results" \
  >"$work/boot" 2>&1 || status=$?
touch "$work/results/checks"
cat "$work/results/checks"
passed=$((passed + $(grep -c '^ok ' "$work/results/checks" || true)))
failed=$((failed + $(grep -c '^FAIL ' "$work/results/checks" || true)))
if [ "$status" -ne 0 ] || [ ! -e "$work/results/complete" ]; then
  not_ok "life: the script came to its end (status $status)"
  tail -n 20 "$work/boot" "$work/results/trace"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
