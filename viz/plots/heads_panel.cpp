// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_panel.h"

#include "viz/plots/color_bar.h"
#include "viz/plots/head_view.h"
#include "viz/plots/heads_grid.h"
#include "viz/plots/kv_footer.h"
#include "viz/series/format.h"
#include "viz/series/head_table.h"
#include "viz/series/token_words.h"

#include <QEvent>
#include <QFontMetrics>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

namespace fkv::viz {

HeadsPanel::HeadsPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("heads"), tr("KV per head"),
             tr("where does each head keep, and what does that buy?"),
             tr("Run a prompt to see what every KV head keeps.")},
            parent),
      m_model(new HeadsModel(context, this)) {
    setupBody();
    setViews({tr("Where"), tr("Mass kept"), tr("Span"), tr("Head")});
    setupLegend();
    connect(this, &Panel::viewChanged, this, &HeadsPanel::arrange);
    connect(m_model, &HeadsModel::changed, this, [this] {
        updateLegend();
        updateReadout();
    });
    connect(&context.selection, &Selection::hoverChanged, this, &HeadsPanel::updateReadout);
    connect(&context.selection, &Selection::pinnedChanged, this, [this] {
        updateLegend();
        updateReadout();
    });
    connect(&context.selection, &Selection::rangeChanged, this, &HeadsPanel::updateLegend);
    connect(&context.theme, &Theme::changed, this, &HeadsPanel::arrange);
    arrange();
}

void HeadsPanel::setupBody() {
    auto* body = new QWidget(this);
    m_column = new QVBoxLayout(body);
    m_column->setContentsMargins(4, 2, 4, 3);
    m_column->setSpacing(3);
    m_grid = new HeadsGrid(context(), *m_model, body);
    m_grid->setAccessibleName(tr("Layers and KV heads"));
    m_head = new HeadView(context(), *m_model, body);
    m_footer = new KvFooter(context(), body);
    m_footer->setAccessibleName(tr("KV memory"));
    m_column->addWidget(m_grid, 3);
    m_column->addWidget(m_head, 2);
    m_column->addWidget(m_footer);
    // Of its own, or a panel that shows grid and head could not be made low again.
    body->setMinimumSize(200, 96);
    setBody(body);
    body->installEventFilter(this);
}

void HeadsPanel::setupLegend() {
    m_legend = new ColorBar(context(), this);
    addHeaderWidget(m_legend);
}

bool HeadsPanel::hasContent() const {
    return Panel::hasContent() && m_model && m_model->ready();
}

bool HeadsPanel::eventFilter(QObject* watched, QEvent* event) {
    if (watched == body() && event->type() == QEvent::Resize) {
        arrange();
        updateReadout();
    }
    return Panel::eventFilter(watched, event);
}

void HeadsPanel::arrange() {
    const bool head = chosen() == HeadsView::Head;
    const bool tall = body()->height() >= context().theme.scaled(kTallBody);
    if (!head) m_grid->setView(chosen());
    // What goes, goes first: both at once may need more height than there is.
    if (head) m_grid->hide();
    m_head->setVisible(head || tall);
    if (!head) m_grid->show();
    updateLegend();
}

void HeadsPanel::updateLegend() {
    const HeadsView drawn = chosen() == HeadsView::Head ? HeadsView::Head : m_grid->drawnView();
    const auto percent = [](int n) { return QStringLiteral("%1 %").arg(n); };
    switch (drawn) {
    case HeadsView::Where:
        m_legend->setScale({{0.0, percent(0)}, {0.5, percent(50)}, {1.0, percent(100)}}, false);
        setNote(tr("share of tokens kept"), tr("share kept"));
        break;
    case HeadsView::Mass:
        m_legend->setScale(
            {{0.0, QStringLiteral("0")}, {0.5, QStringLiteral("0.5")}, {1.0, QStringLiteral("1")}},
            false);
        setNote(chosen() == HeadsView::Where ? tr("mass kept: too narrow for positions")
                                             : tr("share of the arriving attention mass kept"),
                tr("mass kept"));
        break;
    case HeadsView::Span: {
        const std::int64_t tokens = m_model->span().size();
        m_legend->setScale(
            {{0.0, QStringLiteral("0")}, {1.0, tokens > 0 ? formatCount(tokens) : tr("all")}},
            false);
        setNote(tr("tokens of the tracked span kept"), tr("span kept"));
        break;
    }
    case HeadsView::Head:
        m_legend->setScale({{0.0, percent(0)}, {0.5, percent(50)}, {1.0, percent(100)}}, false);
        setNote(m_head->title());
        break;
    }
}

void HeadsPanel::updateReadout() {
    QStringList shorter;
    if (const HeadPlace at = readoutHead(); at.valid())
        shorter << shortHeadName(at) + QStringLiteral(" · ") + fewestHeadFacts(m_model->detail(at));
    setReadout(readoutFor(width() - 16), shorter);
}

bool HeadsPanel::inGrid(HeadPlace at) const {
    return at.valid() && at.layer < m_model->layers() && at.head < m_model->heads();
}

/// The head that the readout is about: hovered, else pinned while no layer is hovered.
HeadPlace HeadsPanel::readoutHead() const {
    if (!m_model->ready()) return {};
    const Hover& hover = context().selection.hover();
    if (inGrid({hover.layer, hover.head})) return {hover.layer, hover.head};
    const HeadPlace pinned{context().selection.pinnedLayer(), context().selection.pinnedHead()};
    const bool layerHovered = hover.layer >= 0 && hover.layer < m_model->layers();
    return !layerHovered && inGrid(pinned) ? pinned : HeadPlace{};
}

