// SPDX-License-Identifier: Apache-2.0
#include "engine/text/sentencepiece_tokenizer.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/sentencepiece_facts.h"

#include <algorithm>
#include <limits>
#include <sentencepiece_processor.h>
#include <unordered_map>
#include <vector>

namespace fkv::text {

namespace {

constexpr std::size_t kMaxModel = 256U << 20;
constexpr std::string_view kSpace = "\xE2\x96\x81"; // U+2581, how the vocabulary spells a space

[[noreturn]] void bad(const std::filesystem::path& path, const std::string& what) {
    throw Error(ErrorCode::BadFile, path.string() + ": " + what);
}

class SentencePieceTokenizer final : public Tokenizer {
public:
    SentencePieceTokenizer(const std::filesystem::path& path, bool addsBos) : m_addsBos(addsBos) {
        const std::string model = io::readText(path, kMaxModel);
        // Empty bytes parse as an empty model, which the library then reports less clearly.
        if (model.empty()) bad(path, "not a sentencepiece model");
        if (!m_processor.LoadFromSerializedProto(model).ok())
            bad(path, "not a sentencepiece model");
        if (m_processor.GetPieceSize() <= 0) bad(path, "the vocabulary is empty");
        m_facts = readSentencePieceFacts(model);
        m_seams = findSeams();
    }

    std::string kind() const override { return "sentencepiece"; }
    std::int32_t vocabulary() const override { return m_processor.GetPieceSize(); }
    std::int32_t bos() const override { return m_processor.bos_id(); }
    std::int32_t eos() const override { return m_processor.eos_id(); }
    bool addsBos() const override { return m_addsBos && bos() >= 0; }

    Encoding encode(std::string_view text, bool addBos) const override {
        if (!io::isUtf8(text)) throw Error(ErrorCode::BadArgument, "the text is not valid UTF-8");
        if (text.size() > std::numeric_limits<std::int32_t>::max())
            throw Error(ErrorCode::BadArgument, "the text is too long");
        Encoding out;
        if (addBos && bos() >= 0) {
            out.ids.push_back(bos());
            out.bytes.emplace_back(0U, 0U);
        }
        const std::size_t before = out.ids.size();
        if (m_seams)
            encodeWords(text, out);
        else
            addWord({0, text}, encodeText(text), out);
        spreadCharacters(out, before);
        return out;
    }

    std::string decode(std::int32_t id, std::int32_t previous) const override {
        if (!known(id) || m_processor.IsControl(id)) return {};
        const std::string& spelling = m_processor.IdToPiece(id);
        if (m_processor.IsByte(id)) return std::string(1, byteOf(spelling));
        if (m_processor.IsUnknown(id)) return " \xE2\x81\x87 "; // as the library decodes it
        std::string out;
        for (std::size_t i = 0; i < spelling.size();) {
            if (spelling.compare(i, kSpace.size(), kSpace) == 0) {
                out += ' ';
                i += kSpace.size();
            } else {
                out += spelling[i++];
            }
        }
        const bool first = !known(previous) || m_processor.IsControl(previous);
        if (m_facts.dummyPrefix && first && out.starts_with(' ')) out.erase(0, 1);
        return out;
    }

    std::string piece(std::int32_t id) const override {
        return known(id) ? m_processor.IdToPiece(id) : std::string{};
    }

private:
    struct Token {
        std::int32_t id;
        std::uint32_t begin, end; ///< bytes of its word
    };
    struct Word {
        std::size_t begin; ///< in the text
        std::string_view bytes;
    };

    bool known(std::int32_t id) const { return id >= 0 && id < m_processor.GetPieceSize(); }

    static char byteOf(const std::string& spelling) {
        return static_cast<char>(std::stoi(spelling.substr(3, 2), nullptr, 16)); // "<0x0A>"
    }

    /// The library takes a whole text for one word, and its time grows faster than the text. Where
    /// no piece has anything but a space in front of a space, no merge crosses the place before a
    /// run of spaces: each part can be encoded by itself, and parts that come again need no second
    /// time.
    bool findSeams() const {
        const SentencePieceFacts& f = m_facts;
        if (!f.bpe || f.spaceBehind || f.oneSpaceOnly || !f.signForSpace) return false;
        if (m_processor.IsUnknown(m_processor.PieceToId(std::string(kSpace)))) return false;
        for (int id = 0; id < m_processor.GetPieceSize(); ++id) {
            std::string_view piece = m_processor.IdToPiece(id);
            while (piece.starts_with(kSpace))
                piece.remove_prefix(kSpace.size());
            if (piece.find(kSpace) != std::string_view::npos) return false;
        }
        return true;
    }

