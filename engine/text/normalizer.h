// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_record.h"
#include "engine/text/offset_text.h"
#include "engine/text/pattern.h"
#include "engine/text/unicode_forms.h"

#include <variant>
#include <vector>

namespace fkv::text {

/// What a tokenizer.json does to a text before it is cut into words: `normalizer` there.
/// Const calls are thread-safe.
class Normalizer {
public:
    Normalizer() = default; ///< changes nothing
    /// Throws BadFile, and Unsupported with the name of a step that is not known.
    explicit Normalizer(const io::JsonRecord& from);

    bool empty() const { return m_steps.empty(); }
    OffsetText apply(OffsetText text, MatchScratch& scratch) const;

private:
    struct Prepend {
        std::string text;
    };
    struct Replace {
        Pattern pattern;
        std::string with;
    };
    struct Strip {
        bool left, right;
    };
    struct StripAccents {};
    struct Lowercase {};
    struct SpellBytes {};
    using Step =
        std::variant<UnicodeForm, Prepend, Replace, Strip, StripAccents, Lowercase, SpellBytes>;

    void add(const io::JsonRecord& from, int depth);
    static OffsetText applyStep(const UnicodeForm&, const OffsetText&, MatchScratch&);
    static OffsetText applyStep(const Prepend&, const OffsetText&, MatchScratch&);
    static OffsetText applyStep(const Replace&, const OffsetText&, MatchScratch&);
    static OffsetText applyStep(const Strip&, const OffsetText&, MatchScratch&);
    static OffsetText applyStep(const StripAccents&, const OffsetText&, MatchScratch&);
    static OffsetText applyStep(const Lowercase&, const OffsetText&, MatchScratch&);
    static OffsetText applyStep(const SpellBytes&, const OffsetText&, MatchScratch&);

    std::vector<Step> m_steps;
};

/// Every byte spelled by its character of the byte alphabet (unicode.h).
OffsetText spelledBytes(const OffsetText& from);
/// Every match replaced.
OffsetText replaced(const OffsetText& from, const Pattern& pattern, std::string_view with,
                    MatchScratch& scratch);

} // namespace fkv::text
