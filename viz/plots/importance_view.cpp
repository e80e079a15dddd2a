// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_view.h"

#include "viz/plots/importance_paint.h"
#include "viz/plots/position_paint.h"

#include <QEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QWheelEvent>
#include <algorithm>

namespace fkv::viz {
namespace {

constexpr int kGrab = 2; ///< px above and below the line that still take it

} // namespace

ImportanceView::ImportanceView(const ViewContext& context, QWidget* parent)
    : PositionView(context, parent) {
    setupScrollBar();
    setupFollowing();
}

void ImportanceView::setupFollowing() {
    const ViewContext& c = context();
    connect(&c.shown, &Shown::runChanged, this, &ImportanceView::stale);
    // A moved slider may change nothing here: the image says so.
    connect(&c.shown, &Shown::fateChanged, this, [this] {
        const auto& fate = this->context().shown.fate();
        if (fate && fate->budgets.tspOn) m_lastRate = fate->settings.tsp;
        syncScrollBar();
        update();
    });
    connect(&c.selection, &Selection::rangeChanged, this, &ImportanceView::stale);
    connect(&c.selection, &Selection::marksChanged, this, &ImportanceView::stale);
    connect(&c.selection, &Selection::hitsChanged, this, &ImportanceView::stale);
    connect(&c.selection, &Selection::pinnedChanged, this, [this] {
        showPinnedLayer();
        stale();
    });
    connect(&c.selection, &Selection::hoverChanged, this, qOverload<>(&QWidget::update));
    connect(&c.options, &ViewOptions::changed, this, &ImportanceView::stale);
    connect(&c.theme, &Theme::changed, this, &ImportanceView::stale);
}

void ImportanceView::setupScrollBar() {
    m_scrollBar = new QScrollBar(Qt::Vertical, this);
    m_scrollBar->setFocusPolicy(Qt::NoFocus);
    m_scrollBar->setAccessibleName(tr("Layers"));
    m_scrollBar->hide();
    connect(m_scrollBar, &QScrollBar::valueChanged, this, [this](int value) {
        m_scroll = value;
        stale();
    });
}

QSize ImportanceView::minimumSizeHint() const {
    return {context().theme.scaled(260), context().theme.scaled(96)};
}

void ImportanceView::stale() {
    m_stale = true;
    syncScrollBar();
    update();
}

ImportanceLayout ImportanceView::layoutNow() const {
    const ImportanceLayout whole = layoutImportance(context(), size(), m_scroll);
    if (whole.mostScroll == 0) return whole;
    const QSize beside(width() - m_scrollBar->sizeHint().width(), height());
    return layoutImportance(context(), beside, m_scroll);
}

void ImportanceView::syncScrollBar() {
    const ImportanceLayout layout = layoutNow();
    const bool needed = layout.mostScroll > 0;
    m_scroll = layout.scroll;
    m_scrollBar->setVisible(needed);
    if (!needed) return;
    const QSignalBlocker quiet(m_scrollBar);
    m_scrollBar->setRange(0, layout.mostScroll);
    m_scrollBar->setPageStep(layout.rowsView.height());
    m_scrollBar->setSingleStep(4 * layout.rowHeight);
    m_scrollBar->setValue(layout.scroll);
    const int w = m_scrollBar->sizeHint().width();
    m_scrollBar->setGeometry(width() - w, layout.rowsView.top(), w, layout.rowsView.height());
}

void ImportanceView::showPinnedLayer() {
    const int layer = context().selection.pinnedLayer();
    if (layer < 0 || !hasMap()) return;
    m_scroll = layoutNow().scrollTo(layer);
}

QRect ImportanceView::plotRect() const {
    const ImportanceLayout layout = layoutNow();
    return {layout.plotLeft, layout.rowsView.top(), layout.plotWidth, layout.rowsView.height()};
}

ImportanceImage& ImportanceView::image() const {
    if (hasMap() && updateImage(m_image, context(), layoutNow())) m_stale = true;
    return m_image;
}

bool ImportanceView::onLine(const QPoint& point) const {
    if (!hasMap()) return false;
    const ImportanceLayout layout = layoutNow();
    if (!layout.rowsView.contains(layout.line.center())) return false;
    const QMargins grip(kGrab, kGrab, kGrab, kGrab);
    return layout.line.marginsAdded({0, kGrab, 0, kGrab}).contains(point) ||
           layout.leftHandle.marginsAdded(grip).contains(point) ||
           layout.rightHandle.marginsAdded(grip).contains(point);
}

Hover ImportanceView::hitRow(const QPoint& point, int layer) const {
    const ImportanceLayout layout = layoutNow();
    Hover hover;
    hover.layer = layer;
    const PositionAxis& axis = m_image.axis();
    const int x = point.x() - layout.plotLeft;
    if (x < 0) return hover; // the layer's name
    if (x >= layout.plotWidth) {
        const std::int64_t window = context().selection.tokens() - axis.scored();
        if (x >= layout.plotWidth + PositionAxis::kGutter || window <= 0) return {};
        hover.token = axis.scored() + (x - layout.plotWidth) * window / PositionAxis::kGutter;
        return hover;
    }
    const int cell = axis.cellAt(x + 0.5);
    if (cell < 0) return {};
    hover.token = m_image.bestToken(layer, cell);
    const TokenRange tokens = axis.tokensOf(cell);
    if (tokens.size() > 1 || hover.token < 0) hover.cell = tokens;
    return hover;
}

Hover ImportanceView::hitTest(const QPoint& point) const {
    if (!hasMap() || image().rows() == 0) return {};
    const ImportanceLayout layout = layoutNow();
    const trace::Budgets& budgets = context().shown.fate()->budgets;
    const PositionAxis& axis = m_image.axis();
    if (layout.rowsView.contains(point) ||
        (point.x() < layout.plotLeft && point.y() >= layout.rowsView.top() &&
         point.y() <= layout.rowsView.bottom())) {
        const int layer = layout.layerAt(point.y());
        // Line and ribbon speak of layer t, which decides.
        return hitRow(point, layer >= 0 ? layer : std::min(budgets.tspLayer, m_image.rows() - 1));
    }
    if (layout.lost.contains(point)) {
        const int cell = axis.cellAt(point.x() - layout.plotLeft + 0.5);
        if (cell < 0 || cell >= static_cast<int>(m_image.lost().size())) return {};
        const RankedToken& lost = m_image.lost()[static_cast<std::size_t>(cell)];
        if (lost.token < 0) return {};
        return {lost.token, axis.tokensPerCell() > 1 ? axis.tokensOf(cell) : TokenRange(), lost.row,
                -1};
    }
    if (layout.marks.contains(point)) {
        const auto shapes =
            layoutMarks(context().selection, axis, textWidthOf(importanceFont(context().theme)));
        const int x = point.x() - layout.plotLeft;
        for (auto shape = shapes.rbegin(); shape != shapes.rend(); ++shape) {
            const bool hit = (x >= shape->px.x0 && x < shape->px.x1) ||
                             (x >= shape->labelPx.x0 && x < shape->labelPx.x1);
            for (const Mark& mark : context().selection.marks())
                if (hit && mark.number == shape->number)
                    return {mark.tokens.begin, mark.tokens, -1, -1};
        }
    }
    return {};
}

bool ImportanceView::onAxis(const QPoint& point) const {
    return layoutNow().ticks.marginsAdded({0, 0, PositionAxis::kGutter, 2}).contains(point);
}

bool ImportanceView::pressed(const QPoint& point) {
    const ImportanceLayout layout = layoutNow();
    if (onLine(point)) {
        m_drag = Drag::TspLine;
        m_grabbed = point - layout.line.topLeft();
        context().settings.beginDrag();
        return true;
    }
    if (!layout.overview.isNull() && layout.overview.contains(point)) {
        m_drag = Drag::Overview;
        m_rangeBefore = context().selection.range();
        const PositionAxis all(context().selection.scored(), {0, context().selection.scored()},
                               layout.overview.width());
        const PixelRange frame = all.pixelsOf(m_rangeBefore, kLeastMark);
        const int x = point.x() - layout.overview.left();
        // Beside the frame: its middle comes to the pointer.
        const bool inside = x >= frame.x0 && x < frame.x1;
        m_grabbed = {inside ? x - frame.x0 : frame.width() / 2, 0};
        if (!inside) moveOverview(point);
        return true;
    }
    return false;
}

void ImportanceView::dragged(const QPoint& point) {
    if (m_drag == Drag::TspLine) moveLine(point);
    if (m_drag == Drag::Overview) moveOverview(point);
}

void ImportanceView::moveLine(const QPoint& point) {
    const ImportanceLayout layout = layoutNow();
    const auto& fate = context().shown.fate();
    if (!fate || layout.layers == 0) return;
    const int above = layout.aboveForLineAt(point.y() - m_grabbed.y());
    trace::Settings settings = context().settings.settings();
    // A line that lies at the bottom because TSP is off was not moved by a press alone.
    if (!fate->budgets.tspOn && above == layout.above) return;
    settings.tspLayer = above - 1;
    if (!fate->budgets.tspOn) settings.tsp = m_lastRate;
    context().settings.set(settings);
    m_scroll = layoutNow().scrollTo(settings.tspLayer); // beyond the border the rows follow
    syncScrollBar();
}

void ImportanceView::moveOverview(const QPoint& point) {
    const ImportanceLayout layout = layoutNow();
    const std::int64_t scored = context().selection.scored();
    const double perPixel = static_cast<double>(scored) / std::max(1, layout.overview.width());
    const auto begin =
        static_cast<std::int64_t>((point.x() - layout.overview.left() - m_grabbed.x()) * perPixel);
    context().selection.setRange({begin, begin + context().selection.range().size()});
}

void ImportanceView::released(const QPoint&) {
    const Drag drag = m_drag;
    m_drag = Drag::None;
    if (drag == Drag::TspLine) context().settings.endDrag();
}

void ImportanceView::dragCancelled() {
    const Drag drag = m_drag;
    m_drag = Drag::None;
    if (drag == Drag::TspLine) context().settings.cancelDrag();
    if (drag == Drag::Overview) context().selection.setRange(m_rangeBefore);
}

void ImportanceView::hideEvent(QHideEvent* event) {
    if (m_drag != Drag::None) dragCancelled();
    PositionView::hideEvent(event);
}

void ImportanceView::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons() == Qt::NoButton) {
        if (onLine(event->pos()))
            setCursor(Qt::SizeVerCursor);
        else
            unsetCursor();
    }
    PositionView::mouseMoveEvent(event);
}

