// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/status_parts.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <algorithm>

namespace fkv::app {

using Kind = StateWords::Kind;

StateChip::StateChip(const viz::ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context) {
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    for (const auto signal :
         {&viz::Shown::phaseChanged, &viz::Shown::runChanged, &viz::Shown::fateChanged})
        connect(&m_context.shown, signal, this, &StateChip::refresh);
    connect(&m_context.theme, &viz::Theme::changed, this, [this] {
        updateGeometry();
        update();
    });
    refresh();
}

void StateChip::refresh() {
    StateWords words = stateWords(m_context.shown);
    if (words == m_words) return;
    const bool sameWidth = words.text.size() == m_words.text.size();
    m_words = std::move(words);
    setToolTip(m_words.detail);
    setAccessibleName(m_words.text);
    setAccessibleDescription(m_words.detail);
    if (!sameWidth) updateGeometry();
    update();
}

QSize StateChip::sizeHint() const {
    const QFontMetrics metrics(m_context.theme.font());
    if (m_words.kind == Kind::Nothing) return {0, metrics.height() + 4};
    return {metrics.horizontalAdvance(m_words.text) + metrics.height() + 14, metrics.height() + 4};
}

QSize StateChip::minimumSizeHint() const {
    return {std::min(sizeHint().width(), m_context.theme.scaled(90)), sizeHint().height()};
}

void StateChip::paintSign(QPainter& painter, const QRectF& box) const {
    const viz::Palette& colours = m_context.theme.palette();
    painter.setPen(Qt::NoPen);
    switch (m_words.kind) {
    case Kind::Nothing:
        break;
    case Kind::Exact:
        painter.setBrush(colours.fastkv);
        painter.drawEllipse(box);
        break;
    case Kind::Preview:
        painter.setPen(QPen(colours.tspLine, 1.4));
        painter.setBrush(QBrush(colours.tspLine, Qt::BDiagPattern));
        painter.drawEllipse(box);
        break;
    case Kind::Working:
        painter.setPen(QPen(colours.border, 2.0));
        painter.setBrush(Qt::NoBrush);
        painter.drawEllipse(box.adjusted(1, 1, -1, -1));
        painter.setPen(QPen(colours.fastkv, 2.0));
        painter.drawArc(
            box.adjusted(1, 1, -1, -1), 90 * 16,
            -static_cast<int>(360 * 16 * std::clamp(m_context.shown.progress(), 0.02, 1.0)));
        break;
    case Kind::Recorded: // a disc
        painter.setBrush(colours.mutedText);
        painter.drawEllipse(box);
        painter.setBrush(colours.window);
        painter.drawEllipse(box.center(), box.width() * 0.17, box.width() * 0.17);
        break;
    case Kind::Cancelled:
        painter.setBrush(colours.mutedText);
        painter.drawRect(box.adjusted(1, 1, -1, -1));
        break;
    case Kind::Failed:
        painter.setPen(QPen(colours.lost, 2.0, Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(box.adjusted(1, 1, -1, -1).topLeft(),
                         box.adjusted(1, 1, -1, -1).bottomRight());
        painter.drawLine(box.adjusted(1, 1, -1, -1).topRight(),
                         box.adjusted(1, 1, -1, -1).bottomLeft());
        break;
    }
}

void StateChip::paintEvent(QPaintEvent*) {
    if (m_words.kind == Kind::Nothing) return;
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const viz::Palette& colours = m_context.theme.palette();
    painter.setPen(colours.border);
    painter.setBrush(colours.base);
    const double round = height() / 2.0 - 1.0;
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), round, round);
    painter.setFont(m_context.theme.font());
    const QFontMetrics metrics = painter.fontMetrics();
    const double side = metrics.ascent() * 0.75;
    paintSign(painter, {7.0, (height() - side) / 2.0, side, side});
    painter.setPen(colours.text);
    const QRect text = rect().adjusted(static_cast<int>(side) + 12, 0, -6, 0);
    painter.drawText(text, Qt::AlignVCenter | Qt::AlignLeft,
                     metrics.elidedText(m_words.text, Qt::ElideRight, text.width()));
}

MemoryLabel::MemoryLabel(const viz::ViewContext& context, QWidget* parent)
    : ElidedLabel(parent), m_context(context) {
    connect(&m_context.shown, &viz::Shown::runChanged, this, &MemoryLabel::refresh);
    connect(&m_context.shown, &viz::Shown::fateChanged, this, &MemoryLabel::refresh);
    connect(&m_context.theme, &viz::Theme::changed, this, &MemoryLabel::refresh);
    refresh();
}

void MemoryLabel::refresh() {
    const MemoryWords words = memoryWords(m_context.shown);
    const viz::Palette& colours = m_context.theme.palette();
    setFont(m_context.theme.font());
    setText(words.text);
    setToolTip(words.detail);
    setAccessibleName(words.text);
    setAccessibleDescription(words.detail);
    setColors(words.reduced ? colours.text : colours.mutedText, colours.mutedText);
}

RunProgress::RunProgress(const viz::ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_stage(new viz::ElidedLabel(this)),
      m_bar(new QProgressBar(this)),
      m_cancel(new QPushButton(tr("Cancel"), this)) {
    auto* line = new QHBoxLayout(this);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(6);
    line->addWidget(m_stage, 1);
    line->addWidget(m_bar);
    line->addWidget(m_cancel);
    m_bar->setTextVisible(false);
    m_bar->setRange(0, 1000);
    m_bar->setAccessibleName(tr("Progress"));
    m_cancel->setAutoDefault(false);
    m_cancel->setFocusPolicy(Qt::TabFocus);
    QSizePolicy policy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    policy.setRetainSizeWhenHidden(true);
    setSizePolicy(policy);
    hide();
    m_delay.setSingleShot(true);
    m_delay.setInterval(kShowAfterMs);
    connect(&m_delay, &QTimer::timeout, this, [this] { setVisible(true); });
    connect(m_cancel, &QPushButton::clicked, this, &RunProgress::cancelRequested);
    connect(&m_context.shown, &viz::Shown::phaseChanged, this, &RunProgress::refresh);
    connect(&m_context.theme, &viz::Theme::changed, this, &RunProgress::applyTheme);
    applyTheme();
    refresh();
}

void RunProgress::refresh() {
    using Phase = viz::Shown::Phase;
    const Phase phase = m_context.shown.phase();
    if (phase != Phase::Loading && phase != Phase::Running) {
        m_delay.stop();
        hide();
        return;
    }
    m_stage->setText(m_context.shown.phaseText());
    m_stage->setToolTip(m_context.shown.phaseText());
    m_bar->setValue(static_cast<int>(std::clamp(m_context.shown.progress(), 0.0, 1.0) * 1000.0));
    m_bar->setAccessibleDescription(m_context.shown.phaseText());
    if (isHidden() && !m_delay.isActive()) m_delay.start();
}

void RunProgress::applyTheme() {
    const viz::Theme& theme = m_context.theme;
    m_stage->setFont(theme.font());
    m_stage->setColors(theme.palette().mutedText, theme.palette().mutedText);
    m_stage->setFixedWidth(theme.scaled(170));
    m_bar->setFixedSize(theme.scaled(90), theme.scaled(10));
    m_cancel->setFont(theme.font());
}

} // namespace fkv::app
