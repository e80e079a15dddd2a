#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian packages, once), builds and runs every test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=cmake/packages.sh
source cmake/packages.sh
fkv_install_packages

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
