// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/theme.h"

#include <QToolButton>

namespace fkv::app {

/// One of a few choices side by side. The chosen one carries a coloured bar and a tint: the style's
/// own "pressed" look cannot be told from the others in a dark room.
class ChoiceButton : public QToolButton {
    Q_OBJECT
public:
    ChoiceButton(const viz::Theme& theme, const QString& text, QWidget* parent);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const viz::Theme& m_theme;
};

/// The frame of a text field in the colours of the theme, over the style's own: Fusion's cannot be
/// seen on dark windows.
void paintFieldFrame(QWidget& field, const viz::Theme& theme, bool faulty);

} // namespace fkv::app
