// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/text/chat_template.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

namespace {

using namespace fkv;
using text::ChatTemplate;

/// BOS is 1, "<s>"; EOS is 2, "</s>".
class PlainTokenizer final : public text::Tokenizer {
public:
    std::string kind() const override { return "plain"; }
    std::int32_t vocabulary() const override { return 3; }
    std::int32_t bos() const override { return 1; }
    std::int32_t eos() const override { return 2; }
    bool addsBos() const override { return true; }
    text::Encoding encode(std::string_view, bool) const override { return {}; }
    std::string decode(std::int32_t, std::int32_t) const override { return {}; }
    std::string piece(std::int32_t id) const override { return id == 1 ? "<s>" : "</s>"; }
};

class ChatTemplateTest : public ::testing::Test {
protected:
    void write(const char* name, const std::string& content) {
        std::ofstream(m_folder.path() / name, std::ios::binary) << content;
    }
    std::shared_ptr<const ChatTemplate> open() const {
        return ChatTemplate::open(m_folder.path(), m_tokenizer);
    }
    std::string reason() const {
        return text::findChatTemplate(m_folder.path(), m_tokenizer).reason;
    }
    static std::string say(const ChatTemplate& chat, const std::string& user = "Hi") {
        return chat.render({.messages = {{"user", user}}, .now = text::jinja::Moment{2024, 7, 6}})
            .text;
    }

    fkv::testing::TemporaryFolder m_folder;
    PlainTokenizer m_tokenizer;
};

TEST_F(ChatTemplateTest, FilesGoFirstThenTheConfigThenItsOwnJson) {
    EXPECT_EQ(open(), nullptr);
    EXPECT_EQ(reason(), "no chat template");
    write("chat_template.json", R"({"chat_template": "from json"})");
    EXPECT_EQ(say(*open()), "from json");
    EXPECT_EQ(open()->origin(), "chat_template.json");
    write("tokenizer_config.json", R"({"chat_template": "from config"})");
    EXPECT_EQ(say(*open()), "from config");
    write("chat_template.jinja", "from file\n");
    EXPECT_EQ(say(*open()), "from file");
    EXPECT_EQ(open()->origin(), "chat_template.jinja");
}

TEST_F(ChatTemplateTest, OfNamedTemplatesTheDefaultCounts) {
    write("tokenizer_config.json",
          R"({"chat_template": [{"name": "tool_use", "template": "t"},
                                {"name": "default", "template": "d"}]})");
    EXPECT_EQ(say(*open()), "d");
    write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "t"}]})");
    EXPECT_EQ(reason(), "tokenizer_config.json: none of the chat templates is named \"default\"");
    write("tokenizer_config.json", R"({"chat_template": [3]})");
    EXPECT_NE(reason().find("without a name"), std::string::npos);
    write("tokenizer_config.json", R"({"chat_template": 3})");
    EXPECT_NE(reason().find("neither a text nor a list"), std::string::npos);
    write("tokenizer_config.json", R"({"chat_template": null})");
    EXPECT_EQ(open(), nullptr);
}

TEST_F(ChatTemplateTest, SpecialTokensComeFromTheConfigOrTheTokenizer) {
    write("chat_template.jinja", "{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}|"
                                 "{{ additional_special_tokens }}");
    EXPECT_EQ(say(*open()), "<s>|</s>|False|");
    write("tokenizer_config.json",
          R"({"bos_token": null, "eos_token": {"content": "<end>", "lstrip": false},
              "pad_token": "<pad>", "additional_special_tokens": ["<a>", {"content": "<b>"}]})");
    EXPECT_EQ(say(*open()), "|<end>|True|['<a>', '<b>']");
}

TEST_F(ChatTemplateTest, SaysWhetherTheTextBeginsWithBos) {
    write("chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}");
    EXPECT_TRUE(open()->render({.messages = {{"user", "Hi"}}}).hasBos);
    write("chat_template.jinja", "{{ messages[0].content }}{{ bos_token }}");
    EXPECT_FALSE(open()->render({.messages = {{"user", "Hi"}}}).hasBos);
    write("tokenizer_config.json", R"({"bos_token": null})");
    EXPECT_FALSE(open()->render({.messages = {{"user", "Hi"}}}).hasBos);
    write("tokenizer_config.json", R"({"bos_token": ""})");
    EXPECT_FALSE(open()->render({.messages = {{"user", "Hi"}}}).hasBos);
}

