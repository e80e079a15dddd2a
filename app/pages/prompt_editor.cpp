// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/prompt_editor.h"

#include <QKeyEvent>
#include <QMimeData>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QTextBlock>
#include <algorithm>
#include <utility>

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

/// Lines of kFold units at most; `inLine` is how long the line is that the piece goes on with.
QString foldedPiece(QStringView piece, qsizetype& inLine) {
    QString out;
    out.reserve(piece.size() + piece.size() / kFold + 1);
    for (const QChar c : piece) {
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
    connect(&m_fill, &QTimer::timeout, this, &PromptEditor::addPiece);
}

QString PromptEditor::text() const {
    if (!m_text.isNull()) return m_text;
    // Not toPlainText(): it turns no-break spaces into spaces.
    m_text = document()->toRawText();
    m_text.replace(QChar::ParagraphSeparator, QLatin1Char('\n'));
    return m_text;
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
    const bool undoable = !m_folded && ready();
    m_fill.stop();
    m_revealWhenReady.clear();
    m_folded = longestLine(text) > kLongestLine;
    m_spans = std::move(tracked);
    if (undoable && !m_folded && text.size() <= kPiece && document()->characterCount() <= kPiece) {
        QTextCursor all(document());
        all.select(QTextCursor::Document);
        all.insertText(text);
        moveCursor(QTextCursor::Start);
        m_text = text;
        tint();
        return;
    }
    fillFrom(text);
}

void PromptEditor::fillFrom(const QString& text) {
    m_text = text;
    m_filled = m_inLine = 0;
    document()->setUndoRedoEnabled(false);
    setReadOnly(true);
    setExtraSelections({});
    clear();
    m_fill.start(0);
    addPiece();
    moveCursor(QTextCursor::Start); // it went along with the first piece
    if (!ready()) Q_EMIT readyChanged();
}

void PromptEditor::addPiece() {
    const QScopedValueRollback<bool> setting(m_setting, true);
    qsizetype end = std::min(m_filled + kPiece, m_text.size());
    if (end < m_text.size() && m_text[end].isLowSurrogate()) ++end;
    const QStringView piece = QStringView(m_text).sliced(m_filled, end - m_filled);
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    cursor.insertText(m_folded ? foldedPiece(piece, m_inLine) : piece.toString());
    m_filled = end;
    if (end == m_text.size()) finishFilling();
}

void PromptEditor::finishFilling() {
    m_fill.stop();
    setReadOnly(m_folded);
    document()->setUndoRedoEnabled(true);
    tint();
    if (const QString name = std::exchange(m_revealWhenReady, {}); !name.isEmpty())
        revealSpan(name);
    Q_EMIT readyChanged();
}

void PromptEditor::revealSpan(const QString& name) {
    if (m_folded) return;
    if (!ready()) {
        m_revealWhenReady = name;
        return;
    }
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
    m_text = QString();
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
    for (std::size_t i = 0; i < m_spans.size() && !m_folded && ready(); ++i) {
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
    if (pasted.size() <= kPiece && longestLine(pasted) <= kLongestLine) {
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
