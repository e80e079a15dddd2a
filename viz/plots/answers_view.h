// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/answer_lines.h"
#include "viz/state/view_context.h"

#include <QAbstractScrollArea>
#include <QBasicTimer>

namespace fkv::viz {

/// What the answers view shows; plain data.
struct AnswersContent {
    AnswerLines lines;
    QString expected;                           ///< or empty
    std::optional<bool> fullHolds, methodHolds; ///< gives the expected answer
    QString survival;                           ///< of the tracked span, or empty
    QString fullEnd, methodEnd; ///< why no token follows the last one; empty while it grows
    QString settings;           ///< that the FastKV answer belongs to
    QString verdict, fidelity;
    bool compared = true;     ///< full context is run, too
    bool fullPending = false; ///< the full line is of another decoding than that of the controls
    bool pending = false;     ///< the FastKV line belongs to other settings than those
    bool working = false;     ///< and the engine is at it: the spinner turns
};

/// Expected answer, full context and FastKV token by token with the KL of every step below. Lines
/// that are too long go on in a further block; what does not fit below is scrolled to.
class AnswersView : public QAbstractScrollArea {
    Q_OBJECT
public:
    explicit AnswersView(const ViewContext& context, QWidget* parent = nullptr);

    void setContent(AnswersContent content);
    const AnswersContent& content() const { return m_content; }
    /// Else only up to the first newline.
    void setAllTokens(bool on);
    /// Step under the pointer or chosen with Ctrl+Left and Ctrl+Right; -1 when none.
    int step() const { return m_step; }
    bool spinning() const { return m_spin.isActive(); }
    void paintFigure(QPainter& painter, const QSize& size) const;

    /// Where things stand at a width, for painting, hit testing and tests. Coordinates of the page.
    struct Block {
        std::size_t begin = 0, end = 0; ///< columns
        int top = 0;
    };
    struct Geometry {
        int labelRight = 0, right = 0; ///< token boxes stand between them
        int summaryRight = 0;
        int summaryLeft = -1; ///< -1: the summary has lines of its own, above
        int lineHeight = 0, klHeight = 0, spacing = 0;
        int expectedTop = -1, summaryTop = -1;
        int survivalTop = -1;         ///< a line of its own, or that of the expected answer
        std::vector<int> left, width; ///< [columns]
        std::vector<Block> blocks;
        int height = 0;
        /// Where the bars of the last block stand; 0 without one.
        int barsBottom() const {
            return blocks.empty() ? 0 : blocks.back().top + 2 * (lineHeight + spacing) + klHeight;
        }
    };
    Geometry geometry(const QSize& size) const;
    const Geometry& geometry() const { return m_geometry; }
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void stepChanged(int step);

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void timerEvent(QTimerEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    std::size_t columnsShown() const;
    QString longestEnd() const;
    int columnWidth(std::size_t column) const;
    int stepAt(const QPoint& viewport) const;
    void setStep(int step);
    void relayout();
    void turnSpinner();

    ViewContext m_context;
    AnswersContent m_content;
    Geometry m_geometry;
    bool m_allTokens = false;
    int m_step = -1;
    int m_angle = 0; ///< of the spinner, in degrees
    QBasicTimer m_spin;
};

} // namespace fkv::viz
