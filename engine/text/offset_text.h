// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fkv::text {

/// Bytes [begin, end) of some text.
struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool empty() const { return begin == end; }
    std::uint32_t size() const { return end - begin; }
};

inline std::string_view cut(std::string_view text, Range r) {
    return text.substr(r.begin, r.size());
}

/// A text on its way from what a user wrote to what the vocabulary spells, which remembers for
/// every byte the bytes of the source that it stands for. Ranges of successive bytes never go back.
class OffsetText {
public:
    /// A part of the source as it is; `begin` is its place in there.
    OffsetText(std::string_view part, std::uint32_t begin) : m_text(part), m_first(begin) {}

    std::string_view text() const { return m_text; }
    /// The source of bytes [range) of this text; of an empty range, an empty one.
    Range source(Range range) const;
    OffsetText slice(Range range) const;

private:
    friend class OffsetTextWriter;
    OffsetText() = default;
    std::string m_text;
    std::vector<Range> m_sources; ///< of every byte; empty while the text is the source itself
    std::uint32_t m_first = 0;    ///< where in the source this text begins
};

/// Rewrites a text from its front to its end.
class OffsetTextWriter {
public:
    /// `from` has to outlive the writer.
    explicit OffsetTextWriter(const OffsetText& from);
    std::uint32_t size() const { return static_cast<std::uint32_t>(m_to.m_text.size()); }
    /// Copies bytes [range) of the old text.
    void keep(Range range);
    /// Writes `bytes` in place of bytes [range) of the old text; for an empty range, in front of
    /// them, standing for nothing of the source.
    void put(std::string_view bytes, Range range);
    OffsetText take() { return std::move(m_to); }

private:
    const OffsetText& m_from;
    OffsetText m_to;
};

} // namespace fkv::text
