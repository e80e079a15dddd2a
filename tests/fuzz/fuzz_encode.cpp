// SPDX-License-Identifier: Apache-2.0

// Any bytes as a text, for tokenizers that are in order.

#include "tests/fuzz/tokenizer_checks.h"
#include "tests/support/small_tokenizer.h"

#include <vector>

using namespace fkv;

namespace {

struct Case {
    std::unique_ptr<text::Tokenizer> tokenizer;
    bool reversible; ///< decoding gives the text again
};

std::vector<Case> makeCases() {
    std::vector<Case> cases;
    nlohmann::json file = testing::smallTokenizer("byte_level");
    file["added_tokens"] = nlohmann::json::array();
    cases.push_back({testing::openJson(file), true});
    for (const char* form : {"NFC", "NFKD", "Lowercase", "StripAccents"}) {
        file["normalizer"] = {{"type", form}};
        cases.push_back({testing::openJson(file), false});
    }
    cases.push_back({testing::openJson(testing::smallTokenizer("space_sign")), false});
    return cases;
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<Case> cases = makeCases();
    const std::string_view given = fuzz::asText(data, size);
    std::string text(given);
    if (!io::isUtf8(given)) {
        for (const Case& c : cases)
            fuzz::check(!fuzz::readsOrRefuses([&] { c.tokenizer->encode(given, true); }),
                        "a text that is not UTF-8 is refused");
        // What is left of it is worth a run.
        std::erase_if(text, [](char byte) { return static_cast<unsigned char>(byte) >= 0x80; });
    }
    for (const Case& c : cases) {
        const text::Encoding e = c.tokenizer->encode(text, false);
        fuzz::checkEncoding(e, *c.tokenizer, text);
        if (c.reversible) fuzz::check(c.tokenizer->decode(e.ids) == text, "the text comes back");
    }
    return 0;
}
