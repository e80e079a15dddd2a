// SPDX-License-Identifier: Apache-2.0

// A session on a folder with a tokenizer.json: tokens that are parts of characters, control tokens
// in the prompt, ids that the model has and the tokenizer does not.

#include "engine/io/trace_file.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

#include <algorithm>
#include <filesystem>

using namespace fkv;
using namespace fkv::testing;

namespace {

const std::string kText = "caf\u00E9 <|end|> \U0001F999 the tokens \u6F22\u5B57\u3068\u4EEE";

std::unique_ptr<run::Session> openTiny(const std::filesystem::path& folder) {
    std::filesystem::copy_file(std::filesystem::path(FKV_TEST_DATA) / "tokenizers/byte_level.json",
                               folder / "tokenizer.json");
    Recorder recorder;
    return run::Session::open(folder, {"cpu", 1}, recorder, {});
}

} // namespace

TEST(SessionTokenizers, PromptAndAnswerAreOfTheFilesTokens) {
    const auto folder = writeTinyModel({}, "tokenizers");
    const auto session = openTiny(folder);
    const text::Tokenizer& tokenizer = session->tokenizer();
    EXPECT_EQ(tokenizer.kind(), "byte-level BPE");
    run::Request request = requestFor(kText, 3);
    request.settings.generate = 12;
    const trace::RunPtr run = analyse(*session, request);

    const text::Encoding e = tokenizer.encode(kText, false);
    EXPECT_EQ(run->prompt->ids, e.ids);
    EXPECT_EQ(run->prompt->bytes, e.bytes);
    const auto control = std::find(e.ids.begin(), e.ids.end(), tokenizer.vocabulary() - 1);
    ASSERT_NE(control, e.ids.end());
    const auto [begin, end] = e.bytes[static_cast<std::size_t>(control - e.ids.begin())];
    EXPECT_EQ(kText.substr(begin, end - begin), "<|end|>");
    for (const auto& [from, to] : run->prompt->bytes)
        EXPECT_TRUE(io::isUtf8(kText.substr(from, to - from)));

    // Random weights answer with any id: what the tokenizer lacks adds no text.
    ASSERT_FALSE(run->fullAnswer->tokens.empty());
    std::int32_t previous = e.ids.back();
    for (const trace::AnswerToken& token : run->fullAnswer->tokens) {
        EXPECT_EQ(token.text, tokenizer.decode(token.id, previous));
        if (token.id >= tokenizer.vocabulary()) {
            EXPECT_EQ(token.text, "");
        }
        previous = token.id;
    }

    TemporaryFolder traces;
    io::saveTrace(*run, traces / "run.safetensors");
    const trace::RunPtr again = io::openTrace(traces / "run.safetensors");
    EXPECT_EQ(again->prompt->bytes, e.bytes);
    EXPECT_EQ(again->prompt->text, kText);
}

TEST(SessionTokenizers, TheTokenizerOutlivesItsSession) {
    const auto folder = writeTinyModel({}, "tokenizers_kept");
    auto session = openTiny(folder);
    const auto tokenizer = session->sharedTokenizer();
    EXPECT_EQ(tokenizer.get(), &session->tokenizer());
    session.reset();
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(kText, false).ids).substr(0, 5), "caf\u00E9");
}

TEST(SessionTokenizers, IdsAloneSpellTheTextTheyStandFor) {
    const auto folder = writeTinyModel({}, "tokenizers_ids");
    const auto session = openTiny(folder);
    const std::string text = "a \U0001F999 b";
    std::vector<std::int32_t> ids = session->tokenizer().encode(text, false).ids;
    ids.push_back(8000); // the model's own, of no spelling
    const trace::Prompt prompt = session->tokenize(requestFor(ids, 3).prompt);
    EXPECT_EQ(prompt.text, text);
    EXPECT_EQ(prompt.bytes.back().first, prompt.bytes.back().second);
}
