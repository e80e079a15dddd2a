#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian packages, once), builds and runs every test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(build-essential cmake ninja-build pkg-config ca-certificates nlohmann-json3-dev libcli11-dev
    libsentencepiece-dev libopenblas-dev libgtest-dev libbenchmark-dev
    qt6-base-dev libqt6svg6-dev libqcustomplot-dev fonts-dejavu-core)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    echo "Installing: ${missing[*]}"
    "${sudo[@]}" apt-get update
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y --no-install-recommends "${missing[@]}"
fi

cmake --preset dev
cmake --build --preset dev --parallel
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
ctest --preset dev --output-junit "$report" || status=$?
# One plain closing line, from what ctest itself wrote down.
count() { grep -o -m1 "$1=\"[0-9]*\"" "$report" | head -n 1 | tr -dc '0-9'; }
tests=$(count tests) failed=$(count failures) skipped=$(count skipped) disabled=$(count disabled)
echo "$((tests - failed - skipped - disabled)) passed, $failed failed, $((skipped + disabled)) skipped"
exit "$status"
