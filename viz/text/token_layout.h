// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/token_text.h"

#include <cstdint>
#include <vector>

namespace fkv::viz {

/// Width in px of every shape of a TokenText in one font, drawn alone.
struct ShapeWidths {
    std::vector<float> width; ///< [shapes]
    float space = 0.0F;       ///< what a wrapped line saves when it swallows a leading space
};

/// Word wrap over boxes: which tokens stand on which line. Pure arithmetic over cached widths, so
/// that a million tokens are laid out in milliseconds; no character is shaped here. A line ends
/// after a newline box, else before the box that would not fit: at the last place where a word may
/// be broken, or, when a word alone is wider than a line, anywhere between boxes.
class TokenLayout {
public:
    TokenLayout() = default;
    /// `text` is only read here. No tokens gives no lines; a box wider than `available` px gets a
    /// line of its own.
    TokenLayout(const TokenText& text, const ShapeWidths& widths, double available);

    std::int64_t lines() const {
        return m_starts.empty() ? 0 : static_cast<std::int64_t>(m_starts.size()) - 1;
    }
    /// Tokens of a line in [0, lines()).
    TokenRange tokens(std::int64_t line) const {
        const auto i = static_cast<std::size_t>(line);
        return {m_starts[i], m_starts[i + 1]};
    }
    /// Line of a token in [0, N), by binary search in the line starts; 0 without lines.
    std::int64_t lineOf(std::int64_t token) const;
    /// Base direction of the paragraph a line belongs to.
    bool rightToLeft(std::int64_t line) const {
        return m_rightToLeft[static_cast<std::size_t>(line)];
    }
    /// True when the line begins because the one before was full: its first space is not drawn.
    bool wrapped(std::int64_t line) const { return m_wrapped[static_cast<std::size_t>(line)]; }

private:
    void startLine(std::int64_t token, bool wrapped, bool rightToLeft);

    std::vector<std::int64_t> m_starts; ///< first token of every line, and N
    std::vector<bool> m_rightToLeft, m_wrapped;
};

} // namespace fkv::viz
