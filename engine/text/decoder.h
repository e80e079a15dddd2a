// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/json_record.h"
#include "engine/text/pattern.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fkv::text {

/// How a tokenizer.json turns spellings back into text: `decoder` there, token by token, so that an
/// answer can be shown while it grows. Const calls are thread-safe.
class Decoder {
public:
    /// Spellings with a space between, as the library does without a decoder.
    Decoder() = default;
    /// Throws BadFile, and Unsupported with the name of a step that is not known.
    explicit Decoder(const io::JsonRecord& from);
    static Decoder byteLevel();

    /// The bytes that a token adds; `first`: nothing stands in front of it. They may be a part of a
    /// character.
    std::string decode(std::string_view spelling, bool first) const;

private:
    struct ByteLevel {};
    struct ByteFallback {};
    struct Fuse {};
    struct Replace {
        Pattern pattern;
        std::string with;
    };
    struct Strip {
        std::string content;
        std::int64_t start, stop; ///< at most as many are taken off
        bool firstOnly;           ///< tokens were fused before: only the text's own front counts
    };
    struct Metaspace {
        std::string replacement;
        bool prepended;
    };
    using Step = std::variant<ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace>;

    void add(const io::JsonRecord& from, int depth);
    void addStrip(const io::JsonRecord& from);
    static void applyStep(const ByteLevel&, std::string& text, bool first);
    static void applyStep(const ByteFallback&, std::string& text, bool first);
    static void applyStep(const Fuse&, std::string&, bool) {}
    static void applyStep(const Replace&, std::string& text, bool first);
    static void applyStep(const Strip&, std::string& text, bool first);
    static void applyStep(const Metaspace&, std::string& text, bool first);

    std::vector<Step> m_steps;
    bool m_given = false;
};

} // namespace fkv::text
