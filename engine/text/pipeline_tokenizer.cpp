// SPDX-License-Identifier: Apache-2.0
#include "engine/text/pipeline_tokenizer.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/text/unicode.h"

#include <algorithm>
#include <limits>

namespace fkv::text {

namespace {

class PipelineTokenizer;

/// One text on its way through the pipeline.
class EncodeRun {
public:
    EncodeRun(const PipelineTokenizer& of, std::string_view source) : m_of(of), m_source(source) {}
    void add(std::int32_t id, Range range);
    void encodeAll();
    Encoding take() { return std::move(m_out); }

private:
    void encodePlain(Range section);
    void encodeNormalized(const OffsetText& text);

    const PipelineTokenizer& m_of;
    std::string_view m_source;
    MatchScratch m_match;
    BpeScratch m_bpe;
    std::vector<Piece> m_pieces;
    Encoding m_out;
};

class PipelineTokenizer final : public Tokenizer {
public:
    explicit PipelineTokenizer(Pipeline pipeline)
        : m_parts(std::move(pipeline)), m_bpe(m_parts.vocabulary, m_parts.merges, m_parts.options) {
        m_parts.merges = {}; // the model has them
        m_isAdded.assign(static_cast<std::size_t>(m_parts.vocabulary.size()), Kind::Model);
        MatchScratch scratch;
        for (const AddedToken& token : m_parts.added) {
            m_isAdded[static_cast<std::size_t>(token.id)] =
                token.special ? Kind::Special : Kind::Added;
            if (!token.normalized) {
                m_before.add(token.content, token);
            } else {
                const OffsetText content(token.content, 0);
                m_after.add(m_parts.normalizer.apply(content, scratch).text(), token);
            }
        }
    }

    std::string kind() const override { return m_parts.kind; }
    std::int32_t vocabulary() const override { return m_parts.vocabulary.size(); }
    std::int32_t bos() const override { return m_parts.bos; }
    std::int32_t eos() const override { return m_parts.eos; }
    bool addsBos() const override { return m_parts.addsBos; }

    Encoding encode(std::string_view text, bool addBos) const override {
        if (!io::isUtf8(text)) throw Error(ErrorCode::BadArgument, "the text is not valid UTF-8");
        if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) / 4)
            throw Error(ErrorCode::BadArgument, "the text is too long");
        EncodeRun run(*this, text);
        for (const std::int32_t id : m_parts.prefix)
            if (addBos) run.add(id, {0, 0});
        run.encodeAll();
        return run.take();
    }

    std::string decode(std::int32_t id, std::int32_t previous) const override {
        if (!m_parts.vocabulary.has(id) || kindOf(id) == Kind::Special) return {};
        const bool first = !m_parts.vocabulary.has(previous) || kindOf(previous) == Kind::Special;
        return m_parts.decoder.decode(m_parts.vocabulary.spelling(id), first);
    }

    std::string piece(std::int32_t id) const override {
        return std::string(m_parts.vocabulary.spelling(id));
    }

private:
    friend class EncodeRun;
    enum class Kind : std::uint8_t { Model, Added, Special };
    Kind kindOf(std::int32_t id) const { return m_isAdded[static_cast<std::size_t>(id)]; }

    Pipeline m_parts;
    Bpe m_bpe;
    TokenFinder m_before, m_after; ///< added tokens, in the text as it is and normalised
    std::vector<Kind> m_isAdded;   ///< by id
};

/// A token may be a part of a character, whose whole range it then carries.
void EncodeRun::add(std::int32_t id, Range range) {
    if (!range.empty()) {
        range.begin = static_cast<std::uint32_t>(characterBegin(m_source, range.begin));
        range.end = static_cast<std::uint32_t>(characterEnd(m_source, range.end));
    }
    // What a step puts inside a stretch that another step wrote for one character belongs to it.
    if (!m_out.bytes.empty()) {
        range.begin = std::max(range.begin, m_out.bytes.back().first);
        range.end = std::max(range.end, m_out.bytes.back().second);
    }
    m_out.ids.push_back(id);
    m_out.bytes.emplace_back(range.begin, range.end);
}

void EncodeRun::encodeAll() {
    m_out.ids.reserve(m_source.size() / 4 + 4);
    m_out.bytes.reserve(m_source.size() / 4 + 4);
    for (const Section& section : m_of.m_before.find(m_source)) {
        if (section.id >= 0)
            add(section.id, section.range);
        else
            encodePlain(section.range);
    }
}

void EncodeRun::encodePlain(Range section) {
    const OffsetText text =
        m_of.m_parts.normalizer.apply(OffsetText(cut(m_source, section), section.begin), m_match);
    if (m_of.m_after.empty()) return encodeNormalized(text);
    for (const Section& part : m_of.m_after.find(text.text())) {
        if (part.id >= 0)
            add(part.id, text.source(part.range));
        else
            encodeNormalized(text.slice(part.range));
    }
}

void EncodeRun::encodeNormalized(const OffsetText& text) {
    const Words words = m_of.m_parts.preTokenizer.apply(text, m_match);
    for (const Range& word : words.words) {
        m_pieces.clear();
        m_of.m_bpe.encode(cut(words.text.text(), word), m_bpe, m_pieces);
        for (const Piece& piece : m_pieces)
            add(piece.id,
                words.text.source({word.begin + piece.range.begin, word.begin + piece.range.end}));
    }
}

} // namespace

std::unique_ptr<Tokenizer> makePipelineTokenizer(Pipeline pipeline) {
    return std::make_unique<PipelineTokenizer>(std::move(pipeline));
}

} // namespace fkv::text
