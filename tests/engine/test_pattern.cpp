// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/text/pattern.h"

#include <gtest/gtest.h>

using namespace fkv;
using namespace fkv::text;

namespace {

std::vector<std::string> found(std::string_view expression, const std::string& text,
                               Dialect dialect = Dialect::Oniguruma) {
    MatchScratch scratch;
    std::vector<Range> matches;
    Pattern::compile(expression, dialect, "test").findAll(text, scratch, matches);
    std::vector<std::string> out;
    for (const Range& match : matches)
        out.emplace_back(cut(text, match));
    return out;
}

using Texts = std::vector<std::string>;

} // namespace

TEST(Pattern, DialectsDiffer) {
    // A repeat of a repeat, and a possessive one, which leaves nothing for what comes behind.
    EXPECT_EQ(found(R"(\d{1,2}+\d)", "12345"), Texts{"12345"});
    EXPECT_EQ(found(R"(\d{1,2}+\d)", "12345", Dialect::Rust), Texts{"123"});
    EXPECT_EQ(found(R"(\w)", "\u00B2\u200D\u203F"), (Texts{"\u00B2", "\u203F"}));
    EXPECT_EQ(found(R"(\w)", "\u00B2\u200D\u203F", Dialect::Rust), (Texts{"\u200D", "\u203F"}));
    EXPECT_EQ(found("^a", "a\na"), (Texts{"a", "a"}));
    EXPECT_EQ(found("^a", "a\na", Dialect::Rust), Texts{"a"});
    EXPECT_EQ(found("a$", "a\na\n"), (Texts{"a", "a"}));
    EXPECT_EQ(found("a$", "a\n", Dialect::Rust), Texts{});
    EXPECT_EQ(found(R"(\h)", "g7"), Texts{"7"});
    EXPECT_EQ(found(R"((?m:a.b))", "a\nb"), Texts{"a\nb"});
}

TEST(Pattern, ClassesAreThoseOfTheLibraries) {
    for (const Dialect dialect : {Dialect::Oniguruma, Dialect::Rust}) {
        EXPECT_EQ(found(R"(\s)", " \u180E\u0085\u200B\u2028\v", dialect),
                  (Texts{" ", "\u0085", "\u2028", "\v"}));
        EXPECT_EQ(found(R"([^\S\n])", " \n\u180E\u3000", dialect), (Texts{" ", "\u3000"}));
        EXPECT_EQ(found(R"(\v)", "\n\v", dialect), Texts{"\v"});
        // U+3001 is no Han, though it is used with it.
        EXPECT_EQ(found(R"(\p{Han}+)", "\u6F22\u3005\u3001", dialect), Texts{"\u6F22\u3005"});
        EXPECT_EQ(found(R"(\p{Script=Han})", "a\u6F22", dialect), Texts{"\u6F22"});
        EXPECT_EQ(found(R"(\p{Uppercase_Letter}\p{gc=Ll}\P{L}\p{^L})", "Ab12", dialect),
                  Texts{"Ab12"});
        EXPECT_EQ(found(R"(\u0041\x{42}\x43)", "ABC", dialect), Texts{"ABC"});
        EXPECT_EQ(found(R"((?i:'s))", "'S'\u017F", dialect), (Texts{"'S", "'\u017F"}));
        EXPECT_EQ(found(R"([\]\-\\a-c[:digit:]]+)", "]-\\b7d", dialect), Texts{"]-\\b7"});
        EXPECT_EQ(found("a{b", "a{b", dialect), Texts{"a{b"});
        EXPECT_EQ(found(R"([\W\D]+|[^\P{L}]|[\p{^L}-]+)", "1 a-2", dialect),
                  (Texts{"1 ", "a-", "2"}));
    }
}

TEST(Pattern, CharactersOfUnicode16AreKnown) {
    // A letter, Han, an emoji and a digit that Unicode 14 did not have.
    const std::string text = "\u1C89\U00031350\U0001FAE8\U00011F50";
    for (const Dialect dialect : {Dialect::Oniguruma, Dialect::Rust}) {
        EXPECT_EQ(found(R"(\p{L}+)", text, dialect), Texts{"\u1C89\U00031350"});
        EXPECT_EQ(found(R"(\p{Han})", text, dialect), Texts{"\U00031350"});
        EXPECT_EQ(found(R"([\p{S}-z])", text, dialect), Texts{"\U0001FAE8"});
        EXPECT_EQ(found(R"(\d|\pN)", text, dialect), Texts{"\U00011F50"});
        EXPECT_EQ(found(R"([^\s\p{L}\p{N}])", text, dialect), Texts{"\U0001FAE8"});
        EXPECT_EQ(found(R"(\P{L})", text, dialect), (Texts{"\U0001FAE8", "\U00011F50"}));
        EXPECT_EQ(found(R"([\P{L}])", text, dialect), (Texts{"\U0001FAE8", "\U00011F50"}));
        EXPECT_EQ(found(R"(\w+)", text, dialect), (Texts{"\u1C89\U00031350", "\U00011F50"}));
    }
}

TEST(Pattern, EmptyMatchesNeverFollowAMatch) {
    EXPECT_EQ(found("x*", "axb"), (Texts{"", "x", ""}));
    EXPECT_EQ(found("", "\u6F22a"), (Texts{"", "", ""}));
    EXPECT_EQ(found("(?=a)", "aa"), (Texts{"", ""}));
    EXPECT_EQ(found("a\\Kb|(?=b)", "ab"), Texts{"b"});
    EXPECT_EQ(found("a", ""), Texts{});
    EXPECT_EQ(found("(a)(b)?(c)", "abc ac"), (Texts{"abc", "ac"}));
}

TEST(Pattern, SearchesThatTakeTooLongAreGivenUp) {
    const std::string text = std::string(5000, 'a') + "z";
    const Pattern pattern = Pattern::compile("z", Dialect::Rust, "test");
    std::vector<Range> matches;
    MatchScratch enough;
    pattern.findAll(text, enough, matches);
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_EQ(matches[0].begin, 5000U);
    // No time at all: the first look at the clock ends it.
    MatchScratch none(std::chrono::milliseconds(-1));
    try {
        pattern.findAll(text, none, matches);
        ADD_FAILURE() << "nothing thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::BadFile);
        EXPECT_STREQ(e.what(),
                     "test: the regular expression gives up on this text: it takes too long");
    }
    // Characters of several bytes across the places where the search pauses.
    std::string wide;
    while (wide.size() < 5000)
        wide += "\U0001F600";
    wide += "z";
    matches.clear();
    pattern.findAll(wide, enough, matches);
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_EQ(matches[0].end, wide.size());
}

TEST(Pattern, LiteralsAreFoundAsTheyAre) {
    std::vector<Range> matches;
    MatchScratch scratch;
    Pattern::literal("a.").findAll("aba.a.", scratch, matches);
    ASSERT_EQ(matches.size(), 2U);
    EXPECT_EQ(matches[1].begin, 4U);
    matches.clear();
    Pattern::literal("").findAll("abc", scratch, matches);
    EXPECT_TRUE(matches.empty());
}