TEST_F(ChatTemplateTest, RendersMessagesWithThePromptAndMoreVariables) {
    write("chat_template.jinja", "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}"
                                 "{{ add_generation_prompt }}{{ tools is none }}{{ documents }}"
                                 "{{ enable_thinking }}{{ strftime_now('%d %b %Y') }}");
    const auto out = open()->render({.messages = {{"system", "Be brief."}, {"user", "Hi"}},
                                     .addGenerationPrompt = false,
                                     .now = text::jinja::Moment{2024, 7, 6},
                                     .extra = {{"enable_thinking", false}}});
    EXPECT_EQ(out.text, "system=Be brief.;user=Hi;FalseTrueNoneFalse06 Jul 2024");
}

TEST_F(ChatTemplateTest, FaultsNameTheFileAndTheLine) {
    write("chat_template.jinja", "a\n{% if %}");
    EXPECT_EQ(reason(),
              "chat_template.jinja: chat template, line 2: expected an expression, got '%}'");
    write("chat_template.jinja", std::string((1U << 20) + 1, 'x'));
    EXPECT_NE(reason().find("larger than"), std::string::npos);
    write("chat_template.jinja", "caf\xE9");
    EXPECT_NE(reason().find("UTF-8"), std::string::npos);
}

TEST(ChatInput, HasASystemMessageOnlyWhenThereIsOne) {
    const text::ChatInput both = text::chatInput({"Be brief.", "Hi", "2024-02-29"});
    ASSERT_EQ(both.messages.size(), 2U);
    EXPECT_EQ(both.messages[0].role, "system");
    EXPECT_EQ(both.messages[1].content, "Hi");
    EXPECT_EQ(both.now->day, 29);
    EXPECT_EQ(text::chatInput({"", "Hi", text::today()}).messages.size(), 1U);
    for (const char* date : {"", "2023-02-29", "2024-13-01", "2024-1-1x", "today", "0000-01-01"})
        EXPECT_THROW(text::chatInput({"", "Hi", date}), Error) << date;
}

TEST(ShiftOf, FindsTheUsersWordsInTheRenderedText) {
    EXPECT_EQ(text::shiftOf("<user> Hi </user>", "Hi"), 7);
    EXPECT_EQ(text::shiftOf("<user>Hi</user>", "  Hi\n"), 4); // byte 2 went to byte 6
    EXPECT_EQ(text::shiftOf("Hi: Hi", "Hi"), 4);
    EXPECT_EQ(text::shiftOf("Ho", "Hi"), std::nullopt);
    EXPECT_EQ(text::shiftOf("Hi", ""), std::nullopt);
    EXPECT_EQ(text::shiftOf("Hi", "  "), std::nullopt);
}

/// The demo model's tokenizer takes "<s>" for text, as sentencepiece does.
TEST(EncodeChat, SpellingsOfBosAndEosAreTokens) {
    const auto tokenizer = text::openTokenizer(FKV_RESOURCES "/models/demo");
    const std::int32_t bos = tokenizer->bos(), eos = tokenizer->eos();
    const text::Encoding out = text::encodeChat({"<s>one two</s><s>three", true}, *tokenizer);
    ASSERT_EQ(out.ids.front(), bos);
    EXPECT_EQ(std::count(out.ids.begin(), out.ids.end(), bos), 2);
    EXPECT_EQ(std::count(out.ids.begin(), out.ids.end(), eos), 1);
    EXPECT_EQ(out.bytes.front(), (std::pair<std::uint32_t, std::uint32_t>(0, 3)));
    EXPECT_EQ(out.bytes.back().second, 22U);
    for (std::size_t i = 1; i < out.bytes.size(); ++i)
        EXPECT_LE(out.bytes[i - 1].first, out.bytes[i].first);
    // Without one in the text, BOS comes as for any prompt.
    EXPECT_EQ(text::encodeChat({"one two", false}, *tokenizer).ids,
              tokenizer->encode("one two", true).ids);
}

TEST_F(ChatTemplateTest, TextThatIsNoUtf8IsRefused) {
    write("chat_template.jinja", "{{ messages[0].content }}");
    EXPECT_THROW(say(*open(), "\xFF"), Error);
}

} // namespace
