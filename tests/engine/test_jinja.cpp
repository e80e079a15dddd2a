// SPDX-License-Identifier: Apache-2.0
// Templates against what jinja2 made of them; tests/data/chat/expected.py writes that down.
#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/jinja/template.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>

namespace {

using namespace fkv;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const fs::path kData = fs::path(FKV_TEST_DATA) / "chat";
constexpr text::jinja::Moment kNow{2024, 7, 6, 15, 4, 5};

Json readOrdered(const fs::path& path) {
    return Json::parse(io::readText(path));
}

/// The text, or nothing where the template was refused: that has to be by an Error in one line.
std::optional<std::string> rendered(const std::string& source, const Json& variables) {
    try {
        return text::jinja::Template(source).render(variables, kNow);
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()), "");
        EXPECT_NE(error.code(), ErrorCode::Internal);
        return std::nullopt;
    }
}

std::optional<std::string> expectedOf(const Json& value) {
    if (value.is_null()) return std::nullopt;
    return value.get<std::string>();
}

/// Every template of a folder over every conversation; the number of texts compared.
int compareFolder(const fs::path& folder) {
    const Json cases = readOrdered(kData / "conversations.json");
    const Json expected = readOrdered(folder / "expected.json");
    int compared = 0;
    for (const auto& [file, results] : expected.items()) {
        const std::string source = io::readText(folder / file);
        for (const auto& [name, result] : results.items()) {
            Json variables = cases.at("tokens");
            variables.update(cases.at("cases").at(name));
            EXPECT_EQ(rendered(source, variables), expectedOf(result)) << file << ", " << name;
            ++compared;
        }
    }
    return compared;
}

std::string messageOf(const std::string& source, const text::jinja::Limits& limits = {}) {
    try {
        text::jinja::Template(source, limits).render(Json::object(), kNow);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Jinja, SnippetsRenderAsInPython) {
    const Json all = readOrdered(kData / "snippets.json");
    const Json expected = readOrdered(kData / "snippets_expected.json");
    ASSERT_EQ(all.at("snippets").size(), expected.size());
    ASSERT_GT(expected.size(), 700U);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto source = all.at("snippets")[i].get<std::string>();
        EXPECT_EQ(rendered(source, all.at("variables")), expectedOf(expected[i])) << source;
    }
}

TEST(Jinja, ChatTemplatesRenderAsInPython) {
    EXPECT_GE(compareFolder(kData / "templates"), 75);
}

// Templates of published models are under licences of their own: they stay outside. A folder of
// them, prepared by expected.py, is compared in the same way.
TEST(Jinja, TemplatesOfPublishedModelsRenderAsInPython) {
    const char* folder = std::getenv("FKV_TEMPLATES");
    if (folder == nullptr) GTEST_SKIP() << "FKV_TEMPLATES names no folder of templates";
    EXPECT_GT(compareFolder(folder), 0);
}

TEST(Jinja, FaultsNameTheLine) {
    EXPECT_EQ(messageOf("a\n\n{{ x.y }}"), "chat template, line 3: 'x' is undefined");
    EXPECT_EQ(messageOf("a\n{% if 1 %}\n"), "chat template, line 2: 'endif' is missing");
    EXPECT_EQ(messageOf("{# a\n\n #}\n{{ 'a' + 1 }}"),
              "chat template, line 4: '+' does not go with str and int");
    EXPECT_EQ(messageOf("\n{{ raise_exception('say\nwhy') }}"),
              "chat template, line 2: the template refuses this: say?why");
    EXPECT_EQ(messageOf("{% include 'x' %}"),
              "chat template, line 1: the tag 'include' is not supported");
    EXPECT_EQ(messageOf("{{ 1 | tojson | xmlattr }}"),
              "chat template, line 1: the filter 'xmlattr' is not supported");
}

