// SPDX-License-Identifier: Apache-2.0

// Published vectors for the tokenizers of real models. Their licences keep them out of this
// repository: FKV_TOKENIZERS names a folder that holds them (llama3/, qwen2/, tinyllama/, llama2/,
// mistral-common/, mistral-nemo/, vectors/), and without it these tests are skipped.

#include "engine/io/json_limits.h"
#include "engine/text/base64.h"
#include "engine/text/sentencepiece_tokenizer.h"
#include "engine/text/tokenizer_json.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace fkv;
using namespace fkv::text;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

class TokenizerVectors : public ::testing::Test {
protected:
    void SetUp() override {
        const char* folder = std::getenv("FKV_TOKENIZERS");
        if (folder == nullptr)
            GTEST_SKIP() << "FKV_TOKENIZERS names no folder with the tokenizers of real models";
        m_folder = folder;
    }

    std::string read(const fs::path& file) const { return io::readText(m_folder / file); }

    /// Pairs of text and ids from vectors/NAME.inp and .out.
    void expectVectors(const std::string& name, const std::string& model) const {
        const auto tokenizer = openTokenizer(m_folder / model);
        const std::string separator = "\n__ggml_vocab_test__\n";
        const std::string texts = read("vectors/" + name + ".inp");
        std::istringstream lines(read("vectors/" + name + ".out"));
        int count = 0;
        // A separator ends the last text too.
        for (std::size_t at = 0; at < texts.size(); ++count) {
            const std::size_t end = std::min(texts.find(separator, at), texts.size());
            std::string line;
            ASSERT_TRUE(std::getline(lines, line)) << name;
            std::istringstream numbers(line);
            const std::vector<std::int32_t> ids(std::istream_iterator<std::int32_t>(numbers), {});
            expect(*tokenizer, texts.substr(at, end - at), ids);
            at = end + separator.size();
        }
        EXPECT_EQ(count, 46) << name;
        EXPECT_FALSE(lines >> count) << name; // every line was used
    }

    static void expect(const Tokenizer& tokenizer, const std::string& text,
                       const std::vector<std::int32_t>& ids, bool bos = false) {
        EXPECT_EQ(tokenizer.encode(text, bos).ids, ids) << text;
        EXPECT_EQ(tokenizer.decode(ids), text);
    }

    fs::path m_folder;
};

std::vector<std::int32_t> idsOf(const json& list) {
    return list.get<std::vector<std::int32_t>>();
}

} // namespace

TEST_F(TokenizerVectors, Llama3) {
    expectVectors("llama-bpe", "llama3");
}

TEST_F(TokenizerVectors, Qwen2) {
    expectVectors("qwen2", "qwen2");
}

TEST_F(TokenizerVectors, TinyLlamaFromJson) {
    expectVectors("llama-spm", "tinyllama");
}

TEST_F(TokenizerVectors, Llama2FromSentencePiece) {
    expectVectors("llama-spm", "llama2");
}

TEST_F(TokenizerVectors, Llama3OfOllama) {
    // These were made by a program that passes over `ignore_merges`; without it all are exact.
    json file = json::parse(read("llama3/tokenizer.json"));
    const auto asWritten = openTokenizer(m_folder / "llama3");
    file["model"]["ignore_merges"] = false;
    const auto merging = parseTokenizerJson(file.dump(), "tokenizer.json", {});
    const json cases = json::parse(read("llama3/ollama_inputs.json"));
    EXPECT_EQ(cases.size(), 46U);
    for (const json& c : cases) {
        const auto text = decodeBase64(c["base64"].get<std::string>());
        ASSERT_TRUE(text);
        expect(*merging, *text, idsOf(c["ids"]));
        // The one text where it matters: " Việt" is a token that no merges lead to. Python's
        // tokenizers reads the file so as well.
        const bool differs = *text == "C\u1EEDa Vi\u1EC7t";
        expect(*asWritten, *text,
               differs ? std::vector<std::int32_t>{34, 91163, 101798} : idsOf(c["ids"]));
    }
}

TEST_F(TokenizerVectors, MistralNemo) {
    const auto tokenizer = openTokenizer(m_folder / "mistral-nemo");
    EXPECT_EQ(tokenizer->vocabulary(), 131072);
    EXPECT_TRUE(tokenizer->addsBos());
    const json cases = json::parse(read("mistral-nemo/vectors_first6.json"));
    EXPECT_EQ(cases.size(), 6U);
    for (const json& c : cases)
        expect(*tokenizer, c["text"], idsOf(c["encoded"]["v3"]), true);
}

TEST_F(TokenizerVectors, MistralSentencePiece) {
    const fs::path folder = m_folder / "mistral-common";
    const json cases = json::parse(read("mistral-common/bpe_vectors_v1_v2_v3.json"));
    ASSERT_GT(cases.size(), 6U);
    const auto v1 = openSentencePiece(folder / "tokenizer.model.v1", true);
    const auto v3 = openSentencePiece(folder / "mistral_instruct_tokenizer_240323.model.v3", true);
    for (const json& c : cases) {
        expect(*v1, c["text"], idsOf(c["encoded"]["v1"]), true);
        expect(*v3, c["text"], idsOf(c["encoded"]["v2"]), true); // the same tokens, fewer controls
        expect(*v3, c["text"], idsOf(c["encoded"]["v3"]), true);
    }
}

TEST_F(TokenizerVectors, MistralChatSample) {
    const fs::path folder = m_folder / "mistral-common";
    const auto v3 = openSentencePiece(folder / "mistral_instruct_tokenizer_240323.model.v3", true);
    const json sample = json::parse(read("mistral-common/chat_sample_no_tools/sample.json"));
    const auto control = [&](const std::string& piece) {
        for (std::int32_t id = 0; id < 1000; ++id)
            if (v3->piece(id) == piece) return id;
        return -1;
    };
    std::vector<std::int32_t> ids{v3->bos()};
    const auto append = [&](const std::string& text) {
        const Encoding e = v3->encode(text, false);
        ids.insert(ids.end(), e.ids.begin(), e.ids.end());
    };
    for (const json& message : sample["messages"]) {
        const bool user = message["role"] == "user";
        if (user) ids.push_back(control("[INST]"));
        append(message["content"]);
        ids.push_back(user ? control("[/INST]") : v3->eos());
    }
    const json expected = json::parse(read("mistral-common/chat_sample_no_tools/tokens_v3.json"));
    EXPECT_EQ(ids, idsOf(expected["tokens"]));
}

TEST_F(TokenizerVectors, MistralChatSampleOfTheFirstVersion) {
    // Here "[INST]" is text like any other.
    const auto v1 = openSentencePiece(m_folder / "mistral-common" / "tokenizer.model.v1", true);
    const json sample = json::parse(read("mistral-common/chat_sample_no_tools/sample.json"));
    std::vector<std::int32_t> ids{v1->bos()};
    for (const json& message : sample["messages"]) {
        const bool user = message["role"] == "user";
        const std::string content = message["content"];
        const Encoding e = v1->encode(user ? "[INST] " + content + " [/INST]" : content, false);
        ids.insert(ids.end(), e.ids.begin(), e.ids.end());
        if (!user) ids.push_back(v1->eos());
    }
    const json expected = json::parse(read("mistral-common/chat_sample_no_tools/tokens_v1.json"));
    EXPECT_EQ(ids, idsOf(expected["tokens"]));
}