    /// Does a new word begin with the space at `at`? Not behind what is, or may become, a space.
    bool isSeam(std::string_view text, std::size_t at) const {
        if (text[at] != ' ' || at == 0 || at + 1 == text.size()) return false;
        const auto before = static_cast<unsigned char>(text[at - 1]);
        if (before == ' ') return false;
        if (m_facts.changesCharacters) return before > 0x20 && before < 0x7F;
        return !text.substr(0, at).ends_with(kSpace);
    }

    void encodeWords(std::string_view text, Encoding& out) const {
        std::unordered_map<std::string_view, std::vector<Token>> words;
        std::size_t begin = 0;
        for (std::size_t at = 1; at <= text.size(); ++at) {
            if (at < text.size() && !isSeam(text, at)) continue;
            const Word word{begin, text.substr(begin, at - begin)};
            // The first word has no space of its own and is another word with one.
            if (begin == 0) {
                addWord(word, encodeText(word.bytes), out);
            } else {
                const auto [entry, fresh] = words.try_emplace(word.bytes);
                if (fresh) entry->second = encodeLaterWord(word.bytes);
                addWord(word, entry->second, out);
            }
            begin = at;
        }
    }

    /// A word that begins with a space, which the library puts there when it always puts one.
    std::vector<Token> encodeLaterWord(std::string_view word) const {
        if (!m_facts.dummyPrefix) return encodeText(word);
        std::vector<Token> tokens = encodeText(word.substr(1));
        for (Token& token : tokens)
            token = {token.id, token.begin + 1, token.end + 1};
        if (!tokens.empty()) tokens.front().begin = 0;
        return tokens;
    }

    std::vector<Token> encodeText(std::string_view text) const {
        sentencepiece::ImmutableSentencePieceText spans;
        if (!m_processor.Encode({text.data(), text.size()}, spans.mutable_proto()).ok())
            throw Error(ErrorCode::Internal, "the tokenizer failed on this text");
        std::vector<Token> tokens;
        tokens.reserve(spans.pieces_size());
        for (std::size_t i = 0; i < spans.pieces_size(); ++i) {
            const auto piece = spans.pieces(static_cast<int>(i));
            tokens.push_back({static_cast<std::int32_t>(piece.id()), piece.begin(), piece.end()});
        }
        return tokens;
    }

    static void addWord(const Word& word, const std::vector<Token>& tokens, Encoding& out) {
        const auto begin = static_cast<std::uint32_t>(word.begin);
        for (const Token& token : tokens) {
            out.ids.push_back(token.id);
            out.bytes.emplace_back(begin + token.begin, begin + token.end);
        }
    }

    // The library gives a character split into bytes an empty range for all tokens but the last.
    // Reading the lengths off the lead bytes makes every token of it carry the whole range.
    void spreadCharacters(Encoding& e, std::size_t i) const {
        while (i < e.ids.size()) {
            if (!m_processor.IsByte(e.ids[i])) {
                ++i;
                continue;
            }
            const auto lead = static_cast<unsigned char>(byteOf(m_processor.IdToPiece(e.ids[i])));
            const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            std::size_t end = i;
            std::uint32_t from = e.bytes[i].first;
            std::uint32_t to = e.bytes[i].second;
            for (; end < e.ids.size() && end < i + length && m_processor.IsByte(e.ids[end]);
                 ++end) {
                from = std::min(from, e.bytes[end].first);
                to = std::max(to, e.bytes[end].second);
            }
            for (; i < end; ++i)
                e.bytes[i] = {from, to};
        }
    }

    sentencepiece::SentencePieceProcessor m_processor;
    bool m_addsBos;
    SentencePieceFacts m_facts;
    bool m_seams = false; ///< see findSeams()
};

} // namespace

std::unique_ptr<Tokenizer> openSentencePiece(const std::filesystem::path& model, bool addsBos) {
    return std::make_unique<SentencePieceTokenizer>(model, addsBos);
}

} // namespace fkv::text
