// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/head_view.h"
#include "viz/plots/position_paint.h"
#include "viz/series/format.h"
#include "viz/series/importance.h"

#include <QFontMetrics>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kSwatch = 9;
constexpr int kLegendGap = 12;
constexpr int kNameGap = 6;

/// Importance of the best token there is.
float topLevel(const HeadEnvelope& envelope) {
    return std::max(1.0F,
                    std::log10(static_cast<float>(std::max<std::int64_t>(envelope.ranked, 1))));
}

} // namespace

QColor HeadView::droppedColour() const {
    return faded(colours().full, colours().base, 0.8);
}

void HeadView::paintBase(QPainter& painter, const QSize& size, const Drawn& d) const {
    painter.save();
    painter.fillRect(QRect(QPoint(), size), colours().base);
    const QRect plot = plotIn(size);
    if (plot.width() > 0 && plot.height() > 0 && d.axis.cells() > 0) {
        paintLevels(painter, plot, d);
        paintColumns(painter, plot, d);
        paintTied(painter, plot, d);
        const trace::LayerFate& layer =
            m_model.fate().layers[static_cast<std::size_t>(d.key.at.layer)];
        if (layer.state != trace::State::Exact)
            paintPreview(painter, plot, colours(), context().theme.smallFont());
        paintCut(painter, plot, d);
        paintBar(painter, barIn(size), d);
    }
    paintPositions(painter, size, d);
    paintLegend(painter, size, d);
    paintLabels(painter, labelsOf(size, d), context().theme.smallFont(), colours());
    painter.restore();
}

PlotLabels HeadView::labelsOf(const QSize& size, const Drawn& d) const {
    PlotLabels labels;
    std::vector<Swatch> swatches;
    addLegend(size, d, swatches, labels);
    const QRect plot = plotIn(size);
    if (plot.width() <= 0 || plot.height() <= 0 || d.axis.cells() == 0) return labels;
    addLevels(plot, d, labels);
    addCut(plot, d, labels);
    const QRect bar = barIn(size);
    labels.push_back({{0, bar.center().y() - textHeight() / 2, bar.left() - kNameGap, textHeight()},
                      Qt::AlignRight,
                      tr("share")});
    return labels;
}

/// Title at the left, the meaning of the fills at the right; the latter goes where room is short.
void HeadView::addLegend(const QSize& size, const Drawn& d, std::vector<Swatch>& swatches,
                         PlotLabels& labels) const {
    const QFontMetrics metrics(context().theme.smallFont());
    const QRect row(leftWidth(), 0, size.width() - leftWidth() - PositionAxis::kGutter,
                    textHeight());
    QString name;
    for (const QString& candidate : titlesOf(d.key.at, d.key.compacted, d.axis)) {
        name = candidate;
        if (metrics.horizontalAdvance(name) < row.width()) break;
    }
    const int title = std::min(metrics.horizontalAdvance(name) + 2, row.width());
    labels.push_back({{row.left(), 0, title, row.height()}, Qt::AlignLeft, name, true});
    std::vector<std::pair<QString, Swatch>> entries{{tr("kept"), {{}, colours().fastkv, false}},
                                                    {tr("dropped"), {{}, droppedColour(), false}}};
    if (d.key.at.layer >= d.key.firstLate)
        entries.push_back({tr("did not arrive"), {{}, colours().mutedText, true}});
    int x = row.right() + 1;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        const int width = metrics.horizontalAdvance(entry->first) + 2;
        x -= width;
        labels.push_back({{x, 0, width, row.height()}, Qt::AlignLeft, entry->first});
        x -= kSwatch + 4;
        entry->second.box = QRect(x, row.center().y() - kSwatch / 2, kSwatch, kSwatch);
        swatches.push_back(entry->second);
        x -= kLegendGap;
    }
    if (x < row.left() + title) {
        labels.resize(1);
        swatches.clear();
    }
}

void HeadView::paintLegend(QPainter& painter, const QSize& size, const Drawn& d) const {
    PlotLabels labels;
    std::vector<Swatch> swatches;
    addLegend(size, d, swatches, labels);
    for (const Swatch& swatch : swatches) {
        if (!swatch.hatched) {
            painter.fillRect(swatch.box, swatch.colour);
            continue;
        }
        paintHatch(painter, swatch.box, swatch.colour, 4);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(swatch.colour);
        painter.drawRect(swatch.box.adjusted(0, 0, -1, -1));
    }
}

int HeadView::yOf(float importance, const QRect& plot, const Drawn& d) {
    const float share = std::clamp(importance / topLevel(d.envelope), 0.0F, 1.0F);
    return plot.bottom() + 1 -
           static_cast<int>(std::lround(share * static_cast<float>(plot.height())));
}

void HeadView::paintLevels(QPainter& painter, const QRect& plot, const Drawn& d) const {
    for (int v = 1; v <= topLevel(d.envelope); ++v)
        painter.fillRect(plot.left(), yOf(static_cast<float>(v), plot, d), plot.width(), 1,
                         colours().gridLine);
}

