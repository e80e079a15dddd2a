// SPDX-License-Identifier: Apache-2.0
#include "engine/text/offset_text.h"

namespace fkv::text {

Range OffsetText::source(Range range) const {
    if (m_sources.empty()) return {m_first + range.begin, m_first + range.end};
    if (range.empty()) {
        const bool atEnd = range.begin >= m_sources.size();
        const std::uint32_t at = atEnd ? m_sources.back().end : m_sources[range.begin].begin;
        return {at, at};
    }
    return {m_sources[range.begin].begin, m_sources[range.end - 1].end};
}

OffsetText OffsetText::slice(Range range) const {
    OffsetText out;
    out.m_text = cut(m_text, range);
    out.m_first = source(range).begin;
    if (!m_sources.empty())
        out.m_sources.assign(m_sources.begin() + range.begin, m_sources.begin() + range.end);
    return out;
}

OffsetTextWriter::OffsetTextWriter(const OffsetText& from) : m_from(from) {
    m_to.m_first = from.m_first;
    m_to.m_text.reserve(from.m_text.size() + from.m_text.size() / 4);
    m_to.m_sources.reserve(m_to.m_text.capacity());
}

void OffsetTextWriter::keep(Range range) {
    m_to.m_text += cut(m_from.m_text, range);
    for (std::uint32_t i = range.begin; i < range.end; ++i)
        m_to.m_sources.push_back(m_from.source({i, i + 1}));
}

void OffsetTextWriter::put(std::string_view bytes, Range range) {
    m_to.m_text += bytes;
    m_to.m_sources.resize(m_to.m_text.size(), m_from.source(range));
}

} // namespace fkv::text
