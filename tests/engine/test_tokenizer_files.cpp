// SPDX-License-Identifier: Apache-2.0

// Which file of a model folder is read, what a prompt begins with, and answers that grow.

#include "engine/core/error.h"
#include "engine/text/tekken.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace fkv;
using namespace fkv::testing;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

void write(const std::filesystem::path& path, const json& value) {
    std::ofstream(path) << value.dump();
}

json templateOf(const std::vector<std::pair<std::string, int>>& tokens) {
    json single = json::array();
    json special = json::object();
    for (const auto& [name, id] : tokens) {
        single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
        special[name] = {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
    }
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    // What stands behind the text is not for a prompt.
    single.push_back(single.front());
    return {{"type", "TemplateProcessing"}, {"single", single}, {"special_tokens", special}};
}

} // namespace

TEST(TokenizerFiles, TokenizerJsonGoesFirst) {
    TemporaryFolder folder;
    std::filesystem::copy_file(std::filesystem::path(FKV_RESOURCES) / "models/demo/tokenizer.model",
                               folder / "tokenizer.model");
    EXPECT_EQ(text::openTokenizer(folder.path())->vocabulary(), 8192);
    write(folder / "tekken.json", smallTokenizer("tekken"));
    const auto tekken = text::openTokenizer(folder.path());
    EXPECT_EQ(tekken->piece(3), "[INST]");
    EXPECT_EQ(tekken->kind(), "tekken");
    const json file = smallTokenizer("byte_level");
    write(folder / "tokenizer.json", file);
    const auto first = text::openTokenizer(folder.path());
    EXPECT_EQ(first->piece(3), "$");
    EXPECT_EQ(first->kind(), "byte-level BPE");
    EXPECT_EQ(first->vocabulary(), static_cast<int>(file["model"]["vocab"].size()) + 2);
    // A damaged one is an error, not a reason to take the next.
    write(folder / "tokenizer.json", json::object());
    EXPECT_THROW(text::openTokenizer(folder.path()), Error);
}

TEST(TokenizerFiles, TheFileSaysWhatAPromptBeginsWith) {
    json file = smallTokenizer("byte_level");
    const int s = file["added_tokens"][0]["id"];
    const int end = file["added_tokens"][1]["id"];
    EXPECT_FALSE(openJson(file)->addsBos());
    EXPECT_EQ(openJson(file)->bos(), -1);
    file["post_processor"] = templateOf({{"<s>", s}});
    const auto one = openJson(file);
    EXPECT_TRUE(one->addsBos());
    EXPECT_EQ(one->bos(), s);
    EXPECT_EQ(one->encode("a", true).ids, (Ids{s, one->encode("a", false).ids[0]}));
    EXPECT_EQ(one->encode("", true).ids, Ids{s});
    EXPECT_EQ(one->encode("", true).bytes[0], (std::pair<std::uint32_t, std::uint32_t>{0, 0}));
    // Two of them, the second from a step behind a ByteLevel that adds none.
    file["post_processor"] = {{"type", "Sequence"},
                              {"processors",
                               {{{"type", "ByteLevel"}, {"trim_offsets", false}},
                                templateOf({{"<|end|>", end}, {"<s>", s}})}}};
    EXPECT_EQ(openJson(file)->encode("", true).ids, (Ids{end, s}));
}

TEST(TokenizerFiles, TokenizerConfigHasTheLastWordAboutBos) {
    TemporaryFolder folder;
    json file = smallTokenizer("byte_level");
    const int s = file["added_tokens"][0]["id"];
    const int end = file["added_tokens"][1]["id"];
    const json config{{"bos_token", {{"content", "<s>"}}}, {"eos_token", "<|end|>"}};
    const auto open = [&](const json& add) {
        json c = config;
        if (!add.is_null()) c["add_bos_token"] = add;
        write(folder / "tokenizer_config.json", c);
        write(folder / "tokenizer.json", file);
        return text::openTokenizer(folder.path());
    };
    EXPECT_FALSE(open(nullptr)->addsBos());
    EXPECT_TRUE(open(true)->addsBos());
    EXPECT_EQ(open(true)->bos(), s);
    EXPECT_EQ(open(true)->eos(), end);
    EXPECT_EQ(open(true)->encode("", true).ids, Ids{s});
    file["post_processor"] = templateOf({{"<s>", s}});
    EXPECT_TRUE(open(nullptr)->addsBos());
    EXPECT_FALSE(open(false)->addsBos());
    EXPECT_THROW(open("yes"), Error);
}

