// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/failure.h"
#include "viz/theme/theme.h"

#include <QFrame>

class QLabel;
class QToolButton;

namespace fkv::app {

/// The one place where the window says what did not work: a line, what to do about it, and a button
/// that puts it away. Hidden while there is nothing to say; the newest failure replaces the one
/// before.
class ErrorBar : public QFrame {
    Q_OBJECT
public:
    explicit ErrorBar(viz::Theme& theme, QWidget* parent = nullptr);
    void showFailure(const Failure& failure);
    void dismiss();
    /// What it says; empty while hidden.
    Failure failure() const;

Q_SIGNALS:
    void dismissed();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void applyTheme();

    viz::Theme& m_theme;
    Failure m_failure;
    QLabel* m_message;
    QLabel* m_hint;
    QToolButton* m_close;
};

} // namespace fkv::app
