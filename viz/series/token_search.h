// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/run.h"
#include "viz/series/position_axis.h"

#include <QString>
#include <cstdint>
#include <vector>

namespace fkv::viz {

/// Case-insensitive search for a piece of text in a prompt. The folded text and where every token
/// begins in it are made once; a search is then one walk over it.
class TokenSearch {
public:
    /// Nobody walks through more, and every view has to draw them.
    static constexpr std::size_t kMostHits = 100000;

    explicit TokenSearch(const trace::Prompt& prompt);

    /// Tokens that hold each occurrence, ascending; occurrences do not overlap, but two of them may
    /// lie in one token. An empty needle is nowhere; the search ends after kMostHits.
    std::vector<TokenRange> find(const QString& needle) const;

private:
    TokenRange tokensOf(std::int64_t begin, std::int64_t end) const;

    QString m_text;                     ///< UTF-16; a stray byte is one U+001A
    std::vector<std::uint32_t> m_begin; ///< [N] first unit of each token
    std::vector<std::uint32_t> m_end;   ///< [N] one past its last
};

} // namespace fkv::viz
