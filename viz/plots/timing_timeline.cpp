// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_timeline.h"

#include "viz/plots/timing_legend.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"

#include <QLocale>
#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kMostLane = 40.0;
constexpr double kLaneGap = 3.0;
constexpr double kStrip = 4.0; ///< of layers above the zones, without room for names
constexpr double kLabelPad = 3.0;
constexpr double kLeastKernels = 5.0; ///< px of their row

/// A time of the axis, in ms, with as many digits as tell ticks `stepMs` apart.
QString timeLabel(double ms, double stepMs) {
    const int decimals =
        std::clamp(static_cast<int>(std::ceil(-std::log10(std::max(stepMs, 1e-6)) - 1e-9)), 0, 6);
    return QLocale(QLocale::English, QLocale::UnitedStates).toString(ms, 'f', decimals);
}

} // namespace

TimelineView::TimelineView(const ViewContext& context, QWidget* parent)
    : ChartView(context, tr("Timeline of zones"), parent) {
    const auto repaint = [this] { update(); };
    connect(&context.selection, &Selection::hoverChanged, this, repaint);
    connect(&context.selection, &Selection::pinnedChanged, this, repaint);
}

const std::vector<trace::Span>& TimelineView::spans() const {
    static const std::vector<trace::Span> kNone;
    return m_run ? m_run->timing.spans : kNone;
}

void TimelineView::follow() {
    const trace::RunPtr& run = context().shown.run();
    if (run == m_run) return;
    const bool fitted = m_visible == m_timeline.all;
    m_run = run;
    m_timeline = m_run ? makeTimeline(spans(), m_run->timing.kernels) : Timeline{};
    m_hit.reset();
    // A run that goes on keeps what is looked at; the whole stays the whole.
    if (fitted || m_visible.end > m_timeline.all.end) m_visible = m_timeline.all;
    invalidate();
    Q_EMIT readoutChanged();
}

QString TimelineView::emptyText() const {
    if (!m_run || !m_timeline.lanes.empty()) return {};
    return tr("This run holds no times. Run the prompt again to see its timeline.");
}

void TimelineView::setVisibleTime(const TimeRange& range) {
    if (range == m_visible) return;
    m_visible = range;
    m_hit.reset();
    invalidate();
}

QString TimelineView::laneName(const TimelineLane& lane) const {
    return lane.stream == 0 ? passName(lane.pass)
                            : tr("%1, stream %2").arg(passName(lane.pass)).arg(lane.stream);
}

QRectF TimelineView::lanesOf(const QSizeF& size) const {
    const QFontMetricsF metrics(context().theme.smallFont());
    double names = 0.0;
    for (const TimelineLane& lane : m_timeline.lanes)
        names = std::max(names, metrics.horizontalAdvance(laneName(lane)));
    const double left = std::min(names + 10.0, size.width() * 0.25);
    return {left, 1.0, std::max(1.0, size.width() - left - 6.0),
            std::max(1.0, size.height() - metrics.height() - 3.0)};
}

QRectF TimelineView::laneOf(int lane, const QRectF& lanes) const {
    // Kernels get a line for their names where there is room.
    const double names = m_timeline.kernels.empty()
                             ? 0.0
                             : 2.0 * QFontMetricsF(context().theme.smallFont()).height();
    const double step = std::min(
        kMostLane + names,
        lanes.height() / std::max<double>(1.0, static_cast<double>(m_timeline.lanes.size())));
    return {lanes.left(), std::round(lanes.top() + lane * step), lanes.width(),
            std::max(3.0, std::round(step - kLaneGap))};
}