TEST(TokenizerFiles, ControlTokensInATextAreReadAsSuch) {
    const auto json = openJson(smallTokenizer("byte_level"));
    const auto tekken = text::parseTekken(smallTokenizer("tekken").dump(), "tekken.json", {});
    const text::Encoding e = tekken->encode("<s>[INST]the[/INST]", true);
    ASSERT_GE(e.ids.size(), 5U);
    EXPECT_EQ(e.ids[0], tekken->bos());
    EXPECT_EQ(e.ids[1], tekken->bos()); // the text spells it too: that is for its writer to know
    EXPECT_EQ(e.ids[2], 3);
    EXPECT_EQ(e.ids.back(), 4);
    EXPECT_EQ(e.bytes[2], (std::pair<std::uint32_t, std::uint32_t>{3, 9}));
    EXPECT_EQ(tekken->decode(e.ids), "the");
    EXPECT_EQ(tekken->piece(20), "<SPECIAL_20>");
    EXPECT_EQ(tekken->decode(3, -1), "");
    EXPECT_EQ(json->decode(json->encode("<s>the<|end|>", false).ids), "the");
}

TEST(TokenizerFiles, TekkenFilesThatListTheirControls) {
    json file = smallTokenizer("tekken");
    file["special_tokens"] = {{{"rank", 0}, {"token_str", "<s>"}, {"is_control", true}},
                              {{"rank", 1}, {"token_str", "</s>"}, {"is_control", true}},
                              // A text token has these bytes as well.
                              {{"rank", 5}, {"token_str", "the"}, {"is_control", true}}};
    const auto t = text::parseTekken(file.dump(), "tekken.json", {});
    EXPECT_EQ(t->bos(), 0);
    EXPECT_EQ(t->eos(), 1);
    EXPECT_EQ(t->encode("the", false).ids, Ids{5});
    EXPECT_EQ(t->piece(2), "<SPECIAL_2>");
    EXPECT_FALSE(text::parseTekken(file.dump(), "t", {false, "", ""})->addsBos());
}

TEST(TokenizerFiles, AnswersGrowTokenByToken) {
    // Bytes may come one by one; put together they are the text, whatever is in front of them.
    const std::string text = "caf\u00E9 \U0001F600 \u6F22";
    for (const char* name : {"byte_level", "space_sign"}) {
        const auto t = openJson(smallTokenizer(name));
        std::string grown;
        std::int32_t previous = t->encode("<s>", false).ids.back();
        for (const std::int32_t id : t->encode(text, false).ids) {
            grown += t->decode(id, previous);
            previous = id;
        }
        EXPECT_EQ(grown, text) << name;
        EXPECT_EQ(t->decode(-5, -1), "");
        EXPECT_EQ(t->decode(t->vocabulary(), -1), "");
        EXPECT_EQ(t->piece(t->vocabulary()), "");
    }
    // The sign of a word that goes on behind another one is a space.
    const auto t = openJson(smallTokenizer("space_sign"));
    const Ids ids = t->encode("the the", false).ids;
    ASSERT_EQ(ids.size(), 2U);
    EXPECT_EQ(t->decode(ids[0], -1), "the");
    EXPECT_EQ(t->decode(ids[1], ids[0]), " the");
}

TEST(TokenizerFiles, DecodersOfOtherFiles) {
    json file = smallTokenizer("space_sign");
    const auto decode = [&](const json& decoder) {
        file["decoder"] = decoder;
        const auto t = openJson(file);
        return t->decode(t->encode("the the", false).ids);
    };
    EXPECT_EQ(decode({{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}}),
              "the the");
    EXPECT_EQ(decode({{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "never"}}),
              " the the");
    EXPECT_EQ(decode({{"type", "Replace"}, {"pattern", {{"Regex", "▁t"}}}, {"content", "-"}}),
              "-he-he");
    EXPECT_EQ(decode(nullptr), "▁the ▁the"); // without a decoder the library joins by spaces
}
