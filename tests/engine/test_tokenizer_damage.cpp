// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/text/pattern.h"
#include "engine/text/tekken.h"
#include "tests/support/small_tokenizer.h"

#include <functional>
#include <gtest/gtest.h>

using namespace fkv;
using namespace fkv::testing;
using nlohmann::json;

namespace {

/// A change to a good file, the error it has to give, and a part of its one line.
struct Damage {
    const char* part;
    ErrorCode code;
    std::function<void(json&)> change;
};

/// The error of `open`, checked to be one line that names the file.
void expectError(const Damage& damage, const std::string& file, const std::function<void()>& open) {
    SCOPED_TRACE(damage.part);
    try {
        open();
        ADD_FAILURE() << "nothing thrown";
    } catch (const Error& e) {
        const std::string what = e.what();
        EXPECT_EQ(e.code(), damage.code) << what;
        EXPECT_EQ(what.find('\n'), std::string::npos) << what;
        EXPECT_TRUE(what.starts_with(file)) << what;
        EXPECT_NE(what.find(damage.part), std::string::npos) << what;
        EXPECT_LT(what.size(), 400U) << what;
    }
}

json split(const std::string& regex) {
    return {{"type", "Split"},
            {"pattern", {{"Regex", regex}}},
            {"behavior", "Isolated"},
            {"invert", false}};
}

json added(int id, const std::string& content) {
    return {{"id", id}, {"content", content}, {"special", true}};
}

json templateWith(const json& ids) {
    return {{"type", "TemplateProcessing"},
            {"single",
             {{{"SpecialToken", {{"id", "x"}, {"type_id", 0}}}},
              {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
            {"special_tokens", {{"x", {{"id", "x"}, {"ids", ids}}}}}};
}

json nested(const char* list, const json& inner, int depth) {
    json out = inner;
    for (int i = 0; i < depth; ++i)
        out = {{"type", "Sequence"}, {list, json::array({out})}};
    return out;
}

constexpr ErrorCode kBad = ErrorCode::BadFile;
constexpr ErrorCode kUnsupported = ErrorCode::Unsupported;

const std::vector<Damage> kModelDamage{
    {"not a JSON object", kBad, [](json& j) { j = json::array(); }},
    {"model is missing", kBad, [](json& j) { j.erase("model"); }},
    {"not a JSON object", kBad, [](json& j) { j["model"] = 3; }},
    {"Unigram", kUnsupported, [](json& j) { j["model"]["type"] = "Unigram"; }},
    {"type is not a text", kBad, [](json& j) { j["model"]["type"] = json::array(); }},
    {"dropout", kUnsupported, [](json& j) { j["model"]["dropout"] = 0.1; }},
    {"end_of_word_suffix", kUnsupported,
     [](json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }},
    {"vocab is missing", kBad, [](json& j) { j["model"].erase("vocab"); }},
    {"vocab is not", kBad, [](json& j) { j["model"]["vocab"] = json::array(); }},
    {"vocabulary is empty", kBad, [](json& j) { j["model"]["vocab"] = json::object(); }},
    {"not a whole number", kBad, [](json& j) { j["model"]["vocab"]["a"] = 1.5; }},
    {"id -1", kBad, [](json& j) { j["model"]["vocab"]["a"] = -1; }},
    {"id 4000000000", kBad, [](json& j) { j["model"]["vocab"]["a"] = 4000000000; }},
    {"of another token", kBad, [](json& j) { j["model"]["vocab"]["new"] = 5; }},
    {"merges is missing", kBad, [](json& j) { j["model"].erase("merges"); }},
    {"merges is not a list", kBad, [](json& j) { j["model"]["merges"] = "a b"; }},
    {"merge 0 is not a pair", kBad, [](json& j) { j["model"]["merges"][0] = "ab"; }},
    {"merge 1 is not a pair", kBad, [](json& j) { j["model"]["merges"][1] = "a b c"; }},
    {"merge 0 is not a pair", kBad,
     [](json& j) {
         j["model"]["merges"][0] = {"a", 3};
     }},
    {"needs the token \"qq\"", kBad,
     [](json& j) {
         j["model"]["merges"][0] = {"qq", "a"};
     }},
    {"needs the token \"zq\"", kBad, [](json& j) { j["model"]["merges"][0] = "z q"; }},
    {"unk_token", kBad, [](json& j) { j["model"]["unk_token"] = "<nothing>"; }},
    {"fuse_unk is not true", kBad, [](json& j) { j["model"]["fuse_unk"] = 1; }},
    {"ignore_merges is not true", kBad, [](json& j) { j["model"]["ignore_merges"] = "yes"; }},
};

const std::vector<Damage> kStepDamage{
    {"added_tokens is not a list", kBad, [](json& j) { j["added_tokens"] = 3; }},
    {"not a JSON object", kBad, [](json& j) { j["added_tokens"] = {3}; }},
    {"content is missing", kBad,
     [](json& j) {
         j["added_tokens"] = {{{"id", 1}}};
     }},
    {"id is not a whole number", kBad,
     [](json& j) { j["added_tokens"] = json::array({added(1 << 30, "x")}); }},
    {"two ids", kBad, [](json& j) { j["added_tokens"].push_back(added(900, "<s>")); }},
    {"of another token", kBad, [](json& j) { j["added_tokens"].push_back(added(5, "<x>")); }},
    {"too long", kBad,
     [](json& j) { j["added_tokens"].push_back(added(900, std::string(5000, 'x'))); }},
    {"normaliser Nmt", kUnsupported,
     [](json& j) {
         j["normalizer"] = {{"type", "Nmt"}};
     }},
    {"type is missing", kBad, [](json& j) { j["normalizer"] = json::object(); }},
    {"normalizer: not a JSON object", kBad, [](json& j) { j["normalizer"] = "NFC"; }},
    {"too many steps", kBad,
     [](json& j) {
         j["normalizer"] = nested("normalizers", {{"type", "NFC"}}, 12);
     }},
    {"pre-tokenizer UnicodeScripts", kUnsupported,
     [](json& j) {
         j["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
     }},
    {"too many steps", kBad,
     [](json& j) { j["pre_tokenizer"] = nested("pretokenizers", split("a"), 12); }},
    {"pretokenizers is not a list of at most", kBad,
     [](json& j) {
         j["pre_tokenizer"] = {{"type", "Sequence"},
                               {"pretokenizers", std::vector<json>(70, split("a"))}};
     }},
    {"behavior has an unknown value", kBad,
     [](json& j) {
         j["pre_tokenizer"] = split("a");
         j["pre_tokenizer"]["behavior"] = "Isolate";
     }},
    {"neither String nor Regex", kBad,
     [](json& j) {
         j["pre_tokenizer"] = split("a");
         j["pre_tokenizer"]["pattern"] = json::object();
     }},
    {"replacement is empty", kBad,
     [](json& j) {
         j["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", ""}};
     }},
    {"decoder CTC", kUnsupported,
     [](json& j) {
         j["decoder"] = {{"type", "CTC"}};
     }},
    {"content is empty", kBad,
     [](json& j) {
         j["decoder"] = {{"type", "Strip"}, {"content", ""}, {"start", 1}, {"stop", 0}};
     }},
    {"start is not a whole number", kBad,
     [](json& j) {
         j["decoder"] = {{"type", "Strip"}, {"content", "a"}, {"start", -1}, {"stop", 0}};
     }},
    {"post-processor Odd", kUnsupported,
     [](json& j) {
         j["post_processor"] = {{"type", "Odd"}};
     }},
    {"token id 99999", kBad, [](json& j) { j["post_processor"] = templateWith({99999}); }},
    {"token id -1", kBad, [](json& j) { j["post_processor"] = templateWith({-1}); }},
    {"not an id", kBad, [](json& j) { j["post_processor"] = templateWith({"a"}); }},
    {"cls", kBad,
     [](json& j) {
         j["post_processor"] = {{"type", "BertProcessing"}, {"cls", 3}};
     }},
};

const std::vector<std::pair<const char*, const char*>> kBadPatterns{
    {"(", "not a regular expression"},
    {"[a", "an open set"},
    {"[]", "an open set"},
    {"a\\", "a backslash at the end"},
    {"\\p{Nothing}", "not a regular expression"},
    {"\\p{L", "an open \\p{"},
    {"(?<=a*)b", "not a regular expression"},
    {"\\x{110000}", "not a regular expression"},
    {"((((a{1,999}){1,999}){1,999}){1,999}", "not a regular expression"},
    {"[a&&]", "an empty set"},
};

} // namespace

TEST(TokenizerDamage, OneLineNamesTheFileAndTheFault) {
    for (const auto* list : {&kModelDamage, &kStepDamage})
        for (const Damage& damage : *list) {
            json file = smallTokenizer("byte_level");
            ASSERT_NO_THROW(openJson(file));
            damage.change(file);
            expectError(damage, "tokenizer.json", [&] { openJson(file); });
        }
}

TEST(TokenizerDamage, BytesThatAreNoTokenizer) {
    const auto parse = [](const std::string& text) {
        text::parseTokenizerJson(text, "tokenizer.json", {});
    };
    const std::string good = smallTokenizer("byte_level").dump();
    for (const std::string& text :
         {std::string(), std::string("<html>"), std::string("version https://git-lfs"),
          good.substr(0, good.size() / 2), std::string("\xFF\xFE{}")})
        expectError({"invalid JSON", kBad, {}}, "tokenizer.json", [&] { parse(text); });
    expectError({"nested deeper", kBad, {}}, "tokenizer.json",
                [&] { parse(std::string(100'000, '[')); });
    expectError({"duplicate key", kBad, {}}, "tokenizer.json",
                [&] { parse(R"({"model":{"vocab":{"a":1,"a":2}}})"); });
}

TEST(TokenizerDamage, PatternsAreJudged) {
    for (const auto& [pattern, part] : kBadPatterns) {
        json file = smallTokenizer("byte_level");
        file["pre_tokenizer"] = split(pattern);
        expectError({part, kBad, {}}, "tokenizer.json pre_tokenizer pattern",
                    [&] { openJson(file); });
    }
    json file = smallTokenizer("byte_level");
    file["pre_tokenizer"] = split(std::string(1000, '['));
    expectError({"nested too deep", kBad, {}}, "tokenizer.json", [&] { openJson(file); });
    file["pre_tokenizer"] = split(std::string(100'000, 'a'));
    expectError({"too long", kBad, {}}, "tokenizer.json", [&] { openJson(file); });
}

TEST(TokenizerDamage, CatastrophicPatternsEndInAnError) {
    // What the patterns want to end in is there, behind what they cannot cross.
    const std::string text = std::string(60, 'a') + "!b";
    for (const char* pattern :
         {"(a+)+b", "(a|aa)+b", "(a*)*b", "(?:a?){60}a{60}b", "(?:a+a+)+a*b", "((a|a?)+)+b"}) {
        json file = smallTokenizer("byte_level");
        file["pre_tokenizer"] = split(pattern);
        const auto tokenizer = openJson(file);
        expectError({"gives up", kBad, {}}, "tokenizer.json",
                    [&] { tokenizer->encode(text, false); });
    }
    // Deep recursion is as good as endless.
    json file = smallTokenizer("byte_level");
    file["pre_tokenizer"] = split("(a(?1)?b)");
    EXPECT_NO_THROW(openJson(file)->encode("aabb", false));
    file["pre_tokenizer"] = split("(?:(?=(a))a)*+$");
    EXPECT_NO_THROW(openJson(file)->encode(std::string(200'000, 'a'), false));
}

TEST(TokenizerDamage, LongRunsAreNoCatastrophe) {
    const auto tokenizer = openJson(smallTokenizer("byte_level"));
    for (const char* unit : {" ", "a", "1", "!", "\n", " \n", "é", "'"}) {
        std::string text;
        while (text.size() < 600'000)
            text += unit;
        EXPECT_EQ(tokenizer->encode(text, false).bytes.back().second, text.size()) << unit;
    }
}

TEST(TokenizerDamage, TekkenFiles) {
    const std::vector<Damage> all{
        {"config is missing", kBad, [](json& j) { j.erase("config"); }},
        {"vocab is missing", kBad, [](json& j) { j.erase("vocab"); }},
        {"vocab is not a list", kBad, [](json& j) { j["vocab"] = 3; }},
        {"pattern is missing", kBad, [](json& j) { j["config"].erase("pattern"); }},
        {"not a regular expression", kBad, [](json& j) { j["config"]["pattern"] = "("; }},
        {"default_vocab_size is not", kBad, [](json& j) { j["config"]["default_vocab_size"] = 0; }},
        {"no room", kBad, [](json& j) { j["config"]["default_vocab_size"] = 20; }},
        {"no token of rank", kBad, [](json& j) { j["config"]["default_vocab_size"] = 100'000; }},
        {"default_num_special_tokens is not", kBad,
         [](json& j) { j["config"]["default_num_special_tokens"] = -1; }},
        {"rank is not", kBad, [](json& j) { j["vocab"][3]["rank"] = -3; }},
        {"is given twice", kBad, [](json& j) { j["vocab"][3]["rank"] = 4; }},
        {"no bytes in base64", kBad, [](json& j) { j["vocab"][3]["token_bytes"] = "!!!!"; }},
        {"no bytes in base64", kBad, [](json& j) { j["vocab"][3]["token_bytes"] = "abc"; }},
        {"no bytes in base64", kBad, [](json& j) { j["vocab"][3]["token_bytes"] = ""; }},
        {"bytes of another token", kBad, [](json& j) { j["vocab"][3]["token_bytes"] = "AA=="; }},
        {"no token for the byte 3", kBad, [](json& j) { j["vocab"][3]["token_bytes"] = "AAEC"; }},
        {"special_tokens is not a list", kBad, [](json& j) { j["special_tokens"] = "<s>"; }},
        {"rank is not", kBad,
         [](json& j) {
             j["special_tokens"] = {{{"rank", 24}, {"token_str", "<s>"}}};
         }},
        {"are spelled", kBad,
         [](json& j) {
             j["special_tokens"] = {{{"rank", 1}, {"token_str", "<s>"}},
                                    {{"rank", 2}, {"token_str", "<s>"}}};
         }},
    };
    for (const Damage& damage : all) {
        json file = smallTokenizer("tekken");
        damage.change(file);
        expectError(damage, "tekken.json",
                    [&] { text::parseTekken(file.dump(), "tekken.json", {}); });
    }
}
