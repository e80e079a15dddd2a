// SPDX-License-Identifier: Apache-2.0
#include "engine/text/sentencepiece_tokenizer.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"

#include <algorithm>
#include <limits>
#include <sentencepiece_processor.h>

namespace fkv::text {

namespace {

constexpr std::size_t kMaxModel = 256U << 20;
constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, how the vocabulary spells a space

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
        // The library knows whether it puts a space before a text, but does not say; a one-letter
        // text shows it, and decoding has to take the space away again.
        std::vector<std::string> probe;
        if (!m_processor.Encode("a", &probe).ok()) bad(path, "the tokenizer does not work");
        m_dummyPrefix = !probe.empty() && probe.front().starts_with(kSpace);
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
        sentencepiece::ImmutableSentencePieceText spans;
        if (!m_processor.Encode({text.data(), text.size()}, spans.mutable_proto()).ok())
            throw Error(ErrorCode::Internal, "the tokenizer failed on this text");
        const std::size_t count = spans.pieces_size();
        const std::size_t before = out.ids.size();
        out.ids.reserve(before + count);
        out.bytes.reserve(before + count);
        for (std::size_t i = 0; i < count; ++i) {
            const auto piece = spans.pieces(static_cast<int>(i));
            out.ids.push_back(static_cast<std::int32_t>(piece.id()));
            out.bytes.emplace_back(piece.begin(), piece.end());
        }
        spreadCharacters(out, before);
        return out;
    }

    std::string decode(std::int32_t id, std::int32_t previous) const override {
        if (!known(id) || m_processor.IsControl(id)) return {};
        const std::string& spelling = m_processor.IdToPiece(id);
        if (m_processor.IsByte(id)) return std::string(1, byteOf(spelling));
        if (m_processor.IsUnknown(id)) return " \xE2\x81\x87 ";  // as the library decodes it
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
        if (m_dummyPrefix && first && out.starts_with(' ')) out.erase(0, 1);
        return out;
    }

    std::string piece(std::int32_t id) const override {
        return known(id) ? m_processor.IdToPiece(id) : std::string{};
    }

private:
    bool known(std::int32_t id) const { return id >= 0 && id < m_processor.GetPieceSize(); }

    static char byteOf(const std::string& spelling) {
        return static_cast<char>(std::stoi(spelling.substr(3, 2), nullptr, 16));  // "<0x0A>"
    }

    // The library gives a character split into bytes an empty range for all tokens but the last.
    // Reading the lengths off the lead bytes makes every token of it carry the whole range.
    void spreadCharacters(Encoding& e, std::size_t i) const {
        while (i < e.ids.size()) {
            if (!m_processor.IsByte(e.ids[i])) {
                ++i;
                continue;
            }
            const auto lead =
                static_cast<unsigned char>(byteOf(m_processor.IdToPiece(e.ids[i])));
            const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            std::size_t end = i;
            std::uint32_t from = e.bytes[i].first;
            std::uint32_t to = e.bytes[i].second;
            for (; end < e.ids.size() && end < i + length && m_processor.IsByte(e.ids[end]);
                 ++end) {
                from = std::min(from, e.bytes[end].first);
                to = std::max(to, e.bytes[end].second);
            }
            for (; i < end; ++i) e.bytes[i] = {from, to};
        }
    }

    sentencepiece::SentencePieceProcessor m_processor;
    bool m_addsBos;
    bool m_dummyPrefix = false;
};

}  // namespace

std::unique_ptr<Tokenizer> openSentencePiece(const std::filesystem::path& model, bool addsBos) {
    return std::make_unique<SentencePieceTokenizer>(model, addsBos);
}

}  // namespace fkv::text
