// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/position_paint.h"
#include "viz/series/cells.h"
#include "viz/series/token_looks.h"
#include "viz/state/view_context.h"

#include <QImage>
#include <QWheelEvent>
#include <QWidget>

namespace fkv::viz {

/// The whole prompt as a column of cells at the right of its text: best importance of each cell in
/// the colour of its fate, the share of its tokens that is kept, pins, spans and hits, and a frame
/// around what the text shows. Click and drag move the text. It is the position axis of all views,
/// stood up: token 0 on top, the window hatched below.
class TokenMap : public QWidget {
    Q_OBJECT
public:
    static constexpr int kWidth = 16;

    explicit TokenMap(const ViewContext& context, QWidget* parent = nullptr);

    /// `looks` may be invalid: nothing is drawn but the frame. Best tokens are searched anew only
    /// when run, layer or height changed; a new fate colours them.
    void setLooks(const TokenLooks& looks);
    void setVisibleTokens(TokenRange tokens);
    TokenRange visibleTokens() const { return m_visible; }
    PositionAxis axis() const;

    /// Work done, for tests.
    int bestCellsMade() const { return m_bestMade; }
    int picturesMade() const { return m_picturesMade; }
    void paint(QPainter& painter, const QRect& area) const;

Q_SIGNALS:
    void jumped(std::int64_t token); ///< should stand in the middle of the text

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override { event->ignore(); }

private:
    void findBest();
    void placeMarks();
    void colourCells();
    QRect frame() const;
    void jump(int y);

    ViewContext m_context;
    TokenLooks m_looks;
    TokenRange m_visible;
    BestCells m_best;
    std::vector<std::int32_t> m_kept; ///< per cell
    std::vector<MarkShape> m_marks;   ///< px.x0 and x1 are rows
    QImage m_picture;                 ///< one px wide: a colour a row
    int m_grab = 0;                   ///< px from the middle of the frame to where it was grabbed
    int m_bestMade = 0, m_picturesMade = 0;
};

} // namespace fkv::viz
