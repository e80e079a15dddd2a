// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_grid.h"

#include "viz/plots/position_paint.h"
#include "viz/series/head_envelope.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kClickSlop = 4;
constexpr int kLineReach = 4;

/// An outline that shows on any colour.
void drawFrame(QPainter& painter, const QRect& box, const QColor& ink, const QColor& around) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(around);
    painter.drawRect(box.adjusted(-2, -2, 1, 1));
    painter.setPen(ink);
    painter.drawRect(box.adjusted(-1, -1, 0, 0));
}

} // namespace

HeadsGrid::HeadsGrid(const ViewContext& context, HeadsModel& model, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_model(model),
      m_scroll(new QScrollBar(Qt::Vertical, this)) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    m_scroll->hide();
    connect(m_scroll, &QScrollBar::valueChanged, this, &HeadsGrid::forget);
    connect(&m_model, &HeadsModel::changed, this, [this] {
        arrangeScrollBar();
        forget();
    });
    connect(&m_context.theme, &Theme::changed, this, [this] {
        arrangeScrollBar();
        forget();
    });
    connect(&m_context.selection, &Selection::hoverChanged, this, qOverload<>(&QWidget::update));
    connect(&m_context.selection, &Selection::pinnedChanged, this, qOverload<>(&QWidget::update));
}

HeadsPicture HeadsGrid::picture() const {
    return {m_model, m_context.theme, m_view};
}

HeadsLayout HeadsGrid::layoutFor(const QSize& size) const {
    if (!m_model.ready()) return {};
    const bool scrolls = size == this->size() && !m_scroll->isHidden();
    const QSize inner = scrolls ? size - QSize(m_scroll->width(), 0) : size;
    return picture().layout(inner, scrolls ? m_scroll->value() : 0);
}

HeadsView HeadsGrid::drawnView() const {
    return m_model.ready() ? picture().drawn(layoutNow()) : m_view;
}

void HeadsGrid::setView(HeadsView view) {
    if (view == m_view) return;
    m_view = view;
    forget();
}

void HeadsGrid::forget() {
    m_base = {};
    update();
}

void HeadsGrid::arrangeScrollBar() {
    if (!m_model.ready()) return m_scroll->hide();
    const HeadsLayout layout = picture().layout(size(), 0);
    const int hidden = layout.empty() ? 0 : layout.contentHeight() - layout.grid().height();
    m_scroll->setVisible(hidden > 0);
    m_scroll->setRange(0, std::max(0, hidden));
    m_scroll->setPageStep(std::max(1, layout.grid().height()));
    m_scroll->setSingleStep(layout.rowHeight() * 4);
    const int width = m_scroll->sizeHint().width();
    m_scroll->setGeometry(this->width() - width, layout.grid().top(), width,
                          layout.grid().height());
}

QSize HeadsGrid::sizeHint() const {
    return {m_context.theme.scaled(420), m_context.theme.scaled(200)};
}

QSize HeadsGrid::minimumSizeHint() const {
    return {m_context.theme.scaled(200), m_context.theme.scaled(48)};
}

TokenRange HeadsGrid::binAt(const QPoint& point) const {
    if (!m_model.ready()) return {};
    const HeadsLayout layout = layoutNow();
    const HeadPlace at = layout.hit(point);
    if (!at.valid() || picture().drawn(layout) != HeadsView::Where) return {};
    const int x = point.x() - layout.cell(at.layer, at.head).left();
    const ShownBins shown(m_model.bins(), layout.stripWidth());
    if (x >= 0 && x < shown.width()) return shown.tokensOf(m_model.bins(), x / shown.pixels);
    const int gutter = shown.width() + 1;
    if (x < gutter || x >= gutter + layout.gutterWidth()) return {};
    return {m_model.bins().scored, m_model.fate().tokens()};
}

bool HeadsGrid::event(QEvent* event) {
    if (event->type() == QEvent::FontChange || event->type() == QEvent::ScreenChangeInternal)
        forget();
    return QWidget::event(event);
}

