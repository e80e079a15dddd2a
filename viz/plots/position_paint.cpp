// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/position_paint.h"

#include "viz/series/format.h"

#include <QFontMetrics>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kPinWidth = 7;
constexpr int kLabelGap = 2;
constexpr int kTickGap = 18;

const QColor& colourOf(const Palette& colours, int number) {
    return colours.pins[static_cast<std::size_t>(std::clamp(number, 1, 8) - 1)];
}

/// Restores the painter at the end of a scope.
class Saved {
public:
    explicit Saved(QPainter& painter) : m_painter(painter) { m_painter.save(); }
    ~Saved() { m_painter.restore(); }
    Saved(const Saved&) = delete;
    Saved& operator=(const Saved&) = delete;

private:
    QPainter& m_painter;
};

PixelRange widened(PixelRange px, int least, int limit) {
    if (px.width() >= least) return px;
    px.x0 = std::clamp(px.x0 - (least - px.width()) / 2, 0, std::max(0, limit - least));
    px.x1 = std::min(px.x0 + least, limit);
    return px;
}

bool overlaps(const PixelRange& a, const PixelRange& b) {
    return a.x0 < b.x1 && b.x0 < a.x1;
}

/// One outline with another around it, so that one of them shows on any colour.
void drawOutline(QPainter& painter, const QRect& r, const QColor& ink, const QColor& around) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(around);
    painter.drawRect(r.adjusted(-2, -2, 1, 1));
    painter.setPen(ink);
    painter.drawRect(r.adjusted(-1, -1, 0, 0));
}

} // namespace

TextWidth textWidthOf(const QFont& font) {
    return [metrics = QFontMetrics(font)](const QString& text) {
        return metrics.horizontalAdvance(text);
    };
}

PixelRange markPixels(TokenRange run, const PositionAxis& axis, std::int64_t tokens) {
    const std::int64_t scored = axis.scored();
    const PixelRange onAxis = axis.pixelsOf(run, kLeastMark);
    const std::int64_t window = tokens - scored;
    if (run.end <= scored || window <= 0 || run.size() == 0) return onAxis;
    const auto edge = [&](std::int64_t token) {
        const std::int64_t offset = std::clamp<std::int64_t>(token - scored, 0, window);
        return axis.width() + static_cast<int>(offset * PositionAxis::kGutter / window);
    };
    const int limit = axis.width() + PositionAxis::kGutter;
    const PixelRange inGutter = widened({edge(run.begin), edge(run.end)}, kLeastMark, limit);
    if (onAxis.width() == 0) return inGutter;
    return {onAxis.x0, inGutter.x1};
}

std::vector<MarkShape> layoutMarks(const Selection& selection, const PositionAxis& axis,
                                   const TextWidth& textWidth) {
    std::vector<MarkShape> shapes;
    int last = -1;
    for (const TokenRange& hit : selection.hits()) {
        const PixelRange px = markPixels(hit, axis, selection.tokens());
        // Thousands of hits fall on few pixels.
        if (px.width() == 0 || (px.x0 == last && px.width() <= kLeastMark)) continue;
        last = px.x0;
        shapes.push_back({MarkShape::Kind::Hit, px, 0, {}, {}});
    }
    const std::size_t firstMark = shapes.size();
    std::vector<const Mark*> source;
    for (const bool span : {true, false})
        for (const Mark& mark : selection.marks()) {
            if (mark.span != span) continue;
            PixelRange px = markPixels(mark.tokens, axis, selection.tokens());
            if (px.width() == 0) continue;
            if (!span) px = widened(px, kPinWidth, axis.width() + PositionAxis::kGutter);
            shapes.push_back(
                {span ? MarkShape::Kind::Span : MarkShape::Kind::Pin, px, mark.number, {}, {}});
            source.push_back(&mark);
        }
    const int limit = axis.width() + PositionAxis::kGutter;
    for (std::size_t i = firstMark; i < shapes.size(); ++i) {
        const QString number = QString::number(shapes[i].number);
        const QString& name = source[i - firstMark]->name;
        const auto isFree = [&](const PixelRange& px) {
            return px.x0 >= 0 && px.x1 <= limit &&
                   std::none_of(shapes.begin() + static_cast<std::ptrdiff_t>(firstMark),
                                shapes.end(), [&](const MarkShape& other) {
                                    return (&other != &shapes[i] && overlaps(px, other.px)) ||
                                           overlaps(px, other.labelPx);
                                });
        };
        for (const QString& label : {name.isEmpty() ? number : number + u' ' + name, number}) {
            const int w = textWidth(label);
            const PixelRange right{shapes[i].px.x1 + kLabelGap, shapes[i].px.x1 + kLabelGap + w};
            const PixelRange left{shapes[i].px.x0 - kLabelGap - w, shapes[i].px.x0 - kLabelGap};
            if (!isFree(right) && !isFree(left)) continue;
            shapes[i].label = label;
            shapes[i].labelPx = isFree(right) ? right : left;
            break;
        }
    }
    return shapes;
}

