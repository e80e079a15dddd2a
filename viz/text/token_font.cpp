// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/token_font.h"

#include <QFontMetricsF>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kPillScale = 0.8;
constexpr QChar kPillPadding = u'\u00a0';

std::array<float, 128> advances(const QFont& font) {
    const QFontMetricsF metrics(font);
    std::array<float, 128> out{};
    for (char16_t c = 0x20; c < 0x7f; ++c)
        out[c] = static_cast<float>(metrics.horizontalAdvance(QChar(c)));
    return out;
}

} // namespace

TokenFont::TokenFont(const QFont& font) : m_text(font), m_pill(font) {
    m_text.setKerning(false);
    m_pill.setKerning(false);
    m_pill.setPointSizeF(font.pointSizeF() * kPillScale);
    m_textAdvance = advances(m_text);
    m_pillAdvance = advances(m_pill);
    const QFontMetricsF metrics(m_text);
    m_ascent = static_cast<int>(std::ceil(metrics.ascent()));
    m_textHeight = m_ascent + static_cast<int>(std::ceil(metrics.descent()));
}

QString TokenFont::drawn(const TokenShape& shape) {
    if (shape.kind != TokenShape::Kind::Pill) return shape.label;
    return kPillPadding + shape.label + kPillPadding;
}

double TokenFont::width(const TokenShape& shape) const {
    const bool pill = shape.kind == TokenShape::Kind::Pill;
    if (!shape.ascii) return QFontMetricsF(pill ? m_pill : m_text).horizontalAdvance(drawn(shape));
    const auto& advance = pill ? m_pillAdvance : m_textAdvance;
    double sum = pill ? 2.0 * static_cast<double>(m_pillAdvance[0x20]) : 0.0;
    for (const QChar c : shape.label)
        sum += static_cast<double>(advance[c.unicode() & 0x7f]);
    return sum;
}

ShapeWidths TokenFont::widths(const TokenText& text) const {
    ShapeWidths widths;
    widths.space = m_textAdvance[0x20];
    widths.width.reserve(text.shapes().size());
    for (const TokenShape& shape : text.shapes())
        widths.width.push_back(static_cast<float>(width(shape)));
    return widths;
}

} // namespace fkv::viz
