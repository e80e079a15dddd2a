// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/answers_paint.h"

#include <QCoreApplication>
#include <QPainter>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kPendingInk = 0.5;
constexpr double kAfterInk = 0.6; // after the first difference; at least 4.5:1 is not asked of it
constexpr int kBarWidth = 12;

QString tr(const char* text) {
    return QCoreApplication::translate("fkv::viz::AnswersView", text);
}

QString signOf(const std::optional<bool>& holds) {
    if (!holds) return {};
    return *holds ? QStringLiteral("✔") : QStringLiteral("✖");
}

class Page {
public:
    Page(QPainter& painter, const AnswersPainting& p)
        : m_painter(painter),
          m_p(p),
          m_at(p.at),
          m_c(p.content),
          m_colours(p.theme.palette()),
          m_metrics(p.theme.font()),
          m_small(p.theme.smallFont()),
          m_labelLeft(answerSignWidth(m_metrics)) {}

    void paint() {
        m_painter.setFont(m_p.theme.font());
        if (m_at.expectedTop >= 0) paintExpected();
        if (m_at.summaryTop >= 0) paintSummaryAbove();
        for (std::size_t i = 0; i < m_at.blocks.size(); ++i)
            paintBlock(i);
    }

private:
    QColor inkOf(bool pending) const {
        return pending ? faded(m_colours.text, m_colours.base, kPendingInk) : m_colours.text;
    }
    QColor fullInk() const { return inkOf(m_c.fullPending); }
    QColor methodInk() const { return inkOf(m_c.pending); }

    QColor differenceInk() const {
        return m_c.pending ? faded(m_colours.lost, m_colours.base, kPendingInk) : m_colours.lost;
    }

    void text(const QRect& area, const QString& words, const QColor& ink, bool small = false) {
        m_painter.setFont(small ? m_p.theme.smallFont() : m_p.theme.font());
        const QFontMetrics& metrics = small ? m_small : m_metrics;
        m_painter.setPen(ink);
        m_painter.drawText(area, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                           metrics.elidedText(words, Qt::ElideRight, area.width()));
    }

    QRect row(int top, int left, int right) const {
        return {left, top, std::max(0, right - left), m_at.lineHeight};
    }

    void label(int top, const QString& words, const QString& sign, const QColor& ink) {
        text(row(top, 2, m_labelLeft), sign, ink);
        text(row(top, m_labelLeft, m_at.labelRight), words, ink);
    }

    void paintExpected() {
        const int top = m_at.expectedTop;
        int left = m_at.labelRight;
        if (!m_c.expected.isEmpty()) {
            label(top, tr("expected"), {}, m_colours.text);
            QFont bold = m_p.theme.font();
            bold.setBold(true);
            m_painter.setFont(bold);
            m_painter.setPen(m_colours.text);
            const int width =
                std::min(QFontMetrics(bold).horizontalAdvance(m_c.expected) + 2, m_at.right - left);
            m_painter.drawText(row(top, left, left + width), Qt::AlignLeft | Qt::AlignVCenter,
                               QFontMetrics(bold).elidedText(m_c.expected, Qt::ElideRight, width));
            left += width + 12;
        }
        const bool beside = m_at.summaryLeft >= 0;
        const int settings = m_small.horizontalAdvance(m_c.settings) + 2;
        const int end = beside ? m_at.summaryRight - settings - 12 : m_at.right;
        if (m_at.survivalTop != top) left = m_at.labelRight;
        text(row(m_at.survivalTop, left, end), m_c.survival, m_colours.mutedText, true);
        if (beside) paintSettings(row(top, m_at.summaryRight - settings, m_at.summaryRight));
    }

    void paintSettings(const QRect& area) { text(area, m_c.settings, m_colours.mutedText, true); }

    void paintSummaryAbove() {
        const int gap = 3 * m_metrics.horizontalAdvance(QLatin1Char(' '));
        QRect line = row(m_at.summaryTop, m_at.labelRight, m_at.right);
        text(line, m_c.verdict, methodInk());
        text(line.adjusted(m_metrics.horizontalAdvance(m_c.verdict) + gap, 0, 0, 0), m_c.settings,
             m_colours.mutedText, true);
        text(line.translated(0, m_at.lineHeight), m_c.fidelity, methodInk(), true);
    }