QRectF TimelineView::rowOf(Row row, const QRectF& lane) const {
    const double line = QFontMetricsF(context().theme.smallFont()).height();
    const double strip = lane.height() >= 2.0 * line     ? line
                         : lane.height() >= 3.0 * kStrip ? kStrip
                                                         : 0.0;
    // In every lane when there are any, so that lanes look alike.
    const double rest = lane.height() - strip;
    const double kernels = m_timeline.kernels.empty() || rest < 2.0 * kLeastKernels ? 0.0
                           : rest >= 2.5 * line                                     ? line + 2.0
                                                : std::max(kLeastKernels, std::round(rest * 0.3));
    switch (row) {
    case Row::Enclosing:
        return {lane.left(), lane.top(), lane.width(), strip};
    case Row::Zones:
        return {lane.left(), lane.top() + strip, lane.width(), rest - kernels};
    case Row::Kernels:
        break;
    }
    return {lane.left(), lane.bottom() - kernels, lane.width(), kernels};
}

std::vector<TimelineBlock> TimelineView::blocksOf(Row row, const TimelineLane& lane,
                                                  double width) const {
    if (row == Row::Kernels)
        return timelineBlocks(m_timeline.kernels, lane.kernels, m_visible, width);
    return timelineBlocks(spans(), row == Row::Zones ? lane.zones : lane.enclosing, m_visible,
                          width);
}

const trace::Span& TimelineView::hitSpan(const Hit& hit) const {
    return hit.row == Row::Kernels ? m_timeline.kernels[hit.block.span] : spans()[hit.block.span];
}

void TimelineView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF lanes = lanesOf(canvas.size);
    paintTimeAxis(canvas, lanes);
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    for (int lane = 0; lane < static_cast<int>(m_timeline.lanes.size()); ++lane)
        paintLane(canvas, lanes, lane);
    canvas.painter.setRenderHint(QPainter::Antialiasing, true);
}

void TimelineView::paintLane(const ChartCanvas& canvas, const QRectF& lanes, int index) const {
    const TimelineLane& lane = m_timeline.lanes[static_cast<std::size_t>(index)];
    const QRectF box = laneOf(index, lanes), zones = rowOf(Row::Zones, box);
    canvas.painter.setPen(canvas.colours.text);
    canvas.texts.place(canvas.painter,
                       {2.0, box.top() - 2.0, lanes.left() - 8.0, box.height() + 4.0},
                       Qt::AlignLeft | Qt::AlignVCenter, laneName(lane));
    const QColor ground = faded(canvas.colours.gridLine, canvas.colours.base, 0.5);
    canvas.painter.fillRect(zones, ground);
    paintEnclosing(canvas, rowOf(Row::Enclosing, box), lane);
    for (const TimelineBlock& block : blocksOf(Row::Zones, lane, lanes.width()))
        paintBlock(canvas,
                   {lanes.left() + block.x0, zones.top(), block.x1 - block.x0, zones.height()},
                   block);
    const QRectF kernels = rowOf(Row::Kernels, box).adjusted(0, 1, 0, 0);
    if (kernels.height() <= 0.0) return;
    canvas.painter.fillRect(kernels, ground);
    for (const TimelineBlock& block : blocksOf(Row::Kernels, lane, lanes.width()))
        paintKernel(canvas,
                    {lanes.left() + block.x0, kernels.top(), block.x1 - block.x0, kernels.height()},
                    block);
}

void TimelineView::paintEnclosing(const ChartCanvas& canvas, const QRectF& row,
                                  const TimelineLane& lane) const {
    const double line = canvas.metrics().height();
    for (const TimelineBlock& block : blocksOf(Row::Enclosing, lane, row.width())) {
        const trace::Span& span = spans()[block.span];
        const QRectF part(row.left() + block.x0, row.top(), block.x1 - block.x0, row.height());
        const bool odd = span.layer >= 0 ? span.layer % 2 == 1 : block.span % 2 == 1;
        canvas.painter.fillRect(part.adjusted(0, 0, 0, -1),
                                faded(canvas.colours.full, canvas.colours.base, odd ? 0.45 : 0.25));
        if (row.height() < line || block.folded) continue;
        canvas.painter.setPen(canvas.colours.text);
        const QString name = span.layer >= 0 ? tr("layer %1").arg(span.layer) : tr("token");
        const QString text =
            canvas.metrics().horizontalAdvance(name) + 2.0 * kLabelPad <= part.width() ? name
            : span.layer >= 0 ? QString::number(span.layer)
                              : QString();
        if (canvas.metrics().horizontalAdvance(text) + 2.0 <= part.width() && !text.isEmpty())
            canvas.texts.place(canvas.painter, part, Qt::AlignCenter, text);
    }
}

