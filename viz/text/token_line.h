// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/text/token_font.h"
#include "viz/text/token_layout.h"

#include <QGlyphRun>
#include <QList>
#include <QVarLengthArray>
#include <vector>

namespace fkv::viz {

/// One line of tokens, shaped as a whole: joined letters, combining marks and right-to-left runs
/// come out as they do in any text, and the boxes are read off its cursor positions. x is in px
/// from the left end of the line.
struct ShapedLine {
    struct Stretch {
        float left = 0.0F, right = 0.0F;
        float width() const { return right - left; }
    };
    struct Box {
        TokenRange tokens;
        std::uint32_t shape = 0;
        /// Where it stands, from left to right. Mostly one; a token with text of both directions (a
        /// space before a Hebrew word in an English line) stands in two places.
        QVarLengthArray<Stretch, 2> stretches;
        QList<QGlyphRun> glyphs; ///< of this box alone, at their place in the line
        QString drawn;           ///< its text, for devices that must keep text as text

        float left() const { return stretches.isEmpty() ? 0.0F : stretches.front().left; }
        float right() const { return stretches.isEmpty() ? 0.0F : stretches.back().right; }
    };
    TokenRange tokens;
    double baseline = 0.0;  ///< of the glyph runs, px below their origin
    std::vector<Box> boxes; ///< in the order of the tokens

    /// Box under x; the nearest one when x lies beside the line, null when there is none.
    const Box* at(double x) const;
    const Box* of(std::int64_t token) const;
};

/// Shapes a line of the layout into `available` px; boxes wider than that are cut with an ellipsis.
ShapedLine shapeLine(const TokenText& text, const TokenLayout& layout, const TokenFont& font,
                     std::int64_t line, double available);

} // namespace fkv::viz
