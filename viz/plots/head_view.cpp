// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/head_view.h"

#include "viz/plots/heads_picture.h"
#include "viz/plots/position_paint.h"
#include "viz/series/format.h"
#include "viz/series/token_looks.h"

#include <QFontMetrics>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr int kBarHeight = 10;
constexpr int kLane = 9; ///< of marks
constexpr int kTick = 4;

} // namespace

HeadView::HeadView(const ViewContext& context, HeadsModel& model, QWidget* parent)
    : PositionView(context, parent), m_model(model) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("One head over positions"));
    const auto forgetFate = [this] {
        m_fateStale = true;
        forget();
    };
    connect(&m_model, &HeadsModel::changed, this, forgetFate);
    connect(&context.selection, &Selection::rangeChanged, this, &HeadView::forget);
    connect(&context.selection, &Selection::pinnedChanged, this, &HeadView::forget);
    connect(&context.selection, &Selection::hitsChanged, this, &HeadView::forget);
    connect(&context.theme, &Theme::changed, this, &HeadView::forget);
    connect(&context.selection, &Selection::hoverChanged, this, qOverload<>(&QWidget::update));
}

HeadPlace HeadView::place() const {
    if (!m_model.ready()) return {};
    const int head = context().selection.pinnedHead();
    return {std::clamp(context().layer(), 0, m_model.layers() - 1),
            std::clamp(head, 0, m_model.heads() - 1)};
}

int HeadView::textHeight() const {
    return QFontMetrics(context().theme.smallFont()).height();
}

int HeadView::leftWidth() const {
    return HeadsPicture::leftWidth(context().theme.smallFont());
}

QRect HeadView::plotIn(const QSize& size) const {
    const int top = textHeight() + kLane + 2;
    const int bottom = kBarHeight + 2 + textHeight() + kTick;
    return {leftWidth(), top, std::max(0, size.width() - leftWidth() - PositionAxis::kGutter - 6),
            std::max(0, size.height() - top - bottom)};
}

QRect HeadView::barIn(const QSize& size) const {
    const QRect plot = plotIn(size);
    return {plot.left(), plot.bottom() + 3, plot.width(), kBarHeight};
}

QRect HeadView::laneIn(const QSize& size) const {
    const QRect plot = plotIn(size);
    return {plot.left(), plot.top() - kLane - 1, plot.width() + PositionAxis::kGutter, kLane};
}

QRect HeadView::ticksIn(const QSize& size) const {
    const QRect bar = barIn(size);
    return {bar.left(), bar.bottom() + 1, bar.width(), textHeight() + kTick};
}

QSize HeadView::sizeHint() const {
    return {context().theme.scaled(420), context().theme.scaled(170)};
}
QSize HeadView::minimumSizeHint() const {
    return {context().theme.scaled(200), context().theme.scaled(96)};
}

void HeadView::forget() {
    m_base = {};
    update();
}

HeadView::Drawn HeadView::makeDrawn(int width) {
    const HeadPlace at = place();
    const trace::Fate& fate = m_model.fate();
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    const Selection& selection = context().selection;
    Drawn d;
    d.key = {at,
             layer.ranks,
             layer.compacted,
             fate.budgets.firstLate(),
             fate.budgets.propagated,
             selection.range(),
             width};
    d.axis = PositionAxis(selection.scored(), selection.range(), width);
    if (m_drawn && m_drawn->key == d.key) {
        d.envelope = m_drawn->envelope;
        if (!m_fateStale) {
            d.fate = m_drawn->fate;
            d.tied = m_drawn->tied;
            return d;
        }
    } else {
        ++m_envelopes;
        d.envelope = makeEnvelope(fate, at, d.axis);
    }
    d.fate = fateOfEnvelope(fate, d.envelope, d.axis);
    d.tied = tiedIn(at, d.axis);
    return d;
}

