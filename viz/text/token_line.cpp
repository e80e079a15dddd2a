// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/token_line.h"

#include <QFontMetricsF>
#include <QTextLayout>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr QChar kIsolate = u'\u2068'; // first strong isolate
constexpr QChar kEndIsolate = u'\u2069';

/// The line as one string, and where in it every box stands.
struct LineText {
    struct Part {
        int begin = 0, end = 0;
        bool pill = false;
    };
    QString text;
    std::vector<Part> parts;
    bool plain = true; ///< nothing runs right to left
};

LineText textOf(const TokenText& text, const TokenFont& font, ShapedLine& line, bool wrapped,
                bool rightToLeft, double available) {
    LineText out;
    out.plain = !rightToLeft;
    for (const ShapedLine::Box& box : line.boxes)
        out.plain &= text.shapes()[box.shape].direction >= 0;
    for (std::size_t i = 0; i < line.boxes.size(); ++i) {
        ShapedLine::Box& box = line.boxes[i];
        const TokenShape& shape = text.shapes()[box.shape];
        box.drawn = TokenFont::drawn(shape);
        if (i == 0 && wrapped && shape.leadingSpace) box.drawn.remove(0, 1);
        LineText::Part part;
        part.pill = shape.kind == TokenShape::Kind::Pill;
        const QFontMetricsF metrics(part.pill ? font.pill() : font.text());
        if (line.boxes.size() == 1 && font.width(shape) > available)
            box.drawn = metrics.elidedText(box.drawn, Qt::ElideRight, std::max(available, 1.0));
        // The brackets of a pill must not be mirrored by the text around it.
        const bool isolate = part.pill && !out.plain;
        if (isolate) out.text += kIsolate;
        part.begin = static_cast<int>(out.text.size());
        out.text += box.drawn;
        part.end = static_cast<int>(out.text.size());
        if (isolate) out.text += kEndIsolate;
        out.parts.push_back(part);
    }
    return out;
}

QList<QTextLayout::FormatRange> pillFormats(const LineText& line, const TokenFont& font) {
    QList<QTextLayout::FormatRange> formats;
    for (const LineText::Part& part : line.parts) {
        if (!part.pill) continue;
        QTextLayout::FormatRange range;
        range.start = part.begin;
        range.length = part.end - part.begin;
        range.format.setFont(font.pill());
        formats.push_back(range);
    }
    return formats;
}

using Stretches = QVarLengthArray<ShapedLine::Stretch, 2>;

/// Where a part stands. In mixed text each character is asked for both of its own edges, since
/// between runs of different direction a cursor position alone means two places.
Stretches stretchesOf(const QTextLine& line, const LineText::Part& part, bool plain) {
    if (plain)
        return {{static_cast<float>(line.cursorToX(part.begin)),
                 static_cast<float>(line.cursorToX(part.end))}};
    std::vector<ShapedLine::Stretch> characters;
    for (int i = part.begin; i < part.end; ++i) {
        int leading = i, trailing = i;
        const double a = line.cursorToX(&leading, QTextLine::Leading);
        const double b = line.cursorToX(&trailing, QTextLine::Trailing);
        characters.push_back(
            {static_cast<float>(std::min(a, b)), static_cast<float>(std::max(a, b))});
    }
    std::sort(characters.begin(), characters.end(),
              [](const auto& a, const auto& b) { return a.left < b.left; });
    constexpr float kTouch = 0.5F;
    Stretches out;
    for (const ShapedLine::Stretch& c : characters) {
        if (!out.isEmpty() && c.left <= out.back().right + kTouch)
            out.back().right = std::max(out.back().right, c.right);
        else
            out.push_back(c);
    }
    return out;
}

} // namespace

const ShapedLine::Box* ShapedLine::at(double x) const {
    const Box* nearest = nullptr;
    double least = 1e30;
    for (const Box& box : boxes)
        for (const Stretch& s : box.stretches) {
            const double away =
                std::max({static_cast<double>(s.left) - x, x - static_cast<double>(s.right), 0.0});
            if (away < least) {
                least = away;
                nearest = &box;
            }
        }
    return nearest;
}

const ShapedLine::Box* ShapedLine::of(std::int64_t token) const {
    const auto box = std::find_if(boxes.begin(), boxes.end(),
                                  [token](const Box& b) { return b.tokens.has(token); });
    return box == boxes.end() ? nullptr : &*box;
}

ShapedLine shapeLine(const TokenText& text, const TokenLayout& layout, const TokenFont& font,
                     std::int64_t line, double available) {
    ShapedLine out;
    out.tokens = layout.tokens(line);
    for (std::int64_t i = out.tokens.begin; i < out.tokens.end; ++i) {
        const std::uint32_t shape = text.shapeOf()[static_cast<std::size_t>(i)];
        if (shape != TokenText::kJoined)
            out.boxes.push_back({{i, i + 1}, shape, {}, {}, {}});
        else if (!out.boxes.empty())
            out.boxes.back().tokens.end = i + 1;
    }
    const bool rightToLeft = layout.rightToLeft(line);
    const LineText drawn = textOf(text, font, out, layout.wrapped(line), rightToLeft, available);
    QTextLayout shaper(drawn.text, font.text());
    QTextOption option(rightToLeft ? Qt::AlignRight : Qt::AlignLeft);
    option.setWrapMode(QTextOption::NoWrap);
    option.setTextDirection(rightToLeft ? Qt::RightToLeft : Qt::LeftToRight);
    // A space at the end of a line is a token like any other and must have its width.
    option.setFlags(QTextOption::IncludeTrailingSpaces);
    shaper.setTextOption(option);
    shaper.setFormats(pillFormats(drawn, font));
    shaper.beginLayout();
    QTextLine shaped = shaper.createLine();
    if (shaped.isValid()) shaped.setLineWidth(available);
    shaper.endLayout();
    if (!shaped.isValid()) return out;
    out.baseline = shaped.y() + shaped.ascent();
    for (std::size_t i = 0; i < out.boxes.size(); ++i) {
        ShapedLine::Box& box = out.boxes[i];
        const LineText::Part& part = drawn.parts[i];
        box.stretches = stretchesOf(shaped, part, drawn.plain);
        box.glyphs = shaped.glyphRuns(part.begin, part.end - part.begin);
    }
    return out;
}

} // namespace fkv::viz
