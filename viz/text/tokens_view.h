// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"
#include "viz/text/token_painter.h"

#include <QAbstractScrollArea>
#include <QBasicTimer>

namespace fkv::viz {

class ChoiceBar;
class TokenMap;

/// The scrolling text of the Tokens panel with the map of the whole prompt at its right. Only lines
/// that are seen are shaped and painted; a hover repaints two lines, a new fate the visible ones.
/// Gestures: click pins, Shift+click adds a pin, drag chooses tokens, wheel scrolls, Ctrl+wheel
/// sizes the type. Keys it does not know go to its parent.
class TokensView : public QAbstractScrollArea {
    Q_OBJECT
public:
    explicit TokensView(const ViewContext& context, QWidget* parent = nullptr);

    const TokenPage& page() const { return m_page; }
    const TokenLooks& looks() const { return m_looks; }
    const TokenMap& map() const { return *m_map; }
    std::shared_ptr<const TokenText> text() const { return m_text; }

    /// Tokens chosen by dragging; empty when none.
    TokenRange chosen() const { return m_chosen; }
    void choose(TokenRange tokens);
    /// Scrolls, if need be, so that the token's line is seen.
    void reveal(std::int64_t token);
    void setCurrentHit(TokenRange hit);
    /// Tokens of the lines that are seen, whole or in part.
    TokenRange visibleTokens() const;
    /// Puts a line of the page at the top; clamped.
    void scrollToLine(std::int64_t line);
    double typeScale() const { return m_typeScale; }
    void setTypeScale(double scale);

    QSize minimumSizeHint() const override;
    /// Draws what is seen, as text of `size` logical px.
    void paintFigure(QPainter& painter, const QSize& size) const;

Q_SIGNALS:
    void looksChanged(); ///< layer, decider or fate
    void chosenChanged();
    void findRequested();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    bool viewportEvent(QEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void timerEvent(QTimerEvent* event) override;

private:
    enum class Gesture { None, Pressed, Choosing };
    void setupState();
    void setupActions();
    void applyTheme();
    void followRun();
    void followFate();
    void followPin();
    void followHover();
    /// A text opens at the fact that came with it: the sliders will break that first.
    void openAtSpan();
    void relayout(std::int64_t firstToken);
    void updateScrollBar();
    void updateMap();
    bool scrollKey(const QKeyEvent& event);
    void scrollBy(std::int64_t px);
    std::int64_t top() const;
    QPoint toPage(const QPoint& viewport) const;
    TokenRange tokensAt(const QPoint& viewport, bool nearest) const;
    void dragTo(const QPoint& viewport);
    void showChoiceBar(const QPoint& near);
    void trackChosen();
    void copy(bool ids);
    TokenScene scene() const;

    ViewContext m_context;
    std::shared_ptr<const TokenText> m_text;
    TokenPage m_page;
    TokenLooks m_looks;
    TokenInks m_inks;
    TokenMap* m_map = nullptr;
    ChoiceBar* m_choiceBar = nullptr;
    double m_typeScale = 1.0;
    bool m_opened = true; ///< marks came since the text did
    int m_layoutSeen = 0; ///< the layout that the scroll position belongs to
    Gesture m_gesture = Gesture::None;
    QPoint m_pressAt, m_lastAt;
    TokenRange m_pressTokens, m_chosen, m_currentHit;
    std::int64_t m_hovered = -1, m_pinned = -1;
    QBasicTimer m_autoScroll;
};

/// Whose decision the bars below tokens show: the pinned head's, else that of the fate mode. Under
/// TSP that is the decision itself, whatever the layer: the map keeps every token of layers up to
/// t, but a text in which all is marked would say nothing about the very layer that decides.
Decider deciderOf(const ViewContext& context);

} // namespace fkv::viz
