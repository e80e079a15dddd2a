// SPDX-License-Identifier: GPL-3.0-or-later
// The editor of the prompt: text kept as it is, spans that follow edits, texts of several MB.
#include "tests/app/editor_fixture.h"

#include <QMimeData>
#include <QSignalSpy>
#include <QTest>

using namespace fkv;
using namespace fkv::app;
using testing::EditorFixture;

namespace {

constexpr const char* kText = "Über Öl. Der Schlüssel ist 5.\nWas ist er? 🙂 Ende.";
PromptInput::Span spanOf(const char* words, const char* name) {
    const QByteArray text(kText);
    const qsizetype at = text.indexOf(words);
    return {at, at + static_cast<qsizetype>(qstrlen(words)), QString::fromLatin1(name)};
}
std::vector<PromptInput::Span> twoSpans() {
    return {spanOf("Der Schlüssel ist 5.", "fact"), spanOf("Was ist er?", "question")};
}

} // namespace

class TestPromptEditor : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void spansOfBytesAndUnits();
    void pureEdits_data();
    void pureEdits();
    void spansFollowTyping();
    void spansSurviveUndo();
    void aWholeReplacementDropsThem();
    void textIsKeptAsItIs();
    void lineEndsBecomeOne();
    void megabytesAreEdited();
    void longLinesAreFolded();
    void pastingALongLineFolds();
    void keysThatAreNotTheEditors();
    void filesAreNotInserted();
};

void TestPromptEditor::spansOfBytesAndUnits() {
    const QString text = QString::fromUtf8(kText);
    const std::vector<TrackedSpan> tracked = trackedSpans(text, twoSpans());
    QCOMPARE(tracked.size(), std::size_t{2});
    QCOMPARE(tracked[0].words, QStringLiteral("Der Schlüssel ist 5."));
    QCOMPARE(tracked[1].words, QStringLiteral("Was ist er?"));
    QCOMPARE(byteSpans(text, tracked), twoSpans());
    QVERIFY(trackedSpans(text, {{-1, 4, {}}, {5, 5, {}}, {3, 9999, {}}, {9, 3, {}}}).empty());
}

void TestPromptEditor::pureEdits_data() {
    QTest::addColumn<int>("at");
    QTest::addColumn<int>("removed");
    QTest::addColumn<int>("added");
    QTest::addColumn<int>("begin"); // of the span [10, 20), -1: dropped
    QTest::newRow("insert far before") << 0 << 0 << 3 << 13;
    QTest::newRow("insert at its begin") << 10 << 0 << 3 << 13;
    QTest::newRow("insert inside") << 11 << 0 << 1 << -1;
    QTest::newRow("insert at its end") << 20 << 0 << 4 << 10;
    QTest::newRow("insert after") << 25 << 0 << 4 << 10;
    QTest::newRow("remove before") << 2 << 4 << 0 << 6;
    QTest::newRow("remove up to its begin") << 4 << 6 << 1 << 5;
    QTest::newRow("remove its first") << 9 << 2 << 0 << -1;
    QTest::newRow("remove its last") << 19 << 1 << 0 << -1;
    QTest::newRow("remove right after") << 20 << 3 << 0 << 10;
    QTest::newRow("remove all of it") << 10 << 10 << 0 << -1;
    QTest::newRow("replace all") << 0 << 30 << 30 << -1;
}

void TestPromptEditor::pureEdits() {
    QFETCH(int, at);
    QFETCH(int, removed);
    QFETCH(int, added);
    QFETCH(int, begin);
    std::vector<TrackedSpan> spans{{10, 20, QStringLiteral("s"), {}}};
    followEdit(spans, {at, removed, added});
    QCOMPARE(spans.empty(), begin < 0);
    if (begin >= 0) {
        QCOMPARE(spans[0].begin, qsizetype{begin});
        QCOMPARE(spans[0].end, qsizetype{begin + 10});
    }
}

