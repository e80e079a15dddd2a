// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/answers_view.h"

#include "viz/plots/answers_paint.h"

#include <QFontMetrics>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>
#include <utility>

namespace fkv::viz {
namespace {

constexpr int kSpinMs = 90, kSpinDegrees = 30;
constexpr int kLeastColumn = 14;
constexpr int kWideEnough = 640; ///< for the summary to stand beside the boxes
constexpr int kLeastKl = 11, kMostKl = 56;
constexpr int kMostSpacing = 4;
constexpr int kNear = 40;       ///< px from the boxes to a summary beside them
constexpr int kBlockMargin = 4; ///< below the bars, so that they stand on no edge
constexpr int kSpinnerRoom = 20;
constexpr double kNotch = 120.0;

} // namespace

AnswersView::AnswersView(const ViewContext& context, QWidget* parent)
    : QAbstractScrollArea(parent), m_context(context) {
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    connect(&context.theme, &Theme::changed, this, &AnswersView::relayout);
    relayout();
}

void AnswersView::setContent(AnswersContent content) {
    m_content = std::move(content);
    if (m_step >= static_cast<int>(m_content.lines.columns.size())) setStep(-1);
    turnSpinner();
    relayout();
}

QSize AnswersView::minimumSizeHint() const {
    return {m_context.theme.scaled(160), 3 * QFontMetrics(m_context.theme.font()).height()};
}

void AnswersView::setAllTokens(bool on) {
    m_allTokens = on;
    relayout();
}

QString AnswersView::longestEnd() const {
    trace::Answer ended;
    ended.end = trace::AnswerEnd::EndOfSequence;
    return answerEnd(describeEnd(ended), true);
}

std::size_t AnswersView::columnsShown() const {
    const AnswerLines& lines = m_content.lines;
    return m_allTokens ? lines.columns.size() : std::min(lines.toNewline, lines.columns.size());
}

int AnswersView::columnWidth(std::size_t column) const {
    const QFontMetrics metrics(m_context.theme.font());
    const AnswerColumn& c = m_content.lines.columns[column];
    const bool differs = static_cast<std::int64_t>(column) == m_content.lines.difference;
    int width = kLeastColumn;
    if (c.full) width = std::max(width, metrics.horizontalAdvance(answerLabel(*c.full, false)));
    if (c.method)
        width = std::max(width, metrics.horizontalAdvance(answerLabel(*c.method, differs)));
    return width + 2 * kAnswerPadding + 1;
}

AnswersView::Geometry AnswersView::geometry(const QSize& size) const {
    Geometry g;
    const QFontMetrics metrics(m_context.theme.font()), small(m_context.theme.smallFont());
    g.lineHeight = metrics.height();
    g.klHeight = m_context.theme.scaled(kLeastKl);
    g.summaryRight = size.width() - 4;
    for (const QString& label : {tr("expected"), tr("full"), tr("FastKV")})
        g.labelRight = std::max(g.labelRight, metrics.horizontalAdvance(label));
    g.labelRight += answerSignWidth(metrics) + kSpinnerRoom;
    const int summary = std::max({metrics.horizontalAdvance(m_content.verdict),
                                  small.horizontalAdvance(m_content.fidelity),
                                  small.horizontalAdvance(m_content.settings)});
    int boxes = 0;
    for (std::size_t i = 0; i < columnsShown(); ++i)
        boxes += columnWidth(i);
    const int rest = size.width() - summary - 20;
    const bool beside =
        g.labelRight + boxes <= rest || (size.width() >= kWideEnough && summary < size.width() / 2);
    g.right = g.summaryRight;
    if (beside) {
        // Near the boxes where there is room to spare: far from them it is read as something else.
        // Behind the boxes there is always room for how an answer ends: nothing moves when it does.
        const int end = kEndGap + small.horizontalAdvance(longestEnd());
        g.summaryLeft = std::min(g.summaryRight - summary - 4,
                                 std::max(g.labelRight + boxes + end + kNear, size.width() / 3));
        g.right = g.summaryLeft - 12;
    }
    int top = 0;
    if (!m_content.expected.isEmpty() || !m_content.survival.isEmpty()) {
        g.expectedTop = g.survivalTop = top;
        top += g.lineHeight;
        const int expected = metrics.horizontalAdvance(m_content.expected) * 5 / 4; // bold
        const bool both = !m_content.expected.isEmpty() && !m_content.survival.isEmpty();
        if (both && !beside &&
            g.labelRight + expected + small.horizontalAdvance(m_content.survival) > g.right - 24) {
            g.survivalTop = top;
            top += g.lineHeight;
        }
    }
    if (!beside && m_content.lines.known()) {
        g.summaryTop = top;
        top += 2 * g.lineHeight;
    }
    const std::size_t columns = columnsShown();
    int x = g.labelRight;
    for (std::size_t i = 0; i < columns; ++i) {
        const int width = std::min(columnWidth(i), std::max(kLeastColumn, g.right - g.labelRight));
        if (g.blocks.empty() || x + width > g.right) {
            g.blocks.push_back({i, i, 0});
            x = g.labelRight;
        }
        g.left.push_back(x);
        g.width.push_back(width);
        g.blocks.back().end = i + 1;
        x += width;
    }
    // Room to spare goes into the bars first: they are the finest to read.
    const int blocks = static_cast<int>(g.blocks.size());
    const int least = 2 * g.lineHeight + kBlockMargin;
    if (blocks > 0) {
        int spare = std::max(0, (size.height() - top) / blocks - least - g.klHeight);
        g.spacing = std::min(kMostSpacing, spare / 6);
        spare -= 3 * g.spacing;
        g.klHeight += std::clamp(spare, 0, m_context.theme.scaled(kMostKl) - g.klHeight);
    }
    for (Block& block : g.blocks) {
        block.top = top + g.spacing;
        top = block.top + least + 2 * g.spacing + g.klHeight;
    }
    g.height = top;
    return g;
}

void AnswersView::relayout() {
    m_geometry = geometry(viewport()->size());
    if (m_geometry.height > viewport()->height()) {
        // The bar may need room of its own before it is shown: asking twice settles it.
        verticalScrollBar()->setRange(0, m_geometry.height - viewport()->height());
        m_geometry = geometry(viewport()->size());
    }
    verticalScrollBar()->setRange(0, std::max(0, m_geometry.height - viewport()->height()));
    verticalScrollBar()->setPageStep(std::max(1, viewport()->height()));
    verticalScrollBar()->setSingleStep(m_geometry.lineHeight);
    viewport()->update();
}

void AnswersView::turnSpinner() {
    const bool turn = m_content.pending && m_content.working && isVisible();
    if (turn == m_spin.isActive()) return;
    if (turn)
        m_spin.start(kSpinMs, this);
    else
        m_spin.stop();
}

void AnswersView::timerEvent(QTimerEvent* event) {
    if (event->timerId() != m_spin.timerId()) return QAbstractScrollArea::timerEvent(event);
    m_angle = (m_angle + kSpinDegrees) % 360;
    viewport()->update(0, 0, m_geometry.labelRight, viewport()->height());
}

void AnswersView::showEvent(QShowEvent* event) {
    QAbstractScrollArea::showEvent(event);
    turnSpinner();
}

void AnswersView::hideEvent(QHideEvent* event) {
    QAbstractScrollArea::hideEvent(event);
    m_spin.stop();
}

void AnswersView::paintEvent(QPaintEvent*) {
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), m_context.theme.palette().base);
    painter.translate(0, -verticalScrollBar()->value());
    paintAnswers(painter, {m_content, m_geometry, m_context.theme, m_step,
                           m_content.working ? m_angle : -1});
}

