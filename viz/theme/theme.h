// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/palette.h"

#include <QFont>
#include <QObject>

namespace fkv::viz {

/// What everything is drawn with. Views repaint on changed(). Sizes follow the system font;
/// Presenter type is 1.5 times as large.
class Theme : public QObject {
    Q_OBJECT
public:
    enum class Choice { System, Light, Dark };

    explicit Theme(QObject* parent = nullptr);
    Choice choice() const { return m_choice; }
    void setChoice(Choice choice);
    bool presenter() const { return m_presenter; }
    void setPresenter(bool on);

    const Palette& palette() const;
    QFont font() const;         ///< text of views
    QFont smallFont() const;    ///< axis labels, notes: 0.88 of the text
    QFont numberFont() const;   ///< text with tabular digits
    /// Logical px scaled with the type: 24 in the normal size stays 24.
    int scaled(int px) const;
    /// Applies palette and font to the whole application.
    void apply();

Q_SIGNALS:
    void changed();

private:
    Choice m_choice = Choice::System;
    bool m_presenter = false;
    QFont m_systemFont;
    bool m_systemDark = false;
};

}  // namespace fkv::viz