    void paintBlock(std::size_t index) {
        const AnswersView::Block& block = m_at.blocks[index];
        const int full = block.top, method = full + m_at.lineHeight + m_at.spacing;
        const int kl = method + m_at.lineHeight + m_at.spacing;
        if (index == 0) {
            label(full, tr("full"), signOf(m_c.fullHolds), fullInk());
            if (m_c.fullPending) paintSpinner(full);
            label(method, tr("FastKV"), signOf(m_c.methodHolds), methodInk());
            if (m_c.pending) paintSpinner(method);
            if (m_at.summaryLeft >= 0) paintSummaryBeside(full, method, kl);
        }
        if (m_c.compared)
            paintScale(index, kl);
        else if (index == 0)
            text(row(full, m_at.labelRight, m_at.right), tr("not run"), m_colours.mutedText, true);
        for (std::size_t i = block.begin; i < block.end; ++i) {
            const bool after =
                m_c.lines.difference >= 0 && static_cast<std::int64_t>(i) > m_c.lines.difference;
            const bool differs = static_cast<std::int64_t>(i) == m_c.lines.difference;
            const AnswerColumn& column = m_c.lines.columns[i];
            const double share = after ? kAfterInk : 1.0;
            box(i, full, column.full, faded(fullInk(), m_colours.base, share), false);
            box(i, method, column.method, faded(methodInk(), m_colours.base, share), differs);
            if (column.kl) bar(i, kl, *column.kl);
            if (static_cast<int>(i) == m_p.step) outlineColumn(i, full, kl + m_at.klHeight);
        }
        paintEnd(block, full, {m_c.fullEnd, m_c.lines.fullTokens, m_c.fullPending});
        paintEnd(block, method, {m_c.methodEnd, m_c.lines.methodTokens, m_c.pending});
    }

    /// How an answer ended, behind its last box if that stands in this block and there is room.
    struct End {
        const QString& words;
        std::int64_t tokens;
        bool pending;
    };
    void paintEnd(const AnswersView::Block& block, int top, const End& end) {
        const auto all = static_cast<std::size_t>(end.tokens);
        const std::size_t shown = std::min(all, m_at.blocks.back().end);
        if (end.words.isEmpty() || shown == 0 || shown <= block.begin || shown > block.end) return;
        // The sign that a token is missing stands in the place behind.
        const bool marked = m_c.lines.difference == static_cast<std::int64_t>(shown);
        const std::size_t last = marked && shown < block.end ? shown : shown - 1;
        const int left = m_at.left[last] + m_at.width[last] + kEndGap;
        const QString words = answerEnd(end.words, all > shown);
        const QColor& ink = m_colours.mutedText;
        if (left + m_small.horizontalAdvance(words) <= m_at.right)
            text(row(top, left, m_at.right), words,
                 end.pending ? faded(ink, m_colours.base, kPendingInk) : ink, true);
    }

    /// The ends of the scale as lines over the columns, with their values where there is room: a
    /// low bar would else look like one that is cut off.
    void paintScale(std::size_t block, int top) {
        const int left = m_at.labelRight;
        const std::size_t last = m_at.blocks[block].end - 1;
        const int width = m_at.left[last] + m_at.width[last] - left;
        for (const int y : {top, top + m_at.klHeight - 1})
            m_painter.fillRect(QRect(left, y, width, 1), m_colours.gridLine);
        if (block > 0) return;
        text(QRect(m_labelLeft, top, left - m_labelLeft, m_at.klHeight), tr("KL"),
             m_colours.mutedText, true);
        // Digits are lower than a line of text.
        const int digits = m_small.capHeight();
        if (m_at.klHeight < 3 * digits) return;
        const QRect most(m_labelLeft, top, left - 5 - m_labelLeft, digits);
        m_painter.drawText(most, Qt::AlignRight | Qt::AlignVCenter | Qt::TextDontClip,
                           QStringLiteral("10"));
        m_painter.drawText(most.translated(0, m_at.klHeight - digits),
                           Qt::AlignRight | Qt::AlignVCenter | Qt::TextDontClip,
                           QStringLiteral("1e-4"));
    }

    void paintSummaryBeside(int full, int method, int kl) {
        if (m_at.expectedTop < 0) paintSettings(row(full, m_at.summaryLeft, m_at.summaryRight));
        text(row(method, m_at.summaryLeft, m_at.summaryRight), m_c.verdict, methodInk());
        text(QRect(m_at.summaryLeft, kl, m_at.summaryRight - m_at.summaryLeft,
                   std::max(m_at.klHeight, m_small.height())),
             m_c.fidelity, methodInk(), true);
    }

