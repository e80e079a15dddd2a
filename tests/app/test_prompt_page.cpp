// SPDX-License-Identifier: GPL-3.0-or-later
// The prompt page: what runs, why it cannot, counting as one types.
#include "app/pages/samples_menu.h"
#include "app/pages/text_field.h"
#include "engine/core/error.h"
#include "tests/app/label_fit.h"
#include "tests/app/prompt_fixture.h"
#include "tests/support/temporary_folder.h"

#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <fstream>

using namespace fkv;
using namespace fkv::app;
using fkv::testing::PromptFixture;

class TestPromptPage : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_font = QApplication::font(); }
    void cleanup() { QApplication::setFont(m_font); } // a theme takes what it finds as the system's
    void anEmptyPageSaysWhatToDo();
    void aSampleRunsAsItIs();
    void anEditedSampleIsNoSampleAnyMore();
    void runsByButtonAndKeys();
    void countsAsOneTypes();
    void lateCountsAreDropped();
    void tooLongOrBlockedCannotRun();
    void aBadSampleChangesNothing();
    void chatNeedsATemplate();
    void aChatRunsAndIsSeenAsItIsRendered();
    void samplesMenu();
    void nothingIsCutOff_data();
    void nothingIsCutOff();
    void pictures();

private:
    QFont m_font;
};

void TestPromptPage::anEmptyPageSaysWhatToDo() {
    PromptFixture f;
    auto& run = f.button<QPushButton>(QStringLiteral("Run (Ctrl+Enter)"));
    QVERIFY(!run.isEnabled());
    QVERIFY(f.page->runFault().startsWith(QStringLiteral("There is no text")));
    QCOMPARE(run.toolTip(), f.page->runFault());
    QVERIFY(!f.page->editor().placeholderText().isEmpty());
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    f.page->run();
    QCOMPARE(requested.size(), 0);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("a"));
    QVERIFY(run.isEnabled());
    QTest::keyClick(&f.page->editor(), Qt::Key_Backspace);
    QVERIFY(!run.isEnabled());
}

void TestPromptPage::aSampleRunsAsItIs() {
    PromptFixture f;
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    for (const Sample& sample : PromptFixture::samples()) {
        f.page->showSample(sample);
        f.page->run();
        QCOMPARE(requested.takeFirst().at(0).value<PromptInput>(), promptOf(sample));
        QVERIFY(f.button<QLabel>(sample.title).isVisible());
        QCOMPARE(f.button<QLabel>(QStringLiteral("✖ FastKV loses the answer at its defaults."))
                     .isVisible(),
                 sample.knownFailure);
    }
}

void TestPromptPage::anEditedSampleIsNoSampleAnyMore() {
    PromptFixture f;
    const Sample sample = PromptFixture::samples().back();
    f.page->showSample(sample);
    QSignalSpy edited(f.page.get(), &PromptPage::promptEdited);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("Now: "));
    const PromptInput prompt = f.page->prompt();
    QVERIFY(prompt.sampleId.isEmpty());
    QCOMPARE(prompt.expected, sample.answer);
    QCOMPARE(PromptFixture::covered(prompt, QStringLiteral("fact")), sample.fact.toUtf8());
    QCOMPARE(prompt.spans[0].byteBegin, sample.factBegin + 5);
    QCOMPARE(edited.size(), 5);
    QVERIFY(f.button<QLabel>(QStringLiteral("Edited: %1").arg(sample.title)).isVisible());
    QVERIFY(!f.button<QLabel>(QStringLiteral("✖ FastKV loses the answer at its defaults."))
                 .isVisible());
    f.page->showSample(sample);
    QCOMPARE(f.page->prompt().sampleId, sample.id);
}