void ImportanceView::wheelEvent(QWheelEvent* event) {
    if (m_scrollBar->isVisible() && event->position().x() < layoutNow().plotLeft) {
        m_scrollBar->setValue(m_scrollBar->value() -
                              event->angleDelta().y() / 120 * m_scrollBar->singleStep());
        event->accept();
        return;
    }
    PositionView::wheelEvent(event);
}

bool ImportanceView::event(QEvent* event) {
    if (event->type() == QEvent::FontChange || event->type() == QEvent::PaletteChange)
        m_stale = true;
    return PositionView::event(event);
}

void ImportanceView::resizeEvent(QResizeEvent* event) {
    PositionView::resizeEvent(event);
    stale();
    Q_EMIT resized();
}

void ImportanceView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (!hasMap()) {
        painter.fillRect(rect(), colours().base);
        return;
    }
    const ImportanceLayout layout = layoutNow();
    const ImportanceScene scene{context(), image(), layout};
    const QSize device = size() * devicePixelRatioF();
    if (m_stale || m_picture.size() != device) {
        ++m_repaints;
        m_stale = false;
        m_picture = QPixmap(device);
        m_picture.setDevicePixelRatio(devicePixelRatioF());
        m_picture.fill(colours().base);
        QPainter kept(&m_picture);
        paintImportance(kept, scene);
    }
    painter.drawPixmap(0, 0, m_picture);
    if (m_drag == Drag::None) paintImportanceHover(painter, scene, context().selection.hover());
    if (const auto band = rubberBand()) paintRubberBand(painter, plotRect(), *band, colours());
}

void ImportanceView::paintFigure(QPainter& painter, const QSize& size) const {
    if (!hasMap()) return;
    // A figure does not scroll: what does not fit is drawn smaller.
    const int missing = layoutImportance(context(), size, 0).mostScroll;
    const double factor = static_cast<double>(size.height() + missing) / std::max(1, size.height());
    ImportanceImage image;
    const ImportanceLayout layout = layoutImportance(context(), size * factor, 0);
    updateImage(image, context(), layout);
    painter.save();
    painter.scale(1.0 / factor, 1.0 / factor);
    paintImportance(painter, {context(), image, layout});
    painter.restore();
}

} // namespace fkv::viz
