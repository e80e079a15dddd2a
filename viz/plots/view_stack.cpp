// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/view_stack.h"

namespace fkv::viz {

ViewStack::ViewStack(int twoFrom, QWidget* parent) : QWidget(parent), m_twoFrom(twoFrom) {
    setFocusPolicy(Qt::StrongFocus);
}

void ViewStack::add(QWidget* view) {
    view->setParent(this);
    view->hide();
    m_views.push_back(view);
}

void ViewStack::present(QWidget* upper, QWidget* lower) {
    if (upper == m_upper && lower == m_lower) return;
    const bool focused = m_upper && m_upper->hasFocus();
    m_upper = upper;
    m_lower = lower;
    setFocusProxy(upper);
    arrange();
    if (focused) upper->setFocus();
    Q_EMIT shownChanged();
}

void ViewStack::arrange() {
    const bool two = m_lower && height() > m_twoFrom;
    const int upperHeight = two ? (height() - kGap) / 2 : height();
    for (QWidget* view : m_views) {
        if (view == m_upper)
            view->setGeometry(0, 0, width(), upperHeight);
        else if (two && view == m_lower)
            view->setGeometry(0, upperHeight + kGap, width(), height() - upperHeight - kGap);
        view->setVisible(view == m_upper || (two && view == m_lower));
    }
    if (two == m_lowerShown) return;
    m_lowerShown = two;
    Q_EMIT shownChanged();
}

void ViewStack::resizeEvent(QResizeEvent*) {
    arrange();
}

} // namespace fkv::viz
