// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/token_layout.h"

#include <algorithm>

namespace fkv::viz {
namespace {

/// Direction of the paragraph that begins at `token`: its first strong character, else left to
/// right.
bool paragraphIsRightToLeft(const TokenText& text, std::size_t token) {
    const auto& shapeOf = text.shapeOf();
    for (; token < shapeOf.size(); ++token) {
        if (shapeOf[token] == TokenText::kJoined) continue;
        const TokenShape& shape = text.shapes()[shapeOf[token]];
        if (shape.direction != 0) return shape.direction < 0;
        if (shape.kind == TokenShape::Kind::Newline) return false;
    }
    return false;
}

/// What wrapping needs to know of a shape, packed: the walk over a million tokens touches little.
struct Piece {
    float width;
    float saved; ///< when it starts a wrapped line
    bool newline, breakBefore, breakAfter;
};

std::vector<Piece> piecesOf(const TokenText& text, const ShapeWidths& widths) {
    std::vector<Piece> pieces;
    pieces.reserve(text.shapes().size());
    for (std::size_t i = 0; i < text.shapes().size(); ++i) {
        const TokenShape& shape = text.shapes()[i];
        pieces.push_back({widths.width[i], shape.leadingSpace ? widths.space : 0.0F,
                          shape.kind == TokenShape::Kind::Newline, shape.breakBefore,
                          shape.breakAfter});
    }
    return pieces;
}

} // namespace

TokenLayout::TokenLayout(const TokenText& text, const ShapeWidths& widths, double available) {
    const std::vector<Piece> pieces = piecesOf(text, widths);
    const auto& shapeOf = text.shapeOf();
    const std::size_t count = shapeOf.size();
    bool rightToLeft = false, newParagraph = true, mayBreak = false;
    double x = 0.0;          // right end of what stands on the line
    std::size_t breakAt = 0; // last place in the line where a word ends
    double xAtBreak = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        if (shapeOf[i] == TokenText::kJoined) continue;
        const Piece& piece = pieces[shapeOf[i]];
        if (newParagraph) {
            rightToLeft = paragraphIsRightToLeft(text, i);
            startLine(static_cast<std::int64_t>(i), false, rightToLeft);
            x = 0.0;
            breakAt = i;
            newParagraph = mayBreak = false;
        }
        if ((mayBreak || piece.breakBefore) && static_cast<std::int64_t>(i) > m_starts.back()) {
            breakAt = i;
            xAtBreak = x;
        }
        // Twice at most: after a break at the last word the rest of the line may still be too long.
        while (x + piece.width > available && static_cast<std::int64_t>(i) > m_starts.back()) {
            const bool atWord = static_cast<std::int64_t>(breakAt) > m_starts.back();
            const std::size_t next = atWord ? breakAt : i;
            x = (atWord ? x - xAtBreak : 0.0) - pieces[shapeOf[next]].saved;
            startLine(static_cast<std::int64_t>(next), true, rightToLeft);
        }
        x += piece.width;
        newParagraph = piece.newline;
        mayBreak = piece.breakAfter;
    }
    if (count > 0) m_starts.push_back(static_cast<std::int64_t>(count));
}

void TokenLayout::startLine(std::int64_t token, bool wrapped, bool rightToLeft) {
    m_starts.push_back(token);
    m_wrapped.push_back(wrapped);
    m_rightToLeft.push_back(rightToLeft);
}

std::int64_t TokenLayout::lineOf(std::int64_t token) const {
    if (lines() == 0) return 0;
    const auto after = std::upper_bound(m_starts.begin(), m_starts.end() - 1, token);
    return std::max<std::int64_t>(after - m_starts.begin() - 1, 0);
}

} // namespace fkv::viz
