# Sourced by the scripts that set a machine up: installs Debian packages that are missing.
#
#     need_packages NAME…      as root, or through sudo; says what is missing when it can do neither

need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' ||
      missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "installing: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "these packages are missing, and only root can install them: ${missing[*]}" >&2
      return 1
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# What a build needs; the one list, used by every script.
build_packages=(g++ cmake ninja-build pkg-config ccache libboost1.81-dev nlohmann-json3-dev
  libre2-dev libspdlog-dev libcli11-dev libedit-dev libsodium-dev liblua5.4-dev)
