#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The real window on this machine's GPU, offscreen: a folder of the LLaMA-3.1-8B shape with random weights (16 GB, made when it
# is not there), 32K tokens, both sliders moved, measured. Leaves pictures and their waiting times:
#     tests/gpu/window.sh [OUT_FOLDER]        default: build/gpu-window/results
# Needs what tests/gpu/run.sh needs, and Qt 6. Where that is not installed, QT_ROOT names a folder that its Debian packages
# were unpacked into (dpkg -x PACKAGE.deb FOLDER): qt6-base-dev, qt6-svg-dev, qmake6-bin, fonts-dejavu-core and what they need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$(realpath -m "${1:-build/gpu-window/results}")
mkdir -p "$out"
export PATH=$PATH:/usr/local/cuda/bin LC_ALL=C.UTF-8
options=()
if [ -n "${QT_ROOT:-}" ]; then
    libraries=$QT_ROOT/usr/lib/x86_64-linux-gnu
    options=(-DCMAKE_PREFIX_PATH="$QT_ROOT/usr" -DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu -DCMAKE_SKIP_BUILD_RPATH=ON)
    export LD_LIBRARY_PATH=$libraries:$QT_ROOT/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export QT_PLUGIN_PATH=$libraries/qt6/plugins FONTCONFIG_FILE=$out/fonts.conf
    echo "<fontconfig><dir>$QT_ROOT/usr/share/fonts</dir><cachedir>$out/fonts</cachedir></fontconfig>" > "$FONTCONFIG_FILE"
fi
cmake -S . -B build/gpu-window -G "$(command -v ninja >/dev/null && echo Ninja || echo 'Unix Makefiles')" \
    -DCMAKE_BUILD_TYPE=Release -DFKV_CUDA=ON "${options[@]}" > "$out/configure.log"
cmake --build build/gpu-window --parallel "$(nproc)" --target window_run fastkv > "$out/build.log"
model=$out/llama-3.1-8b-random
python3 tests/gpu/model_folder.py build/gpu-window/bin/fastkv "$model" > "$out/folder.json"
build/gpu-window/bin/window_run "$model" "$model/prompt.txt" "$out" | tee "$out/window.json"
