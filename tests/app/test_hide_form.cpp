// SPDX-License-Identifier: GPL-3.0-or-later
// "Hide a fact" by mouse and keys: what is hidden, where, and moving it afterwards.
#include "app/pages/depth_slider.h"
#include "app/pages/text_field.h"
#include "tests/app/prompt_fixture.h"

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>

using namespace fkv;
using namespace fkv::app;

namespace {

const QString kFact = QStringLiteral("fact");

class FormFixture : public fkv::testing::PromptFixture {
public:
    FormFixture() {
        QTest::mouseClick(&button<QToolButton>(QStringLiteral("Hide a fact")), Qt::LeftButton);
        if (!QTest::qWaitFor([this] { return !form().visibleRegion().isEmpty(); }))
            qFatal("the form does not open");
    }
    HideForm& form() { return page->hideForm(); }
    DepthSlider& slider() { return part<DepthSlider>(QStringLiteral("Depth of the fact")); }
    QPushButton& hideButton() { return button<QPushButton>(QStringLiteral("Hide and run")); }
    /// Chooses an entry as the keyboard does.
    void choose(const QString& box, const QString& entry) {
        auto& combo = part<QComboBox>(box);
        combo.setFocus();
        QTest::keyClick(&combo, Qt::Key_Home);
        for (int i = 0; i < combo.count() && combo.currentText() != entry; ++i)
            QTest::keyClick(&combo, Qt::Key_Down);
        if (combo.currentText() != entry) qFatal("no such entry: %s", qPrintable(entry));
    }
    void dragTo(double depth) {
        const auto at = [this](double d) {
            return QPoint(qRound(slider().xAt(d)), qRound(slider().trackMiddle()));
        };
        QTest::mousePress(&slider(), Qt::LeftButton, {}, at(slider().depth()));
        QTest::mouseMove(&slider(), at((slider().depth() + depth) / 2));
        QTest::mouseMove(&slider(), at(depth));
        QTest::mouseRelease(&slider(), Qt::LeftButton, {}, at(depth));
    }
};

} // namespace

class TestHideForm : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void movesTheFactOfASample();
    void escapeLeavesItWhereItWas();
    void hidesATemplateInABook();
    void fillersCanBeTyped();
    void hidesAnOwnSentence();
    void distractorsDoNotPileUp();
    void anotherFactWaitsForTheButton();
    void typingMakesItAnotherText();
    void aDragRightAfterTypingCounts();
    void previewSaysWhereItGoes();
    void withoutATextOrFacts();
};

void TestHideForm::movesTheFactOfASample() {
    FormFixture f;
    const Sample sample = FormFixture::samples().front();
    f.page->showSample(sample);
    QCOMPARE(f.part<QComboBox>(QStringLiteral("Kind of fact")).currentText(),
             QStringLiteral("The fact in this text"));
    QCOMPARE(f.form().fact(), (Fact{sample.fact, sample.question, sample.answer}));
    const QByteArray base = baseOf(promptOf(sample));
    QCOMPARE(f.form().place().at, sample.factBegin);
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    f.dragTo(0.2);
    QCOMPARE(requested.size(), 1); // on release, not on the way
    const auto moved = requested[0].at(0).value<PromptInput>();
    QCOMPARE(moved, f.page->prompt());
    QCOMPARE(fkv::testing::PromptFixture::covered(moved, kFact), sample.fact.toUtf8());
    QCOMPARE(moved.expected, sample.answer);
    QVERIFY(moved.sampleId.isEmpty());
    QVERIFY(std::abs(double(moved.spans[0].byteBegin) / double(base.size()) - 0.2) < 0.1);
    QCOMPARE(baseOf(moved), base);
    QVERIFY(f.page->editor().text() == moved.text);
    // And again, from where it is now; by key too.
    f.dragTo(0.9);
    QCOMPARE(baseOf(f.page->prompt()), base);
    f.slider().setFocus();
    QTest::keyClick(&f.slider(), Qt::Key_Home);
    QCOMPARE(requested.size(), 3);
    QCOMPARE(f.page->prompt().spans[0].byteBegin, sentenceStarts(base).front());
    // Back to its own place it is the sample's text again, byte for byte.
    f.slider().setReading(100.0 * double(sample.factBegin) / double(base.size()));
    QCOMPARE(f.page->prompt().text, promptOf(sample).text);
}