void TestPromptEditor::spansFollowTyping() {
    EditorFixture f;
    f.editor.setPrompt(QString::fromUtf8(kText), twoSpans());
    QSignalSpy edited(&f.editor, &PromptEditor::textEdited);
    f.at(0);
    QTest::keyClicks(&f.editor, QStringLiteral("Vorher. "));
    f.paste(QStringLiteral("Mit 🙂\nZeile. "));
    QCOMPARE(f.covered(0), QByteArray("Der Schlüssel ist 5."));
    QCOMPARE(f.covered(1), QByteArray("Was ist er?"));
    QCOMPARE(edited.size(), 9);
    // Between them: only the second moves. An edit at an end touches nothing.
    f.at(f.editor.tracked()[0].end);
    QTest::keyClicks(&f.editor, QStringLiteral(" Mehr."));
    QTest::keyClick(&f.editor, Qt::Key_Return);
    QCOMPARE(f.covered(0), QByteArray("Der Schlüssel ist 5."));
    QCOMPARE(f.covered(1), QByteArray("Was ist er?"));
    QTest::keyClick(&f.editor, Qt::Key_Backspace);
    // Inside the first: it is not that fact any more.
    f.at(f.editor.tracked()[0].begin + 4);
    QTest::keyClick(&f.editor, Qt::Key_X);
    QCOMPARE(f.editor.spans().size(), std::size_t{1});
    QCOMPARE(f.editor.spans()[0].name, QStringLiteral("question"));
    QCOMPARE(f.covered(0), QByteArray("Was ist er?"));
    // Its last letter removed from behind.
    f.at(f.editor.tracked()[0].end);
    QTest::keyClick(&f.editor, Qt::Key_Backspace);
    QVERIFY(f.editor.spans().empty());
}

