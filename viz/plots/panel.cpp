// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/panel.h"

#include "viz/plots/elided_label.h"
#include "viz/plots/panel_title.h"
#include "viz/plots/state_overlay.h"
#include "viz/plots/view_switch.h"
#include "viz/series/describe.h"
#include "viz/state/view_keys.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QStackedLayout>
#include <QToolButton>
#include <QVBoxLayout>

namespace fkv::viz {

Panel::Panel(const ViewContext& context, const Text& text, QWidget* parent)
    : QWidget(parent), m_context(context), m_text(text) {
    setObjectName(text.name);
    setAccessibleName(text.title);
    setFocusPolicy(Qt::StrongFocus);
    setupHeader();
    connect(&m_context.theme, &Theme::changed, this, &Panel::applyTheme);
    connect(&m_context.shown, &Shown::phaseChanged, this, &Panel::updateOverlay);
    connect(&m_context.shown, &Shown::runChanged, this, &Panel::updateOverlay);
    // The border shows the focus of whatever is inside.
    connect(qApp, &QApplication::focusChanged, this, [this](const QWidget* old, const QWidget* now) {
        if ((old && isAncestorOf(old)) || (now && isAncestorOf(now)) || old == this || now == this) update();
    });
    applyTheme();
}

void Panel::setupHeader() {
    m_layout = new QVBoxLayout(this);
    // On a screen of 1.25 a body that ends right at the border would be drawn over it.
    m_layout->setContentsMargins(1, 1, 2, 2);
    m_layout->setSpacing(0);
    m_header = new QHBoxLayout;
    m_header->setContentsMargins(6, 0, 2, 0);
    m_header->setSpacing(6);
    m_title = new PanelTitle(this);
    m_title->setTitle(m_text.title, m_text.question);
    m_switch = new ViewSwitch(this);
    m_switch->hide();
    connect(m_switch, &ViewSwitch::picked, this, &Panel::viewChanged);
    m_header->addWidget(m_title, 1);
    m_header->addWidget(m_switch);
    setupExportMenu();
    m_layout->addLayout(m_header);
    m_readout = new ElidedLabel(this);
    m_readout->setContentsMargins(6, 0, 6, 0);
    auto* line = new QHBoxLayout;
    line->setContentsMargins(6, 0, 6, 1);
    line->addWidget(m_readout);
    m_layout->addLayout(line);
}

void Panel::setupExportMenu() {
    m_export = new QToolButton(this);
    m_export->setText(QStringLiteral("⋯"));
    m_export->setAutoRaise(true);
    m_export->setFocusPolicy(Qt::TabFocus);
    m_export->setAccessibleName(tr("Export %1").arg(m_text.title));
    m_export->setToolTip(tr("Export, copy, maximise"));
    m_export->setPopupMode(QToolButton::InstantPopup);
    auto* menu = new QMenu(m_export);
    const auto entry = [this, menu](const QString& label, const QString& format) {
        connect(menu->addAction(label), &QAction::triggered, this,
                [this, format] { Q_EMIT exportRequested(this, format); });
    };
    entry(tr("Copy picture"), QStringLiteral("copy"));
    entry(tr("Save as PNG…"), QStringLiteral("png"));
    entry(tr("Save as SVG…"), QStringLiteral("svg"));
    entry(tr("Save as PDF…"), QStringLiteral("pdf"));
    entry(tr("Save numbers as CSV…"), QStringLiteral("csv"));
    menu->addSeparator();
    connect(menu->addAction(tr("Maximise\tF11")), &QAction::triggered, this,
            [this] { Q_EMIT maximiseRequested(this); });
    m_export->setMenu(menu);
    m_header->addWidget(m_export);
}

void Panel::setBody(QWidget* body) {
    m_body = body;
    body->setAccessibleName(m_text.title);
    auto* host = new QWidget(this);
    auto* stack = new QStackedLayout(host);
    stack->setStackingMode(QStackedLayout::StackAll);
    stack->addWidget(body);
    m_overlay = new StateOverlay(m_context, host);
    stack->addWidget(m_overlay);
    stack->setCurrentWidget(m_overlay);
    m_layout->addWidget(host, 1);
    setFocusProxy(body->focusPolicy() != Qt::NoFocus ? body : nullptr);
    updateOverlay();
}

void Panel::setViews(const QStringList& names) {
    m_switch->setNames(names);
    m_switch->show();
    arrangeHeader();
}

int Panel::view() const { return m_switch->current(); }
QStringList Panel::viewNames() const { return m_switch->names(); }

void Panel::setView(int index) {
    if (index == view() || index < 0 || index >= m_switch->names().size()) return;
    m_switch->setCurrent(index);
    Q_EMIT viewChanged(index);
}

int Panel::headerRoom() const {
    const int spacing = m_header->spacing();
    int used = m_title->titleWidth() + m_export->sizeHint().width() + spacing;
    if (!m_switch->names().isEmpty()) used += m_switch->minimumSizeHint().width() + spacing;
    const QMargins outer = m_layout->contentsMargins(), inner = m_header->contentsMargins();
    return width() - outer.left() - outer.right() - inner.left() - inner.right() - used;
}

void Panel::arrangeHeader() {
    if (m_switch->names().isEmpty()) return;
    int room = headerRoom() + m_switch->minimumSizeHint().width();
    for (const QWidget* extra : m_extras) room -= extra->sizeHint().width() + m_header->spacing();
    m_switch->setNarrow(m_switch->wideWidth() > room);
}

void Panel::addHeaderWidget(QWidget* widget) {
    m_extras.push_back(widget);
    widget->setFont(m_context.theme.smallFont());
    m_header->insertWidget(m_header->count() - 1, widget);
    arrangeHeader();
}

void Panel::setNote(const QString& note, const QString& brief) { m_title->setNote(note, brief); }
const QString& Panel::note() const { return m_title->note(); }

void Panel::setReadout(const QString& text, const QStringList& shorter) {
    m_readout->setText(text);
    m_readout->setShorter(shorter);
    if (m_body) m_body->setAccessibleDescription(text);
}

QString Panel::readout() const { return m_readout->text(); }
QString Panel::shownReadout() const {
    return m_readout->shown();
}

QString Panel::caption() const {
    QString text = m_text.title;
    if (!viewNames().isEmpty()) text += QStringLiteral(" · ") + viewNames()[view()];
    if (!note().isEmpty()) text += QStringLiteral(" · ") + note();
    return text + QStringLiteral(" · ") + describeShown(m_context.shown);
}

void Panel::paintFigure(QPainter& painter, const QSize& size) {
    if (!m_body) return;
    painter.save();
    painter.scale(static_cast<double>(size.width()) / std::max(1, m_body->width()),
                  static_cast<double>(size.height()) / std::max(1, m_body->height()));
    m_body->render(&painter, QPoint(), QRegion(), QWidget::DrawChildren);
    painter.restore();
}

bool Panel::event(QEvent* event) {
    if (event->type() == QEvent::LayoutRequest) arrangeHeader();
    return QWidget::event(event);
}

void Panel::resizeEvent(QResizeEvent*) { arrangeHeader(); }

void Panel::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_F11) {
        Q_EMIT maximiseRequested(this);
        return;
    }
    if (!handleViewKey(m_context, *event)) QWidget::keyPressEvent(event);
}

