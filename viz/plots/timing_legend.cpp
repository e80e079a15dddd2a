// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_legend.h"

#include "viz/series/format.h"

#include <QCoreApplication>
#include <QPainter>
#include <algorithm>
#include <vector>

namespace fkv::viz {
namespace {

constexpr double kSwatch = 9.0;
constexpr double kGap = 6.0;

QString tr(const char* text) {
    return QCoreApplication::translate("TimingLegend", text);
}
std::size_t at(trace::ZoneGroup group) {
    return static_cast<std::size_t>(group);
}

struct Row {
    trace::ZoneGroup group = trace::ZoneGroup::Count; ///< Count: the head
    QString name, full, fastKv;
};

/// Head, stack from its top, capture.
std::vector<Row> rowsOf(const TimingLegend& legend) {
    const TimingBars& bars = legend.bars;
    const bool preview =
        std::any_of(bars.layers.begin(), bars.layers.end(),
                    [](const LayerBars& bar) { return bar.fastKvState == trace::State::Preview; });
    std::vector<Row> rows{{trace::ZoneGroup::Count, tr("ms"), tr("full"), tr("FastKV")}};
    for (auto group = kBarStack.rbegin(); group != kBarStack.rend(); ++group) {
        const double full = bars.full[at(*group)], fast = bars.fastKv[at(*group)];
        rows.push_back({*group,
                        legend.shortNames && *group == trace::ZoneGroup::Selection
                            ? tr("selection")
                            : zoneGroupName(*group),
                        full > 0.0 ? formatSignificant(full) : QStringLiteral("–"),
                        withState(formatSignificant(fast),
                                  preview ? trace::State::Preview : trace::State::Exact)});
    }
    if (legend.captureMs.value_or(0.0) > 0.0)
        rows.push_back({trace::ZoneGroup::Instrument, zoneGroupName(trace::ZoneGroup::Instrument),
                        formatSignificant(*legend.captureMs), QStringLiteral("–")});
    return rows;
}

struct Widths {
    double name = 0.0, full = 0.0, fastKv = 0.0;
};
Widths widthsOf(const QFontMetricsF& metrics, const std::vector<Row>& rows) {
    Widths w;
    for (const Row& row : rows) {
        w.name = std::max(w.name, metrics.horizontalAdvance(row.name));
        w.full = std::max(w.full, metrics.horizontalAdvance(row.full));
        w.fastKv = std::max(w.fastKv, metrics.horizontalAdvance(row.fastKv));
    }
    return w;
}

} // namespace

QString zoneGroupName(trace::ZoneGroup group) {
    switch (group) {
    case trace::ZoneGroup::Attention:
        return tr("attention");
    case trace::ZoneGroup::Projections:
        return tr("projections");
    case trace::ZoneGroup::Mlp:
        return tr("MLP");
    case trace::ZoneGroup::Selection:
        return tr("saliency and selection");
    case trace::ZoneGroup::Other:
        return tr("other");
    case trace::ZoneGroup::Instrument:
        return tr("capture");
    case trace::ZoneGroup::Count:
        break;
    }
    return {};
}

QString passName(trace::PassKind pass) {
    switch (pass) {
    case trace::PassKind::Full:
        return tr("full pass");
    case trace::PassKind::FastKv:
        return tr("FastKV rerun");
    case trace::PassKind::Standalone:
        return tr("standalone");
    case trace::PassKind::DecodeFull:
        return tr("decode, full");
    case trace::PassKind::DecodeFastKv:
        return tr("decode, FastKV");
    case trace::PassKind::Load:
        return tr("loading");
    case trace::PassKind::Count:
        break;
    }
    return {};
}

double timingLegendWidth(const QFont& font, const TimingLegend& legend) {
    const Widths w = widthsOf(QFontMetricsF(font), rowsOf(legend));
    return kSwatch + kGap + w.name + 2.0 +
           (legend.numbers ? w.full + w.fastKv + 2.0 * kGap + 2.0 : 0.0);
}

void paintTimingLegend(const ChartCanvas& canvas, const QRectF& area, const TimingLegend& legend) {
    std::vector<Row> rows = rowsOf(legend);
    const double line = canvas.metrics().height() - 1.0;
    const auto fit = static_cast<std::size_t>(std::max(0.0, std::floor(area.height() / line)));
    if (!legend.numbers || rows.size() > fit) rows.erase(rows.begin());
    if (rows.size() > fit && rows.back().group == trace::ZoneGroup::Instrument) rows.pop_back();
    if (rows.size() > fit) return;
    const Widths w = widthsOf(canvas.metrics(), rowsOf(legend));
    double y = area.top();
    for (const Row& row : rows) {
        const bool head = row.group == trace::ZoneGroup::Count;
        if (!head)
            paintBar(canvas.painter, {area.left(), y + (line - kSwatch) / 2.0, kSwatch, kSwatch},
                     {canvas.colours.zones[at(row.group)], canvas.colours.base,
                      row.group == trace::ZoneGroup::Instrument});
        canvas.painter.setPen(head ? canvas.colours.mutedText : canvas.colours.text);
        double x = area.left() + kSwatch + kGap;
        canvas.texts.place(canvas.painter, {x, y, w.name + 2.0, line},
                           Qt::AlignLeft | Qt::AlignVCenter, row.name);
        x += w.name + 2.0 + kGap;
        if (legend.numbers) {
            canvas.texts.place(canvas.painter, {x, y, w.full + 1.0, line},
                               Qt::AlignRight | Qt::AlignVCenter, row.full);
            x += w.full + kGap;
            canvas.texts.place(canvas.painter, {x, y, w.fastKv + 1.0, line},
                               Qt::AlignRight | Qt::AlignVCenter, row.fastKv);
        }
        y += line;
    }
}

} // namespace fkv::viz
