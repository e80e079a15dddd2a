// SPDX-License-Identifier: Apache-2.0
#include "engine/text/tekken.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/json_record.h"
#include "engine/text/base64.h"
#include "engine/text/pipeline_tokenizer.h"
#include "engine/text/unicode.h"

#include <array>
#include <unordered_map>

namespace fkv::text {

namespace {

constexpr std::size_t kMaxFile = 100U << 20;
constexpr std::size_t kLongestToken = 4096;

/// The control tokens of files that do not list theirs (up to version 7 of the format).
constexpr std::array<std::string_view, 20> kControls{"<unk>",
                                                     "<s>",
                                                     "</s>",
                                                     "[INST]",
                                                     "[/INST]",
                                                     "[AVAILABLE_TOOLS]",
                                                     "[/AVAILABLE_TOOLS]",
                                                     "[TOOL_RESULTS]",
                                                     "[/TOOL_RESULTS]",
                                                     "[TOOL_CALLS]",
                                                     "[IMG]",
                                                     "<pad>",
                                                     "[IMG_BREAK]",
                                                     "[IMG_END]",
                                                     "[PREFIX]",
                                                     "[MIDDLE]",
                                                     "[SUFFIX]",
                                                     "[SYSTEM_PROMPT]",
                                                     "[/SYSTEM_PROMPT]",
                                                     "[TOOL_CONTENT]"};

class Reader {
public:
    Reader(const nlohmann::json& json, const std::string& where)
        : m_file(json, where), m_config(m_file.object("config")) {}

    Pipeline read(const SpecialTokens& special) {
        m_specials = m_config.small("default_num_special_tokens", {0, kMostIds - 1});
        const int size = m_config.small("default_vocab_size", {1, kMostIds - 1});
        if (size <= m_specials) m_config.bad("no room for tokens besides the control tokens");
        readControls();
        readTokens(size - m_specials);
        findMerges();
        m_out.kind = "tekken";
        m_out.options.byteLevel = true;
        m_out.options.ignoreMerges = true;
        m_out.preTokenizer = PreTokenizer(Pattern::compile(m_config.text("pattern"), Dialect::Rust,
                                                           m_config.where() + " pattern"));
        m_out.decoder = Decoder::byteLevel();
        applySpecial(special);
        return std::move(m_out);
    }

private:
    void addControl(std::int32_t id, const std::string& content) {
        if (content.empty()) m_file.bad("a control token without a spelling");
        if (!m_controls.emplace(content, id).second)
            m_file.bad("two control tokens are spelled " + content.substr(0, 60));
        // Apart: a text token may have the same bytes.
        m_out.vocabulary.addApart(id, content, m_file.where());
        AddedToken token;
        token.id = id;
        token.content = content;
        token.special = true;
        m_out.added.push_back(std::move(token));
    }

    void readControls() {
        if (m_file.has("special_tokens")) {
            for (const io::JsonRecord& token :
                 m_file.list("special_tokens", static_cast<std::size_t>(m_specials)))
                addControl(token.small("rank", {0, m_specials - 1}), token.text("token_str"));
        } else {
            for (std::size_t i = 0; i < kControls.size() && static_cast<int>(i) < m_specials; ++i)
                addControl(static_cast<std::int32_t>(i), std::string(kControls[i]));
        }
        for (std::int32_t id = 0; id < m_specials; ++id)
            if (!m_out.vocabulary.has(id)) addControl(id, "<SPECIAL_" + std::to_string(id) + ">");
    }

    /// The first `count` tokens by rank; files hold more than their models use.
    void readTokens(int count) {
        m_tokens.resize(static_cast<std::size_t>(count));
        for (const io::JsonRecord& entry : m_file.list("vocab", kMostIds)) {
            const int rank = entry.small("rank", {0, kMostIds - 1});
            if (rank >= count) continue;
            const auto bytes = decodeBase64(entry.text("token_bytes"));
            const std::string name = "token " + std::to_string(rank);
            if (!bytes || bytes->empty() || bytes->size() > kLongestToken)
                m_file.bad(name + " has no bytes in base64, or too many");
            std::string& token = m_tokens[static_cast<std::size_t>(rank)];
            if (!token.empty()) m_file.bad("the rank " + std::to_string(rank) + " is given twice");
            token = *bytes;
            if (!m_ranks.emplace(token, rank).second)
                m_file.bad(name + " has the bytes of another token");
        }
        for (std::size_t rank = 0; rank < m_tokens.size(); ++rank) {
            if (m_tokens[rank].empty())
                m_file.bad("the vocabulary has no token of rank " + std::to_string(rank));
            m_out.vocabulary.add(m_specials + static_cast<std::int32_t>(rank),
                                 spellBytes(m_tokens[rank]), m_file.where());
        }
        for (int b = 0; b < 256; ++b)
            if (!m_ranks.contains(std::string(1, static_cast<char>(b))))
                m_file.bad("the vocabulary has no token for the byte " + std::to_string(b));
    }

    /// tiktoken merges whatever neighbours make a token, lowest rank first: every way to cut a
    /// token into two tokens is a merge of that token's rank.
    void findMerges() {
        for (const auto& [token, rank] : m_ranks)
            for (std::size_t at = 1; at < token.size(); ++at) {
                const auto left = m_ranks.find(token.substr(0, at));
                const auto right = m_ranks.find(token.substr(at));
                if (left == m_ranks.end() || right == m_ranks.end()) continue;
                m_out.merges.push_back({m_specials + left->second,
                                        m_specials + right->second,
                                        {static_cast<std::uint32_t>(rank), m_specials + rank}});
            }
    }

    void applySpecial(const SpecialTokens& special) {
        const auto find = [this](const std::string& given, const char* usual) {
            const auto it = m_controls.find(given.empty() ? usual : given);
            return it == m_controls.end() ? -1 : it->second;
        };
        m_out.bos = find(special.bos, "<s>");
        m_out.eos = find(special.eos, "</s>");
        m_out.addsBos = special.addBos.value_or(true) && m_out.bos >= 0;
        if (m_out.bos >= 0) m_out.prefix = {m_out.bos};
    }

    io::JsonRecord m_file, m_config;
    std::int32_t m_specials = 0;
    std::vector<std::string> m_tokens;                     ///< bytes by rank
    std::unordered_map<std::string, std::int32_t> m_ranks; ///< and back
    std::unordered_map<std::string, std::int32_t> m_controls;
    Pipeline m_out;
};

} // namespace

std::unique_ptr<Tokenizer> parseTekken(std::string_view json, const std::string& where,
                                       const SpecialTokens& special) {
    const nlohmann::json parsed = io::parseJson(json, where, {kMaxFile, 64, true});
    return makePipelineTokenizer(Reader(parsed, where).read(special));
}

std::unique_ptr<Tokenizer> openTekken(const std::filesystem::path& file,
                                      const SpecialTokens& special) {
    return parseTekken(io::readText(file, kMaxFile), file.string(), special);
}

} // namespace fkv::text