void AnswersView::paintFigure(QPainter& painter, const QSize& size) const {
    const Geometry at = geometry(size);
    paintAnswers(painter, {m_content, at, m_context.theme, -1, -1});
}

void AnswersView::resizeEvent(QResizeEvent*) {
    relayout();
}

int AnswersView::stepAt(const QPoint& viewport) const {
    const int y = viewport.y() + verticalScrollBar()->value();
    const int height = 2 * (m_geometry.lineHeight + m_geometry.spacing) + m_geometry.klHeight;
    for (const Block& block : m_geometry.blocks) {
        if (y < block.top || y >= block.top + height) continue;
        for (std::size_t i = block.begin; i < block.end; ++i)
            if (viewport.x() >= m_geometry.left[i] &&
                viewport.x() < m_geometry.left[i] + m_geometry.width[i])
                return static_cast<int>(i);
    }
    return -1;
}

void AnswersView::setStep(int step) {
    if (step == m_step) return;
    m_step = step;
    viewport()->update();
    Q_EMIT stepChanged(step);
}

void AnswersView::mouseMoveEvent(QMouseEvent* event) {
    setStep(stepAt(event->pos()));
}

bool AnswersView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::Leave) setStep(-1);
    return QAbstractScrollArea::viewportEvent(event);
}

void AnswersView::wheelEvent(QWheelEvent* event) {
    const double lines = event->angleDelta().y() / kNotch;
    verticalScrollBar()->setValue(verticalScrollBar()->value() -
                                  static_cast<int>(std::lround(lines * 3 * m_geometry.lineHeight)));
    event->accept();
}

void AnswersView::keyPressEvent(QKeyEvent* event) {
    // Plain arrows walk over the prompt, as in every view.
    const bool control = event->modifiers() == Qt::ControlModifier;
    const int last = static_cast<int>(columnsShown()) - 1;
    if (control && event->key() == Qt::Key_Right) return setStep(std::min(m_step + 1, last));
    if (control && event->key() == Qt::Key_Left) return setStep(std::max(m_step - 1, -1));
    if (event->key() == Qt::Key_Escape && m_step >= 0) return setStep(-1);
    event->ignore(); // the panel knows the keys of all views
}

} // namespace fkv::viz