void TestHideForm::escapeLeavesItWhereItWas() {
    FormFixture f;
    f.page->showSample(FormFixture::samples().front());
    const PromptInput before = f.page->prompt();
    const double depth = f.slider().depth();
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    QTest::mousePress(&f.slider(), Qt::LeftButton, {},
                      QPoint(qRound(f.slider().xAt(depth)), qRound(f.slider().trackMiddle())));
    QTest::mouseMove(&f.slider(), QPoint(20, qRound(f.slider().trackMiddle())));
    QVERIFY(f.slider().depth() != depth);
    QTest::keyClick(&f.slider(), Qt::Key_Escape);
    QTest::mouseRelease(&f.slider(), Qt::LeftButton);
    QCOMPARE(f.slider().depth(), depth);
    QCOMPARE(f.page->prompt(), before);
    QCOMPARE(requested.size(), 0);
}

void TestHideForm::hidesATemplateInABook() {
    FormFixture f;
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    f.choose(QStringLiteral("Text to hide it in"), QStringLiteral("Loomings"));
    f.choose(QStringLiteral("Kind of fact"), QStringLiteral("Magic number"));
    QTest::mouseClick(&f.button<QToolButton>(QStringLiteral("3K")), Qt::LeftButton);
    const Fact fact = f.form().fact();
    QVERIFY(fact.statement.startsWith(QStringLiteral("One of the special magic numbers for ")));
    QVERIFY(!fact.statement.contains(QLatin1Char('{')));
    QVERIFY(f.hideButton().isEnabled());
    f.dragTo(0.75);
    QCOMPARE(requested.size(), 0); // nothing is hidden yet
    QTest::mouseClick(&f.hideButton(), Qt::LeftButton);
    QCOMPARE(requested.size(), 1);
    const auto prompt = requested[0].at(0).value<PromptInput>();
    QCOMPARE(FormFixture::covered(prompt, kFact), fact.statement.toUtf8());
    QCOMPARE(FormFixture::covered(prompt, QStringLiteral("question")), fact.question.toUtf8());
    QCOMPARE(prompt.expected, fact.answer);
    QVERIFY(prompt.text.startsWith(QStringLiteral("CHAPTER 1. Loomings.\nCall me Ishmael.")));
    QVERIFY(prompt.text.endsWith(questionTail(fact.question)));
    QVERIFY(prompt.text.size() > 9000 && prompt.text.size() < 12000);
    // Now it is there, and follows the slider.
    f.dragTo(0.25);
    QCOMPARE(requested.size(), 2);
    QCOMPARE(f.form().fact(), fact);
    QCOMPARE(baseOf(f.page->prompt()), baseOf(prompt));
    QCOMPARE(f.page->prompt().expected, fact.answer);
}

