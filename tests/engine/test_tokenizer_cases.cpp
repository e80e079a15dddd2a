// SPDX-License-Identifier: Apache-2.0

// What Python's tokenizers and tiktoken made of the same files and texts: see make_cases.py beside
// the data.

#include "engine/core/error.h"
#include "engine/text/tekken.h"
#include "tests/support/small_tokenizer.h"

#include <gtest/gtest.h>

using namespace fkv;
using namespace fkv::testing;
using nlohmann::json;

namespace {

using Ranges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

std::unique_ptr<text::Tokenizer> openCase(const json& c) {
    json file = smallTokenizer(c["base"]);
    for (const auto& [key, value] : c["changes"].items()) {
        if (key == "model")
            file[key].update(value);
        else
            file[key] = value;
    }
    if (c["base"] == "tekken") return text::parseTekken(file.dump(), "tekken.json", {});
    return openJson(file);
}

/// What every encoding keeps to, whatever the tokenizer.
void expectSound(const text::Encoding& e, const std::string& text) {
    ASSERT_EQ(e.ids.size(), e.bytes.size());
    std::pair<std::uint32_t, std::uint32_t> last{0, 0};
    for (const auto& range : e.bytes) {
        ASSERT_LE(range.first, range.second);
        ASSERT_LE(range.second, text.size());
        ASSERT_GE(range.first, last.first);
        ASSERT_GE(range.second, last.second);
        ASSERT_TRUE(io::isUtf8(text.substr(range.first, range.second - range.first)));
        last = range;
    }
}

} // namespace

TEST(TokenizerCases, GiveTheIdsOfTheLibraries) {
    const json file = smallTokenizer("cases");
    ASSERT_GE(file["cases"].size(), 40U);
    for (const json& c : file["cases"]) {
        const std::string name = c["base"].get<std::string>() + ": " + c["name"].get<std::string>();
        const json& texts = c.contains("texts") ? c["texts"] : file["texts"];
        ASSERT_EQ(texts.size(), c["ids"].size()) << name;
        const auto tokenizer = openCase(c);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::string text = texts[i];
            SCOPED_TRACE(name + ": " + text);
            const text::Encoding e = tokenizer->encode(text, false);
            EXPECT_EQ(e.ids, c["ids"][i].get<std::vector<std::int32_t>>());
            expectSound(e, text);
            if (c.contains("bytes")) {
                EXPECT_EQ(e.bytes, c["bytes"][i].get<Ranges>());
            }
        }
    }
}

TEST(TokenizerCases, TextsSurviveTheRoundTrip) {
    const json file = smallTokenizer("cases");
    for (const char* base : {"byte_level", "space_sign", "tekken"}) {
        const auto tokenizer = openCase({{"base", base}, {"changes", json::object()}});
        for (const std::string text : file["texts"]) {
            // Control tokens decode to nothing, and a space sign to a space.
            if (text.find("<s>") != std::string::npos || text.find("<|") != std::string::npos ||
                (base == std::string("space_sign") && text.find("▁") != std::string::npos))
                continue;
            EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, true).ids), text) << base;
        }
    }
}

TEST(TokenizerCases, AWordThatComesAgainIsCutAsBefore) {
    const auto tokenizer = openJson(smallTokenizer("space_sign"));
    const std::string once = "the mirror, memory";
    const text::Encoding one = tokenizer->encode(once, false);
    const text::Encoding two = tokenizer->encode(once + " " + once, false);
    ASSERT_EQ(two.ids.size(), 2 * one.ids.size());
    for (std::size_t i = 0; i < one.ids.size(); ++i) {
        EXPECT_EQ(two.ids[one.ids.size() + i], one.ids[i]);
        // The first has no space of its own: its sign stands for none.
        EXPECT_EQ(two.bytes[one.ids.size() + i].second, one.bytes[i].second + once.size() + 1);
    }
}

TEST(TokenizerCases, NormalisedCharactersKeepTheirSource) {
    json file = smallTokenizer("byte_level");
    file["normalizer"] = {{"type", "NFC"}};
    const auto tokenizer = openJson(file);
    // "é" in two code points becomes one of two bytes; what is around keeps its place.
    const std::string text = "xe\u0301y e\u0301";
    const text::Encoding e = tokenizer->encode(text, false);
    EXPECT_EQ(tokenizer->decode(e.ids), "x\u00E9y \u00E9");
    for (std::size_t i = 0; i < e.ids.size(); ++i) {
        const auto [begin, end] = e.bytes[i];
        EXPECT_TRUE(begin == 0 || begin == 1 || begin == 4 || begin == 5 || begin == 6) << begin;
        EXPECT_TRUE(end == 1 || end == 4 || end == 5 || end == 6 || end == 9) << end;
    }
    EXPECT_EQ(e.bytes.back().second, text.size());
    // A long run of marks in the wrong order is sorted, not compared each with each.
    std::string marks = "a";
    for (int i = 0; i < 100'000; ++i)
        marks += "\u0301\u0316";
    EXPECT_EQ(tokenizer->encode(marks, false).bytes.back().second, marks.size());
}

TEST(TokenizerCases, WhatIsPutIntoAReplacementBelongsToIt) {
    // "b" becomes three words, and each gets a space in front: all of them stand for the "b".
    json file = smallTokenizer("byte_level");
    file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "b"}}}, {"content", "1.0"}};
    file["pre_tokenizer"] = {{"type", "Sequence"},
                             {"pretokenizers",
                              {{{"type", "Punctuation"}},
                               {{"type", "Digits"}, {"individual_digits", true}},
                               {{"type", "ByteLevel"}, {"add_prefix_space", true}}}}};
    const text::Encoding e = openJson(file)->encode("abc", false);
    expectSound(e, "abc");
    EXPECT_EQ(e.bytes.back(), (std::pair<std::uint32_t, std::uint32_t>{2, 3}));
}

TEST(TokenizerCases, PartsOfACharacterCarryAllOfIt) {
    const auto tokenizer = openJson(smallTokenizer("byte_level"));
    const std::string text = "a \U0001F999b";
    const text::Encoding e = tokenizer->encode(text, false);
    std::string bytes;
    std::size_t parts = 0;
    for (std::size_t i = 0; i < e.ids.size(); ++i) {
        const std::string added = tokenizer->decode(e.ids[i], i == 0 ? -1 : e.ids[i - 1]);
        parts += io::isUtf8(added) ? 0 : 1;
        if (!io::isUtf8(added)) {
            EXPECT_EQ(e.bytes[i].second, 6U);
        }
        bytes += added;
    }
    EXPECT_GE(parts, 2U); // no token has the whole of it
    EXPECT_EQ(bytes, text);
}

TEST(TokenizerCases, InvalidTextsAreRefused) {
    for (const char* base : {"byte_level", "space_sign", "tekken"}) {
        const auto tokenizer = openCase({{"base", base}, {"changes", json::object()}});
        for (const char* text :
             {"a\xFF", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", "\xE2\x82"})
            EXPECT_THROW(tokenizer->encode(text, true), Error);
        EXPECT_TRUE(tokenizer->encode("", false).ids.empty());
    }
}