    void box(std::size_t column, int top, const std::optional<TokenShape>& shape, const QColor& ink,
             bool differs) {
        const QRect area(m_at.left[column], top, m_at.width[column] - 1, m_at.lineHeight);
        if (differs) {
            m_painter.setPen(
                QPen(m_colours.lost, 2.0, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
            m_painter.setBrush(Qt::NoBrush);
            m_painter.drawRect(area.adjusted(1, 1, -1, -1));
        } else if (shape) {
            m_painter.fillRect(area, faded(m_colours.text, m_colours.base, 0.07));
        }
        m_painter.setFont(m_p.theme.font());
        if (!shape) {
            if (differs)
                text(area.adjusted(kAnswerPadding, 0, 0, 0), QStringLiteral("▲"), differenceInk());
            return;
        }
        if (shape->kind == TokenShape::Kind::Pill) {
            m_painter.setPen(ink);
            m_painter.setBrush(Qt::NoBrush);
            m_painter.setRenderHint(QPainter::Antialiasing);
            m_painter.drawRoundedRect(QRectF(area).adjusted(1.5, 2.5, -1.5, -2.5), 5, 5);
            m_painter.setRenderHint(QPainter::Antialiasing, false);
        }
        const QRect inner = area.adjusted(kAnswerPadding, 0, 0, 0);
        m_painter.setPen(ink);
        m_painter.drawText(inner, Qt::AlignLeft | Qt::AlignVCenter, shape->label);
        if (!differs) return;
        const int used = m_metrics.horizontalAdvance(shape->label);
        m_painter.setPen(differenceInk());
        m_painter.drawText(inner.adjusted(used, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                           QStringLiteral("▲"));
    }

    void bar(std::size_t column, int top, double kl) {
        const int height =
            std::max(1, static_cast<int>(std::lround(klShare(kl) * (m_at.klHeight - 2))));
        // Of one width: a long token is no larger distance.
        const int width = std::min(kBarWidth, m_at.width[column] - 4);
        const QRect area(m_at.left[column] + (m_at.width[column] - width) / 2,
                         top + m_at.klHeight - 1 - height, width, height);
        m_painter.fillRect(area, m_c.pending ? faded(m_colours.fastkv, m_colours.base, kPendingInk)
                                             : m_colours.fastkv);
    }

    void outlineColumn(std::size_t column, int top, int bottom) {
        m_painter.setPen(m_colours.hover);
        m_painter.setBrush(Qt::NoBrush);
        m_painter.drawRect(QRect(m_at.left[column] - 1, top - 1, m_at.width[column], bottom - top));
    }

    void paintSpinner(int top) {
        const int size = std::min(10, m_at.lineHeight - 4);
        const QRectF ring(m_at.labelRight - size - 5, top + 0.5 * (m_at.lineHeight - size), size,
                          size);
        m_painter.setRenderHint(QPainter::Antialiasing);
        m_painter.setBrush(Qt::NoBrush);
        m_painter.setPen(QPen(m_colours.mutedText, 1.5));
        if (m_p.angle < 0)
            m_painter.drawEllipse(ring);
        else
            m_painter.drawArc(ring, -m_p.angle * 16, 270 * 16);
        m_painter.setRenderHint(QPainter::Antialiasing, false);
    }

    QPainter& m_painter;
    const AnswersPainting& m_p;
    const AnswersView::Geometry& m_at;
    const AnswersContent& m_c;
    const Palette& m_colours;
    QFontMetrics m_metrics, m_small;
    int m_labelLeft;
};

} // namespace

QString answerLabel(const TokenShape& shape, bool differs) {
    return differs ? shape.label + QStringLiteral("▲") : shape.label;
}

QString answerEnd(const QString& end, bool more) {
    return end.isEmpty() || !more ? end : QStringLiteral("… ") + end;
}

int answerSignWidth(const QFontMetrics& metrics) {
    return metrics.horizontalAdvance(QStringLiteral("✔")) + 5;
}

void paintAnswers(QPainter& painter, const AnswersPainting& painting) {
    painter.save();
    Page(painter, painting).paint();
    painter.restore();
}

} // namespace fkv::viz
