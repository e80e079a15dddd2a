// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mapped_file.h"
#include "engine/io/trace_file.h"
#include "tests/fuzz/target.h"
#include "tests/support/walk_run.h"

using namespace fkv;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::readsOrRefuses([&] {
        const auto* begin = reinterpret_cast<const std::byte*>(data);
        const trace::RunPtr run = io::openTrace(
            io::MappedFile::own(std::vector<std::byte>(begin, begin + size), "fuzz.safetensors"));
        volatile double sink = testing::walkRun(*run);
        (void)sink;
    });
    return 0;
}
