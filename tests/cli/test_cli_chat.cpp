// SPDX-License-Identifier: Apache-2.0
// Chat prompts from the command line: the demo model with a template of ours beside it.
#include "engine/io/trace_file.h"
#include "tests/cli/program.h"
#include "tests/support/temporary_folder.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using fkv::testing::Ended;
using fkv::testing::run;
using fkv::testing::TemporaryFolder;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class CliChat : public ::testing::Test {
protected:
    CliChat() {
        for (const auto& file : fs::directory_iterator(FKV_RESOURCES "/models/demo"))
            fs::create_symlink(fs::absolute(file.path()),
                               m_folder / file.path().filename().string());
    }
    void write(const std::string& text) { std::ofstream(m_folder / "chat_template.jinja") << text; }
    Ended profile(const Words& more) const {
        Words words{"profile", "--model", m_folder.path().string(), "--generate", "1"};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }

    TemporaryFolder m_folder;
};

TEST_F(CliChat, ThePromptIsAUsersMessage) {
    write("{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}\n"
          "{% endfor %}{{ strftime_now('%d %b %Y') }}:");
    const std::string trace = m_folder / "trace.safetensors";
    const Ended ended = profile({"--prompt", " Who? ", "--chat", "--system", "Be brief.", "--date",
                                 "2024-07-06", "--out", trace, "--json"});
    ASSERT_EQ(ended.code, 0) << ended.error;
    EXPECT_EQ(json::parse(ended.out)["prompt"]["chat"],
              json({{"system", "Be brief."}, {"date", "2024-07-06"}}));
    const auto opened = fkv::io::openTrace(trace);
    EXPECT_EQ(opened->prompt->text, "<s>[system] Be brief.\n[user] Who?\n06 Jul 2024:");
    EXPECT_EQ(opened->prompt->ids[0], 1); // BOS, once
    EXPECT_NE(opened->prompt->ids[1], 1);
    ASSERT_TRUE(opened->prompt->chat);
    EXPECT_EQ(opened->prompt->chat->user, " Who? ");
}

TEST_F(CliChat, WithoutATemplateOneLineSaysSo) {
    const Ended ended = profile({"--prompt", "Who?", "--chat"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_EQ(ended.error, "fastkv: error: this prompt cannot be a chat: no chat template\n");
    write("{{ raise_exception('no users here') }}");
    const Ended refused = profile({"--prompt", "Who?", "--chat"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(refused.error, "fastkv: error: chat template, line 1: the template refuses this: no "
                             "users here\n");
}

TEST_F(CliChat, WrongUsageIsTwoAndAWrongDateIsOne) {
    EXPECT_EQ(profile({"--prompt", "a", "--system", "b"}).code, 2);
    EXPECT_EQ(profile({"--ids-file", "ids.json", "--chat"}).code, 2);
    const Ended ended = profile({"--prompt", "a", "--chat", "--date", "6 July"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_NE(ended.error.find("\"6 July\" is not a date"), std::string::npos) << ended.error;
}

TEST_F(CliChat, InfoSaysWhetherThereIsATemplate) {
    const auto info = [this](const Words& more) {
        Words words{"info", m_folder.path().string()};
        words.insert(words.end(), more.begin(), more.end());
        return run(words).out;
    };
    EXPECT_EQ(json::parse(info({"--json"}))["chat_template"]["reason"], "no chat template");
    EXPECT_NE(info({}).find("prompts as they are"), std::string::npos);
    write("{{ messages }}");
    EXPECT_EQ(json::parse(info({"--json"}))["chat_template"]["file"], "chat_template.jinja");
    EXPECT_NE(info({}).find("template in chat_template.jinja"), std::string::npos);
    write("{% if %}");
    EXPECT_NE(info({}).find("line 1: expected an expression"), std::string::npos);
}

} // namespace