void TestPromptPage::runsByButtonAndKeys() {
    PromptFixture f;
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("Who?"));
    QTest::keyClick(&f.page->editor(), Qt::Key_Return, Qt::ControlModifier);
    auto& expected = f.part<TextField>(QStringLiteral("Expected answer"));
    QTest::mouseClick(&expected, Qt::LeftButton);
    QTest::keyClicks(&expected, QStringLiteral("  Ada "));
    QTest::keyClick(&expected, Qt::Key_Return);
    QTest::mouseClick(&f.button<QPushButton>(QStringLiteral("Run (Ctrl+Enter)")), Qt::LeftButton);
    QCOMPARE(requested.size(), 3);
    const auto prompt = requested.back().at(0).value<PromptInput>();
    QCOMPARE(prompt.text, QStringLiteral("Who?"));
    QCOMPARE(prompt.expected, QStringLiteral("Ada"));
    // Esc of a field is the window's.
    QKeyEvent escape(QEvent::KeyPress, Qt::Key_Escape, Qt::NoModifier);
    QApplication::sendEvent(&expected, &escape);
    QVERIFY(!escape.isAccepted());
    QCOMPARE(expected.text(), QStringLiteral("  Ada "));
}

void TestPromptPage::countsAsOneTypes() {
    PromptFixture f;
    QSignalSpy asked(f.page.get(), &PromptPage::countRequested);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("one two three"));
    QTRY_COMPARE(asked.size(), 1); // once for a burst of keys
    QCOMPARE(asked[0].at(0).value<PromptInput>().text, QStringLiteral("one two three"));
    const auto id = asked[0].at(1).value<quint64>();
    f.page->setCount(id, 1447, 16384, {});
    QVERIFY(f.page->findChild<QWidget*>(QStringLiteral("tokenCount"))->accessibleName() ==
            QStringLiteral("1,447 tokens of 16,384"));
    f.page->recount();
    QCOMPARE(asked.size(), 2);
    QVERIFY(asked[1].at(1).value<quint64>() > id);
}

void TestPromptPage::lateCountsAreDropped() {
    PromptFixture f;
    QSignalSpy asked(f.page.get(), &PromptPage::countRequested);
    const auto* label = f.page->findChild<QWidget*>(QStringLiteral("tokenCount"));
    QTest::keyClicks(&f.page->editor(), QStringLiteral("a"));
    QTRY_COMPARE(asked.size(), 1);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("b"));
    f.page->setCount(asked[0].at(1).value<quint64>(), 99, 100, {}); // of the text before
    QCOMPARE(label->accessibleName(), QStringLiteral("counting tokens…"));
    QTRY_COMPARE(asked.size(), 2);
    f.page->setCount(asked[1].at(1).value<quint64>(), 3, 100, {});
    f.page->setCount(asked[0].at(1).value<quint64>(), 99, 100, {});
    QCOMPARE(label->accessibleName(), QStringLiteral("3 tokens of 100"));
}

void TestPromptPage::tooLongOrBlockedCannotRun() {
    PromptFixture f;
    QSignalSpy asked(f.page.get(), &PromptPage::countRequested);
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    QTest::keyClicks(&f.page->editor(), QStringLiteral("long"));
    QTRY_COMPARE(asked.size(), 1);
    const auto id = asked[0].at(1).value<quint64>();
    f.page->setCount(id, 8200, 8192, {});
    QCOMPARE(f.page->runFault(), QStringLiteral("8,200 tokens, 8 more than the model takes."));
    f.page->run();
    f.page->setCount(id, 8192, 8192, {});
    QVERIFY(f.page->runFault().isEmpty());
    f.page->setCount(id, 0, 8192, QStringLiteral("not UTF-8"));
    QCOMPARE(f.page->runFault(), QStringLiteral("not UTF-8"));
    f.page->run();
    f.page->setCount(id, 5, 8192, {});
    f.page->setBlocked(QStringLiteral("No model is open."));
    QCOMPARE(f.page->runFault(), QStringLiteral("No model is open."));
    f.page->run();
    QCOMPARE(requested.size(), 0);
    f.page->setBlocked({});
    f.page->run();
    QCOMPARE(requested.size(), 1);
}

void TestPromptPage::aBadSampleChangesNothing() {
    PromptFixture f;
    QTest::keyClicks(&f.page->editor(), QStringLiteral("mine"));
    Sample sample = PromptFixture::samples().front();
    sample.path += QStringLiteral(".gone");
    QVERIFY_EXCEPTION_THROWN(f.page->showSample(sample), fkv::Error);
    QCOMPARE(f.page->prompt().text, QStringLiteral("mine"));
    QVERIFY(f.button<QLabel>(QStringLiteral("Your text")).isVisible());
}

