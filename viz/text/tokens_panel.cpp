// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/tokens_panel.h"

#include "viz/series/format.h"
#include "viz/series/token_search.h"
#include "viz/series/token_words.h"
#include "viz/text/find_bar.h"
#include "viz/text/tokens_view.h"

#include <QKeyEvent>
#include <QVBoxLayout>
#include <algorithm>

namespace fkv::viz {

TokensPanel::TokensPanel(const ViewContext& context, QWidget* parent)
    : Panel(context,
            {QStringLiteral("tokens"), tr("Tokens"),
             tr("what does the text look like to the model?"),
             tr("Open a sample or type a prompt, then press Run.")},
            parent) {
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_find = new FindBar(body);
    m_find->hide();
    m_view = new TokensView(context, body);
    m_view->setAccessibleName(tr("Tokens"));
    column->addWidget(m_find);
    column->addWidget(m_view, 1);
    body->setFocusPolicy(Qt::StrongFocus);
    body->setFocusProxy(m_view);
    setBody(body);
    setupFind();
    connect(m_view, &TokensView::looksChanged, this, &TokensPanel::updateNote);
    connect(m_view, &TokensView::chosenChanged, this, &TokensPanel::updateReadout);
    connect(&context.selection, &Selection::hoverChanged, this, &TokensPanel::updateReadout);
    connect(&context.shown, &Shown::runChanged, this, &TokensPanel::followRun);
    updateNote();
}

TokensPanel::~TokensPanel() = default;

bool TokensPanel::hasContent() const {
    // The text can be read before anything is known about it.
    return context().shown.run() && context().shown.run()->prompt;
}

void TokensPanel::setupFind() {
    connect(m_view, &TokensView::findRequested, this, &TokensPanel::openFind);
    connect(m_find, &FindBar::needleChanged, this, &TokensPanel::search);
    connect(m_find, &FindBar::stepped, this, &TokensPanel::step);
    connect(m_find, &FindBar::closed, this, &TokensPanel::closeFind);
}

void TokensPanel::followRun() {
    if (m_searched == m_view->text()) return;
    m_searched = m_view->text();
    m_search.reset();
    if (m_find->isVisible()) search(m_find->needle());
}

void TokensPanel::openFind() {
    if (!m_view->text()) return;
    m_find->open();
    search(m_find->needle());
}

void TokensPanel::closeFind() {
    m_find->hide();
    m_hits.clear();
    m_current = -1;
    context().selection.setHits({});
    m_view->setCurrentHit({});
    m_view->setFocus(Qt::OtherFocusReason);
}

void TokensPanel::search(const QString& needle) {
    if (!m_search && m_view->text())
        m_search = std::make_unique<TokenSearch>(m_view->text()->prompt());
    m_hits = m_search ? m_search->find(needle) : std::vector<TokenRange>{};
    // The first hit at or after what is read now, without leaving it for an earlier one.
    const std::int64_t from = m_view->visibleTokens().begin;
    const auto next =
        std::lower_bound(m_hits.begin(), m_hits.end(), from,
                         [](const TokenRange& h, std::int64_t t) { return h.begin < t; });
    m_current = m_hits.empty() ? -1 : next == m_hits.end() ? 0 : next - m_hits.begin();
    context().selection.setHits(m_hits);
    m_view->setCurrentHit(m_current < 0 ? TokenRange{}
                                        : m_hits[static_cast<std::size_t>(m_current)]);
    showCount();
}

void TokensPanel::showCount() {
    m_find->setCount(m_current, static_cast<std::int64_t>(m_hits.size()),
                     m_hits.size() >= TokenSearch::kMostHits);
}

void TokensPanel::step(int by) {
    if (!m_find->isVisible()) return openFind();
    const auto count = static_cast<std::int64_t>(m_hits.size());
    if (count == 0) return;
    m_current = (m_current + by + count) % count;
    m_view->setCurrentHit(m_hits[static_cast<std::size_t>(m_current)]);
    showCount();
}

void TokensPanel::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Find)) return openFind();
    if (event->key() == Qt::Key_F3)
        return step(event->modifiers().testFlag(Qt::ShiftModifier) ? -1 : 1);
    if (event->key() == Qt::Key_Escape && m_find->isVisible()) return closeFind();
    Panel::keyPressEvent(event);
    // Walking with the keys is no hover by the mouse: the text follows it.
    const bool walked = event->key() == Qt::Key_Left || event->key() == Qt::Key_Right;
    if (walked) m_view->reveal(context().selection.hover().token);
}

void TokensPanel::updateNote() {
    const TokenLooks& looks = m_view->looks();
    if (looks.valid())
        setNote(tr("layer %1 · bar: %2")
                    .arg(looks.layer())
                    .arg(withState(describeDecider(looks.decider()), looks.state())),
                tr("layer %1").arg(looks.layer()));
    else
        setNote(context().shown.asked() && !context().shown.fate() ? tr("not looked into")
                                                                   : QString());
    updateReadout();
}

QString TokensPanel::describe() const {
    const trace::RunPtr& run = context().shown.run();
    const trace::FatePtr& fate = context().shown.fate();
    const TokenLooks& looks = m_view->looks();
    if (!run || !fate || !looks.valid()) return {};
    const auto kept = [&looks](TokenRange tokens) {
        return tr("%1: %2 of %3 tokens")
            .arg(withState(describeDecider(looks.decider()), looks.state()),
                 formatCount(looks.kept().count(tokens.begin, tokens.end)),
                 formatCount(tokens.size()));
    };
    const TokenRange chosen = m_view->chosen();
    const std::int64_t hovered = context().selection.hover().token;
    if (chosen.size() > 0)
        return tr("tokens %1–%2").arg(formatCount(chosen.begin), formatCount(chosen.end - 1)) +
               QStringLiteral(" · ") + kept(chosen);
    if (hovered >= 0 && hovered < run->tokens()) return describeToken(*run, looks, *fate, hovered);
    return kept({0, run->tokens()});
}

void TokensPanel::updateReadout() {
    setReadout(describe());
    // The body hands the focus on: what has it must say so itself.
    m_view->setAccessibleDescription(readout());
}

void TokensPanel::paintFigure(QPainter& painter, const QSize& size) {
    m_view->paintFigure(painter, size);
}

QString TokensPanel::csv() const {
    const trace::RunPtr& run = context().shown.run();
    if (!run || !run->prompt) return {};
    TokenRange range = context().selection.range();
    // The window stands beside the axis, at its end.
    if (range.end >= run->scored()) range.end = run->tokens();
    return tokensCsv(*run, context().shown.fate(), context().layer(), range);
}

} // namespace fkv::viz