void paintMarks(QPainter& painter, const QRect& lane, const std::vector<MarkShape>& marks,
                const Palette& colours, const QFont& font) {
    const Saved saved(painter);
    painter.setFont(font);
    const int bottom = lane.bottom() + 1;
    for (const MarkShape& mark : marks) {
        const int left = lane.left() + mark.px.x0;
        if (mark.kind == MarkShape::Kind::Hit) {
            const int height = std::max(3, lane.height() / 3);
            painter.fillRect(left, bottom - height, mark.px.width(), height, colours.text);
            continue;
        }
        const QColor& colour = colourOf(colours, mark.number);
        if (mark.kind == MarkShape::Kind::Span) {
            painter.fillRect(left, lane.top(), mark.px.width(), lane.height(), colour);
        } else {
            const int height = std::min(lane.height(), 8);
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(Qt::NoPen);
            painter.setBrush(colour);
            const QPointF tip(left + mark.px.width() / 2.0, bottom);
            painter.drawPolygon(QPolygonF({QPointF(left, bottom - height),
                                           QPointF(left + mark.px.width(), bottom - height), tip}));
        }
        if (mark.label.isEmpty()) continue;
        painter.setPen(colours.text);
        painter.drawText(
            QRect(lane.left() + mark.labelPx.x0, lane.top(), mark.labelPx.width(), lane.height()),
            Qt::AlignLeft | Qt::AlignVCenter | Qt::TextDontClip | Qt::TextSingleLine, mark.label);
    }
}

std::vector<AxisTick> positionTicks(const PositionAxis& axis, const TextWidth& textWidth) {
    std::vector<AxisTick> ticks;
    const TokenRange visible = axis.visible();
    if (visible.size() == 0) return ticks;
    const int least = textWidth(formatCount(visible.end)) + kTickGap;
    const double perPixel = static_cast<double>(visible.size()) / axis.width();
    std::int64_t step = 1;
    for (int i = 0; static_cast<double>(step) < least * perPixel; ++i)
        step = step / (i % 3 == 1 ? 2 : 1) * (i % 3 == 1 ? 5 : 2);
    for (std::int64_t token = (visible.begin + step - 1) / step * step; token < visible.end;
         token += step) {
        const auto x = static_cast<int>(std::lround(axis.xOf(token)));
        const QString label = formatCount(token);
        const int w = textWidth(label);
        const int x0 = std::clamp(x - w / 2, 0, std::max(0, axis.width() - w));
        if (w > axis.width() || (!ticks.empty() && x0 < ticks.back().labelPx.x1 + kLabelGap))
            continue;
        ticks.push_back({x, label, {x0, x0 + w}});
    }
    return ticks;
}

void paintTicks(QPainter& painter, const QRect& row, const std::vector<AxisTick>& ticks,
                const Palette& colours, const QFont& font) {
    const Saved saved(painter);
    constexpr int kTickLength = 3;
    painter.setFont(font);
    for (const AxisTick& tick : ticks) {
        painter.fillRect(row.left() + tick.x, row.top(), 1, kTickLength, colours.mutedText);
        painter.setPen(colours.mutedText);
        painter.drawText(QRect(row.left() + tick.labelPx.x0, row.top() + kTickLength,
                               tick.labelPx.width(), row.height() - kTickLength),
                         Qt::AlignLeft | Qt::AlignVCenter | Qt::TextDontClip | Qt::TextSingleLine,
                         tick.label);
    }
}

