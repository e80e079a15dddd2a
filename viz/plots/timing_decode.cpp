// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/timing_decode.h"

#include "viz/plots/chart_legend.h"
#include "viz/series/axis_ticks.h"
#include "viz/series/describe.h"
#include "viz/series/format.h"

#include <QMouseEvent>
#include <QPainter>
#include <QTextStream>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kPendingInk = 0.5;
constexpr double kFloorWidth = 1.5;

bool timed(const std::shared_ptr<const trace::Answer>& answer) {
    return answer && answer->tokens.size() > 1;
}

QString wordOf(const trace::Answer& answer, std::size_t token) {
    QString text = QString::fromStdString(answer.tokens[token].text);
    text.replace(QLatin1Char('\n'), QStringLiteral("↵"));
    return text;
}

} // namespace

DecodeView::DecodeView(const ViewContext& context, QWidget* parent)
    : ChartView(context, tr("Milliseconds by generated token"), parent) {}

void DecodeView::follow() {
    const Shown& shown = context().shown;
    const trace::RunPtr& run = shown.run();
    const auto full = run ? run->fullAnswer : nullptr;
    const auto fastKv = run ? run->fastkvAnswer : nullptr;
    const QString settings = fastKv && run->fastkv && shown.answersPending()
                                 ? describeSettings(run->fastkv->settings)
                                 : QString();
    const DecodeFloors floors = run ? decodeFloors(*run) : DecodeFloors{};
    if (full == m_full && fastKv == m_fastKv && settings == m_settings && floors == m_floors)
        return;
    m_floors = floors;
    m_bytesPerSecond = run && run->timing.peaks ? run->timing.peaks->bytesPerSecond : 0.0;
    m_full = full;
    m_fastKv = fastKv;
    m_settings = settings;
    m_hovered = std::min(m_hovered, tokens() - 1);
    double most = 0.0;
    for (const auto& answer : {m_full, m_fastKv})
        if (answer)
            for (const trace::AnswerToken& token : answer->tokens)
                most = std::max(most, token.ms);
    for (const bool fast : {false, true})
        most = std::max(most, floor(fast).value_or(0.0));
    m_most = most > 0.0 ? most * 1.08 : 1.0;
    invalidate();
    Q_EMIT readoutChanged();
}

QString DecodeView::emptyText() const {
    if (!context().shown.run() || timed(m_full) || timed(m_fastKv)) return {};
    const Shown::Phase phase = context().shown.phase();
    if (phase == Shown::Phase::Running || phase == Shown::Phase::Loading)
        return tr("The answer is not decoded yet.");
    return tr("No step was timed: an answer of two tokens or more is needed.");
}

int DecodeView::tokens() const {
    std::size_t most = 0;
    for (const auto& answer : {m_full, m_fastKv})
        if (answer) most = std::max(most, answer->tokens.size());
    return static_cast<int>(most);
}

QColor DecodeView::inkOf(bool fastKv) const {
    if (!fastKv) return colours().full;
    return m_settings.isEmpty() ? colours().fastkv
                                : faded(colours().fastkv, colours().base, kPendingInk);
}

std::optional<double> DecodeView::floor(bool fastKv) const {
    return timed(answer(fastKv)) ? (fastKv ? m_floors.fastKv : m_floors.full) : std::nullopt;
}

std::vector<EndLabel> DecodeView::endLabels(const QRectF* plot) const {
    std::vector<EndLabel> labels;
    for (const bool fastKv : {false, true}) {
        const auto& from = answer(fastKv);
        if (!timed(from)) continue;
        QString text =
            tr("%1 %2").arg(fastKv ? tr("FastKV") : tr("full"), formatMs(from->msPerToken));
        if (fastKv && !m_settings.isEmpty()) text += tr(" (pending)");
        labels.push_back(
            {plot ? scale().y(from->msPerToken, *plot) : 0.0, text,
             QPen(inkOf(fastKv), fastKv ? 2.0 : 1.5, fastKv ? Qt::SolidLine : Qt::DashLine)});
        if (const auto least = floor(fastKv))
            labels.push_back({plot ? scale().y(*least, *plot) : 0.0,
                              tr("at least %1").arg(formatMs(*least)),
                              QPen(inkOf(fastKv), kFloorWidth, Qt::DotLine)});
    }
    return labels;
}

QRectF DecodeView::plotOf(const QSizeF& size) const {
    const QFontMetricsF metrics(context().theme.smallFont());
    const double left = metrics.horizontalAdvance(QStringLiteral("0.05 ms")) + 8.0;
    const double right =
        endLabelWidth(context().theme.smallFont(), endLabels(nullptr), size.width() * 0.35);
    return {left, 4.0, std::max(1.0, size.width() - left - right),
            std::max(1.0, size.height() - metrics.height() - 6.0)};
}

