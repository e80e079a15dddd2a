// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_record.h"
#include "engine/text/offset_text.h"
#include "engine/text/split.h"

#include <variant>
#include <vector>

namespace fkv::text {

/// A text and the words in it: what merges never cross.
struct Words {
    OffsetText text;
    std::vector<Range> words; ///< in order; what lies between them gives no tokens
};

/// How a tokenizer.json cuts a text into words: `pre_tokenizer` there. Const calls are thread-safe.
class PreTokenizer {
public:
    PreTokenizer() = default; ///< the whole text is one word
    /// Throws BadFile, and Unsupported with the name of a step that is not known.
    explicit PreTokenizer(const io::JsonRecord& from);
    /// One pattern whose matches are words, over a byte-level vocabulary.
    explicit PreTokenizer(Pattern pattern);

    /// True when the words are bytes as they are and the vocabulary spells them by the byte
    /// alphabet: the last step, which is left to whoever looks words up.
    bool byteLevel() const { return m_byteLevel; }
    Words apply(OffsetText text, MatchScratch& scratch) const;

private:
    struct ByteLevel {
        bool prefixSpace;
        bool spell; ///< false in the last step: see byteLevel()
    };
    struct Metaspace {
        enum class Prepend { Never, First, Always };
        Pattern space;
        std::string replacement;
        Prepend prepend;
    };
    using Step = std::variant<Splitter, ByteLevel, Metaspace>;

    void add(const io::JsonRecord& from, int depth);
    void addByteLevel(const io::JsonRecord& from);
    void addMetaspace(const io::JsonRecord& from);
    static void applyStep(const Splitter&, Words&, MatchScratch&);
    static void applyStep(const ByteLevel&, Words&, MatchScratch&);
    static void applyStep(const Metaspace&, Words&, MatchScratch&);

    std::vector<Step> m_steps;
    bool m_byteLevel = false;
};

} // namespace fkv::text
