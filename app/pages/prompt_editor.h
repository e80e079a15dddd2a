// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/tracked_spans.h"
#include "viz/theme/theme.h"

#include <QPlainTextEdit>
#include <QTimer>
#include <vector>

namespace fkv::app {

/// The editor of the prompt: plain text, exactly as it will be run (no-break spaces and all), with
/// its spans tinted and following the edits. Several MB are fine: a text longer than kPiece goes
/// into the document piece by piece between other events, and can be edited when all of it is
/// there. A text with a line of more than kLongestLine units would freeze any QTextDocument: it is
/// kept as it is, shown folded, and cannot be edited here.
class PromptEditor : public QPlainTextEdit {
    Q_OBJECT
public:
    static constexpr qsizetype kLongestLine = 20000;
    static constexpr qsizetype kPiece = 100'000; ///< units; some milliseconds

    PromptEditor(const viz::Theme& theme, QWidget* parent);

    /// Replaces text and spans. Line ends become "\n" and the spans follow. Undo brings the text
    /// before back, unless one of the two is folded or longer than a piece.
    void setPrompt(const QString& text, const std::vector<PromptInput::Span>& spans);
    QString text() const;
    bool isEmpty() const;
    bool folded() const { return m_folded; }
    /// All of the text is in the document. text() and spans() are right before that.
    bool ready() const { return !m_fill.isActive(); }
    std::vector<PromptInput::Span> spans() const { return byteSpans(text(), m_spans); }
    const std::vector<TrackedSpan>& tracked() const { return m_spans; }
    /// Puts a span in the middle of what is visible, and keeps it there while the editor changes
    /// its height, until the user does something. No focus is taken.
    void revealSpan(const QString& name);

    /// Its least height: what stands around it comes first, and it takes the rest.
    QSize sizeHint() const override {
        return {QPlainTextEdit::sizeHint().width(), minimumHeight()};
    }

Q_SIGNALS:
    void textEdited();   ///< by the user (or undo), not by setPrompt()
    void runRequested(); ///< Ctrl+Enter
    void readyChanged();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool canInsertFromMimeData(const QMimeData* source) const override;
    void insertFromMimeData(const QMimeData* source) override;

private:
    void fillFrom(const QString& text);
    void addPiece();
    void finishFilling();
    void follow(int at, int removed, int added);
    QString wordsOf(const TrackedSpan& span) const;
    void tint();

    const viz::Theme& m_theme;
    std::vector<TrackedSpan> m_spans;
    bool m_folded = false;
    /// The text, once it was asked for or set; null after an edit. Of a folded one the truth.
    mutable QString m_text;
    QTimer m_fill;                        ///< active while pieces of m_text are still to come
    qsizetype m_filled = 0, m_inLine = 0; ///< units of m_text that are in; since the last fold
    QString m_revealWhenReady;
    bool m_setting = false;
    bool m_revealed = false;
};

} // namespace fkv::app
