// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/tokens_view.h"

#include "viz/text/choice_bar.h"
#include "viz/text/token_map.h"

#include <QPaintEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>
#include <utility>

namespace fkv::viz {
namespace {

constexpr double kLeastType = 0.6, kMostType = 4.0;

/// A rerun brings the same prompt, mostly as the same object.
bool samePrompt(const trace::Prompt& a, const trace::Prompt& b) {
    return &a == &b || (a.ids == b.ids && a.bytes == b.bytes && a.text == b.text);
}

} // namespace

Decider deciderOf(const ViewContext& c) {
    const int layer = c.layer(), head = c.selection.pinnedHead();
    if (head >= 0) return {Decider::Kind::Head, layer, head};
    if (c.options.fateMode() == ViewOptions::FateMode::Kv)
        return {Decider::Kind::AnyHead, layer, 0};
    return {};
}

TokensView::TokensView(const ViewContext& context, QWidget* parent)
    : QAbstractScrollArea(parent),
      m_context(context),
      m_map(new TokenMap(context, this)),
      m_choiceBar(new ChoiceBar(viewport())) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    // The map is the scroll bar: it shows more and takes as much room.
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setViewportMargins(0, 0, TokenMap::kWidth, 0);
    viewport()->setMouseTracking(true);
    viewport()->setCursor(Qt::IBeamCursor);
    setupState();
    setupActions();
    applyTheme();
    followRun();
}

void TokensView::setupState() {
    const ViewContext& c = m_context;
    connect(&c.theme, &Theme::changed, this, &TokensView::applyTheme);
    connect(&c.shown, &Shown::runChanged, this, &TokensView::followRun);
    connect(&c.shown, &Shown::fateChanged, this, &TokensView::followFate);
    connect(&c.options, &ViewOptions::changed, this, &TokensView::followFate);
    connect(&c.selection, &Selection::pinnedChanged, this, &TokensView::followPin);
    connect(&c.selection, &Selection::hoverChanged, this, &TokensView::followHover);
    const auto repaint = [this] { viewport()->update(); };
    connect(&c.selection, &Selection::marksChanged, this, repaint);
    connect(&c.selection, &Selection::marksChanged, this, &TokensView::openAtSpan);
    connect(&c.selection, &Selection::hitsChanged, this, repaint);
}

void TokensView::setupActions() {
    connect(m_map, &TokenMap::jumped, this, [this](std::int64_t token) {
        const std::int64_t middle = m_page.lineTop(m_page.layout().lineOf(token));
        verticalScrollBar()->setValue(
            static_cast<int>(middle - (viewport()->height() - m_page.lineHeight()) / 2));
    });
    connect(m_choiceBar, &ChoiceBar::track, this, &TokensView::trackChosen);
    connect(m_choiceBar, &ChoiceBar::copyText, this, [this] { copy(false); });
    connect(m_choiceBar, &ChoiceBar::copyIds, this, [this] { copy(true); });
    connect(m_choiceBar, &ChoiceBar::zoomTo, this, [this] {
        m_context.selection.setRange(m_chosen);
        choose({});
    });
}

void TokensView::applyTheme() {
    QFont text = m_context.theme.font();
    text.setPointSizeF(text.pointSizeF() * m_typeScale);
    QFont index = m_context.theme.smallFont();
    index.setPointSizeF(index.pointSizeF() * std::min(m_typeScale, 1.0));
    m_inks = TokenInks(m_context.theme.palette());
    // Hidden widgets hear of a new application font only when they are shown: too late to measure.
    m_choiceBar->setFont(m_context.theme.font());
    const std::int64_t first = visibleTokens().begin;
    m_page.setFonts(text, index);
    relayout(first);
}

QSize TokensView::minimumSizeHint() const {
    return {m_context.theme.scaled(160), m_context.theme.scaled(66)};
}

void TokensView::setTypeScale(double scale) {
    m_typeScale = std::clamp(scale, kLeastType, kMostType);
    applyTheme();
}

void TokensView::followRun() {
    const trace::RunPtr& run = m_context.shown.run();
    if (!run || !run->prompt) {
        m_text = nullptr;
    } else if (!m_text || !samePrompt(m_text->prompt(), *run->prompt)) {
        m_text = std::make_shared<TokenText>(run->prompt);
    } else {
        return followFate();
    }
    choose({});
    m_currentHit = {};
    m_hovered = -1;
    m_pinned = m_context.selection.pinnedToken();
    m_page.setText(m_text);
    m_opened = false;
    relayout(0);
    followFate();
}

void TokensView::followFate() {
    const trace::RunPtr& run = m_context.shown.run();
    const trace::FatePtr& fate = m_context.shown.fate();
    const bool known = run && fate && run->full && m_text && fate->tokens() == m_text->size();
    m_looks = known ? TokenLooks(run, fate, m_context.layer(), deciderOf(m_context)) : TokenLooks();
    m_map->setLooks(m_looks);
    viewport()->update();
    Q_EMIT looksChanged();
}

void TokensView::followPin() {
    const Decider decider = deciderOf(m_context);
    if (m_looks.valid() && (decider != m_looks.decider() || m_context.layer() != m_looks.layer()))
        followFate();
    const std::int64_t pinned = m_context.selection.pinnedToken();
    if (std::exchange(m_pinned, pinned) != pinned) reveal(pinned);
}

