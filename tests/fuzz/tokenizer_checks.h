// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_limits.h"
#include "engine/text/tokenizer.h"
#include "tests/fuzz/target.h"

#include <array>
#include <string>

namespace fkv::fuzz {

/// What holds for every encoding of every tokenizer.
inline void checkEncoding(const text::Encoding& e, const text::Tokenizer& tokenizer,
                          std::string_view text) {
    check(e.ids.size() == e.bytes.size(), "every token has its bytes");
    std::pair<std::uint32_t, std::uint32_t> last{0, 0};
    for (std::size_t i = 0; i < e.ids.size(); ++i) {
        const auto [begin, end] = e.bytes[i];
        check(e.ids[i] >= 0 && e.ids[i] < tokenizer.vocabulary(), "ids are of the vocabulary");
        check(begin <= end && end <= text.size(), "bytes lie in the text");
        check(begin >= last.first && end >= last.second, "bytes never go back");
        check(io::isUtf8(text.substr(begin, end - begin)), "bytes are whole characters");
        last = e.bytes[i];
    }
}

/// Encodes and decodes with a tokenizer that nobody vouches for. May throw Error.
inline void useTokenizer(const text::Tokenizer& tokenizer) {
    using namespace std::string_view_literals;
    static constexpr std::array kTexts{""sv, "a"sv, "ab <s>c  \n d'll 123"sv,
                                       "\xC3\xA9 e\xCC\x81 \xEA\xB0\x80\xF0\x9F\x98\x80 "sv,
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"sv};
    for (const std::string_view text : kTexts)
        for (const bool bos : {false, true}) {
            const text::Encoding e = tokenizer.encode(text, bos);
            checkEncoding(e, tokenizer, text);
            tokenizer.decode(e.ids);
        }
    for (std::int32_t id = -1; id < 300; ++id) {
        tokenizer.decode(id, id - 1);
        tokenizer.piece(id);
    }
}

} // namespace fkv::fuzz
