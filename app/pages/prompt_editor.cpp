// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/prompt_editor.h"

#include <QKeyEvent>
#include <QMimeData>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QTextBlock>
#include <algorithm>

namespace fkv::app {
namespace {

constexpr qsizetype kFold = 1000; // units a line of a folded text

/// Does a document keep this text as it is? Line ends other than "\n" it turns into new blocks.
bool isLineEnd(QChar c) {
    return c == QLatin1Char('\r') || c == QChar::ParagraphSeparator || c == QChar(0xfdd0) ||
           c == QChar(0xfdd1);
}

/// Makes every line end "\n" and moves the spans along.
void normalise(QString& text, std::vector<TrackedSpan>& spans) {
    if (std::none_of(text.cbegin(), text.cend(), isLineEnd)) return;
    QString out;
    out.reserve(text.size());
    std::vector<TrackedSpan> moved = spans;
    const auto place = [&](qsizetype from) {
        for (std::size_t i = 0; i < spans.size(); ++i) {
            if (spans[i].begin == from) moved[i].begin = out.size();
            if (spans[i].end == from) moved[i].end = out.size();
        }
    };
    for (qsizetype i = 0; i < text.size(); ++i) {
        place(i);
        const bool pair =
            text[i] == QLatin1Char('\r') && i + 1 < text.size() && text[i + 1] == QLatin1Char('\n');
        if (pair) place(++i);
        out += isLineEnd(text[i]) ? QLatin1Char('\n') : text[i];
    }
    place(text.size());
    for (TrackedSpan& span : moved)
        span.words = out.mid(span.begin, span.end - span.begin);
    text = std::move(out);
    spans = std::move(moved);
}

qsizetype longestLine(const QString& text) {
    qsizetype longest = 0;
    for (qsizetype begin = 0; begin <= text.size();) {
        qsizetype end = text.indexOf(QLatin1Char('\n'), begin);
        if (end < 0) end = text.size();
        longest = std::max(longest, end - begin);
        begin = end + 1;
    }
    return longest;
}

QString foldedForm(const QString& text) {
    QString out;
    out.reserve(text.size() + text.size() / kFold + 1);
    qsizetype inLine = 0;
    for (const QChar c : text) {
        if (inLine >= kFold && !c.isLowSurrogate()) {
            out += QLatin1Char('\n');
            inLine = 0;
        }
        out += c;
        inLine = c == QLatin1Char('\n') ? 0 : inLine + 1;
    }
    return out;
}

} // namespace

PromptEditor::PromptEditor(const viz::Theme& theme, QWidget* parent)
    : QPlainTextEdit(parent), m_theme(theme) {
    setAccessibleName(tr("Prompt text"));
    setTabChangesFocus(true);
    setPlaceholderText(tr("Type or paste a text and a question, choose a sample, or hide a fact."));
    connect(document(), &QTextDocument::contentsChange, this, &PromptEditor::follow);
    connect(&theme, &viz::Theme::changed, this, &PromptEditor::tint);
}

QString PromptEditor::text() const {
    if (m_folded) return m_foldedText;
    // Not toPlainText(): it turns no-break spaces into spaces.
    QString text = document()->toRawText();
    text.replace(QChar::ParagraphSeparator, QLatin1Char('\n'));
    return text;
}

bool PromptEditor::isEmpty() const {
    return document()->isEmpty();
}

void PromptEditor::setPrompt(const QString& given, const std::vector<PromptInput::Span>& spans) {
    const QScopedValueRollback<bool> setting(m_setting, true);
    m_revealed = false;
    QString text = given;
    std::vector<TrackedSpan> tracked = trackedSpans(text, spans);
    normalise(text, tracked);
    const bool wasFolded = m_folded;
    m_folded = longestLine(text) > kLongestLine;
    m_foldedText = m_folded ? text : QString();
    setReadOnly(m_folded);
    if (m_folded || wasFolded) {
        setPlainText(m_folded ? foldedForm(text) : text);
    } else {
        QTextCursor all(document());
        all.select(QTextCursor::Document);
        all.insertText(text);
        moveCursor(QTextCursor::Start);
    }
    m_spans = std::move(tracked);
    tint();
}

void PromptEditor::revealSpan(const QString& name) {
    if (m_folded) return;
    const auto span =
        std::find_if(m_spans.begin(), m_spans.end(), [&](const auto& s) { return s.name == name; });
    if (span == m_spans.end()) return;
    QTextCursor cursor(document());
    cursor.setPosition(static_cast<int>(span->begin));
    setTextCursor(cursor);
    centerCursor();
    m_revealed = true;
}

QString PromptEditor::wordsOf(const TrackedSpan& span) const {
    if (span.begin < 0 || span.end >= document()->characterCount())
        return {}; // its last one is no text
    QTextCursor cursor(document());
    cursor.setPosition(static_cast<int>(span.begin));
    cursor.setPosition(static_cast<int>(span.end), QTextCursor::KeepAnchor);
    return cursor.selectedText().replace(QChar::ParagraphSeparator, QLatin1Char('\n'));
}

void PromptEditor::follow(int at, int removed, int added) {
    if (m_setting) return;
    followEdit(m_spans, {at, removed, added});
    // The document may report more than was changed (undo, and the block end as an added unit):
    // what counts is that the words are still there.
    std::erase_if(m_spans, [this](const TrackedSpan& span) { return wordsOf(span) != span.words; });
    tint();
    Q_EMIT textEdited();
}

void PromptEditor::tint() {
    QList<QTextEdit::ExtraSelection> marks;
    const viz::Palette& colours = m_theme.palette();
    for (std::size_t i = 0; i < m_spans.size() && !m_folded; ++i) {
        QTextEdit::ExtraSelection mark;
        mark.cursor = QTextCursor(document());
        mark.cursor.setPosition(static_cast<int>(m_spans[i].begin));
        mark.cursor.setPosition(static_cast<int>(m_spans[i].end), QTextCursor::KeepAnchor);
        mark.format.setBackground(
            viz::faded(colours.pins[i % colours.pins.size()], colours.base, 0.28));
        marks << mark;
    }
    setExtraSelections(marks);
}

bool PromptEditor::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::Wheel || event->type() == QEvent::MouseButtonPress)
        m_revealed = false;
    return QPlainTextEdit::viewportEvent(event);
}

