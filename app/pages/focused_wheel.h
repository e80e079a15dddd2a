// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QEvent>
#include <QWidget>

namespace fkv::app {

/// Keeps the wheel from changing a box or list that does not have the focus: the page scrolls
/// instead.
class FocusedWheel : public QObject {
public:
    explicit FocusedWheel(QWidget* widget) : QObject(widget), m_widget(widget) {
        widget->setFocusPolicy(Qt::StrongFocus);
        widget->installEventFilter(this);
    }

protected:
    bool eventFilter(QObject*, QEvent* event) override {
        if (event->type() != QEvent::Wheel || m_widget->hasFocus()) return false;
        event->ignore();
        return true;
    }

private:
    QWidget* m_widget;
};

} // namespace fkv::app
