// SPDX-License-Identifier: GPL-3.0-or-later
// Long texts in the editor, and what becomes of files that are opened or dropped as a prompt.
#include "app/pages/prompt_page.h"
#include "tests/app/editor_fixture.h"
#include "tests/app/window_fixture.h"
#include "tests/support/drop_file.h"

#include <QClipboard>
#include <QFile>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <sys/stat.h>

using namespace fkv;
using namespace fkv::app;
using testing::EditorFixture;
using testing::WindowFixture;

namespace {

const QString kLine =
    QStringLiteral("It was a bright cold day, and the clocks were striking thirteen 🙂.\n");

QString textOf(qsizetype units) {
    return kLine.repeated(units / kLine.size() + 1);
}

} // namespace

class TestLongPrompts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    // --- the editor -----------------------------------------------------------------------------

    void aLongTextComesInPieces() {
        EditorFixture f;
        f.editor.setPrompt(QStringLiteral("before"), {});
        const QString text = textOf(8 * PromptEditor::kPiece);
        const QByteArray bytes = text.toUtf8();
        const qsizetype at = bytes.size() - 40;
        QSignalSpy changed(&f.editor, &PromptEditor::readyChanged);
        f.editor.setPrompt(text, {{at, at + 9, QStringLiteral("fact")}});
        // What runs is whole at once; what is seen is its beginning.
        QVERIFY(!f.editor.ready() && f.editor.isReadOnly() && !f.editor.isEmpty());
        QVERIFY(f.editor.text() == text);
        QCOMPARE(f.editor.spans().front().byteBegin, at);
        QVERIFY(f.editor.document()->characterCount() < 2 * PromptEditor::kPiece);
        f.editor.revealSpan(QStringLiteral("fact"));
        QTest::keyClicks(&f.editor, QStringLiteral("no"));
        QTRY_VERIFY(f.editor.ready());
        QCOMPARE(changed.size(), 2);
        QVERIFY(!f.editor.isReadOnly());
        QVERIFY(f.editor.document()->characterCount() == text.size() + 1);
        QVERIFY(f.editor.text() == text);
        // The span was asked for before it was there.
        QVERIFY(f.editor.verticalScrollBar()->value() >
                f.editor.verticalScrollBar()->maximum() / 2);
        QCOMPARE(f.editor.extraSelections().size(), qsizetype{1});
        f.editor.moveCursor(QTextCursor::End);
        QTest::keyClicks(&f.editor, QStringLiteral("Why?"));
        QVERIFY(f.editor.text() == text + QStringLiteral("Why?"));
        QTest::keyClick(&f.editor, Qt::Key_Z, Qt::ControlModifier);
        QVERIFY(f.editor.text() == text);
        QCOMPARE(f.editor.spans().front().byteBegin, at);
    }
    void theDocumentHoldsTheVeryText() {
        EditorFixture f;
        // A pair of surrogates across the end of a piece, and lines of all lengths.
        const QString text = QString(PromptEditor::kPiece - 1, QLatin1Char('\n')) +
                             QStringLiteral("🙂🙂\n\nend\n") + textOf(PromptEditor::kPiece);
        f.editor.setPrompt(text, {});
        QTRY_VERIFY(f.editor.ready());
        QString held = f.editor.document()->toRawText();
        held.replace(QChar::ParagraphSeparator, QLatin1Char('\n'));
        QVERIFY(held == text);
        QCOMPARE(f.editor.textCursor().position(), 0);
    }
    void anotherTextStopsTheOneThatIsComingIn() {
        EditorFixture f;
        f.editor.setPrompt(textOf(8 * PromptEditor::kPiece), {});
        QVERIFY(!f.editor.ready());
        f.editor.setPrompt(QStringLiteral("short"), {});
        QVERIFY(f.editor.ready() && !f.editor.isReadOnly());
        QCOMPARE(f.editor.text(), QStringLiteral("short"));
        QCoreApplication::processEvents();
        QCOMPARE(f.editor.document()->toPlainText(), QStringLiteral("short"));
        QTest::keyClicks(&f.editor, QStringLiteral("a "));
        QCOMPARE(f.editor.text(), QStringLiteral("a short"));
    }
    void aLongLineIsFoldedPieceByPiece() {
        EditorFixture f;
        const QString text = textOf(3 * PromptEditor::kPiece).remove(QLatin1Char('\n'));
        f.editor.setPrompt(text, {});
        QVERIFY(f.editor.folded() && f.editor.text() == text);
        QTRY_VERIFY(f.editor.ready());
        QVERIFY(f.editor.isReadOnly() && f.editor.text() == text);
        // Only the line ends are not the text's, wherever a piece ended.
        QString shown = f.editor.document()->toPlainText();
        qsizetype longest = 0;
        for (const QString& line : shown.split(QLatin1Char('\n')))
            longest = std::max(longest, line.size());
        QVERIFY2(longest <= 1001, qPrintable(QString::number(longest)));
        QVERIFY(shown.remove(QLatin1Char('\n')) == text);
    }
    void aLongPasteComesInPieces() {
        EditorFixture f;
        f.editor.setPrompt(QStringLiteral("before after"), {});
        QTextCursor cursor = f.editor.textCursor();
        cursor.setPosition(7);
        f.editor.setTextCursor(cursor);
        const QString text = textOf(2 * PromptEditor::kPiece);
        QGuiApplication::clipboard()->setText(text);
        QSignalSpy edited(&f.editor, &PromptEditor::textEdited);
        QTest::keyClick(&f.editor, Qt::Key_V, Qt::ControlModifier);
        QVERIFY(f.editor.text() == QStringLiteral("before ") + text + QStringLiteral("after"));
        QCOMPARE(edited.size(), 1);
        QTRY_VERIFY(f.editor.ready());
    }

    // --- files ----------------------------------------------------------------------------------

    void severalMegabytesAreOpenedAndDropped() {
        WindowFixture w;
        QVERIFY(w.show());
        QTemporaryDir folder;
        const QString text = textOf(3'000'000);
        auto& page = *w.window().findChild<PromptPage*>();
        const auto opens = [&](const char* name, const QString& content,
                               const std::function<void(const QString&)>& open) {
            const QString path = folder.filePath(QLatin1String(name));
            QFile file(path);
            QVERIFY(file.open(QIODevice::WriteOnly) && file.write(content.toUtf8()) > 0);
            file.close();
            open(path);
            QVERIFY(w.window().failure().message.isEmpty());
            QVERIFY(page.prompt().text == content);
            QVERIFY(page.findChild<QWidget*>(QStringLiteral("tokenCount"))
                        ->accessibleName()
                        .startsWith(QStringLiteral("No model is open")));
            QTRY_VERIFY(page.editor().ready());
            QVERIFY(page.prompt().text == content);
        };
        opens("opened.txt", text, [&](const QString& path) { w.window().openPath(path); });
        opens("dropped.txt", text + QStringLiteral("Why?"),
              [&](const QString& path) { QVERIFY(testing::dropFile(w.window(), path)); });
        opens("line.txt", QString(text).remove(QLatin1Char('\n')),
              [&](const QString& path) { QVERIFY(testing::dropFile(w.window(), path)); });
        QVERIFY(page.editor().folded());
    }
    void oneKeyPutsNoPromptTogether() {
        WindowFixture w;
        QVERIFY(w.show());
        w.window().board().revealPrompt();
        auto& page = *w.window().findChild<PromptPage*>();
        page.setPrompt({.text = textOf(1000)});
        QSignalSpy asked(&page, &PromptPage::countRequested);
        QTRY_COMPARE(asked.size(), 1);
        page.editor().setFocus();
        page.editor().moveCursor(QTextCursor::End);
        QTest::keyClicks(&page.editor(), QStringLiteral("Who is it that was there?"));
        QCOMPARE(asked.size(), 1); // while typing went on
        QTRY_VERIFY(asked.last()[0].value<PromptInput>().text.endsWith(QStringLiteral("there?")));
        QVERIFY(w.controller().prompt().text.endsWith(QStringLiteral("there?")));
    }
    void whatIsNoPromptSaysSoInOneLine_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("says");
        QTest::newRow("NUL") << QByteArray("abc\0def", 7)
                             << QStringLiteral("is no text: byte 3 is NUL");
        QTest::newRow("picture") << QByteArray("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16)
                                 << QStringLiteral("is no text: byte 8 is NUL");
        QTest::newRow("UTF-16 little")
            << QByteArray("\xFF\xFEh\0i\0", 6) << QStringLiteral("is UTF-16, not UTF-8");
        QTest::newRow("UTF-16 big")
            << QByteArray("\xFE\xFF\0h\0i", 6) << QStringLiteral("is UTF-16, not UTF-8");
        QTest::newRow("UTF-32") << QByteArray("\xFF\xFE\0\0h\0\0\0", 8)
                                << QStringLiteral("is UTF-32, not UTF-8");
        QTest::newRow("Latin-1") << QByteArray("one\ntwo\nna\xEFve\nfour")
                                 << QStringLiteral("is not UTF-8 text: see line 3");
        QTest::newRow("cut off") << QByteArray("one\ntw\xC3")
                                 << QStringLiteral("is not UTF-8 text: see line 2");
        QTest::newRow("surrogate")
            << QByteArray("\xED\xA0\x80") << QStringLiteral("is not UTF-8 text: see line 1");
        QTest::newRow("empty") << QByteArray() << QStringLiteral("is empty");
    }
    void whatIsNoPromptSaysSoInOneLine() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, says);
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("notes.txt"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        QCOMPARE(file.write(bytes), bytes.size());
        file.close();
        isRefused(path, says);
    }
    void whatIsNoFileSaysSoInOneLine() {
        QTemporaryDir folder;
        isRefused(folder.path(), QStringLiteral("holds no model"));
        isRefused(folder.filePath(QStringLiteral("gone.txt")), QStringLiteral("There is no file "));
        const QString pipe = folder.filePath(QStringLiteral("pipe"));
        QCOMPARE(mkfifo(pipe.toLocal8Bit().constData(), 0600), 0);
        isRefused(pipe, QStringLiteral("is a pipe or a device"));
        const QString large = folder.filePath(QStringLiteral("large.txt"));
        QFile file(large);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.resize(qint64{40} << 20));
        file.close();
        isRefused(large, QStringLiteral("has 40.0 MiB: texts of up to 32.0 MiB are opened"));
        // As dropped things, too.
        WindowFixture w;
        QVERIFY(w.show());
        QVERIFY(testing::dropFile(w.window(), pipe));
        QVERIFY(w.window().failure().message.contains(QStringLiteral("is a pipe or a device")));
    }
    void aMarkAtTheBeginningStays() {
        WindowFixture w;
        QVERIFY(w.show());
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("marked.txt"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("\xEF\xBB\xBFHello") > 0);
        file.close();
        w.window().openPath(path);
        QCOMPARE(w.window().findChild<PromptPage*>()->prompt().text.toUtf8(),
                 QByteArray("\xEF\xBB\xBFHello")); // what the program without a window reads
    }

private:
    static void isRefused(const QString& path, const QString& says) {
        WindowFixture w;
        QVERIFY(w.show());
        auto& page = *w.window().findChild<PromptPage*>();
        page.setPrompt({.text = QStringLiteral("what was there")});
        w.window().openPath(path);
        const QString message = w.window().failure().message;
        QVERIFY2(message.contains(says), qPrintable(message));
        QVERIFY2(message.contains(path), qPrintable(message));
        QVERIFY(!message.contains(QLatin1Char('\n')));
        QVERIFY(w.window().findChild<QWidget*>(QStringLiteral("errorBar"))->isVisible());
        QCOMPARE(page.prompt().text, QStringLiteral("what was there"));
        QVERIFY(!w.controller().busy());
    }
};

QTEST_MAIN(TestLongPrompts)
#include "test_long_prompts.moc"