void HeadsGrid::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (!m_model.ready()) return painter.fillRect(rect(), m_context.theme.palette().base);
    const HeadsLayout layout = layoutNow();
    if (m_base.isNull() || m_base.devicePixelRatio() != devicePixelRatioF()) {
        ++m_pictures;
        m_base = QPixmap(size() * devicePixelRatioF());
        m_base.setDevicePixelRatio(devicePixelRatioF());
        QPainter base(&m_base);
        picture().paint(base, size(), layout);
    }
    painter.drawPixmap(0, 0, m_base);
    paintMarks(painter, layout);
    paintPins(painter, layout);
    paintHovered(painter, layout);
}

void HeadsGrid::paintInto(QPainter& painter, const QSize& size) {
    if (!m_model.ready()) return;
    const HeadsLayout layout = picture().figureLayout(size);
    picture().paint(painter, size, layout);
    paintMarks(painter, layout);
    paintPins(painter, layout);
}

PixelRange HeadsGrid::pixelsInStrip(TokenRange tokens, const HeadsLayout& layout) const {
    const ShownBins shown(m_model.bins(), layout.stripWidth());
    const std::int64_t scored = m_model.bins().scored;
    if (shown.bins == 0 || tokens.size() == 0) return {};
    const int gutter = shown.width() + 1;
    const auto left = [&](std::int64_t token) {
        return token >= scored ? gutter : shown.binOf(m_model.bins(), token) * shown.pixels;
    };
    const auto right = [&](std::int64_t token) {
        return token >= scored ? gutter + layout.gutterWidth() : left(token) + shown.pixels;
    };
    PixelRange px{left(tokens.begin), right(tokens.end - 1)};
    if (px.width() >= kLeastMark) return px;
    px.x0 = std::max(0, px.x0 - (kLeastMark - px.width()) / 2);
    px.x1 = px.x0 + kLeastMark;
    return px;
}

/// Pins and spans as ticks above every strip: strips are position views, too.
void HeadsGrid::paintMarks(QPainter& painter, const HeadsLayout& layout) const {
    if (layout.empty() || picture().drawn(layout) != HeadsView::Where) return;
    const Palette& colours = m_context.theme.palette();
    const int top = layout.grid().top() - 4;
    for (const Mark& mark : m_context.selection.marks()) {
        const PixelRange px = pixelsInStrip(mark.tokens, layout);
        if (px.width() == 0) continue;
        for (int g = 0; g < layout.heads(); ++g)
            painter.fillRect(
                layout.cell(0, g).left() + px.x0, top, px.width(), 3,
                colours.pins[static_cast<std::size_t>(std::clamp(mark.number, 1, 8) - 1)]);
    }
}

void HeadsGrid::paintPins(QPainter& painter, const HeadsLayout& layout) const {
    const Palette& colours = m_context.theme.palette();
    const int layer = m_context.selection.pinnedLayer();
    const int head = m_context.selection.pinnedHead();
    if (layout.empty() || layer < 0 || layer >= layout.layers()) return;
    painter.save();
    painter.setClipRect(layout.grid().adjusted(-3, -2, 3, 2), Qt::IntersectClip);
    if (head >= 0 && head < layout.heads()) {
        drawFrame(painter, layout.cell(layer, head), colours.text, colours.base);
        painter.setPen(colours.text);
        painter.drawRect(layout.cell(layer, head).adjusted(-2, -2, 1, 1));
    } else {
        drawFrame(painter, layout.row(layer), colours.text, colours.base);
    }
    painter.restore();
}

void HeadsGrid::paintHovered(QPainter& painter, const HeadsLayout& layout) const {
    const Hover& hover = m_context.selection.hover();
    const Palette& colours = m_context.theme.palette();
    if (layout.empty()) return;
    painter.save();
    painter.setClipRect(layout.grid().adjusted(-3, -2, 3, 2), Qt::IntersectClip);
    if (hover.token >= 0 && picture().drawn(layout) == HeadsView::Where) {
        const TokenRange tokens =
            hover.cell.size() > 0 ? hover.cell : TokenRange{hover.token, hover.token + 1};
        const PixelRange px = pixelsInStrip(tokens, layout);
        QColor ink = colours.hover;
        ink.setAlphaF(0.5F);
        for (int g = 0; g < layout.heads() && px.width() > 0; ++g) {
            const int left = layout.cell(0, g).left() + px.x0;
            painter.fillRect(left - 1, layout.grid().top(), 1, layout.grid().height(), ink);
            painter.fillRect(left + px.width(), layout.grid().top(), 1, layout.grid().height(),
                             ink);
        }
    }
    if (hover.layer >= 0 && hover.layer < layout.layers()) {
        const bool one = hover.head >= 0 && hover.head < layout.heads();
        drawFrame(painter, one ? layout.cell(hover.layer, hover.head) : layout.row(hover.layer),
                  colours.hover, colours.base);
    }
    painter.restore();
}