double DecodeView::xOf(int token, const QRectF& p) const {
    // Steps are tokens 1 to n - 1: the first comes out of the prefill.
    return p.left() + (token - 0.5) * p.width() / std::max(1, tokens() - 1);
}

QPointF DecodeView::pointOf(bool fastKv, int token) const {
    return {xOf(token, plot()),
            scale().y(answer(fastKv)->tokens[static_cast<std::size_t>(token)].ms, plot())};
}

void DecodeView::paintPicture(const ChartCanvas& canvas) const {
    const QRectF p = plotOf(canvas.size);
    const double line = canvas.metrics().height();
    const auto ticks =
        linearTicks(0.0, m_most, std::clamp(static_cast<int>(p.height() / (line + 4.0)), 2, 6));
    for (const double ms : ticks) {
        const double y = std::round(scale().y(ms, p)) + 0.5;
        canvas.painter.setPen(QPen(canvas.colours.gridLine, 1.0));
        canvas.painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
        canvas.painter.setPen(canvas.colours.mutedText);
        const QString text =
            QString::number(ms, 'g', 4) + (ms == ticks.back() ? tr(" ms") : QString());
        canvas.texts.place(
            canvas.painter,
            {0.0, std::min(y - line / 2.0, p.bottom() - line + 2.0), p.left() - 4.0, line},
            Qt::AlignRight | Qt::AlignVCenter, text);
    }
    for (const bool fastKv : {false, true})
        paintFloor(canvas, p, fastKv);
    for (const bool fastKv : {false, true})
        if (timed(answer(fastKv))) paintPoints(canvas, p, fastKv);
    const double widest = canvas.metrics().horizontalAdvance(QString::number(tokens())) + 8.0;
    const int stride = labelStride(tokens() - 1, p.width(), widest);
    canvas.painter.setPen(canvas.colours.mutedText);
    canvas.texts.place(canvas.painter, {2.0, p.bottom() + 1.0, p.left() - 6.0, line},
                       Qt::AlignLeft | Qt::AlignTop, tr("token"));
    for (int token = 1; token < tokens(); token += stride)
        canvas.texts.place(canvas.painter,
                           {xOf(token, p) - widest / 2.0, p.bottom() + 1.0, widest, line},
                           Qt::AlignHCenter | Qt::AlignTop, QString::number(token + 1));
    paintEndLabels(canvas, {p.right(), p.top(), canvas.size.width() - p.right(), p.height()},
                   endLabels(&p));
}

void DecodeView::paintFloor(const ChartCanvas& canvas, const QRectF& p, bool fastKv) const {
    const auto least = floor(fastKv);
    if (!least) return;
    const double y = std::round(scale().y(*least, p)) + 0.5;
    canvas.painter.setPen(QPen(inkOf(fastKv), kFloorWidth, Qt::DotLine));
    canvas.painter.drawLine(QPointF(p.left(), y), QPointF(p.right(), y));
}

QString DecodeView::tipAt(const QPointF&) const {
    if (!floor(false) && !floor(true)) return {};
    return tr("At least: a decoded token reads the weights and the kept keys and values once. "
              "Those "
              "bytes over %1 GB/s, the rate of a large copy measured on this device.")
        .arg(formatSignificant(m_bytesPerSecond * 1e-9));
}

void DecodeView::paintPoints(const ChartCanvas& canvas, const QRectF& p, bool fastKv) const {
    const trace::Answer& from = *answer(fastKv);
    const QColor ink = inkOf(fastKv);
    const double median = std::round(scale().y(from.msPerToken, p)) + 0.5;
    canvas.painter.setPen(QPen(ink, 1.0, fastKv ? Qt::SolidLine : Qt::DashLine));
    canvas.painter.drawLine(QPointF(p.left(), median), QPointF(p.right(), median));
    const double radius = std::clamp(p.width() / std::max(1, tokens() - 1) * 0.3, 1.2, 3.0);
    for (int token = 1; token < static_cast<int>(from.tokens.size()); ++token)
        paintMark(canvas.painter, fastKv ? ChartMark::Filled : ChartMark::Hollow,
                  {xOf(token, p), scale().y(from.tokens[static_cast<std::size_t>(token)].ms, p)},
                  {ink, canvas.colours.base, radius});
}