void paintHatch(QPainter& painter, const QRect& area, const QColor& ink, int step) {
    if (area.isEmpty() || step < 2) return;
    const Saved saved(painter);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(ink, 1.0, Qt::SolidLine, Qt::FlatCap));
    // The lines x + y = k * step of the whole plane, so that neighbours join; cut here, since not
    // every device for figures knows clipping.
    const double left = area.left(), right = area.right() + 1;
    const double top = area.top(), bottom = area.bottom() + 1;
    const int first = (area.left() + area.top()) / step * step;
    for (double sum = first; sum < right + bottom; sum += step) {
        const double x0 = std::min(right, sum - top), x1 = std::max(left, sum - bottom);
        if (x0 > x1) painter.drawLine(QPointF(x0, sum - x0), QPointF(x1, sum - x1));
    }
}

void paintGutter(QPainter& painter, const QRect& gutter, const Palette& colours) {
    painter.fillRect(gutter, colours.base);
    paintHatch(painter, gutter, colours.mutedText, 4);
    painter.fillRect(gutter.left(), gutter.top(), 1, gutter.height(), colours.border);
}

void paintPreview(QPainter& painter, const QRect& area, const Palette& colours, const QFont& font) {
    if (area.isEmpty()) return;
    QColor ink = colours.base;
    ink.setAlphaF(0.55F);
    paintHatch(painter, area, ink, 7);
    const Saved saved(painter);
    const QString sign = QStringLiteral("≈");
    const QFontMetrics metrics(font);
    const QRect box(area.right() - metrics.horizontalAdvance(sign) - 5, area.top(),
                    metrics.horizontalAdvance(sign) + 6, std::min(metrics.height(), area.height()));
    painter.fillRect(box, colours.base);
    painter.setFont(font);
    painter.setPen(colours.text);
    painter.drawText(box, Qt::AlignCenter | Qt::TextDontClip, sign);
}

void paintHover(QPainter& painter, const QRect& plot, const PixelRange& column,
                const std::optional<QRect>& row, const Palette& colours) {
    const Saved saved(painter);
    painter.setClipRect(plot.adjusted(-2, -2, PositionAxis::kGutter + 2, 2), Qt::IntersectClip);
    if (row) drawOutline(painter, *row, colours.hover, colours.base);
    if (column.width() == 0) return;
    const PixelRange wide = widened(column, kLeastMark, plot.width() + PositionAxis::kGutter);
    drawOutline(painter, QRect(plot.left() + wide.x0, plot.top(), wide.width(), plot.height()),
                colours.hover, colours.base);
}

void paintRubberBand(QPainter& painter, const QRect& plot, const std::pair<int, int>& band,
                     const Palette& colours) {
    const int left = std::clamp(band.first, plot.left(), plot.right());
    const int right = std::clamp(band.second, plot.left(), plot.right());
    const Saved saved(painter);
    QColor fill = colours.focus;
    fill.setAlphaF(0.22F);
    painter.fillRect(QRect(left, plot.top(), right - left + 1, plot.height()), fill);
    painter.fillRect(left, plot.top(), 1, plot.height(), colours.focus);
    painter.fillRect(right, plot.top(), 1, plot.height(), colours.focus);
}

void paintTie(QPainter& painter, const QRect& token, const Palette& colours) {
    const Saved saved(painter);
    painter.setBrush(Qt::NoBrush);
    const QRect edge = token.adjusted(0, 0, -1, -1);
    painter.setPen(QPen(colours.base, 1.0));
    painter.drawRect(edge);
    painter.setPen(QPen(colours.hover, 1.0, Qt::DotLine));
    painter.drawRect(edge);
}

void paintFocus(QPainter& painter, const QRect& view, const Palette& colours) {
    const Saved saved(painter);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colours.focus, 1.0));
    painter.drawRect(view.adjusted(0, 0, -1, -1));
}

} // namespace fkv::viz