namespace {

/// A template of ours, read as a model's is.
text::ChatSupport chatOf(const char* source) {
    const testing::TemporaryFolder folder;
    std::ofstream(folder / "chat_template.jinja") << source;
    return text::findChatTemplate(folder.path(),
                                  *text::openTokenizer(FKV_RESOURCES "/models/demo"));
}

constexpr const char* kTurns = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content "
                               "| trim }}\n{% endfor %}[assistant]";

} // namespace

void TestPromptPage::chatNeedsATemplate() {
    PromptFixture f;
    auto& chat = f.button<QToolButton>(QStringLiteral("Chat"));
    QVERIFY(!chat.isEnabled());
    QCOMPARE(chat.toolTip(), QStringLiteral("no model is open"));
    f.page->setChatSupport({nullptr, "no chat template"});
    QVERIFY(!chat.isEnabled());
    QCOMPARE(chat.toolTip(), QStringLiteral("no chat template"));
    QVERIFY(!f.page->prompt().chat);
    f.page->setChatSupport(chatOf(kTurns));
    QVERIFY(chat.isEnabled() && !chat.isChecked());
    QTest::mouseClick(&chat, Qt::LeftButton);
    QVERIFY(f.page->prompt().chat);
    // The next model without one takes raw prompts, and the choice is there again after it.
    f.page->setChatSupport({nullptr, "no chat template"});
    QVERIFY(!f.page->prompt().chat && !chat.isChecked());
    f.page->setChatSupport(chatOf(kTurns));
    QVERIFY(f.page->prompt().chat && chat.isChecked());
}

void TestPromptPage::aChatRunsAndIsSeenAsItIsRendered() {
    PromptFixture f;
    QSignalSpy requested(f.page.get(), &PromptPage::runRequested);
    QSignalSpy asked(f.page.get(), &PromptPage::countRequested);
    f.page->setChatSupport(chatOf(kTurns));
    f.page->setPrompt({.text = QStringLiteral(" Who? "), .spans = {{1, 4, QStringLiteral("w")}}});
    QTest::mouseClick(&f.button<QToolButton>(QStringLiteral("Chat")), Qt::LeftButton);
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("System message")),
                     QStringLiteral("Be brief."));
    QTRY_VERIFY(!asked.isEmpty());
    const PromptInput::Chat chat{QStringLiteral("Be brief."), {}};
    QCOMPARE(asked.last().at(0).value<PromptInput>().chat, chat);
    auto& see = f.button<QToolButton>(QStringLiteral("See prompt"));
    QVERIFY(f.page->editor().isVisible() && !f.page->rendered().isVisible());
    QTest::mouseClick(&see, Qt::LeftButton);
    QVERIFY(!f.page->editor().isVisible() && f.page->rendered().isVisible());
    QCOMPARE(f.page->rendered().text(),
             QStringLiteral("<s>[system]Be brief.\n[user]Who?\n[assistant]"));
    QCOMPARE(f.page->rendered().spans().front().byteBegin, 27); // still on "Who"
    QTest::keyClicks(&f.part<TextField>(QStringLiteral("System message")), QStringLiteral("!"));
    QTRY_VERIFY(f.page->rendered().text().contains(QStringLiteral("Be brief.!")));
    f.page->run();
    QCOMPARE(requested.size(), 1);
    const auto run = requested[0].at(0).value<PromptInput>();
    QCOMPARE(run.text, QStringLiteral(" Who? "));
    QCOMPARE(run.chat->system, QStringLiteral("Be brief.!"));
    testing::savePicture(*f.page, QStringLiteral("prompt-chat-rendered"));
    QTest::mouseClick(&f.button<QToolButton>(QStringLiteral("Raw")), Qt::LeftButton);
    QVERIFY(f.page->editor().isVisible() && !f.page->rendered().isVisible());
    QVERIFY(!f.page->prompt().chat);
}