void DecodeView::paintOverlay(const ChartCanvas& canvas, bool interactive) const {
    if (!interactive || m_hovered < 1) return;
    const QRectF p = plotOf(canvas.size);
    const double x = std::round(xOf(m_hovered, p)) + 0.5;
    canvas.painter.setRenderHint(QPainter::Antialiasing, false);
    canvas.painter.setPen(QPen(faded(canvas.colours.hover, canvas.colours.base, 0.5), 1.0));
    canvas.painter.drawLine(QPointF(x, p.top()), QPointF(x, p.bottom()));
}

void DecodeView::setHovered(int token) {
    if (token == m_hovered) return;
    m_hovered = token;
    update();
    Q_EMIT readoutChanged();
}

void DecodeView::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) setFocus(Qt::MouseFocusReason);
}

void DecodeView::mouseMoveEvent(QMouseEvent* event) {
    const QRectF p = plot();
    const double share = (event->position().x() - p.left()) / p.width();
    const int steps = tokens() - 1;
    setHovered(share < 0.0 || share >= 1.0 || steps < 1
                   ? -1
                   : 1 + std::min(steps - 1, static_cast<int>(share * steps)));
}

void DecodeView::leaveEvent(QEvent* event) {
    setHovered(-1);
    ChartView::leaveEvent(event);
}

QString DecodeView::readout() const {
    if (!emptyText().isEmpty() || tokens() == 0) return {};
    QStringList parts = stepParts(false);
    if (m_hovered < 1 && floor(false) && floor(true))
        parts << tr("at least %1 and %2, bytes over %3 GB/s")
                     .arg(formatMs(*floor(false)), formatMs(*floor(true)),
                          formatSignificant(m_bytesPerSecond * 1e-9));
    if (!m_settings.isEmpty()) parts << tr("FastKV of %1").arg(m_settings);
    return parts.join(QStringLiteral(" · "));
}

QStringList DecodeView::shorterReadouts() const {
    if (!emptyText().isEmpty() || tokens() == 0) return {};
    QStringList parts = stepParts(true);
    const QString separator = QStringLiteral(" · ");
    const QString bare = parts.join(separator);
    if (m_hovered < 1 && floor(false) && floor(true))
        parts << tr("at least %1 and %2").arg(formatMs(*floor(false)), formatMs(*floor(true)));
    if (!m_settings.isEmpty()) parts << tr("FastKV of other settings");
    return {parts.join(separator), bare};
}

QStringList DecodeView::stepParts(bool brief) const {
    QStringList parts;
    if (m_hovered >= 1)
        parts << (brief ? tr("token %1") : tr("generated token %1")).arg(m_hovered + 1);
    for (const bool fastKv : {false, true}) {
        const auto& from = answer(fastKv);
        if (!timed(from)) continue;
        const QString name = fastKv ? tr("FastKV") : tr("full");
        const auto token = static_cast<std::size_t>(std::max(0, m_hovered));
        if (m_hovered < 1) {
            const QString median = tr("%1 %2 a token").arg(name, formatMs(from->msPerToken));
            const auto steps = static_cast<std::int64_t>(from->tokens.size()) - 1;
            parts << (brief ? median
                            : tr("%1, median of %2 steps").arg(median, formatCount(steps)));
        } else if (token < from->tokens.size()) {
            const QString step = tr("%1 %2").arg(name, formatMs(from->tokens[token].ms));
            parts << (brief ? step : tr("%1 “%2”").arg(step, wordOf(*from, token)));
        }
    }
    if (m_hovered < 1 && timed(m_full) && timed(m_fastKv) && m_fastKv->msPerToken > 0.0)
        parts << formatRatio(m_full->msPerToken / m_fastKv->msPerToken);
    return parts;
}

QString DecodeView::csv() const {
    QString text;
    QTextStream out(&text);
    out << "generated_token,full_ms,fastkv_ms,full_least_ms,fastkv_least_ms\n";
    const auto least = [this](bool fastKv) {
        return floor(fastKv) ? QString::number(*floor(fastKv), 'g', 8) : QString();
    };
    const auto ms = [](const std::shared_ptr<const trace::Answer>& from, std::size_t token) {
        return from && token < from->tokens.size() ? QString::number(from->tokens[token].ms, 'g', 8)
                                                   : QString();
    };
    for (int token = 1; token < tokens(); ++token)
        out << token + 1 << ',' << ms(m_full, static_cast<std::size_t>(token)) << ','
            << ms(m_fastKv, static_cast<std::size_t>(token)) << ',' << least(false) << ','
            << least(true) << '\n';
    return text;
}

} // namespace fkv::viz
