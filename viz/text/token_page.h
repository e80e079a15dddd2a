// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/text/token_line.h"

#include <QPointF>
#include <QRect>
#include <memory>
#include <unordered_map>

namespace fkv::viz {

/// The text of a prompt at one width: where every line and box stands, without drawing it. y is in
/// px from the first line, however far the page is scrolled. Lines are shaped when they are first
/// asked for and kept until text, font or width change.
class TokenPage {
public:
    /// Shared and immutable; null empties the page.
    void setText(std::shared_ptr<const TokenText> text);
    /// `text` for the tokens, `index` for the numbers at the left.
    void setFonts(const QFont& text, const QFont& index);
    void setWidth(int px);

    const TokenText* text() const { return m_text.get(); }
    const TokenFont& font() const { return m_font; }
    const QFont& indexFont() const { return m_indexFont; }
    const TokenLayout& layout() const { return m_layout; }
    int width() const { return m_width; }

    int lineHeight() const { return m_font.lineHeight(); }
    std::int64_t lines() const { return m_layout.lines(); }
    std::int64_t height() const { return lines() * lineHeight() + 2 * kMargin; }
    std::int64_t lineTop(std::int64_t line) const { return kMargin + line * lineHeight(); }
    /// Line at y, clamped; -1 on an empty page.
    std::int64_t lineAt(std::int64_t y) const;

    /// Columns of a line: index, then badges of pins and spans, then the text.
    int indexRight() const { return m_indexWidth; }
    int badgeWidth() const { return m_badgeWidth; }
    int textLeft() const { return m_indexWidth + m_badgeWidth + kGap; }
    int textWidth() const;

    /// Valid until the next call.
    const ShapedLine& line(std::int64_t line) const;
    /// Tokens of the box at a place of the page. `nearest` takes the closest box of the line for
    /// places beside it; else they give nothing.
    TokenRange tokensAt(std::int64_t x, std::int64_t y, bool nearest) const;
    /// Surrounds all stretches of the box of a token, in page coordinates.
    QRect rectOf(std::int64_t token) const;

    /// How much work was done, for tests: layouts of the whole text, and lines shaped.
    int layoutsMade() const { return m_layoutsMade; }
    int linesShaped() const { return m_linesShaped; }

private:
    static constexpr int kMargin = 3, kGap = 4;
    void layOut();
    void measure();

    std::shared_ptr<const TokenText> m_text;
    TokenFont m_font;
    QFont m_indexFont;
    ShapeWidths m_widths;
    TokenLayout m_layout;
    int m_width = 0;
    int m_indexWidth = 0, m_badgeWidth = 0;
    mutable std::unordered_map<std::int64_t, ShapedLine> m_shaped;
    int m_layoutsMade = 0;
    mutable int m_linesShaped = 0;
};

} // namespace fkv::viz