void PromptEditor::resizeEvent(QResizeEvent* event) {
    QPlainTextEdit::resizeEvent(event);
    if (m_revealed) centerCursor();
}

void PromptEditor::keyPressEvent(QKeyEvent* event) {
    m_revealed = false;
    const bool enter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter;
    if (enter && (event->modifiers() & Qt::ControlModifier)) {
        Q_EMIT runRequested();
        return;
    }
    if (event->key() == Qt::Key_Escape) {
        event->ignore(); // the window gives the focus back to the last view
        return;
    }
    QPlainTextEdit::keyPressEvent(event);
}

bool PromptEditor::canInsertFromMimeData(const QMimeData* source) const {
    return source->hasText() && !source->hasUrls(); // files are the window's
}

void PromptEditor::insertFromMimeData(const QMimeData* source) {
    if (isReadOnly() || !source->hasText()) return;
    QString pasted = source->text();
    std::vector<TrackedSpan> none;
    normalise(pasted, none);
    if (longestLine(pasted) <= kLongestLine) {
        textCursor().insertText(pasted);
        ensureCursorVisible();
        return;
    }
    const QTextCursor cursor = textCursor();
    QString whole = text();
    const qsizetype begin = cursor.selectionStart(), removed = cursor.selectionEnd() - begin;
    std::vector<TrackedSpan> spans = m_spans;
    followEdit(spans, {begin, removed, pasted.size()});
    whole.replace(begin, removed, pasted);
    setPrompt(whole, byteSpans(whole, spans));
    Q_EMIT textEdited();
}

} // namespace fkv::app
