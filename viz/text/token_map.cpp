// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/token_map.h"

#include "viz/series/importance.h"

#include <QMouseEvent>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

// Lanes, in px from the left: marks, importance, share kept.
constexpr int kMarkLane = 4;
constexpr int kCellLeft = 4, kCellRight = 11;
constexpr int kKeptLeft = 12, kKeptRight = 16;
constexpr int kLeastFrame = 7;

QRgb mixed(const QColor& ink, const QColor& ground, double share) {
    return faded(ink, ground, std::clamp(share, 0.0, 1.0)).rgb();
}

} // namespace

TokenMap::TokenMap(const ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setFixedWidth(kWidth);
    setAccessibleName(tr("Map of the whole prompt"));
    setCursor(Qt::ArrowCursor);
    connect(&context.selection, &Selection::marksChanged, this, &TokenMap::placeMarks);
    connect(&context.selection, &Selection::hitsChanged, this, &TokenMap::placeMarks);
    connect(&context.theme, &Theme::changed, this, [this] {
        colourCells();
        update();
    });
}

PositionAxis TokenMap::axis() const {
    const std::int64_t scored = m_context.selection.scored();
    return {scored, {0, scored}, std::max(0, height() - PositionAxis::kGutter)};
}

void TokenMap::setLooks(const TokenLooks& looks) {
    const bool sameScores = m_looks.sameScores(looks) && !m_best.rank.empty();
    m_looks = looks;
    if (!sameScores) findBest();
    colourCells();
    update();
}

void TokenMap::setVisibleTokens(TokenRange tokens) {
    if (tokens == m_visible) return;
    m_visible = tokens;
    update();
}

void TokenMap::placeMarks() {
    // Without labels: there is no room for them.
    const auto tooWide = [](const QString&) { return 1 << 20; };
    m_marks = layoutMarks(m_context.selection, axis(), tooWide);
    update();
}

void TokenMap::findBest() {
    m_best = {};
    // A new prompt reaches the selection first: the looks may still be those of the old one.
    const auto scored = static_cast<std::size_t>(m_context.selection.scored());
    if (m_looks.ranks().empty() || m_looks.ranks().size() != scored) return;
    const RankRow row{m_looks.ranks(), {}};
    m_best = bestCells({&row, 1}, axis());
    ++m_bestMade;
}

void TokenMap::colourCells() {
    m_picture = {};
    const PositionAxis at = axis();
    if (m_best.cells != at.cells() || at.cells() == 0) return;
    if (m_looks.kept().size() != m_context.selection.tokens()) return;
    const Palette& colours = m_context.theme.palette();
    const std::vector<std::int32_t> kept = keptPerCell(m_looks.kept(), at);
    const float high = importanceHigh(at.scored());
    m_picture = QImage(kWidth, at.width(), QImage::Format_RGB32);
    m_picture.fill(colours.base);
    for (int cell = 0; cell < at.cells(); ++cell) {
        const auto i = static_cast<std::size_t>(cell);
        const float v = importance(m_best.rank[i], at.scored());
        const bool isKept = m_best.token[i] >= 0 && m_looks.kept().has(m_best.token[i]);
        const QRgb colour = colours.ramp(rampPosition(v, kImportanceLow, high), isKept);
        const double bar = (kKeptRight - kKeptLeft) * static_cast<double>(kept[i]) /
                           static_cast<double>(std::max<std::int64_t>(at.tokensOf(cell).size(), 1));
        const PixelRange px = at.pixelsOf(cell);
        for (int y = px.x0; y < px.x1; ++y) {
            auto* line = reinterpret_cast<QRgb*>(m_picture.scanLine(y));
            std::fill(line + kCellLeft, line + kCellRight, colour);
            for (int x = kKeptLeft; x < kKeptRight; ++x)
                line[x] = mixed(colours.fastkv, colours.base, bar - (x - kKeptLeft));
        }
    }
    ++m_picturesMade;
}

QRect TokenMap::frame() const {
    const PixelRange px = markPixels(m_visible, axis(), m_context.selection.tokens());
    const int grow = std::max(0, kLeastFrame - px.width());
    const int top = std::clamp(px.x0 - grow / 2, 0, std::max(0, height() - kLeastFrame));
    return {0, top, width(), std::max(px.width(), kLeastFrame)};
}

void TokenMap::paint(QPainter& painter, const QRect& area) const {
    const Palette& colours = m_context.theme.palette();
    painter.save();
    painter.translate(area.topLeft());
    painter.fillRect(QRect(QPoint(), area.size()), colours.base);
    const PositionAxis at = axis();
    if (!m_picture.isNull()) painter.drawImage(QPoint(), m_picture);
    if (m_looks.valid() && m_looks.state() == trace::State::Preview)
        paintHatch(painter, QRect(kKeptLeft, 0, kKeptRight - kKeptLeft, at.width()), colours.base,
                   4);
    if (at.cells() > 0) {
        const int left = kCellLeft;
        paintGutter(painter, QRect(left, at.width(), kWidth - left, PositionAxis::kGutter),
                    colours);
    }
    for (const MarkShape& mark : m_marks) {
        const bool hit = mark.kind == MarkShape::Kind::Hit;
        const QColor& ink =
            hit ? colours.text : colours.pins[static_cast<std::size_t>(mark.number - 1) % 8];
        painter.fillRect(0, mark.px.x0, hit ? kMarkLane - 1 : kMarkLane, mark.px.width(), ink);
    }
    painter.restore();
}

void TokenMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paint(painter, rect());
    const Palette& colours = m_context.theme.palette();
    if (m_visible.size() == 0) return;
    // Two outlines, so that one of them shows on any colour. A px away from the neighbours, which
    // on a screen of 1.25 reach in.
    const QRect edge = frame().adjusted(1, 1, -2, -1);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(colours.base);
    painter.drawRect(edge.adjusted(1, 1, -1, -1));
    painter.setPen(colours.hover);
    painter.drawRect(edge);
}

void TokenMap::resizeEvent(QResizeEvent*) {
    placeMarks();
    findBest();
    colourCells();
}

void TokenMap::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return event->ignore();
    const QRect at = frame();
    const int y = event->pos().y();
    m_grab = at.contains(0, y) ? y - at.center().y() : 0;
    jump(y - m_grab);
}

void TokenMap::mouseMoveEvent(QMouseEvent* event) {
    if (event->buttons().testFlag(Qt::LeftButton)) jump(event->pos().y() - m_grab);
}

void TokenMap::jump(int y) {
    const PositionAxis at = axis();
    const std::int64_t tokens = m_context.selection.tokens();
    if (tokens == 0) return;
    const bool window = at.width() == 0 || y >= at.width();
    Q_EMIT jumped(window ? tokens - 1 : at.tokenAt(std::max(y, 0)));
}

} // namespace fkv::viz
