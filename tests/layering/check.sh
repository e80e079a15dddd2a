#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The arrows of the architecture and the file size limit. Usage: check.sh REPOSITORY
set -u
cd "$1" || exit 2
faults=0

# forbid FOLDER PATTERN WHY: no #include in FOLDER may match PATTERN.
forbid() {
    local folder=$1 pattern=$2 why=$3 found
    [ -d "$folder" ] || return 0
    found=$(grep -rnE "^ *# *include *[<\"]$pattern" "$folder" \
        --include='*.h' --include='*.cpp' --include='*.cu' --include='*.cuh')
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$why" "$found"
        faults=1
    fi
}

forbid engine 'Q[A-Z]|Qt' 'engine must not include Qt'
forbid engine '(viz|app)/' 'engine must not include viz or app'
forbid viz '(app/|engine/(core|io|text|select|ops|cpu|cuda|model|run|cli)/)' \
    'viz may see engine/trace alone'
forbid engine/trace 'engine/(core|io|text|select|ops|cpu|cuda|model|run|cli)/' \
    'engine/trace stands alone'
for folder in engine/{trace,core,io,text,select,ops,cpu,model,run,cli} viz app; do
    forbid "$folder" '(cuda|cublas|cub/|device_launch)' 'CUDA headers belong in engine/cuda alone'
done

while IFS= read -r file; do
    lines=$(wc -l < "$file")
    if [ "$lines" -gt 400 ]; then
        echo "$file: $lines lines, 400 allowed"
        faults=1
    fi
done < <(find engine viz app tests -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')
exit $faults