void TestHideForm::fillersCanBeTyped() {
    FormFixture f;
    f.choose(QStringLiteral("Text to hide it in"), QStringLiteral("Loomings"));
    f.choose(QStringLiteral("Kind of fact"), QStringLiteral("Where someone lives"));
    auto& name = f.part<QComboBox>(QStringLiteral("name"));
    QTest::mouseClick(name.lineEdit(), Qt::LeftButton);
    QTest::keyClick(name.lineEdit(), Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(name.lineEdit(), QStringLiteral("Ada Lovelace"));
    QVERIFY(f.form().fact().statement.startsWith(QStringLiteral("Ada Lovelace lives in ")));
    QCOMPARE(f.form().fact().question, QStringLiteral("Where does Ada Lovelace live?"));
    QTest::keyClick(name.lineEdit(), Qt::Key_A, Qt::ControlModifier);
    QTest::keyClick(name.lineEdit(), Qt::Key_Delete);
    QVERIFY(!f.hideButton().isEnabled());
    QCOMPARE(f.hideButton().toolTip(), f.form().fault());
    // Another one of the kind fills all again, sooner or later with another fact.
    const Fact before = f.form().fact();
    for (int i = 0; i < 20 && f.form().fact() == before; ++i)
        QTest::mouseClick(&f.button<QToolButton>(QStringLiteral("⟳")), Qt::LeftButton);
    QVERIFY(f.form().fact() != before);
    QVERIFY(f.hideButton().isEnabled());
}

void TestHideForm::hidesAnOwnSentence() {
    FormFixture f;
    QTest::keyClicks(&f.page->editor(),
                     QStringLiteral("One sun. Two moons. Three stars. Four seas."));
    QTRY_COMPARE(f.form().place().count, std::size_t{3}); // read once the typing rests
    f.choose(QStringLiteral("Kind of fact"), QStringLiteral("Own sentence…"));
    QVERIFY(!f.hideButton().isEnabled());
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("A sentence to hide")),
                     QStringLiteral("Ada's cat is Öl."));
    QVERIFY(!f.hideButton().isEnabled());
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("The question about it")),
                     QStringLiteral("Who is Ada's cat?"));
    QVERIFY(f.hideButton().isEnabled());
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("The expected answer")),
                     QStringLiteral("Öl"));
    f.slider().setReading(50.0);
    QTest::mouseClick(&f.hideButton(), Qt::LeftButton);
    QCOMPARE(f.page->prompt().text,
             QStringLiteral("One sun. Two moons. Ada's cat is Öl. Three stars. Four seas.\n"
                            "Question: Who is Ada's cat?\nAnswer:"));
    QCOMPARE(f.page->prompt().expected, QStringLiteral("Öl"));
    QCOMPARE(FormFixture::covered(f.page->prompt(), kFact), QByteArray("Ada's cat is Öl."));
    f.slider().setReading(0.0);
    QVERIFY(
        f.page->prompt().text.startsWith(QStringLiteral("One sun. Ada's cat is Öl. Two moons.")));
}

void TestHideForm::distractorsDoNotPileUp() {
    FormFixture f;
    f.page->showSample(FormFixture::samples().front());
    f.choose(QStringLiteral("Kind of fact"), QStringLiteral("Pass key"));
    auto& spin = f.part<QSpinBox>(QStringLiteral("Similar facts that answer something else"));
    spin.setFocus();
    for (int i = 0; i < 3; ++i)
        QTest::keyClick(&spin, Qt::Key_Up);
    QTest::mouseClick(&f.hideButton(), Qt::LeftButton);
    const qsizetype size = f.page->prompt().text.size();
    QVERIFY(size > baseOf(promptOf(FormFixture::samples().front())).size());
    for (const double depth : {0.1, 0.9, 0.3}) {
        f.slider().setReading(depth * 100.0);
        QCOMPARE(f.page->prompt().text.size(), size);
    }
    QCOMPARE(f.page->prompt().text.count(f.form().fact().statement), 1);
}

void TestHideForm::anotherFactWaitsForTheButton() {
    FormFixture f;
    f.page->showSample(FormFixture::samples().front());
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    f.choose(QStringLiteral("Kind of fact"), QStringLiteral("Secret code"));
    f.dragTo(0.3);
    QCOMPARE(requested.size(), 0);
    QTest::mouseClick(&f.hideButton(), Qt::LeftButton);
    QCOMPARE(requested.size(), 1);
    QTest::mouseClick(&f.button<QToolButton>(QStringLiteral("⟳")), Qt::LeftButton);
    f.dragTo(0.6);
    QCOMPARE(requested.size(), 1);
    // The sample's own fact is gone: one fact at a time.
    QVERIFY(!f.page->prompt().text.contains(FormFixture::samples().front().fact));
    // The wheel passes boxes by.
    auto& box = f.part<QComboBox>(QStringLiteral("Kind of fact"));
    f.page->editor().setFocus();
    const QString kind = box.currentText();
    QWheelEvent wheel({5, 5}, box.mapToGlobal(QPointF(5, 5)), {}, {0, -120}, Qt::NoButton,
                      Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&box, &wheel);
    QCOMPARE(box.currentText(), kind);
}

