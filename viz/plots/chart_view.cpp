// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/chart_view.h"

#include <QHelpEvent>
#include <QPainter>
#include <QPainterPath>
#include <QTextDocument>
#include <QToolTip>
#include <cmath>

namespace fkv::viz {

bool ChartTexts::place(QPainter& painter, const QRectF& box, Qt::Alignment alignment,
                       const QString& text) {
    const QFontMetricsF metrics(painter.font());
    const QRectF room = box & m_area;
    Placed placed{text, {}, metrics.horizontalAdvance(text) > room.width() + 0.5};
    if (placed.cut) placed.text = metrics.elidedText(text, Qt::ElideRight, room.width());
    if (placed.text.isEmpty() || placed.text == QStringLiteral("…") ||
        metrics.height() > m_area.height())
        return false;
    const QSizeF size(metrics.horizontalAdvance(placed.text), metrics.height());
    const double x = alignment.testFlag(Qt::AlignRight)     ? room.right() - size.width()
                     : alignment.testFlag(Qt::AlignHCenter) ? room.center().x() - size.width() / 2.0
                                                            : room.left();
    double y = alignment.testFlag(Qt::AlignBottom) ? box.bottom() - size.height()
               : alignment.testFlag(Qt::AlignTop)  ? box.top()
                                                   : box.center().y() - size.height() / 2.0;
    y = std::clamp(y, m_area.top(), m_area.bottom() - size.height());
    placed.box = QRectF(QPointF(x, y), size);
    // Line height has air above and below the ink; boxes may touch there.
    const QRectF ink = placed.box.adjusted(0, 1.5, 0, -1.5);
    for (const QRectF& other : m_reserved)
        if (ink.intersects(other)) return false;
    painter.drawText(QPointF(x, y + metrics.ascent()), placed.text);
    m_reserved.push_back(ink);
    m_placed.push_back(std::move(placed));
    return true;
}

ChartView::ChartView(const ViewContext& context, const QString& name, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setAccessibleName(name);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    connect(&m_context.theme, &Theme::changed, this, &ChartView::invalidate);
}

void ChartView::invalidate() {
    m_stale = true;
    update();
}

bool ChartView::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString tip = emptyText().isEmpty() ? tipAt(help->pos()) : QString();
    // Qt breaks the lines of rich text alone.
    if (tip.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), Qt::convertFromPlainText(tip, Qt::WhiteSpaceNormal),
                           this);
    return true;
}

void ChartView::paintFigure(QPainter& painter, const QSize& size) const {
    ChartTexts texts{QRectF(QPointF(), QSizeF(size))};
    painter.save();
    const ChartCanvas canvas{painter, size, colours(), m_context.theme.smallFont(), texts};
    painter.setFont(canvas.font);
    painter.setRenderHint(QPainter::Antialiasing);
    if (emptyText().isEmpty()) {
        paintPicture(canvas);
        paintOverlay(canvas, false);
    } else {
        paintEmpty(canvas);
    }
    painter.restore();
}

std::vector<ChartTexts::Placed> ChartView::placedTexts() const {
    QPixmap scratch(size());
    QPainter painter(&scratch);
    ChartTexts texts{QRectF(rect())};
    const ChartCanvas canvas{painter, size(), colours(), m_context.theme.smallFont(), texts};
    painter.setFont(canvas.font);
    if (emptyText().isEmpty()) {
        paintPicture(canvas);
        paintOverlay(canvas, true);
    } else {
        paintEmpty(canvas);
    }
    return texts.placed();
}

void ChartView::paintEmpty(const ChartCanvas& canvas) const {
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.painter.setFont(m_context.theme.font());
    const QRectF room(8, 0, canvas.size.width() - 16, canvas.size.height());
    canvas.painter.drawText(room, Qt::AlignCenter | Qt::TextWordWrap, emptyText());
}

void ChartView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(m_context.theme.smallFont());
    ChartTexts texts{QRectF(rect())};
    const ChartCanvas canvas{painter, size(), colours(), m_context.theme.smallFont(), texts};
    if (!emptyText().isEmpty()) {
        painter.fillRect(rect(), colours().base);
        paintEmpty(canvas);
        return;
    }
    const double ratio = devicePixelRatioF();
    const QSize wanted(static_cast<int>(std::ceil(width() * ratio)),
                       static_cast<int>(std::ceil(height() * ratio)));
    if (m_stale || m_picture.size() != wanted || m_pictureKey != pictureKey()) {
        m_pictureKey = pictureKey();
        m_picture = QPixmap(wanted);
        m_picture.setDevicePixelRatio(ratio);
        m_picture.fill(colours().base);
        QPainter into(&m_picture);
        into.setRenderHint(QPainter::Antialiasing);
        into.setFont(canvas.font);
        ChartTexts pictureTexts{QRectF(rect())};
        paintPicture({into, size(), colours(), canvas.font, pictureTexts});
        m_stale = false;
        ++m_made;
    }
    painter.drawPixmap(0, 0, m_picture);
    painter.setRenderHint(QPainter::Antialiasing);
    paintOverlay(canvas, true);
}