void TimelineView::paintKernel(const ChartCanvas& canvas, const QRectF& box,
                               const TimelineBlock& block) const {
    const trace::Span& kernel = m_timeline.kernels[block.span];
    const QColor zone = canvas.colours.zones[static_cast<std::size_t>(trace::groupOf(kernel.zone))];
    // Neighbours of one zone are told apart by their depth.
    const QColor ink = block.folded
                           ? faded(canvas.colours.full, canvas.colours.base, 0.7)
                           : faded(zone, canvas.colours.base, block.span % 2 == 0 ? 0.85 : 0.6);
    const double left = std::floor(box.left()),
                 right = std::max(left + 1.0, std::floor(box.right()));
    const double gap = right - left >= 4.0 ? 1.0 : 0.0;
    canvas.painter.fillRect(QRectF(left, box.top(), right - left - gap, box.height()), ink);
    if (block.folded || box.height() < canvas.metrics().ascent()) return;
    const QString text = kernelName(block.span).section(QStringLiteral("::"), -1);
    if (canvas.metrics().horizontalAdvance(text) + 2.0 * kLabelPad > box.width()) return;
    canvas.painter.setPen(inkOn(ink));
    canvas.texts.place(canvas.painter, box, Qt::AlignCenter, text);
}

QString TimelineView::kernelName(std::uint32_t kernel) const {
    const trace::KernelList& list = m_run->timing.kernels;
    return QString::fromStdString(list.names[list.kernels[kernel].name]);
}

void TimelineView::paintBlock(const ChartCanvas& canvas, const QRectF& box,
                              const TimelineBlock& block) const {
    const trace::Span& span = spans()[block.span];
    const QColor ink =
        block.folded ? faded(canvas.colours.full, canvas.colours.base, 0.7)
                     : canvas.colours.zones[static_cast<std::size_t>(trace::groupOf(span.zone))];
    const double left = std::floor(box.left()),
                 right = std::max(left + 1.0, std::floor(box.right()));
    // A pixel of ground between two spans, where they have one to spare.
    const double gap = right - left >= 4.0 ? 1.0 : 0.0;
    canvas.painter.fillRect(QRectF(left, box.top(), right - left - gap, box.height()), ink);
    const QString text = block.folded ? QStringLiteral("×%1").arg(block.count)
                                      : QString::fromUtf8(trace::name(span.zone).data());
    if (canvas.metrics().horizontalAdvance(text) + 2.0 * kLabelPad > box.width() ||
        box.height() < canvas.metrics().ascent())
        return;
    canvas.painter.setPen(inkOn(ink));
    canvas.texts.place(canvas.painter, box, Qt::AlignCenter, text);
}

void TimelineView::paintTimeAxis(const ChartCanvas& canvas, const QRectF& lanes) const {
    const double from = static_cast<double>(m_visible.begin) * 1e-6,
                 to = static_cast<double>(m_visible.end) * 1e-6;
    const double line = canvas.metrics().height();
    const double widest =
        canvas.metrics().horizontalAdvance(timeLabel(to, (to - from) / 5.0)) + 24.0;
    const auto ticks =
        linearTicks(from, to, std::clamp(static_cast<int>(lanes.width() / widest), 2, 10));
    const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : to - from;
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.texts.place(canvas.painter, {2.0, lanes.bottom() + 2.0, lanes.left() - 8.0, line},
                       Qt::AlignLeft | Qt::AlignTop, tr("ms"));
    for (const double ms : ticks) {
        const double x =
            std::round(lanes.left() + timeToX(std::llround(ms * 1e6), m_visible, lanes.width())) +
            0.5;
        canvas.painter.setPen(QPen(canvas.colours.gridLine, 1.0));
        canvas.painter.drawLine(QPointF(x, lanes.top()), QPointF(x, lanes.bottom() + 2.0));
        const QString text = timeLabel(ms, step);
        const double width = canvas.metrics().horizontalAdvance(text) + 2.0;
        canvas.painter.setPen(canvas.colours.mutedText);
        const double left =
            std::clamp(x - width / 2.0, lanes.left() - 4.0, canvas.size.width() - width);
        canvas.texts.place(canvas.painter, {left, lanes.bottom() + 2.0, width, line},
                           Qt::AlignHCenter | Qt::AlignTop, text);
    }
}