void HeadView::addLevels(const QRect& plot, const Drawn& d, PlotLabels& labels) const {
    int free = plot.bottom() + 1;
    for (int v = 1; v <= topLevel(d.envelope); ++v) {
        const int y = yOf(static_cast<float>(v), plot, d);
        const QRect box(0, y - textHeight() / 2, plot.left() - kNameGap, textHeight());
        if (box.bottom() >= free) continue;
        const QString percent = formatRate(std::pow(10.0, -v));
        labels.push_back({box, Qt::AlignRight, v == 1 ? tr("top %1").arg(percent) : percent});
        free = box.top();
    }
}

void HeadView::paintColumns(QPainter& painter, const QRect& plot, const Drawn& d) const {
    // Neighbouring cells of which nothing arrived are one hatched gap.
    const QColor dropped = droppedColour();
    int gap = -1;
    const auto closeGap = [&](int x) {
        if (gap >= 0)
            paintHatch(painter, QRect(plot.left() + gap, plot.top(), x - gap, plot.height()),
                       colours().border, 5);
        gap = -1;
    };
    for (int cell = 0; cell < d.axis.cells(); ++cell) {
        const PixelRange px = d.axis.pixelsOf(cell);
        const auto i = static_cast<std::size_t>(cell);
        if (d.envelope.best.token[i] < 0) {
            if (gap < 0) gap = px.x0;
            continue;
        }
        closeGap(px.x0);
        const int y = std::min(yOf(importance(d.envelope.best.rank[i], d.envelope.ranked), plot, d),
                               plot.bottom());
        painter.fillRect(plot.left() + px.x0, y, px.width(), plot.bottom() + 1 - y,
                         d.fate.bestKept[i] ? colours().fastkv : dropped);
    }
    closeGap(plot.width());
}

void HeadView::paintTied(QPainter& painter, const QRect& plot, const Drawn& d) const {
    for (const std::int64_t token : d.tied) {
        const PixelRange px = d.axis.pixelsOf({token, token + 1}, 1);
        const std::optional<std::uint32_t> rank = rankOf(m_model.fate(), d.key.at, token);
        if (!rank) continue;
        const int y = std::min(yOf(importance(*rank, d.envelope.ranked), plot, d), plot.bottom());
        paintTie(painter, {plot.left() + px.x0, y, px.width(), plot.bottom() + 1 - y}, colours());
    }
}

void HeadView::paintCut(QPainter& painter, const QRect& plot, const Drawn& d) const {
    const float at = cutImportance(m_model.fate(), d.envelope);
    if (at < 0.0F) return;
    const int y = yOf(at, plot, d);
    painter.fillRect(plot.left(), y - 1, plot.width(), 3, colours().base);
    painter.fillRect(plot.left(), y, plot.width(), 1, colours().text);
}

void HeadView::addCut(const QRect& plot, const Drawn& d, PlotLabels& labels) const {
    const trace::LayerFate& layer = m_model.fate().layers[static_cast<std::size_t>(d.key.at.layer)];
    const float at = cutImportance(m_model.fate(), d.envelope);
    const QString kept = formatCount(layer.kept);
    const QString text =
        at < 0.0F ? tr("keeps all %1 that arrive").arg(kept) : tr("cut at C = %1").arg(kept);
    const int width = QFontMetrics(context().theme.smallFont()).horizontalAdvance(text) + 8;
    if (width > plot.width()) return;
    const int y = yOf(std::max(at, 0.0F), plot, d);
    const bool above = y - textHeight() - 1 >= plot.top();
    labels.push_back({{plot.left() + 2, above ? y - textHeight() - 1 : y + 2, width, textHeight()},
                      Qt::AlignHCenter,
                      text,
                      true,
                      true});
}

void HeadView::paintBar(QPainter& painter, const QRect& bar, const Drawn& d) const {
    for (int cell = 0; cell < d.axis.cells(); ++cell) {
        const PixelRange px = d.axis.pixelsOf(cell);
        const auto tokens =
            static_cast<float>(std::max<std::int64_t>(d.axis.tokensOf(cell).size(), 1));
        const float share =
            static_cast<float>(d.fate.kept[static_cast<std::size_t>(cell)]) / tokens;
        painter.fillRect(bar.left() + px.x0, bar.top(), px.width(), bar.height(),
                         QColor(colours().ramp(share, true)));
    }
}

void HeadView::paintPositions(QPainter& painter, const QSize& size, const Drawn& d) const {
    const QRect plot = plotIn(size), bar = barIn(size);
    const QFont font = context().theme.smallFont();
    paintGutter(
        painter,
        QRect(plot.right() + 1, plot.top(), PositionAxis::kGutter, bar.bottom() + 1 - plot.top()),
        colours());
    paintMarks(painter, laneIn(size), layoutMarks(context().selection, d.axis, textWidthOf(font)),
               colours(), font);
    paintTicks(painter, ticksIn(size), positionTicks(d.axis, textWidthOf(font)), colours(), font);
}

} // namespace fkv::viz
