// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/prompt_editor.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QTest>

namespace fkv::testing {

/// A prompt editor on show, with the focus.
struct EditorFixture {
    EditorFixture() {
        editor.resize(280, 400);
        editor.show();
        if (!QTest::qWaitForWindowActive(&editor)) qFatal("the window does not become active");
        editor.setFocus();
    }
    /// Puts the cursor at a place of the text, in UTF-16 units.
    void at(qsizetype place, qsizetype until = -1) {
        QTextCursor cursor = editor.textCursor();
        cursor.setPosition(static_cast<int>(place));
        if (until >= 0) cursor.setPosition(static_cast<int>(until), QTextCursor::KeepAnchor);
        editor.setTextCursor(cursor);
    }
    /// The bytes a span covers, read back from the text as the engine would.
    QByteArray covered(std::size_t i) const {
        const app::PromptInput::Span span = editor.spans().at(i);
        return editor.text().toUtf8().mid(span.byteBegin, span.byteEnd - span.byteBegin);
    }
    void paste(const QString& text) {
        QGuiApplication::clipboard()->setText(text);
        QTest::keyClick(&editor, Qt::Key_V, Qt::ControlModifier);
    }

    viz::Theme theme;
    app::PromptEditor editor{theme, nullptr};
};

} // namespace fkv::testing