TEST(Jinja, WhoIsAtFaultIsInTheCode) {
    const auto codeOf = [](const std::string& source) {
        try {
            text::jinja::Template(source).render(Json::object(), kNow);
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::Internal;
    };
    EXPECT_EQ(codeOf("{{ raise_exception('no') }}"), ErrorCode::BadArgument);
    EXPECT_EQ(codeOf("{{ x.y }}"), ErrorCode::BadFile);
    EXPECT_EQ(codeOf("{{ 'a'.encode() }}"), ErrorCode::Unsupported);
}

TEST(Jinja, EndlessWorkIsStopped) {
    const std::string nest = "{% for a in range(99999) %}{% for b in range(99999) %}";
    const std::string end = "{% endfor %}{% endfor %}";
    EXPECT_NE(messageOf(nest + end).find("steps"), std::string::npos);
    EXPECT_NE(messageOf(nest + "{{ 'x' * 100000 }}" + end).find("MiB"), std::string::npos);
    const std::string doubling =
        "{% set ns = namespace(x='ab') %}{% for i in range(99999) %}{% set ns.x = ns.x + ns.x %}"
        "{% endfor %}";
    EXPECT_NE(messageOf(doubling).find("MiB"), std::string::npos);
    EXPECT_NE(messageOf("{{ 'x' * 9000000000000000000 }}").find("MiB"), std::string::npos);
    EXPECT_NE(messageOf("{{ [1] * 9000000000000000000 }}").find("MiB"), std::string::npos);
    EXPECT_NE(messageOf("{{ 'a'.ljust(9000000000000000000) }}").find("MiB"), std::string::npos);
    EXPECT_NE(messageOf("{{ ('a' * 99999) | replace('', 'b' * 99999) }}").find("MiB"),
              std::string::npos);
}

TEST(Jinja, NestingIsBounded) {
    const auto many = [](const std::string& part, int times) {
        std::string out;
        for (int i = 0; i < times; ++i)
            out += part;
        return out;
    };
    const auto deep = [](const std::string& message) {
        return message.find("deep") != std::string::npos;
    };
    EXPECT_TRUE(deep(messageOf("{{ " + many("(", 100000) + "1" + many(")", 100000) + " }}")));
    EXPECT_TRUE(deep(messageOf("{{ " + many("[", 100000) + many("]", 100000) + " }}")));
    EXPECT_TRUE(deep(messageOf("{{ " + many("not ", 100000) + "1 }}")));
    EXPECT_TRUE(deep(messageOf("{{ " + many("-", 100000) + "1 }}")));
    EXPECT_TRUE(deep(messageOf("{{ 1" + many("+1", 100000) + " }}")));
    EXPECT_TRUE(deep(messageOf("{{ 'a'" + many("|trim", 100000) + " }}")));
    EXPECT_TRUE(deep(messageOf("{{ a" + many(".b", 100000) + " }}")));
    EXPECT_TRUE(deep(messageOf("{{ a" + many(" if b else c", 10000) + " }}")));
    EXPECT_TRUE(deep(messageOf(many("{% if 1 %}", 40000) + many("{% endif %}", 40000))));
    EXPECT_TRUE(deep(messageOf("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")));
    EXPECT_TRUE(deep(messageOf("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}"
                               "{% set ns.x = [ns.x] %}{% endfor %}")));
    EXPECT_TRUE(deep(messageOf("{% set ns = namespace(m=none) %}{% macro a() %}{% macro b() %}"
                               "{{ ns.m is none }}{% endmacro %}{% set ns.m = b %}{% endmacro %}"
                               "{{ a() }}{% for i in range(9999) %}{% macro c(f) %}"
                               "{% macro d() %}{{ f() }}{% endmacro %}{% set ns.m = d %}"
                               "{% endmacro %}{{ c(ns.m) }}{% endfor %}{{ ns.m() }}")));
}

// Shared parts make a small value print like a large one.
TEST(Jinja, SharedPartsAreCountedAsOftenAsTheyAreSeen) {
    const std::string tree = "{% set ns = namespace(x=[1]) %}{% for i in range(50) %}"
                             "{% set ns.x = [ns.x, ns.x] %}{% endfor %}";
    for (const char* use : {"{{ ns.x }}", "{{ ns.x | tojson }}", "{{ ns.x == [ns.x[0], 1] }}"}) {
        const std::string message = messageOf(tree + use);
        EXPECT_TRUE(message.find("steps") != std::string::npos ||
                    message.find("MiB") != std::string::npos)
            << message;
    }
}

TEST(Jinja, CirclesAreLetGo) {
    EXPECT_EQ(messageOf("{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.all = [ns] %}"
                        "{% macro m() %}{% endmacro %}{% set ns.m = m %}"
                        "{% for i in [1] %}{{ loop.changed(loop) }}{% endfor %}"),
              "no error");
}

TEST(Jinja, SizesAreBounded) {
    text::jinja::Limits small;
    small.templateBytes = 1024;
    small.outputBytes = 100;
    EXPECT_NE(messageOf(std::string(2000, 'x'), small).find("larger"), std::string::npos);
    EXPECT_NE(messageOf(std::string(500, 'x'), small).find("prints more"), std::string::npos);
    EXPECT_EQ(messageOf("{{ 'a\x80' }}"), "the chat template is not valid UTF-8");
}

} // namespace
