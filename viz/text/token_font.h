// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/text/token_layout.h"

#include <QFont>
#include <array>

namespace fkv::viz {

/// The faces and line metrics of the token text. Kerning is off: widths of tokens must add up.
class TokenFont {
public:
    TokenFont() = default;
    explicit TokenFont(const QFont& font);

    const QFont& text() const { return m_text; }
    const QFont& pill() const { return m_pill; }
    int ascent() const { return m_ascent; }
    int lineHeight() const { return kAbove + m_textHeight + kBarGap + kBar + kBelow; }
    /// Of the box behind a token, from the top of its line.
    int boxTop() const { return kAbove; }
    int boxHeight() const { return m_textHeight; }
    int barTop() const { return kAbove + m_textHeight + kBarGap; }

    double width(const TokenShape& shape) const;
    ShapeWidths widths(const TokenText& text) const;
    /// A label as it stands in a line: pills get room at both ends.
    static QString drawn(const TokenShape& shape);

    static constexpr int kBar = 2; ///< px of the mark of a kept token

private:
    static constexpr int kAbove = 2, kBarGap = 1, kBelow = 2;

    QFont m_text, m_pill;
    std::array<float, 128> m_textAdvance{}, m_pillAdvance{};
    int m_ascent = 0;
    int m_textHeight = 0;
};

} // namespace fkv::viz