void TimelineView::paintLayer(const ChartCanvas& canvas, const QRectF& lanes, int layer,
                              const QColor& ink) const {
    canvas.painter.setPen(QPen(ink, 1.5));
    canvas.painter.setBrush(Qt::NoBrush);
    for (int index = 0; index < static_cast<int>(m_timeline.lanes.size()); ++index) {
        const std::vector<TimeRange>& times =
            m_timeline.lanes[static_cast<std::size_t>(index)].layers;
        if (static_cast<std::size_t>(layer) >= times.size()) continue;
        const TimeRange& extent = times[static_cast<std::size_t>(layer)];
        if (extent.size() == 0 || extent.end <= m_visible.begin || extent.begin >= m_visible.end)
            continue;
        const double x0 = std::max(0.0, timeToX(extent.begin, m_visible, lanes.width()));
        const double x1 = std::min(lanes.width(), timeToX(extent.end, m_visible, lanes.width()));
        const QRectF box = laneOf(index, lanes);
        canvas.painter.drawRect(QRectF(lanes.left() + x0 - 1.0, box.top() - 1.0,
                                       std::max(3.0, x1 - x0 + 1.0), box.height() + 1.0));
    }
}

void TimelineView::paintOverlay(const ChartCanvas& canvas, bool interactive) const {
    const QRectF lanes = lanesOf(canvas.size);
    const Selection& selection = context().selection;
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    if (selection.pinnedLayer() >= 0)
        paintLayer(canvas, lanes, selection.pinnedLayer(), canvas.colours.text);
    if (!interactive) return;
    const int hovered = selection.hover().layer;
    if (hovered >= 0 && hovered != selection.pinnedLayer())
        paintLayer(canvas, lanes, hovered, faded(canvas.colours.hover, canvas.colours.base, 0.5));
    if (!m_hit) return;
    const QRectF part = rowOf(m_hit->row, laneOf(m_hit->lane, lanes));
    canvas.painter.setPen(QPen(canvas.colours.hover, 2.0));
    canvas.painter.drawRect(QRectF(lanes.left() + m_hit->block.x0, part.top(),
                                   std::max(2.0, m_hit->block.x1 - m_hit->block.x0),
                                   part.height() - 1.0));
}

QString TimelineView::readout() const {
    if (!emptyText().isEmpty() || m_timeline.lanes.empty()) return {};
    if (m_hit) return describeHit(*m_hit);
    QStringList parts{tr("%1 of %2 on show")
                          .arg(formatMs(static_cast<double>(m_visible.size()) * 1e-6),
                               formatMs(static_cast<double>(m_timeline.all.size()) * 1e-6))};
    if (const QString kernels = describeKernels(); !kernels.isEmpty()) parts << kernels;
    parts << tr("wheel zooms time, drag pans, 0 fits");
    return parts.join(QStringLiteral(" · "));
}

QStringList TimelineView::shorterReadouts() const {
    if (!emptyText().isEmpty() || m_timeline.lanes.empty()) return {};
    QStringList parts = readout().split(QStringLiteral(" · "));
    // What stands last says least.
    QStringList shorter;
    while (parts.size() > 2) {
        parts.removeLast();
        shorter << parts.join(QStringLiteral(" · "));
    }
    return shorter;
}

