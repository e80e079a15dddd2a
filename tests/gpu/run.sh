#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the engine with CUDA for this machine's GPU and runs every GPU test and benchmark. Needs a GPU,
# nvcc and CMake, and the packages of tests/run.sh but Qt; no network. Prints a table at the end:
#     tests/gpu/run.sh [OUT_FOLDER]        default: build/gpu/results
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$(realpath -m "${1:-build/gpu/results}")
mkdir -p "$out"
export PATH=$PATH:/usr/local/cuda/bin
cmake -S . -B build/gpu -G "$(command -v ninja >/dev/null && echo Ninja || echo 'Unix Makefiles')" \
    -DCMAKE_BUILD_TYPE=Release -DFKV_WINDOW=OFF -DFKV_CUDA=ON > "$out/configure.log"
cmake --build build/gpu --parallel "$(nproc)" \
    --target test_ops_cuda test_ops_cuda_windows test_families_cuda test_cuda_delivery test_cuda_fault test_memory_shortage test_session_cuda test_held_cuda test_golden_devices attention_bench engine_bench fastkv > "$out/build.log"
bin=build/gpu/bin
nvidia-smi --query-gpu=name,driver_version,clocks.sm,power.draw --format=csv,noheader
"$bin/test_ops_cuda" --gtest_brief=1
"$bin/test_ops_cuda_windows" --gtest_brief=1
"$bin/test_families_cuda" --gtest_brief=1
"$bin/test_cuda_delivery" --gtest_brief=1
"$bin/test_cuda_fault" --gtest_brief=1
"$bin/test_memory_shortage" --gtest_brief=1 --gtest_filter='*/1'
"$bin/test_session_cuda" --gtest_brief=1
"$bin/test_held_cuda" --gtest_brief=1
"$bin/test_golden_devices" --gtest_filter="Cuda/*" --gtest_brief=1
"$bin/attention_bench" check 8192 32768 131072 | tee "$out/attention.txt"
"$bin/engine_bench" --model resources/models/demo --device cuda:0 > "$out/engine.json"
"$bin/engine_bench" --shape llama-3.1-8b --device cuda:0 --tokens 8192,32768 --repeats 3 > "$out/instrument.json"
"$bin/fastkv" bench --shape llama-3.1-8b --random-weights --device cuda:0 --tokens 8192,32768,131072 |
    tee "$out/table.txt"
# A folder of that shape on disk (16 GB), through the path that a downloaded model takes.
if [ "$(df --output=avail -B1 "$out" | tail -1)" -gt 20000000000 ]; then
    python3 tests/gpu/model_folder.py "$bin/fastkv" "$out/llama-3.1-8b-random" | tee "$out/folder.json"
else
    echo "run.sh: less than 20 GB free in $out: the model folder is left out" >&2
fi
