// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/text/choice_bar.h"

#include <QGridLayout>
#include <QToolButton>
#include <algorithm>

namespace fkv::viz {
namespace {

constexpr int kGap = 6;

} // namespace

ChoiceBar::ChoiceBar(QWidget* parent) : QFrame(parent) {
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    setAccessibleName(tr("Chosen tokens"));
    const auto add = [this](const QString& text, void (ChoiceBar::*signal)()) {
        auto* button = new QToolButton(this);
        button->setText(text);
        button->setAutoRaise(true);
        button->setFocusPolicy(Qt::TabFocus);
        button->setSizePolicy(QSizePolicy::Minimum, QSizePolicy::Fixed);
        connect(button, &QToolButton::clicked, this, signal);
        m_buttons << button;
    };
    add(tr("Track"), &ChoiceBar::track);
    add(tr("Copy text"), &ChoiceBar::copyText);
    add(tr("Copy ids"), &ChoiceBar::copyIds);
    add(tr("Zoom to"), &ChoiceBar::zoomTo);
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(2, 2, 2, 2);
    grid->setSpacing(1);
    arrange(static_cast<int>(m_buttons.size()));
    hide();
}

void ChoiceBar::arrange(int columns) {
    auto* grid = static_cast<QGridLayout*>(layout());
    for (int i = 0; i < m_buttons.size(); ++i)
        grid->addWidget(m_buttons[i], i / columns, i % columns);
    grid->invalidate();
}

void ChoiceBar::setCanTrack(bool on) {
    m_buttons.front()->setEnabled(on);
    m_buttons.front()->setToolTip(on ? QString() : tr("Eight spans are tracked already"));
}

void ChoiceBar::showNear(const QPoint& point, const QRect& keepFree) {
    const QSize room = parentWidget()->size();
    arrange(4);
    if (sizeHint().width() > room.width()) arrange(2);
    const QSize size = sizeHint().boundedTo(room);
    int y = keepFree.bottom() + kGap;
    if (y + size.height() > room.height()) y = keepFree.top() - kGap - size.height();
    if (y < 0) y = point.y() + kGap;
    const QPoint at(std::clamp(point.x() - size.width() / 2, 0, room.width() - size.width()),
                    std::clamp(y, 0, room.height() - size.height()));
    setGeometry(QRect(at, size));
    show();
    raise();
}

} // namespace fkv::viz