std::vector<std::int64_t> HeadView::tiedIn(HeadPlace at, const PositionAxis& axis) const {
    std::vector<std::int64_t> tied;
    const TokenRange visible = axis.visible();
    if (visible.size() == 0 || axis.width() < kTiePixels * visible.size()) return tied;
    // The token at the cut is tied with itself.
    if (tiedAtHead(m_model.run(), m_model.fate(), at).value_or(0) < 2) return tied;
    const Shown& shown = context().shown;
    const TokenLooks looks(shown.run(), shown.fate(), at.layer,
                           {Decider::Kind::Head, at.layer, at.head});
    for (std::int64_t i = visible.begin; i < std::min(visible.end, axis.scored()); ++i)
        if (looks.at(i).tied) tied.push_back(i);
    return tied;
}

const HeadView::Drawn& HeadView::drawn() {
    m_drawn = makeDrawn(plotRect().width());
    m_fateStale = false;
    return *m_drawn;
}

QString HeadView::title() const {
    if (!m_model.ready()) return {};
    const HeadPlace at = place();
    const trace::LayerFate& layer = m_model.fate().layers[static_cast<std::size_t>(at.layer)];
    return titlesOf(at, layer.compacted, axis()).front();
}

/// Longest first.
QStringList HeadView::titlesOf(HeadPlace at, bool fromRerun, const PositionAxis& axis) {
    const QString name = tr("layer %1 head %2").arg(at.layer).arg(at.head);
    const QString source = fromRerun ? tr("FastKV-pass scores") : tr("full-pass scores");
    const QString cell = axis.tokensPerCell() == 1
                             ? tr("one token a cell")
                             : tr("%1 tokens a cell").arg(formatCount(axis.tokensPerCell()));
    const QString dot = QStringLiteral(" · ");
    return {name + dot + source + dot + cell, name + dot + source, name};
}

void HeadView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (!m_model.ready()) return painter.fillRect(rect(), colours().base);
    if (m_base.isNull() || m_base.devicePixelRatio() != devicePixelRatioF()) {
        ++m_pictures;
        m_base = QPixmap(size() * devicePixelRatioF());
        m_base.setDevicePixelRatio(devicePixelRatioF());
        QPainter base(&m_base);
        paintBase(base, size(), drawn());
    }
    painter.drawPixmap(0, 0, m_base);
    const QRect plot = plotRect();
    const Hover& hover = context().selection.hover();
    if (hover.token >= 0 && m_drawn) {
        const TokenRange tokens =
            hover.cell.size() > 0 ? hover.cell : TokenRange{hover.token, hover.token + 1};
        const QRect both(plot.left(), plot.top(), plot.width(),
                         barRect().bottom() + 1 - plot.top());
        paintHover(painter, both, markPixels(tokens, m_drawn->axis, context().selection.tokens()),
                   std::nullopt, colours());
    }
    if (const auto band = rubberBand()) paintRubberBand(painter, plot, *band, colours());
}

void HeadView::paintInto(QPainter& painter, const QSize& size) {
    if (m_model.ready()) paintBase(painter, size, makeDrawn(plotIn(size).width()));
}

Hover HeadView::hitTest(const QPoint& point) const {
    Hover hover;
    const QRect plot = plotRect();
    const QRect all(plot.left(), 0, plot.width() + PositionAxis::kGutter, height());
    if (!m_drawn || !m_model.ready() || !all.contains(point)) return hover;
    hover.layer = m_drawn->key.at.layer;
    hover.head = m_drawn->key.at.head;
    if (point.x() > plot.right()) {
        hover.token = m_drawn->axis.scored();
        hover.cell = {hover.token, context().selection.tokens()};
        return hover;
    }
    const int cell = m_drawn->axis.cellAt(point.x() - plot.left());
    if (cell < 0) return {};
    const std::int32_t best = m_drawn->envelope.best.token[static_cast<std::size_t>(cell)];
    const TokenRange tokens = m_drawn->axis.tokensOf(cell);
    hover.token = best >= 0 ? best : tokens.begin;
    if (tokens.size() > 1) hover.cell = tokens;
    return hover;
}

bool HeadView::onAxis(const QPoint& point) const {
    return point.y() > barRect().bottom();
}

void HeadView::resizeEvent(QResizeEvent* event) {
    PositionView::resizeEvent(event);
    forget();
}

} // namespace fkv::viz