QString HeadsPanel::readoutFor(int width) const {
    if (!m_model->ready()) return {};
    const Hover& hover = context().selection.hover();
    const bool hovered = inGrid({hover.layer, hover.head});
    if (!hovered && hover.layer >= 0 && hover.layer < m_model->layers())
        return layerReadout(hover.layer);
    const HeadPlace at = readoutHead();
    if (!at.valid()) return summary(width);
    const HeadDetail& detail = m_model->detail(at);
    const bool pointed = hovered && hover.token >= 0;
    const QString place = pointed ? positionReadout(at) + QStringLiteral(" · ") : QString();
    const QString text = headName(at) + QStringLiteral(" · ") + place + headFacts(detail);
    if (fits(text, width)) return text;
    return shortHeadName(at) + QStringLiteral(" · ") + place + shortHeadFacts(detail);
}

/// What the pointer is on: one token, or a cell that means its best one.
QString HeadsPanel::positionReadout(HeadPlace at) const {
    const trace::Fate& fate = m_model->fate();
    const Hover& hover = context().selection.hover();
    if (fate.isWindow(hover.token)) return tr("the window, all of it kept");
    const QString name = formatCount(hover.token) + QLatin1Char(' ') +
                         quoted(m_model->run().prompt->tokenText(hover.token));
    const auto rank = rankOf(fate, at, hover.token);
    const QString state = !rank ? tr("did not arrive")
                          : fate.keeps(at.layer, at.head, hover.token)
                              ? tr("rank %1, kept").arg(formatCount(*rank))
                              : tr("rank %1, dropped").arg(formatCount(*rank));
    if (hover.cell.size() <= 1) return tr("token %1: %2").arg(name, state);
    const TokenRange cell = hover.cell;
    return tr("tokens %1–%2: %3 of %4 kept, best %5 %6")
        .arg(formatCount(cell.begin), formatCount(cell.end - 1),
             formatCount(keptIn(fate, at, cell)), formatCount(cell.size()), name, state);
}

QString HeadsPanel::layerReadout(int layer) const {
    const trace::LayerFate& fate = m_model->fate().layers[static_cast<std::size_t>(layer)];
    return tr("layer %1 · %2 heads keep %3 of %4 each")
        .arg(layer)
        .arg(m_model->heads())
        .arg(formatCount(fate.kept), formatCount(fate.entering));
}

QString HeadsPanel::summary(int width) const {
    const trace::Budgets& b = m_model->fate().budgets;
    const trace::LayerBudget& early = b.layers.front();
    const trace::LayerBudget& late = b.layers.back();
    const QString keeps = formatCount(early.kept), of = formatCount(early.entering);
    const QString lateKeeps = formatCount(late.kept), lateOf = formatCount(late.entering);
    QString text = tr("%1 layers × %2 KV heads · each head keeps %3 of %4")
                       .arg(m_model->layers())
                       .arg(m_model->heads())
                       .arg(keeps, of);
    const bool twoBlocks = b.firstLate() < m_model->layers();
    if (twoBlocks) text += tr(", after layer %1 %2 of %3").arg(b.tspLayer).arg(lateKeeps, lateOf);
    if (twoBlocks && !fits(text, width))
        text = tr("each head keeps %1 of %2, after layer %3 %4 of %5")
                   .arg(keeps, of)
                   .arg(b.tspLayer)
                   .arg(lateKeeps, lateOf);
    return text;
}

bool HeadsPanel::fits(const QString& text, int width) const {
    return QFontMetrics(context().theme.smallFont()).horizontalAdvance(text) <= width;
}

QString HeadsPanel::csv() const {
    if (!m_model->ready()) return {};
    if (chosen() == HeadsView::Head)
        return headTokensCsv(m_model->run(), m_model->fate(), m_head->place(),
                             context().selection.range());
    return headsCsv(m_model->run(), m_model->fate(), m_model->span());
}

void HeadsPanel::paintFigure(QPainter& painter, const QSize& size) {
    if (!m_model->ready()) return;
    constexpr int kGap = 3;
    const QSize legend = ColorBar::sizeFor(context().theme, m_legend->scale());
    const int footer = m_footer->heightNeeded();
    const int room = size.height() - legend.height() - footer - kGap;
    const bool only = chosen() == HeadsView::Head;
    const bool tall = room >= context().theme.scaled(kTallBody);
    const int grid = only ? 0 : tall ? room * 3 / 5 : room;
    int top = 0;
    const auto paint = [&](int height, const auto& into) {
        if (height <= 0) return;
        painter.save();
        painter.translate(0, top);
        into(QSize(size.width(), height));
        painter.restore();
        top += height;
    };
    paint(legend.height(), [&](const QSize& area) {
        const QRect place(area.width() - legend.width(), 0, legend.width(), area.height());
        ColorBar::paint(painter, place, m_legend->scale(), context().theme);
    });
    paint(grid, [&](const QSize& area) { m_grid->paintInto(painter, area); });
    paint(only || tall ? room - grid : 0,
          [&](const QSize& area) { m_head->paintInto(painter, area); });
    top += kGap;
    paint(footer, [&](const QSize& area) { m_footer->paintInto(painter, area); });
}

} // namespace fkv::viz