void TestPromptPage::samplesMenu() {
    const SampleList list = loadSamples(PromptFixture::folder());
    QMenu menu;
    QStringList chosen;
    fillSamplesMenu(menu, list, [&](const Sample& sample) { chosen << sample.id; });
    QStringList sections, entries;
    for (QAction* action : menu.actions()) {
        if (action->isSeparator()) {
            sections << action->text();
            continue;
        }
        entries << action->text();
        QVERIFY(action->toolTip().contains(QStringLiteral("tokens.")));
        action->trigger();
    }
    QCOMPARE(sections.size(), 2);
    QCOMPARE(entries.size(), static_cast<qsizetype>(list.samples.size()));
    QCOMPARE(chosen.size(), entries.size());
    QCOMPARE(entries.front(), QStringLiteral("A password, 1.4K tokens\t✔ expects gentle needle"));
    QCOMPARE(chosen.back(), QStringLiteral("known-failure"));
    QVERIFY(entries.back().endsWith(QStringLiteral("\t✖ expects 3365511")));
    // What could not be read is named and cannot be chosen.
    fillSamplesMenu(menu, {{}, {QStringLiteral("samples.json, entry 1: no id")}}, {});
    QCOMPARE(menu.actions().at(1)->text(), QStringLiteral("samples.json, entry 1: no id"));
    for (QAction* action : menu.actions())
        QVERIFY(action->isSeparator() || !action->isEnabled());
}

void TestPromptPage::nothingIsCutOff_data() {
    testing::addTypeRows();
}

void TestPromptPage::nothingIsCutOff() {
    QFETCH(bool, presenter);
    QFETCH(bool, longer);
    testing::LongTranslator translator;
    if (longer) QCoreApplication::installTranslator(&translator);
    QStringList faults;
    {
        PromptFixture f;
        f.theme.setPresenter(presenter);
        f.page->resize(f.theme.scaled(280), f.theme.scaled(700));
        const auto look = [&](const QString& when) {
            for (const QString& fault : testing::cutOffAtRest(*f.page, longer))
                faults << when + QStringLiteral(": ") + fault;
        };
        look(QStringLiteral("empty"));
        f.page->showSample(PromptFixture::samples().back());
        look(QStringLiteral("sample"));
        f.page->openHideForm(true);
        look(QStringLiteral("form"));
        if (!longer) QVERIFY(f.page->minimumSizeHint().width() <= f.theme.scaled(280));
    }
    if (longer) QCoreApplication::removeTranslator(&translator);
    QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
}

void TestPromptPage::pictures() {
    PromptFixture f;
    connect(f.page.get(), &PromptPage::countRequested, f.page.get(),
            [&](const PromptInput&, quint64 id) { f.page->setCount(id, 1547, 8192, {}); });
    const auto* count = f.page->findChild<QWidget*>(QStringLiteral("tokenCount"));
    const auto said = [count](const QString& words) {
        return count->accessibleName().startsWith(words);
    };
    for (const bool presenter : {false, true}) {
        for (const bool dark : {false, true}) {
            f.theme.setChoice(dark ? viz::Theme::Choice::Dark : viz::Theme::Choice::Light);
            f.theme.setPresenter(presenter);
            const QString suffix = QStringLiteral("-%1-%2").arg(
                dark ? QStringLiteral("dark") : QStringLiteral("light"),
                presenter ? QStringLiteral("presenter") : QStringLiteral("normal"));
            f.page->resize(f.theme.scaled(280), 640);
            f.page->openHideForm(false);
            f.page->setPrompt({});
            QTRY_VERIFY(said(QStringLiteral("There is no text")));
            testing::savePicture(*f.page, QStringLiteral("prompt-empty") + suffix);
            f.page->showSample(PromptFixture::samples().back());
            QTRY_VERIFY(said(QStringLiteral("1,547 tokens")));
            testing::savePicture(*f.page, QStringLiteral("prompt-failure") + suffix);
            f.page->openHideForm(true);
            QTRY_VERIFY(!f.page->hideForm().visibleRegion().isEmpty());
            testing::savePicture(*f.page, QStringLiteral("prompt-hide") + suffix);
            f.page->openHideForm(false);
            f.page->setChatSupport(chatOf(kTurns));
            f.page->setChat(PromptInput::Chat{QStringLiteral("Be brief."), {}});
            f.page->recount();
            QTRY_VERIFY(said(QStringLiteral("1,547 tokens")));
            testing::savePicture(*f.page, QStringLiteral("prompt-chat") + suffix);
            f.page->setChat({});
            f.page->setChatSupport({nullptr, "no chat template"});
        }
    }
}

QTEST_MAIN(TestPromptPage)
#include "test_prompt_page.moc"
