// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>
#include <cstdint>

class QLabel;
class QLineEdit;
class QToolButton;

namespace fkv::viz {

/// The line that Ctrl+F opens over the text: needle, "3 of 12", previous and next, close. It knows
/// nothing of the text; whoever owns it searches. Esc closes, Enter and F3 go on, with Shift back.
class FindBar : public QWidget {
    Q_OBJECT
public:
    explicit FindBar(QWidget* parent = nullptr);

    QString needle() const;
    void open();
    /// `current` counts from 0 and is below `hits`, unless there are none; `more` than were
    /// counted.
    void setCount(std::int64_t current, std::int64_t hits, bool more);
    QString countText() const;

Q_SIGNALS:
    void needleChanged(const QString& needle);
    void stepped(int by); ///< +1 next, -1 previous
    void closed();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QToolButton* addButton(const QString& text, const QString& name);

    QLineEdit* m_needle = nullptr;
    QLabel* m_count = nullptr;
};

} // namespace fkv::viz
