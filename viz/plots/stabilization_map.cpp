// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/stabilization_map.h"

#include "viz/plots/stabilization_curves.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/format.h"

#include <QMouseEvent>
#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kClickSlop = 4;
constexpr double kGap = 14.0; ///< between the parts of the picture
constexpr int kLeastCell = 3;
constexpr double kLeastLegend = 90.0;
constexpr double kMostLegend = 220.0;
constexpr double kBarHeight = 9.0;

} // namespace

LayerMapView::LayerMapView(const ViewContext& context, QWidget* parent)
    : ChartView(context, tr("Agreement of every pair of layers"), parent) {
    const auto repaint = [this] { update(); };
    connect(&context.selection, &Selection::hoverChanged, this, repaint);
    connect(&context.selection, &Selection::pinnedChanged, this, repaint);
    connect(&context.settings, &SettingsModel::changed, this, repaint);
}

void LayerMapView::setMeasure(Measure measure) {
    if (measure == m_measure) return;
    m_measure = measure;
    invalidate();
}

void LayerMapView::follow() {
    const trace::RunPtr& run = context().shown.run();
    const TableChoice choice =
        run ? chooseTable(*run, context().shown.derived(), m_query) : TableChoice{};
    const auto full = run ? run->full : nullptr;
    if (m_known && full == m_full && choice.table == m_choice.table && choice.k == m_choice.k)
        return;
    m_known = true;
    m_full = full;
    m_choice = choice;
    m_layers = choice.table ? choice.table->layers : 0;
    m_overlap = choice.table ? trace::overlapMap(*choice.table, choice.k) : std::vector<float>{};
    m_recall = choice.table ? trace::recallMap(*choice.table, choice.k) : std::vector<float>{};
    invalidate();
    Q_EMIT readoutChanged();
}

QString LayerMapView::emptyText() const {
    return missingTableText(context().shown, m_query.withoutEnd);
}

std::vector<LayerMapView::Map> LayerMapView::mapsOf(const QSizeF& size) const {
    std::vector<Map> maps;
    if (m_layers == 0) return maps;
    const QFontMetricsF metrics(context().theme.smallFont());
    const double line = metrics.height();
    const double labels = metrics.horizontalAdvance(QString::number(m_layers)) + 8.0;
    const double side = size.height() - 2.0 * line - 2.0;
    const auto cellFor = [&](int count) {
        const double room = (size.width() - kLeastLegend - count * (labels + kGap)) / count;
        return static_cast<int>(std::floor(std::min(side, room) / m_layers));
    };
    // Both, unless their cells became too small to point at and one alone would be larger.
    const bool both = m_measure == Measure::Both &&
                      (cellFor(2) >= kLeastCell || (cellFor(2) >= 1 && cellFor(2) == cellFor(1)));
    const int cell = std::max(1, cellFor(both ? 2 : 1));
    double x = labels;
    const auto place = [&](bool recall) {
        maps.push_back(
            {recall, QRect(qRound(x), qRound(line) + 1, cell * m_layers, cell * m_layers), cell});
        x += cell * m_layers + kGap + labels;
    };
    if (both || m_measure != Measure::Recall) place(false);
    if (both || m_measure == Measure::Recall) place(true);
    return maps;
}

QRectF LayerMapView::legendOf(const QSizeF& size) const {
    const std::vector<Map> shown = mapsOf(size);
    const double left =
        shown.empty() ? 0.0 : shown.back().cells.x() + shown.back().cells.width() + kGap;
    return {left, 0.0, std::min(kMostLegend, size.width() - left - 4.0), size.height()};
}

float LayerMapView::valueAt(bool recall, const Cell& cell) const {
    const std::vector<float>& values = recall ? m_recall : m_overlap;
    const auto n = static_cast<std::size_t>(m_layers);
    return values[static_cast<std::size_t>(cell.decides) * n +
                  static_cast<std::size_t>(cell.later)];
}

QImage LayerMapView::image(bool recall) const {
    // One pixel a cell: the painter enlarges it without smoothing.
    QImage image(m_layers, m_layers, QImage::Format_RGB32);
    for (int later = 0; later < m_layers; ++later)
        for (int decides = 0; decides < m_layers; ++decides) {
            const float value = valueAt(recall, {decides, later});
            const bool blank = (recall && later <= decides) || std::isnan(value);
            image.setPixel(decides, later,
                           blank ? colours().base.rgb()
                                 : colours().ramp(std::clamp(value, 0.0F, 1.0F), true));
        }
    return image;
}

