# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by app/launch.sh and tests/run.sh: what this project needs of Debian 12, and how to get it.

fkv_packages=(build-essential cmake ninja-build pkg-config ca-certificates nlohmann-json3-dev libcli11-dev
    libsentencepiece-dev libpcre2-dev libutf8proc-dev libopenblas-dev libgtest-dev
    qt6-base-dev qt6-svg-dev fonts-dejavu-core)

# Installs those that are missing, as root or with sudo; says nothing when all are there.
fkv_install_packages() {
    local package missing=() sudo=()
    for package in "${fkv_packages[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "These Debian packages are needed, and there is no apt-get: ${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "Run as root or install sudo, to install: ${missing[*]}" >&2; return 1; }
        sudo=(sudo)
    fi
    echo "Installing: ${missing[*]}"
    "${sudo[@]}" apt-get update
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}