bool paintWrapped(const ChartCanvas& canvas, const QRectF& box, const QString& text) {
    const QFontMetricsF metrics = canvas.metrics();
    QStringList lines;
    for (const QString& word : text.split(QLatin1Char(' '))) {
        const QString longer = lines.isEmpty() ? word : lines.last() + QLatin1Char(' ') + word;
        if (!lines.isEmpty() && metrics.horizontalAdvance(longer) <= box.width())
            lines.last() = longer;
        else
            lines << word;
        if (metrics.horizontalAdvance(lines.last()) > box.width()) return false;
    }
    if (static_cast<double>(lines.size()) * metrics.height() > box.height() + 0.5) return false;
    QRectF line(box.left(), box.top(), box.width(), metrics.height());
    for (const QString& words : lines) {
        canvas.texts.place(canvas.painter, line, Qt::AlignLeft | Qt::AlignTop, words);
        line.translate(0.0, metrics.height());
    }
    return true;
}

double ValueScale::y(double value, const QRectF& plot) const {
    const auto place = [this](double v) { return log ? std::log10(std::max(v, 1e-300)) : v; };
    const double span = place(atTop) - place(atBottom);
    const double share = span == 0.0 ? 0.0 : (place(value) - place(atBottom)) / span;
    return plot.bottom() - std::clamp(share, 0.0, 1.0) * plot.height();
}

double ValueScale::valueAt(double y, const QRectF& plot) const {
    const double share = plot.height() > 0.0 ? (plot.bottom() - y) / plot.height() : 0.0;
    if (!log) return atBottom + share * (atTop - atBottom);
    return std::pow(10.0,
                    std::log10(atBottom) + share * (std::log10(atTop) - std::log10(atBottom)));
}

void paintMark(QPainter& painter, ChartMark mark, const QPointF& at, const ChartMarkStyle& style) {
    const double r = style.radius;
    if (mark == ChartMark::Cross) {
        painter.setPen(QPen(style.ink, 1.6));
        painter.drawLine(at + QPointF(-r, -r), at + QPointF(r, r));
        painter.drawLine(at + QPointF(-r, r), at + QPointF(r, -r));
        return;
    }
    painter.setPen(QPen(style.ink, 1.4));
    painter.setBrush(mark == ChartMark::Filled ? style.ink : style.background);
    painter.drawEllipse(at, r, r);
    painter.setBrush(Qt::NoBrush);
}

void paintBar(QPainter& painter, const QRectF& bar, const ChartBarStyle& style) {
    if (bar.width() <= 0.0 || bar.height() <= 0.0) return;
    if (!style.hatched) {
        painter.fillRect(bar, style.ink);
        return;
    }
    painter.fillRect(bar, faded(style.ink, style.background, 0.18));
    painter.save();
    painter.setClipRect(bar, Qt::IntersectClip);
    painter.setPen(QPen(style.ink, 1.0));
    constexpr double kStep = 4.0;
    // Anchored to the picture, so that neighbouring pieces form one pattern.
    const double first = std::floor((bar.left() - bar.height()) / kStep) * kStep;
    const double shift = std::fmod(bar.bottom(), kStep);
    for (double x = first - shift; x < bar.right() + kStep; x += kStep)
        painter.drawLine(QPointF(x, bar.bottom()), QPointF(x + bar.height(), bar.top()));
    painter.restore();
    painter.setPen(QPen(style.ink, 1.0));
    painter.setBrush(Qt::NoBrush);
    if (bar.width() > 2.0 && bar.height() > 2.0)
        painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5));
}

void paintCurve(QPainter& painter, const std::vector<QPointF>& points, const QPen& pen) {
    painter.setPen(pen);
    painter.setBrush(Qt::NoBrush);
    QPolygonF piece;
    const auto flush = [&] {
        if (piece.size() > 1) painter.drawPolyline(piece);
        piece.clear();
    };
    for (const QPointF& point : points) {
        if (std::isfinite(point.y()))
            piece << point;
        else
            flush();
    }
    flush();
}

} // namespace fkv::viz