void LayerMapView::paintPicture(const ChartCanvas& canvas) const {
    canvas.painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    for (const Map& map : mapsOf(canvas.size)) {
        canvas.painter.drawImage(map.cells, image(map.recall));
        canvas.painter.setRenderHint(QPainter::Antialiasing, false);
        canvas.painter.setPen(canvas.colours.border);
        canvas.painter.drawRect(map.cells.adjusted(-1, -1, 0, 0));
        canvas.painter.setRenderHint(QPainter::Antialiasing, true);
        canvas.painter.setPen(canvas.colours.text);
        canvas.texts.place(canvas.painter,
                           QRectF(map.cells.x(), 0.0, map.cells.width(), canvas.metrics().height()),
                           Qt::AlignLeft | Qt::AlignTop,
                           map.recall ? tr("Mass recall") : tr("Overlap"));
    }
    paintLegend(canvas);
}

void LayerMapView::paintLegend(const ChartCanvas& canvas) const {
    const QRectF area = legendOf(canvas.size);
    const double line = canvas.metrics().height();
    if (area.width() < kLeastLegend / 2.0) return;
    const QRectF bar(area.left(), area.top() + line + 1.0, area.width(), kBarHeight);
    const int steps = std::max(1, static_cast<int>(bar.width()));
    for (int i = 0; i < steps; ++i)
        canvas.painter.fillRect(
            QRectF(bar.left() + i, bar.top(), 1.0, bar.height()),
            QColor(canvas.colours.ramp(static_cast<float>(i) / static_cast<float>(steps), true)));
    canvas.painter.setPen(canvas.colours.mutedText);
    const QRectF row(area.left(), bar.bottom(), area.width(), line);
    canvas.texts.place(canvas.painter, row, Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("0"));
    canvas.texts.place(canvas.painter, row, Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("1"));
    canvas.texts.place(canvas.painter, row, Qt::AlignHCenter | Qt::AlignVCenter,
                       QStringLiteral("0.5"));
    const QString notes[] = {
        tr("across: layer that decides"), tr("down: later layer"),
        tr("K %1 of %2 tokens").arg(formatCount(m_choice.k), formatCount(m_choice.scored))};
    double y = row.bottom() + 4.0;
    for (const QString& note : notes) {
        if (y + line > area.bottom()) return;
        canvas.texts.place(canvas.painter, {area.left(), y, area.width(), line},
                           Qt::AlignLeft | Qt::AlignTop, note);
        y += line;
    }
}

void LayerMapView::paintAxes(const ChartCanvas& canvas, const Map& map) const {
    const double line = canvas.metrics().height();
    const int t = context().settings.settings().tspLayer,
              pinned = context().selection.pinnedLayer();
    const auto name = [&](int layer, const QColor& ink) {
        if (layer < 0 || layer >= m_layers) return;
        canvas.painter.setPen(ink);
        const double middle = (layer + 0.5) * map.cell;
        const QString text = QString::number(layer);
        const double width = canvas.metrics().horizontalAdvance(text) + 2.0;
        canvas.texts.place(canvas.painter,
                           {map.cells.x() + middle - width / 2.0,
                            map.cells.y() + map.cells.height() + 0.0, width, line},
                           Qt::AlignHCenter | Qt::AlignTop, text);
        canvas.texts.place(
            canvas.painter,
            {map.cells.x() - width - 4.0, map.cells.y() + middle - line / 2.0, width, line},
            Qt::AlignRight | Qt::AlignVCenter, text);
    };
    QFont bold = canvas.font;
    bold.setBold(true);
    canvas.painter.setFont(bold);
    name(t, canvas.colours.text);
    canvas.painter.setFont(canvas.font);
    if (pinned != t) name(pinned, canvas.colours.text);
    const int stride = labelStride(m_layers, map.cells.width(), line + 8.0);
    for (int layer = 0; layer < m_layers; layer += stride)
        if (layer != t && layer != pinned) name(layer, canvas.colours.mutedText);
}

void LayerMapView::paintOverlay(const ChartCanvas& canvas, bool interactive) const {
    const int t = context().settings.settings().tspLayer,
              pinned = context().selection.pinnedLayer();
    canvas.painter.setBrush(Qt::NoBrush);
    for (const Map& map : mapsOf(canvas.size)) {
        const auto cross = [&](int layer, const QPen& pen) {
            if (layer < 0 || layer >= m_layers) return;
            const double at = (layer + 0.5) * map.cell;
            canvas.painter.setPen(pen);
            canvas.painter.drawLine(
                QPointF(map.cells.x() + at, map.cells.y()),
                QPointF(map.cells.x() + at, map.cells.y() + map.cells.height()));
            canvas.painter.drawLine(QPointF(map.cells.x(), map.cells.y() + at),
                                    QPointF(map.cells.x() + map.cells.width(), map.cells.y() + at));
        };
        cross(t, QPen(canvas.colours.tspLine, 1.5));
        if (pinned != t) cross(pinned, QPen(canvas.colours.text, 1.0, Qt::DotLine));
        paintAxes(canvas, map);
        if (!interactive || m_hover.decides < 0) continue;
        const QRectF cell(map.cells.x() + m_hover.decides * map.cell,
                          map.cells.y() + m_hover.later * map.cell, map.cell, map.cell);
        canvas.painter.setPen(QPen(canvas.colours.base, 3.0));
        canvas.painter.drawRect(cell.adjusted(-1, -1, 1, 1));
        canvas.painter.setPen(QPen(canvas.colours.hover, 1.0));
        canvas.painter.drawRect(cell.adjusted(-1, -1, 1, 1));
    }
}