void TestPromptEditor::spansSurviveUndo() {
    EditorFixture f;
    f.editor.setPrompt(QString::fromUtf8(kText), twoSpans());
    f.at(3, 7);
    QTest::keyClick(&f.editor, Qt::Key_Delete);
    f.at(0);
    QTest::keyClicks(&f.editor, QStringLiteral("abc "));
    for (int i = 0; i < 2; ++i)
        QTest::keyClick(&f.editor, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(f.editor.text(), QString::fromUtf8(kText));
    QCOMPARE(f.editor.spans(), twoSpans());
    QTest::keyClick(&f.editor, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(f.covered(1), QByteArray("Was ist er?"));
}

void TestPromptEditor::aWholeReplacementDropsThem() {
    EditorFixture f;
    f.editor.setPrompt(QString::fromUtf8(kText), twoSpans());
    QTest::keyClick(&f.editor, Qt::Key_A, Qt::ControlModifier);
    f.paste(QStringLiteral("Other."));
    QCOMPARE(f.editor.text(), QStringLiteral("Other."));
    QVERIFY(f.editor.spans().empty());
    // Loading is no edit, and can be undone like one: the text before is not lost.
    QSignalSpy edited(&f.editor, &PromptEditor::textEdited);
    f.editor.setPrompt(QString::fromUtf8(kText), twoSpans());
    QCOMPARE(edited.size(), 0);
    QTest::keyClick(&f.editor, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(f.editor.text(), QStringLiteral("Other."));
    QVERIFY(f.editor.spans().empty());
}

void TestPromptEditor::textIsKeptAsItIs() {
    EditorFixture f;
    // No-break and other spaces, a line separator, a tab, marks of both directions, astral,
    // combining.
    const QString text =
        QString::fromUtf8("a\u00a0b\u202fc\u2028d\te\u200f\u05d0 🙂 e\u0301\u3000 \n\n  x \n");
    f.editor.setPrompt(text, {});
    QCOMPARE(f.editor.text(), text);
    f.editor.setPrompt({}, {});
    QVERIFY(f.editor.isEmpty());
    f.paste(text);
    QCOMPARE(f.editor.text(), text);
}

void TestPromptEditor::lineEndsBecomeOne() {
    EditorFixture f;
    const QByteArray text = "a\r\nb\rc\u2029d\r\n\r\nfact here\r\n";
    const qsizetype at = text.indexOf("fact");
    f.editor.setPrompt(QString::fromUtf8(text), {{at, at + 9, QStringLiteral("fact")}});
    QCOMPARE(f.editor.text(), QStringLiteral("a\nb\nc\nd\n\nfact here\n"));
    QCOMPARE(f.covered(0), QByteArray("fact here"));
}

void TestPromptEditor::megabytesAreEdited() {
    EditorFixture f;
    QString text;
    while (text.size() < 3'000'000)
        text += QStringLiteral(
            "It was a bright cold day, and the clocks were striking thirteen; nothing else.\n");
    const qsizetype at = text.size() / 2;
    f.editor.setPrompt(text, {{at, at + 20, QStringLiteral("fact")}}); // all of it is ASCII
    QVERIFY(!f.editor.folded());
    QVERIFY(f.editor.text() == text);
    QTRY_VERIFY(f.editor.ready());
    f.at(1000);
    QTest::keyClicks(&f.editor, QStringLiteral("typed"));
    QCOMPARE(f.editor.spans()[0].byteBegin, at + 5);
    f.at(text.size() + 5);
    QTest::keyClicks(&f.editor, QStringLiteral("end"));
    QCOMPARE(f.editor.text().size(), text.size() + 8);
}

void TestPromptEditor::longLinesAreFolded() {
    EditorFixture f;
    f.editor.setPrompt(QStringLiteral("before"), {});
    const QString line(PromptEditor::kLongestLine, QLatin1Char('x'));
    f.editor.setPrompt(line, {});
    QVERIFY(!f.editor.folded());
    const QString longer = line + QStringLiteral("🙂\nfact\n");
    const qsizetype at = longer.toUtf8().indexOf("fact");
    f.editor.setPrompt(longer, {{at, at + 4, QStringLiteral("fact")}});
    QVERIFY(f.editor.folded() && f.editor.isReadOnly());
    QCOMPARE(f.editor.text(), longer); // what runs is not what is drawn
    QCOMPARE(f.covered(0), QByteArray("fact"));
    QTest::keyClicks(&f.editor, QStringLiteral("no"));
    f.paste(QStringLiteral("no"));
    QCOMPARE(f.editor.text(), longer);
    f.editor.setPrompt(QStringLiteral("short"), {});
    QVERIFY(!f.editor.folded() && !f.editor.isReadOnly());
    QCOMPARE(f.editor.text(), QStringLiteral("short"));
}

void TestPromptEditor::pastingALongLineFolds() {
    EditorFixture f;
    f.editor.setPrompt(QString::fromUtf8(kText), twoSpans());
    QSignalSpy edited(&f.editor, &PromptEditor::textEdited);
    const QString line = QStringLiteral("word ").repeated(PromptEditor::kLongestLine / 4);
    f.at(0, 4);
    f.paste(line);
    QVERIFY(f.editor.folded());
    QCOMPARE(f.editor.text(), line + QString::fromUtf8(kText).mid(4));
    QCOMPARE(f.covered(0), QByteArray("Der Schlüssel ist 5."));
    QCOMPARE(edited.size(), 1);
}

void TestPromptEditor::keysThatAreNotTheEditors() {
    EditorFixture f;
    f.editor.setPrompt(QStringLiteral("text"), {});
    QSignalSpy run(&f.editor, &PromptEditor::runRequested);
    QTest::keyClick(&f.editor, Qt::Key_Return, Qt::ControlModifier);
    QTest::keyClick(&f.editor, Qt::Key_Enter, Qt::ControlModifier | Qt::KeypadModifier);
    QCOMPARE(run.size(), 2);
    QCOMPARE(f.editor.text(), QStringLiteral("text"));
    // Esc gives the focus back; letters stay.
    QKeyEvent escape(QEvent::KeyPress, Qt::Key_Escape, Qt::NoModifier);
    QApplication::sendEvent(&f.editor, &escape);
    QVERIFY(!escape.isAccepted());
    QTest::keyClicks(&f.editor, QStringLiteral("p[].,t0"));
    QCOMPARE(f.editor.text(), QStringLiteral("p[].,t0text"));
}

void TestPromptEditor::filesAreNotInserted() {
    EditorFixture f;
    QMimeData files;
    files.setUrls({QUrl::fromLocalFile(QStringLiteral("/a/trace.safetensors"))});
    files.setText(QStringLiteral("/a/trace.safetensors"));
    QDropEvent drop(QPointF(20, 20), Qt::CopyAction, &files, Qt::LeftButton, Qt::NoModifier);
    QDragEnterEvent enter(QPoint(20, 20), Qt::CopyAction, &files, Qt::LeftButton, Qt::NoModifier);
    enter.ignore();
    QApplication::sendEvent(f.editor.viewport(), &enter);
    QVERIFY(!enter.isAccepted()); // the window opens it
    QVERIFY(f.editor.isEmpty());
}

QTEST_MAIN(TestPromptEditor)
#include "test_prompt_editor.moc"
