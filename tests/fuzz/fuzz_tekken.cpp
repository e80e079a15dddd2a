// SPDX-License-Identifier: Apache-2.0
#include "engine/text/tekken.h"
#include "tests/fuzz/tokenizer_checks.h"

using namespace fkv;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::readsOrRefuses([&] {
        const auto tokenizer = text::parseTekken(fuzz::asText(data, size), "tekken.json", {});
        fuzz::useTokenizer(*tokenizer);
    });
    return 0;
}
