// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/theme.h"

#include <QLineEdit>

namespace fkv::app {

/// A line of text in the frame of this program's fields. Esc passes on, so that the window can give
/// the focus back.
class TextField : public QLineEdit {
    Q_OBJECT
public:
    /// `name` is its accessible name, and what it shows while empty.
    TextField(const viz::Theme& theme, const QString& name, QWidget* parent);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    const viz::Theme& m_theme;
};

} // namespace fkv::app