void Panel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Palette& colours = m_context.theme.palette();
    painter.fillRect(rect(), colours.base);
    const QWidget* focus = QApplication::focusWidget();
    const bool focused = focus == this || (m_body && focus && (focus == m_body || m_body->isAncestorOf(focus)));
    painter.setPen(focused ? colours.focus : colours.border);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void Panel::applyTheme() {
    const Palette& colours = m_context.theme.palette();
    QFont bold = m_context.theme.font();
    bold.setBold(true);
    m_title->setFonts(bold, m_context.theme.smallFont());
    m_title->setColors(colours.text, colours.mutedText);
    m_readout->setFont(m_context.theme.smallFont());
    m_readout->setColors(colours.text, colours.mutedText);
    m_title->setFixedHeight(m_context.theme.scaled(24));
    m_switch->setFont(m_context.theme.smallFont());
    for (QWidget* extra : m_extras) extra->setFont(m_context.theme.smallFont());
    arrangeHeader();
    update();
}

void Panel::updateOverlay() {
    if (!m_overlay) return;
    const Shown& shown = m_context.shown;
    const bool content = hasContent();
    const QString percent = QStringLiteral(" · %1 %").arg(qRound(shown.progress() * 100.0));
    switch (shown.phase()) {
        case Shown::Phase::Failed:
            // Without a run it was a model or a file that could not be opened.
            m_overlay->setMessage(shown.run() ? tr("This run failed") : tr("Nothing to show"),
                                  shown.phaseText(), content);
            return;
        case Shown::Phase::Cancelled:
            m_overlay->setMessage(content ? QString() : tr("Cancelled"), tr("Press Run to start again."), content);
            return;
        case Shown::Phase::Loading:
        case Shown::Phase::Running:
            m_overlay->setMessage(content ? QString() : shown.phaseText() + percent, {}, content);
            return;
        default: break;
    }
    if (!content && shown.run() && shown.run()->rung >= trace::Rung::Deployed) {
        m_overlay->setMessage(
            tr("Not looked into"),
            tr("Given up to fit: %1.").arg(QString::fromStdString(shown.run()->counters.givenUp)), false);
        return;
    }
    m_overlay->setMessage(content ? QString() : tr("Nothing to show yet"), m_text.empty, content);
}

}  // namespace fkv::viz