void TestHideForm::typingMakesItAnotherText() {
    FormFixture f;
    const Sample sample = FormFixture::samples().front();
    f.page->showSample(sample);
    f.dragTo(0.3);
    // Typing in front: the fact is still known, and its place is read again.
    f.page->editor().setFocus();
    f.page->editor().moveCursor(QTextCursor::Start);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("Intro. "));
    QCOMPARE(f.form().fact().statement, sample.fact);
    QTRY_COMPARE(f.form().place().at, f.page->prompt().spans[0].byteBegin);
    f.dragTo(0.8);
    QVERIFY(f.page->prompt().text.startsWith(QStringLiteral("Intro. ")));
    QCOMPARE(f.page->prompt().text.count(sample.fact), 1);
    // Editing the fact itself: it is not that fact any more.
    QTextCursor cursor = f.page->editor().textCursor();
    cursor.setPosition(static_cast<int>(f.page->editor().tracked()[0].begin) + 3);
    f.page->editor().setTextCursor(cursor);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("x"));
    QTRY_VERIFY(f.part<QComboBox>(QStringLiteral("Kind of fact")).currentText() !=
                QStringLiteral("The fact in this text"));
}

void TestHideForm::aDragRightAfterTypingCounts() {
    FormFixture f;
    const Sample sample = FormFixture::samples().front();
    f.page->showSample(sample);
    f.page->editor().setFocus();
    QTest::keyClicks(&f.page->editor(), QStringLiteral("Intro. "));
    f.dragTo(0.8); // before the form has read the text again
    QVERIFY(f.page->prompt().text.startsWith(QStringLiteral("Intro. ")));
    QCOMPARE(f.page->prompt().text.count(sample.fact), 1);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("More. "));
    QTest::mouseClick(&f.hideButton(), Qt::LeftButton);
    QVERIFY(f.page->prompt().text.contains(QStringLiteral("More. ")));
    QCOMPARE(f.page->prompt().text.count(sample.fact), 1);
}

void TestHideForm::previewSaysWhereItGoes() {
    FormFixture f;
    f.page->setPrompt({.text = QStringLiteral("A <b> & cd. Second one. Third.")});
    f.choose(QStringLiteral("Kind of fact"), QStringLiteral("Own sentence…"));
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("A sentence to hide")),
                     QStringLiteral("X < Y."));
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("The question about it")),
                     QStringLiteral("?"));
    f.slider().setReading(1.0);
    const QString shown = f.part<QLabel>(QStringLiteral("Where it goes")).text();
    QVERIFY(shown.contains(QStringLiteral("A &lt;b&gt; &amp; cd. ")));
    QVERIFY(shown.contains(QStringLiteral("X &lt; Y.")));
    QVERIFY(shown.contains(QStringLiteral("Second one. Third.")));
    QCOMPARE(f.form().place().at, qsizetype{12});
}

void TestHideForm::withoutATextOrFacts() {
    FormFixture f;
    QVERIFY(f.form().fault().startsWith(QStringLiteral("There is no text yet")));
    QVERIFY(!f.hideButton().isEnabled());
    f.form().hideNow();
    QVERIFY(f.page->prompt().text.isEmpty());
    f.page->setLibrary({});
    QCOMPARE(f.part<QComboBox>(QStringLiteral("Kind of fact")).currentText(),
             QStringLiteral("Own sentence…"));
    FactLibrary broken = loadFactLibrary(FormFixture::folder());
    broken.haystacks[0].path = QStringLiteral("/nowhere/book.txt");
    f.page->setLibrary(broken);
    f.choose(QStringLiteral("Text to hide it in"), QStringLiteral("The Red-Headed League"));
    QVERIFY(f.form().fault().contains(QStringLiteral("/nowhere/book.txt")));
    QVERIFY(!f.hideButton().isEnabled());
}

QTEST_MAIN(TestHideForm)
#include "test_hide_form.moc"