QString TimelineView::describeKernels() const {
    const trace::KernelList& list = m_run->timing.kernels;
    if (!list.absent.empty() && list.empty())
        return tr("kernels not recorded: %1").arg(QString::fromStdString(list.absent));
    if (list.empty()) return {};
    return tr("%1 kernels below their zones")
        .arg(formatCount(static_cast<std::int64_t>(list.kernels.size())));
}

QString TimelineView::describeHit(const Hit& hit) const {
    const TimelineLane& lane = m_timeline.lanes[static_cast<std::size_t>(hit.lane)];
    const trace::Span& span = hitSpan(hit);
    const bool kernel = hit.row == Row::Kernels;
    QStringList parts{laneName(lane)};
    if (hit.block.count > 1) {
        const double perPx =
            static_cast<double>(m_visible.size()) * 1e-6 / std::max(1.0, lanesRect().width());
        const QString count = formatCount(hit.block.count);
        parts << (kernel ? tr("%1 kernels too narrow to be seen").arg(count)
                         : tr("%1 spans too narrow to be seen").arg(count))
              << formatMs((hit.block.x1 - hit.block.x0) * perPx)
              << tr("zoom in to tell them apart");
        return parts.join(QStringLiteral(" · "));
    }
    if (span.layer >= 0) parts << tr("layer %1").arg(span.layer);
    parts << (span.zone == trace::Zone::Pass    ? tr("decode step")
              : span.zone == trace::Zone::Layer ? tr("whole layer")
                                                : QString::fromUtf8(trace::name(span.zone).data()));
    if (kernel) {
        const trace::Kernel& ran = m_run->timing.kernels.kernels[hit.block.span];
        parts << kernelName(hit.block.span)
              << formatMs(static_cast<double>(ran.durationNs()) * 1e-6)
              << tr("from %1").arg(formatMs(static_cast<double>(ran.beginNs) * 1e-6));
        return parts.join(QStringLiteral(" · "));
    }
    parts << formatMs(static_cast<double>(span.durationNs()) * 1e-6)
          << tr("from %1").arg(formatMs(static_cast<double>(span.beginNs) * 1e-6));
    if (span.tokens > 0)
        parts << (span.tokens == 1 ? tr("1 token") : tr("%1 tokens").arg(formatCount(span.tokens)));
    return parts.join(QStringLiteral(" · "));
}

QString TimelineView::csv() const {
    QString text;
    QTextStream out(&text);
    out.setRealNumberPrecision(10);
    const trace::KernelList none;
    const trace::KernelList& list = m_run ? m_run->timing.kernels : none;
    const bool kernels = !list.empty();
    const auto line = [&](const trace::Span& span, std::int64_t begin, std::int64_t end) {
        out << QString::fromUtf8(trace::name(span.pass).data()) << ',' << span.lane << ','
            << span.layer << ',' << QString::fromUtf8(trace::name(span.zone).data()) << ','
            << static_cast<double>(begin) * 1e-6 << ',' << static_cast<double>(end) * 1e-6 << ','
            << static_cast<double>(end - begin) * 1e-6 << ',' << span.tokens;
    };
    const auto shows = [&](std::int64_t begin, std::int64_t end) {
        return end > m_visible.begin && begin < m_visible.end;
    };
    out << "pass,stream,layer,zone,begin_ms,end_ms,duration_ms,tokens"
        << (kernels ? ",kernel\n" : "\n");
    for (const trace::Span& span : spans()) {
        if (!shows(span.beginNs, span.endNs)) continue;
        line(span, span.beginNs, span.endNs);
        out << (kernels ? ",\n" : "\n");
    }
    for (std::uint32_t i = 0; i < list.kernels.size(); ++i) {
        const trace::Kernel& kernel = list.kernels[i];
        if (!shows(kernel.beginNs, kernel.endNs)) continue;
        line(spans()[kernel.span], kernel.beginNs, kernel.endNs);
        out << ',' << kernelName(i) << '\n';
    }
    return text;
}

} // namespace fkv::viz