void TokensView::followHover() {
    const std::int64_t token = m_context.selection.hover().token;
    const auto repaint = [this](std::int64_t at) {
        const QRect rect = m_page.rectOf(at).translated(0, static_cast<int>(-top()));
        viewport()->update(rect.adjusted(-3, -3, 3, 3));
    };
    // Only lines on the screen: others would have to be shaped to know their boxes.
    const TokenRange seen = visibleTokens();
    for (const std::int64_t at : {m_hovered, token})
        if (seen.has(at)) repaint(at);
    m_hovered = token;
}

void TokensView::relayout(std::int64_t firstToken) {
    m_page.setWidth(viewport()->width());
    updateScrollBar();
    if (m_page.layoutsMade() != m_layoutSeen && m_page.lines() > 0)
        scrollToLine(m_page.layout().lineOf(firstToken));
    m_layoutSeen = m_page.layoutsMade();
    updateMap();
    viewport()->update();
}

void TokensView::updateScrollBar() {
    const int height = viewport()->height();
    verticalScrollBar()->setRange(
        0, static_cast<int>(std::max<std::int64_t>(0, m_page.height() - height)));
    verticalScrollBar()->setPageStep(std::max(1, height - m_page.lineHeight()));
    verticalScrollBar()->setSingleStep(m_page.lineHeight());
}

void TokensView::updateMap() {
    m_map->setVisibleTokens(visibleTokens());
}

std::int64_t TokensView::top() const {
    return verticalScrollBar()->value();
}

TokenRange TokensView::visibleTokens() const {
    if (m_page.lines() == 0) return {};
    const std::int64_t first = m_page.lineAt(top());
    const std::int64_t last = m_page.lineAt(top() + std::max(0, viewport()->height() - 1));
    return {m_page.layout().tokens(first).begin, m_page.layout().tokens(last).end};
}

void TokensView::scrollToLine(std::int64_t line) {
    verticalScrollBar()->setValue(static_cast<int>(line == 0 ? 0 : m_page.lineTop(line)));
}

void TokensView::reveal(std::int64_t token) {
    if (!m_text || token < 0 || token >= m_text->size() || m_page.lines() == 0) return;
    const std::int64_t y = m_page.lineTop(m_page.layout().lineOf(token));
    const int height = viewport()->height();
    if (y >= top() && y + m_page.lineHeight() <= top() + height) return;
    verticalScrollBar()->setValue(static_cast<int>(y - (height - m_page.lineHeight()) / 2));
}

void TokensView::openAtSpan() {
    const Mark* span = m_context.selection.firstSpan();
    if (std::exchange(m_opened, m_text != nullptr) || !span) return;
    reveal(span->tokens.begin);
}

void TokensView::choose(TokenRange tokens) {
    if (tokens.size() == 0) m_choiceBar->hide();
    if (tokens == m_chosen) return;
    m_chosen = tokens;
    viewport()->update();
    Q_EMIT chosenChanged();
}

void TokensView::setCurrentHit(TokenRange hit) {
    m_currentHit = hit;
    if (hit.size() > 0) reveal(hit.begin);
    viewport()->update();
}

TokenScene TokensView::scene() const {
    return {m_page,
            m_looks,
            m_context.selection,
            m_context.theme.palette(),
            m_inks,
            m_context.options.strikeAllDropped(),
            m_chosen,
            m_currentHit};
}

void TokensView::paintEvent(QPaintEvent* event) {
    QPainter painter(viewport());
    const QRect area = event->rect();
    painter.fillRect(area, m_context.theme.palette().base);
    if (m_page.lines() == 0) return;
    const TokenScene scene = this->scene();
    const std::int64_t last = m_page.lineAt(top() + area.bottom());
    for (std::int64_t line = m_page.lineAt(top() + area.top()); line <= last; ++line) {
        painter.save();
        painter.translate(0, static_cast<double>(m_page.lineTop(line) - top()));
        paintTokenLine(painter, scene, line);
        painter.restore();
    }
}

void TokensView::paintFigure(QPainter& painter, const QSize& size) const {
    if (m_page.lines() == 0) return;
    TokenPage page = m_page;
    page.setWidth(size.width() - TokenMap::kWidth);
    TokenScene scene{page,
                     m_looks,
                     m_context.selection,
                     m_context.theme.palette(),
                     m_inks,
                     m_context.options.strikeAllDropped(),
                     {},
                     {}};
    std::int64_t line = page.layout().lineOf(visibleTokens().begin);
    painter.save();
    for (int y = 0; y + page.lineHeight() <= size.height() && line < page.lines(); ++line) {
        paintTokenLine(painter, scene, line);
        painter.translate(0, page.lineHeight());
        y += page.lineHeight();
    }
    painter.restore();
    // The map shows the whole prompt, however much text the figure has room for.
    painter.save();
    painter.translate(size.width() - TokenMap::kWidth, 0);
    painter.scale(1.0, static_cast<double>(size.height()) / std::max(1, m_map->height()));
    m_map->paint(painter, m_map->rect());
    painter.restore();
}

void TokensView::resizeEvent(QResizeEvent*) {
    const QRect inner = contentsRect();
    m_map->setGeometry(inner.right() + 1 - TokenMap::kWidth, inner.top(), TokenMap::kWidth,
                       inner.height());
    choose({});
    relayout(visibleTokens().begin);
}

void TokensView::scrollContentsBy(int, int) {
    m_choiceBar->hide();
    updateMap();
    viewport()->update();
}

} // namespace fkv::viz
