// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/kv_footer.h"

#include "viz/plots/plot_label.h"
#include "viz/series/format.h"

#include <QFontMetrics>
#include <QPainter>
#include <algorithm>

namespace fkv::viz {
namespace {

constexpr int kSide = 2;
constexpr int kGap = 10;
constexpr int kBarHeight = 8;
constexpr int kWishedBar = 110;
constexpr int kLeastBar = 40;

} // namespace

KvBytes kvBytesOf(const trace::Budgets& budgets, const trace::ModelInfo& model) {
    KvBytes bytes;
    const std::int64_t perToken = model.kvHeads * model.kvBytesPerTokenHead();
    for (int l = 0; l < static_cast<int>(budgets.layers.size()); ++l)
        (l < budgets.firstLate() ? bytes.early : bytes.late) +=
            budgets.layers[static_cast<std::size_t>(l)].kept * perToken;
    return bytes;
}

KvFooter::KvFooter(const ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    connect(&m_context.shown, &Shown::fateChanged, this, qOverload<>(&QWidget::update));
    connect(&m_context.theme, &Theme::changed, this, [this] {
        updateGeometry();
        update();
    });
}

int KvFooter::heightNeeded() const {
    return QFontMetrics(m_context.theme.smallFont()).height();
}

QSize KvFooter::sizeHint() const {
    return {m_context.theme.scaled(300), heightNeeded()};
}
QSize KvFooter::minimumSizeHint() const {
    return {m_context.theme.scaled(120), heightNeeded()};
}

QStringList KvFooter::wordings() const {
    const trace::Budgets& b = m_context.shown.fate()->budgets;
    const trace::Settings& settings = m_context.shown.fate()->settings;
    const QString dot = QStringLiteral(" · ");
    const QString asked = settings.kv.unit == trace::Amount::Unit::Rate
                              ? formatRate(settings.kv.rate)
                              : tr("%1 tokens").arg(formatCount(settings.kv.tokens));
    const QString amounts =
        formatBytes(b.fullKvBytes) + QStringLiteral(" → ") + formatBytes(b.kvBytes);
    const QString rates =
        QStringLiteral(" ") + tr("(%1 kept; asked %2)").arg(formatPercent(b.kvRate), asked);
    const QString why =
        b.lateClamped
            ? dot + tr("late layers hold only the %1 that TSP passes").arg(formatRate(b.tspRate))
            : QString();
    QStringList all;
    if (b.tspOn) {
        const KvBytes bytes = kvBytesOf(b, m_context.shown.run()->model);
        all << amounts + rates + dot +
                   tr("early %1 | late %2").arg(formatBytes(bytes.early), formatBytes(bytes.late)) +
                   why;
    }
    all << amounts + rates + why;
    if (b.lateClamped) all << amounts + why;
    return all << amounts;
}

KvFooter::Layout KvFooter::layoutIn(const QSize& size) const {
    Layout layout;
    if (!m_context.shown.fate() || !m_context.shown.run()) return layout;
    const QFontMetrics metrics(m_context.theme.smallFont());
    const int room = size.width() - 2 * kSide;
    const QStringList all = wordings();
    for (const QString& wording : all) {
        layout.wording = wording;
        // Words that only repeat the bar are not worth its width.
        const int bar = wording == all.front() && all.size() > 2 ? kWishedBar : kLeastBar;
        if (metrics.horizontalAdvance(wording) + kGap + m_context.theme.scaled(bar) <= room) break;
    }
    const int text = std::min(metrics.horizontalAdvance(layout.wording) + 2, room);
    layout.text = {kSide, 0, text, size.height()};
    if (room - text < kGap + m_context.theme.scaled(kLeastBar)) return layout;
    const int height = m_context.theme.scaled(kBarHeight);
    layout.bar = {kSide + text + kGap, (size.height() - height) / 2, room - text - kGap, height};
    return layout;
}

void KvFooter::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintInto(painter, size());
}

void KvFooter::paintInto(QPainter& painter, const QSize& size) const {
    const Palette& colours = m_context.theme.palette();
    painter.save();
    painter.fillRect(QRect(QPoint(), size), colours.base);
    const Layout layout = layoutIn(size);
    if (!layout.wording.isEmpty()) {
        paintLabels(painter, {{layout.text, Qt::AlignLeft, layout.wording, true}},
                    m_context.theme.smallFont(), colours);
        if (!layout.bar.isEmpty()) paintBar(painter, layout.bar);
    }
    painter.restore();
}

void KvFooter::paintBar(QPainter& painter, const QRect& bar) const {
    const Palette& colours = m_context.theme.palette();
    const trace::Budgets& b = m_context.shown.fate()->budgets;
    const KvBytes bytes = kvBytesOf(b, m_context.shown.run()->model);
    const auto x = [&](std::int64_t upTo) {
        return b.fullKvBytes > 0 ? static_cast<int>(static_cast<double>(upTo) * bar.width() /
                                                    static_cast<double>(b.fullKvBytes))
                                 : 0;
    };
    const int early = x(bytes.early), all = std::max(x(bytes.early + bytes.late), early);
    painter.fillRect(bar, colours.gridLine);
    painter.fillRect(bar.left(), bar.top(), early, bar.height(), colours.fastkv);
    painter.fillRect(bar.left() + early, bar.top(), all - early, bar.height(),
                     faded(colours.fastkv, colours.base, 0.55));
    painter.setPen(colours.full);
    painter.drawRect(bar.adjusted(0, 0, -1, -1));
}

} // namespace fkv::viz
