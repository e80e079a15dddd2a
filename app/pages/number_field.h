// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/theme.h"

#include <QLineEdit>

namespace fkv::app {

/// A typed number with its unit inside, right aligned. Commits on Enter or when the focus leaves an
/// edited field; Esc restores what was shown and lets the key pass on, so that the window can give
/// the focus back. Text that is being edited or was refused is never overwritten from outside.
class NumberField : public QLineEdit {
    Q_OBJECT
public:
    NumberField(const viz::Theme& theme, const QString& unit, QWidget* parent);

    /// What the setting is. Waits while the field is being edited or holds a refused text.
    void setShown(const QString& text);
    /// Marks the text as refused and keeps it, or forgets that.
    void setFaulty(bool faulty);
    bool faulty() const { return m_faulty; }
    /// A dot: this is the unit that is kept when the prompt changes.
    void setKept(bool kept);
    bool kept() const { return m_kept; }
    /// Room for `digits` digits.
    void setDigits(int digits);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void committed(const QString& text);
    void stepped(int by); ///< Up, Down: +-1; PageUp, PageDown: +-10
    void reverted();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void applyTheme();
    void commit();

    const viz::Theme& m_theme;
    QString m_unit, m_shown;
    bool m_faulty = false;
    bool m_kept = false;
    int m_digits = 4;
};

} // namespace fkv::app
