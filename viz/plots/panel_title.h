// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <QWidget>

namespace fkv::viz {

/// The words in a panel's header, on one line: title, question, and a note at the right. Where it
/// is tight the question goes first, then the note; the title is never cut.
class PanelTitle : public QWidget {
public:
    explicit PanelTitle(QWidget* parent = nullptr);
    void setTitle(const QString& title, const QString& question);
    /// `brief` says the same where the note does not fit; may be empty.
    void setNote(const QString& note, const QString& brief = {});
    const QString& note() const { return m_note; }
    void setFonts(const QFont& title, const QFont& note);
    void setColors(const QColor& title, const QColor& others);
    int titleWidth() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString m_title, m_question, m_note, m_brief;
    QFont m_noteFont;
    QColor m_ink = Qt::black, m_otherInk = Qt::gray;
};

} // namespace fkv::viz
