#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark on the release build and writes JSON into a folder:
#     tests/bench/run.sh [OUT_FOLDER]        default: build/bench
# PYTHON=/path/to/python with PyTorch adds the peer, in the same run. FKV_TOKENIZERS=folder adds the
# tokenizers in its subfolders.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-build/bench}
mkdir -p "$out"
cmake --preset release >/dev/null
cmake --build --preset release --target engine_bench tokenizer_bench window_bench >/dev/null
bin=build/release/bin
model=resources/models/demo

echo "engine:" >&2
"$bin/engine_bench" --model "$model" --ids-out "$out/ids.json" > "$out/engine.json"
if [ -n "${PYTHON:-}" ]; then
    # Both sides in turns, so that what else the machine does hits both.
    echo "peer:" >&2
    for turn in 1 2 3; do
        "$bin/engine_bench" --model "$model" --tokens 4096 --repeats 3 --prefill-only > "$out/engine-4k-$turn.json"
        "$PYTHON" tests/bench/torch_peer.py --model "$model" --ids-file "$out/ids.json" \
            --tokens 4096 --threads 2 --runs 3 > "$out/torch-4k-$turn.json"
    done
fi
echo "tokenizers:" >&2
tokenizers=("$model")
for file in "${FKV_TOKENIZERS:-}"/*/{tokenizer,tekken}.json; do
    [ -f "$file" ] && tokenizers+=("$(dirname "$file")")
done
"$bin/tokenizer_bench" --model "${tokenizers[@]}" --text engine/*/*.{h,cpp} ./*.md > "$out/tokenizer.json"
echo "window:" >&2
QT_QPA_PLATFORM=offscreen "$bin/window_bench" > "$out/window.json"
ls "$out"
