#!/usr/bin/env bash
# What the Windows build needs: installs the cross compiler, builds RE2 and libsodium for Windows out
# of the distribution's own sources, and collects the headers of the rest. Done once for each version
# of these, in a cache folder ($NETCLUSTER_CACHE, else ~/.cache/netcluster); leaves a link to it in
# build/windows-sysroot, where service/windows/mingw-w64.cmake looks. About a minute the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
. service/packages.sh

need_packages "${build_packages[@]}" doctest-dev g++-mingw-w64-x86-64-posix binutils-mingw-w64-x86-64 \
  dpkg-dev make perl python3 unicode-data autoconf automake libtool

triple=x86_64-w64-mingw32
version_of() { dpkg-query -W -f '${Version}' "$1"; }
key=$({
  for package in libre2-dev libsodium-dev libboost1.81-dev nlohmann-json3-dev libspdlog-dev \
    libfmt-dev libcli11-dev doctest-dev g++-mingw-w64-x86-64-posix; do
    version_of "$package"
    echo
  done
  cat service/windows/dependencies.sh
} | sha256sum | cut -c1-16)
cache=${NETCLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netcluster}
sysroot=$cache/windows-$key

link_sysroot() {
  mkdir -p build
  ln -sfn "$sysroot" build/windows-sysroot
}
if [ -d "$sysroot" ]; then
  link_sysroot
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
built=$work/sysroot
mkdir -p "$built/include" "$built/lib/pkgconfig" "$built/lib/cmake" "$work/apt/lists/partial" \
  "$work/apt/parts"

# The sources of what is installed, with apt's own lists left alone.
source_lists() {
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] && sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/apt/parts/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] && sed -n 's/^deb /deb-src /p' "$file" >"$work/apt/parts/${file##*/}.list"
  done
  return 0
}
private_apt() {
  apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/apt/parts" \
    -o Dir::State::lists="$work/apt/lists" -o APT::Sandbox::User=root "$@"
}
fetch() { # NAME PACKAGE: the source of the installed version, in $work/NAME
  local source_version
  source_version=$(dpkg-query -W -f '${source:Version}' "$2")
  (cd "$work" && private_apt source --only-source "$1=$source_version" >"$work/$1.log" 2>&1) || {
    cat "$work/$1.log" >&2
    return 1
  }
  mv "$work/$1"-*/ "$work/$1"
}

echo "fetching the sources of RE2 and libsodium"
source_lists
private_apt update >"$work/update.log" 2>&1 || true # a list without sources is no loss
fetch re2 libre2-dev
fetch libsodium libsodium-dev

echo "building RE2 for Windows"
(
  cd "$work/re2"
  # Debian's source leaves these tables out; they are made of Unicode's own data.
  make -s REBUILD_TABLES=1 re2/perl_groups.cc re2/unicode_casefold.cc re2/unicode_groups.cc
  cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DRE2_BUILD_TESTING=OFF \
    -DCMAKE_TOOLCHAIN_FILE="$OLDPWD/service/windows/mingw-w64.cmake" \
    -DNETCLUSTER_SYSROOT="$built" -DCMAKE_INSTALL_PREFIX="$built"
  cmake --build build
  cmake --install build
) >"$work/re2-build.log" 2>&1 || { tail -n 40 "$work/re2-build.log" >&2; exit 1; }

echo "building libsodium for Windows"
(
  cd "$work/libsodium"
  [ -x configure ] || autoreconf -fi
  ./configure --host=$triple CC=$triple-gcc-posix --prefix="$built" --disable-shared --enable-static
  make -j"$(nproc)" install
) >"$work/libsodium-build.log" 2>&1 || { tail -n 40 "$work/libsodium-build.log" >&2; exit 1; }

# Of headers alone: those of the distribution, without the rest of /usr/include, which is Linux's.
for headers in boost nlohmann doctest spdlog fmt CLI; do
  cp -rL "/usr/include/$headers" "$built/include/"
done

# What find_package looks for, as /usr/lib's own files do it, for a library of headers alone.
header_package() { # NAME TARGET VERSION DEFINITIONS
  local dir=$built/lib/cmake/$1
  mkdir -p "$dir"
  cat >"$dir/$1Config.cmake" <<CMAKE
if(NOT TARGET $2)
  add_library($2 INTERFACE IMPORTED)
  set_target_properties($2 PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "\${CMAKE_CURRENT_LIST_DIR}/../../../include"
    INTERFACE_COMPILE_DEFINITIONS "$4")
endif()
CMAKE
  cat >"$dir/$1ConfigVersion.cmake" <<CMAKE
set(PACKAGE_VERSION $3)
if(PACKAGE_FIND_VERSION VERSION_LESS_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
CMAKE
}
upstream() { version_of "$1" | sed 's/^[0-9]*://; s/[-+].*//'; }
header_package nlohmann_json nlohmann_json::nlohmann_json "$(upstream nlohmann-json3-dev)" ""
header_package spdlog spdlog::spdlog "$(upstream libspdlog-dev)" \
  "SPDLOG_HEADER_ONLY;SPDLOG_FMT_EXTERNAL;FMT_HEADER_ONLY"
header_package CLI11 CLI11::CLI11 "$(upstream libcli11-dev)" ""
header_package doctest doctest::doctest "$(upstream doctest-dev)" ""
cat >"$built/lib/pkgconfig/re2.pc" <<PC
Name: re2
Description: RE2 for Windows
Version: $(upstream libre2-dev)
Libs: -L$sysroot/lib -lre2
Cflags: -I$sysroot/include
PC
sed -i "s|$built|$sysroot|g" "$built/lib/pkgconfig/libsodium.pc"

mkdir -p "$cache"
rm -rf "$sysroot.new"
mv "$built" "$sysroot.new"
mv -T "$sysroot.new" "$sysroot"
link_sysroot
echo "ready: $sysroot"