LayerMapView::Cell LayerMapView::cellAt(const QPoint& point) const {
    for (const Map& map : maps())
        if (map.cells.contains(point))
            return {(point.x() - map.cells.x()) / map.cell, (point.y() - map.cells.y()) / map.cell};
    return {};
}

void LayerMapView::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return ChartView::mousePressEvent(event);
    setFocus(Qt::MouseFocusReason);
    m_pressAt = event->pos();
}

void LayerMapView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return ChartView::mouseReleaseEvent(event);
    const Cell cell = cellAt(event->pos());
    if (cell.decides >= 0 && (event->pos() - m_pressAt).manhattanLength() <= kClickSlop)
        context().selection.pinLayer(cell.decides);
}

void LayerMapView::mouseMoveEvent(QMouseEvent* event) {
    const Cell cell = cellAt(event->pos());
    if (cell == m_hover) return;
    m_hover = cell;
    Hover hover;
    hover.layer = cell.decides;
    context().selection.setHover(hover);
    update();
    Q_EMIT readoutChanged();
}

void LayerMapView::leaveEvent(QEvent* event) {
    m_hover = {};
    context().selection.clearHover();
    update();
    Q_EMIT readoutChanged();
    ChartView::leaveEvent(event);
}

QString LayerMapView::readout() const {
    if (!emptyText().isEmpty() || m_layers == 0) return {};
    if (m_hover.decides < 0 || m_hover.decides >= m_layers || m_hover.later >= m_layers)
        return tr("point at a cell: how much of layer m's choice and attention mass does layer l's "
                  "top K hold?");
    QStringList parts{
        tr("layer %1 decides, layer %2").arg(m_hover.decides).arg(m_hover.later),
        tr("overlap %1").arg(formatSignificant(static_cast<double>(valueAt(false, m_hover))))};
    if (m_hover.later > m_hover.decides)
        parts << tr("mass recall %1")
                     .arg(formatSignificant(static_cast<double>(valueAt(true, m_hover))));
    parts << tr("K %1").arg(formatCount(m_choice.k));
    if (!m_choice.exact) parts << tr("between tabled K");
    return parts.join(QStringLiteral(" · "));
}

QStringList LayerMapView::shorterReadouts() const {
    if (!emptyText().isEmpty() || m_layers == 0) return {};
    if (m_hover.decides < 0 || m_hover.decides >= m_layers || m_hover.later >= m_layers)
        return {tr("point at a cell: does layer l’s top K hold what layer m wants?"),
                tr("point at a cell: does l’s top K hold m’s?")};
    const auto number = [this](bool recall) {
        return formatSignificant(static_cast<double>(valueAt(recall, m_hover)));
    };
    QStringList parts{tr("layers %1 → %2").arg(m_hover.decides).arg(m_hover.later),
                      tr("overlap %1").arg(number(false))};
    if (m_hover.later > m_hover.decides) parts << tr("recall %1").arg(number(true));
    const QString brief = parts.join(QStringLiteral(" · "));
    parts << tr("K %1").arg(withState(
        formatCount(m_choice.k), m_choice.exact ? trace::State::Exact : trace::State::Preview));
    return {parts.join(QStringLiteral(" · ")), brief};
}

QString LayerMapView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "deciding_layer,later_layer,k_tokens,scored_tokens,without_end,exact_at_k,overlap,mass_"
           "recall\n";
    for (int l = 0; l < m_layers; ++l)
        for (int m = 0; m < m_layers; ++m) {
            out << l << ',' << m << ',' << m_choice.k << ',' << m_choice.scored << ','
                << (m_query.withoutEnd ? 1 : 0) << ',' << (m_choice.exact ? 1 : 0) << ','
                << valueAt(false, {l, m}) << ',';
            if (m > l) out << valueAt(true, {l, m});
            out << '\n';
        }
    return text;
}

} // namespace fkv::viz