bool HeadsGrid::onTspLine(const QPoint& point) const {
    if (!m_model.ready() || !m_model.fate().budgets.tspOn) return false;
    const HeadsLayout layout = layoutNow();
    return !layout.empty() &&
           std::abs(point.y() - layout.lineY()) <= kLineReach / (layout.rowHeight() < 8 ? 2 : 1) &&
           point.x() >= layout.grid().left() && point.x() <= layout.grid().right();
}

void HeadsGrid::dragTspLine(const QPoint& point) {
    const HeadsLayout layout = layoutNow();
    const double rows = static_cast<double>(point.y() - layout.rowTop(0)) / layout.rowHeight();
    trace::Settings settings = m_context.settings.settings();
    settings.tspLayer =
        std::clamp(static_cast<int>(std::lround(rows)) - 1, 0, m_model.layers() - 1);
    m_context.settings.set(settings);
}

void HeadsGrid::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return QWidget::mousePressEvent(event);
    setFocus(Qt::MouseFocusReason);
    m_pressAt = event->pos();
    m_pressed = true;
    m_draggingLine = onTspLine(event->pos());
    if (m_draggingLine) m_context.settings.beginDrag();
}

void HeadsGrid::mouseMoveEvent(QMouseEvent* event) {
    if (m_draggingLine) return dragTspLine(event->pos());
    if (!m_model.ready()) return;
    if (onTspLine(event->pos()))
        setCursor(Qt::SplitVCursor);
    else
        unsetCursor();
    const HeadPlace at = layoutNow().hit(event->pos());
    Hover hover;
    hover.layer = at.layer;
    hover.head = at.head;
    hover.cell = binAt(event->pos());
    // Nothing is looked up while the pointer stays in its cell.
    const Hover& old = m_context.selection.hover();
    if (hover.cell.size() > 0 &&
        (old.cell != hover.cell || old.layer != at.layer || old.head != at.head)) {
        hover.token = hover.cell.begin >= m_model.bins().scored
                          ? hover.cell.begin
                          : bestTokenIn(m_model.fate(), at, hover.cell);
    } else if (hover.cell.size() > 0) {
        return;
    }
    m_context.selection.setHover(hover);
}

void HeadsGrid::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !m_pressed) return QWidget::mouseReleaseEvent(event);
    m_pressed = false;
    if (std::exchange(m_draggingLine, false)) return m_context.settings.endDrag();
    if ((event->pos() - m_pressAt).manhattanLength() > kClickSlop || !m_model.ready()) return;
    const HeadPlace at = layoutNow().hit(event->pos());
    if (at.valid()) m_context.selection.pinHead(at.layer, at.head);
}

void HeadsGrid::wheelEvent(QWheelEvent* event) {
    // Strips show every position: there is nothing to zoom, but rows may be out of sight.
    if (m_scroll->isHidden()) return event->ignore();
    m_scroll->setValue(m_scroll->value() - event->angleDelta().y() * m_scroll->singleStep() / 120);
    event->accept();
}

void HeadsGrid::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && std::exchange(m_draggingLine, false)) {
        m_pressed = false;
        m_context.settings.cancelDrag();
        return;
    }
    QWidget::keyPressEvent(event);
}

void HeadsGrid::leaveEvent(QEvent* event) {
    m_context.selection.clearHover();
    QWidget::leaveEvent(event);
}

void HeadsGrid::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrangeScrollBar();
    forget();
}

} // namespace fkv::viz
