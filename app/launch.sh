#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing (Debian packages, once), builds, and opens the window on the demo model and the
# first sample. Arguments are those of fastkv-scope. Without a display it writes the window's picture and
# the trace of the same run into the current folder, and says where.
set -euo pipefail
started_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=cmake/packages.sh
source cmake/packages.sh
fkv_install_packages

cmake --preset release
cmake --build --preset release --parallel --target fastkv-scope fastkv
bin=$PWD/build/release/bin
cd "$started_in"

if [ "$#" -gt 0 ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$bin/fastkv-scope" "$@"
fi

picture=$PWD/fastkv-scope.png
trace=$PWD/fastkv-scope.safetensors
echo "No display: writing the window's picture and the trace instead."
"$bin/fastkv-scope" --snapshot "$picture" --save-trace "$trace"
echo "Picture: $picture"
echo "Trace:   $trace   (open it with: $bin/fastkv-scope $trace)"
