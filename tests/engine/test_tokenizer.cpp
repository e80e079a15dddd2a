// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"
#include "engine/text/tokenizer.h"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace fkv;
using namespace fkv::text;

namespace {

namespace fs = std::filesystem;

const fs::path kDemo = fs::path(FKV_RESOURCES) / "models" / "demo";
const fs::path kGolden = fs::path(FKV_TEST_DATA) / "golden";

ErrorCode openError(const fs::path& folder) {
    try {
        openTokenizer(folder);
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
        return e.code();
    }
    ADD_FAILURE() << "nothing thrown";
    return ErrorCode::Internal;
}

}  // namespace

TEST(Tokenizer, KnowsItsControlTokens) {
    const auto t = openTokenizer(kDemo);
    EXPECT_EQ(t->vocabulary(), 8192);
    EXPECT_EQ(t->bos(), 1);
    EXPECT_EQ(t->eos(), 2);
    EXPECT_TRUE(t->addsBos());
    EXPECT_EQ(t->piece(1), "<s>");
    EXPECT_EQ(t->decode(1, -1), "");
    EXPECT_EQ(t->piece(-1), "");
    EXPECT_EQ(t->piece(8192), "");
    EXPECT_EQ(t->decode(8192, -1), "");
}

TEST(Tokenizer, TextSurvivesTheRoundTrip) {
    const auto t = openTokenizer(kDemo);
    for (const std::string& text : std::vector<std::string>
         {"The scarlet mirror belongs to Victor Carver.", "a", "one  two   three", " leading",
          "line\nbreaks\n\n", "tab\tand é ü 漢字 😀 mixed 1234", "😀", "\n"}) {
        for (const bool bos : {false, true})
            EXPECT_EQ(t->decode(t->encode(text, bos).ids), text);
    }
}

TEST(Tokenizer, RangesCoverTheTextInOrder) {
    const auto t = openTokenizer(kDemo);
    const std::string text = "Who owns é the 😀😀 scarlet\nmirror? 漢字";
    const Encoding e = t->encode(text, true);
    ASSERT_EQ(e.ids.size(), e.bytes.size());
    EXPECT_EQ(e.bytes[0], (std::pair<std::uint32_t, std::uint32_t>{0, 0}));
    std::uint32_t at = 0;
    for (std::size_t i = 1; i < e.ids.size(); ++i) {
        const auto [begin, end] = e.bytes[i];
        ASSERT_LE(end, text.size());
        const bool shared = e.bytes[i] == e.bytes[i - 1] && begin < end;
        if (!shared) { EXPECT_EQ(begin, at) << t->piece(e.ids[i]); }
        at = end;
        EXPECT_TRUE(io::isUtf8(text.substr(begin, end - begin)));
    }
    EXPECT_EQ(at, text.size());
}

TEST(Tokenizer, BytesOfOneCharacterShareItsRange) {
    const auto t = openTokenizer(kDemo);
    const Encoding e = t->encode("a😀😀b", false);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
    for (std::size_t i = 0; i < e.ids.size(); ++i)
        if (t->piece(e.ids[i]).starts_with("<0x")) ranges.push_back(e.bytes[i]);
    ASSERT_EQ(ranges.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(ranges[i].first, i < 4 ? 1U : 5U);
        EXPECT_EQ(ranges[i].second, i < 4 ? 5U : 9U);
    }
}

TEST(Tokenizer, EmptyAndInvalidTexts) {
    const auto t = openTokenizer(kDemo);
    EXPECT_EQ(t->encode("", true).ids, std::vector<std::int32_t>{1});
    EXPECT_TRUE(t->encode("", false).ids.empty());
    EXPECT_THROW(t->encode("a\xFF", true), Error);
    EXPECT_THROW(t->encode("\xED\xA0\x80", true), Error);
}

TEST(Tokenizer, EncodesTheGoldenPrompts) {
    const auto t = openTokenizer(kDemo);
    const auto cases = io::readJson(kGolden / "cases.json");
    ASSERT_FALSE(cases.empty());
    for (const auto& c : cases) {
        const std::string name = c["name"];
        const auto file = io::SafetensorsFile::open(kGolden / (name + ".safetensors"));
        const std::int64_t any[] = {-1};
        const io::TensorEntry& ids = file.require("input_ids", DType::I32, any);
        std::vector<std::int32_t> expected(static_cast<std::size_t>(ids.elements()));
        std::memcpy(expected.data(), ids.bytes.data(), ids.bytes.size());
        const std::string prompt = c["prompt"];
        EXPECT_EQ(t->encode(prompt, true).ids, expected) << name;
        EXPECT_EQ(t->decode(expected), prompt) << name;
    }
}

TEST(Tokenizer, FoldersAreJudgedInOneLine) {
    std::string pattern = (fs::temp_directory_path() / "fkv-text-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    const fs::path folder = pattern;
    EXPECT_EQ(openError(folder / "no"), ErrorCode::NotFound);
    EXPECT_EQ(openError(folder), ErrorCode::NotFound);
    std::ofstream(folder / "tokenizer.model") << "not a model";
    EXPECT_EQ(openError(folder), ErrorCode::BadFile);
    std::ofstream(folder / "tokenizer.model").close();
    EXPECT_EQ(openError(folder), ErrorCode::BadFile);
    fs::copy_file(kDemo / "tokenizer.model", folder / "tokenizer.model",
                  fs::copy_options::overwrite_existing);
    EXPECT_TRUE(openTokenizer(folder)->addsBos());
    std::ofstream(folder / "tokenizer_config.json") << R"({"add_bos_token": false})";
    EXPECT_FALSE(openTokenizer(folder)->addsBos());
    std::ofstream(folder / "tokenizer_config.json") << R"({"add_bos_token": 3})";
    EXPECT_EQ(openError(folder), ErrorCode::BadFile);
    fs::remove_all(folder);
}
