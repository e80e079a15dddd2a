// SPDX-License-Identifier: GPL-3.0-or-later
// What the status bar says of every state, and the two dialogs.
#include "app/dialogs/about_dialog.h"
#include "app/dialogs/shortcut_table.h"
#include "app/dialogs/shortcuts_dialog.h"
#include "app/pages/status_parts.h"
#include "app/window/toolbar.h"
#include "app/window/workspace.h"
#include "tests/app/label_fit.h"
#include "tests/support/view_fixture.h"

#include <QHBoxLayout>
#include <QKeySequence>
#include <QMainWindow>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <set>

using namespace fkv;
using namespace fkv::app;
using Kind = StateWords::Kind;
using Phase = viz::Shown::Phase;

class TestStatusParts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { m_font = QApplication::font(); }
    void cleanup() { QApplication::setFont(m_font); } // a theme takes what it finds as the system's
    void theChipSaysHowSureValuesAre();
    void aRecordedRunSaysSo();
    void memoryIsNeededAndHeld();
    void progressAppearsAfterAGlance();
    void everyKeyOfTheToolbarIsListed();
    void dialogsFit_data();
    void dialogsFit();
    void pictures();

private:
    QFont m_font;
};

void TestStatusParts::theChipSaysHowSureValuesAre() {
    testing::ViewFixture f;
    StateChip chip(f.context());
    QCOMPARE(chip.words().kind, Kind::Nothing);
    QCOMPARE(chip.sizeHint().width(), 0);
    f.shown.setPhase(Phase::Loading, QStringLiteral("Loading weights"), 0.25);
    QCOMPARE(chip.words().text, QStringLiteral("Loading weights 25 %"));
    f.shown.setPhase(Phase::Running, QStringLiteral("Prefill, layer 7 of 16"), 0.4);
    QCOMPARE(chip.words(), (StateWords{Kind::Working, QStringLiteral("Prefill 40 %"),
                                       QStringLiteral("Prefill, layer 7 of 16")}));
    f.shown.setPhase(Phase::Cancelled, {}, 0.0);
    QCOMPARE(chip.words().kind, Kind::Cancelled);
    f.show(testing::makeRun({.tokens = 600}));
    QCOMPARE(chip.words().kind, Kind::Exact);
    QCOMPARE(chip.accessibleName(), QStringLiteral("Exact"));
    const trace::RunPtr whole = f.shown.run();
    auto part = std::make_shared<trace::Run>(*whole);
    auto answer = std::make_shared<trace::Answer>(*part->fastkvAnswer);
    answer->end = trace::AnswerEnd::Stopped;
    part->fastkvAnswer = answer;
    f.shown.setRun(part, f.shown.fate());
    QCOMPARE(chip.words().kind, Kind::Cancelled);
    QCOMPARE(chip.words().text, QStringLiteral("Answer stopped"));
    f.shown.setRun(whole, f.shown.fate());
    // A KV budget stays exact; another TSP rate makes late layers a preview.
    trace::Settings settings = f.settings.settings();
    settings.kv = trace::Amount::ofRate(0.05);
    f.move(settings);
    QCOMPARE(chip.words().kind, Kind::Exact);
    settings.tsp = trace::Amount::ofRate(0.3);
    f.move(settings);
    QCOMPARE(chip.words().kind, Kind::Preview);
    QCOMPARE(chip.words().text, QStringLiteral("Preview: layers 8–15 from full-pass scores"));
    settings.tspLayer = 14;
    f.move(settings);
    QCOMPARE(chip.words().text, QStringLiteral("Preview: layer 15 from full-pass scores"));
    f.shown.setPhase(Phase::Running, QStringLiteral("Rerun"), 0.4);
    QCOMPARE(chip.words().text, QStringLiteral("Rerun 40 %"));
    f.shown.setPhase(Phase::Failed, QStringLiteral("out of memory"), 0.0);
    QCOMPARE(chip.words(),
             (StateWords{Kind::Failed, QStringLiteral("Failed"), QStringLiteral("out of memory")}));
    QCOMPARE(chip.toolTip(), QStringLiteral("out of memory"));
    // Cancelled with a picture behind it: what is shown is what counts.
    f.shown.setPhase(Phase::Cancelled, {}, 0.0);
    QCOMPARE(chip.words().kind, Kind::Preview);
}

void TestStatusParts::aRecordedRunSaysSo() {
    testing::ViewFixture f;
    auto run = std::make_shared<trace::Run>(*testing::makeRun({.tokens = 600}));
    run->recorded = true;
    f.show(run);
    StateChip chip(f.context());
    QCOMPARE(chip.words().kind, Kind::Recorded);
    QCOMPARE(chip.words().text, QStringLiteral("Recorded"));
    trace::Settings settings = f.settings.settings();
    settings.tsp = trace::Amount::ofRate(0.3);
    f.move(settings);
    QCOMPARE(chip.words().text, QStringLiteral("Recorded · preview: layers 8–15"));
    QVERIFY(!memoryWords(f.shown).text.contains(QStringLiteral("held")));
}

void TestStatusParts::memoryIsNeededAndHeld() {
    testing::ViewFixture f;
    MemoryLabel label(f.context());
    QVERIFY(label.text().isEmpty());
    auto run = std::make_shared<trace::Run>(*testing::makeRun({.tokens = 1447}));
    run->counters.heldBytes = 512LL << 20;
    f.show(run);
    QCOMPARE(label.text(), QStringLiteral("KV 4.50 MiB of 45.2 MiB · 512 MiB held"));
    trace::Settings settings = f.settings.settings();
    settings.kv = trace::Amount::ofRate(0.2);
    f.move(settings);
    QVERIFY(label.text().startsWith(QStringLiteral("KV 9.03 MiB of 45.2 MiB")));
    run = std::make_shared<trace::Run>(*run);
    run->counters.givenUp = "every second checkpoint";
    f.show(run);
    QVERIFY(label.text().endsWith(QStringLiteral("▼ reduced")));
    QVERIFY(label.toolTip().contains(QStringLiteral("Given up to fit: every second checkpoint.")));
    QCOMPARE(label.accessibleDescription(), label.toolTip());
}

void TestStatusParts::progressAppearsAfterAGlance() {
    testing::ViewFixture f;
    QWidget host;
    auto* row = new QHBoxLayout(&host);
    auto* progress = new RunProgress(f.context());
    row->addWidget(progress);
    host.show();
    QVERIFY(!progress->isVisible());
    f.shown.setPhase(Phase::Running, QStringLiteral("Rerun"), 0.1);
    QVERIFY(!progress->isVisible());
    f.shown.setPhase(Phase::Done, {}, 1.0);
    QTest::qWait(RunProgress::kShowAfterMs + 50);
    QVERIFY(!progress->isVisible()); // it was over before one could read it
    f.shown.setPhase(Phase::Running, QStringLiteral("Prefill, layer 7 of 16"), 0.437);
    QTRY_VERIFY(progress->isVisible());
    QCOMPARE(progress->findChild<QProgressBar*>()->value(), 437);
    QSignalSpy cancelled(progress, &RunProgress::cancelRequested);
    QTest::mouseClick(progress->findChild<QPushButton*>(), Qt::LeftButton);
    QCOMPARE(cancelled.size(), 1);
    f.shown.setPhase(Phase::Cancelled, {}, 0.0);
    QVERIFY(!progress->isVisible());
}

void TestStatusParts::everyKeyOfTheToolbarIsListed() {
    std::set<QString> listed;
    for (const ShortcutGroup& group : shortcutTable()) {
        QVERIFY(!group.title.isEmpty() && !group.shortcuts.empty());
        for (const Shortcut& shortcut : group.shortcuts) {
            QVERIFY(!shortcut.what.isEmpty());
            for (const QString& key : shortcut.keys)
                listed.insert(key);
        }
    }
    Workspace workspace;
    QMainWindow window;
    Toolbar toolbar(workspace, &window);
    int keys = 0;
    for (QAction* action : toolbar.findChildren<QAction*>() + window.findChildren<QAction*>())
        for (const QKeySequence& key : action->shortcuts()) {
            const QString name = key.toString(QKeySequence::PortableText);
            QVERIFY2(listed.count(name) == 1,
                     qPrintable(name + QStringLiteral(": ") + action->text()));
            ++keys;
        }
    QVERIFY(keys > 10);
}

void TestStatusParts::dialogsFit_data() {
    QTest::addColumn<bool>("presenter");
    QTest::addColumn<bool>("longer");
    QTest::newRow("normal") << false << false;
    QTest::newRow("presenter") << true << false;
    QTest::newRow("normal, 40 % longer") << false << true;
}

void TestStatusParts::dialogsFit() {
    QFETCH(bool, presenter);
    QFETCH(bool, longer);
    testing::LongTranslator translator;
    if (longer) QCoreApplication::installTranslator(&translator);
    viz::Theme theme;
    theme.setPresenter(presenter);
    theme.apply();
    QStringList faults;
    {
        ShortcutsDialog keys(theme);
        AboutDialog about(theme, QStringLiteral("CPU, 2 threads"));
        for (QDialog* dialog : {static_cast<QDialog*>(&keys), static_cast<QDialog*>(&about)}) {
            dialog->show();
            faults << testing::cutOffAtRest(*dialog, longer);
            QTest::keyClick(dialog, Qt::Key_Escape);
            QVERIFY(!dialog->isVisible());
        }
        QVERIFY(about.versions().contains(QStringLiteral("CPU, 2 threads")));
    }
    if (longer) QCoreApplication::removeTranslator(&translator);
    QVERIFY2(faults.isEmpty(), qPrintable(faults.join(QLatin1Char('\n'))));
}

void TestStatusParts::pictures() {
    testing::ViewFixture f;
    for (const bool dark : {false, true}) {
        f.theme.setChoice(dark ? viz::Theme::Choice::Dark : viz::Theme::Choice::Light);
        f.theme.apply();
        const QString suffix = dark ? QStringLiteral("-dark") : QStringLiteral("-light");
        QWidget bar;
        auto* rows = new QVBoxLayout(&bar);
        std::vector<std::unique_ptr<testing::ViewFixture>> states;
        const auto add = [&](const std::function<void(testing::ViewFixture&)>& set) {
            states.push_back(std::make_unique<testing::ViewFixture>());
            auto& state = *states.back();
            state.theme.setChoice(f.theme.choice());
            auto* row = new QHBoxLayout;
            row->addWidget(new MemoryLabel(state.context()), 1);
            row->addWidget(new StateChip(state.context()));
            row->addWidget(new RunProgress(state.context()));
            rows->addLayout(row);
            set(state);
        };
        const trace::RunPtr run = testing::makeRun({.tokens = 1447});
        const auto preview = [&](testing::ViewFixture& s) {
            trace::Settings settings = s.settings.settings();
            settings.tsp = trace::Amount::ofRate(0.3);
            s.move(settings);
        };
        add([&](auto& s) {
            s.shown.setPhase(Phase::Loading, QStringLiteral("Loading weights"), 0.3);
        });
        add([&](auto& s) { s.show(run); });
        add([&](auto& s) { s.show(run), preview(s); });
        add([&](auto& s) {
            s.show(run);
            s.shown.setPhase(Phase::Running, QStringLiteral("Rerun, layer 12 of 16"), 0.62);
        });
        add([&](auto& s) {
            auto recorded = std::make_shared<trace::Run>(*run);
            recorded->recorded = true;
            s.show(recorded), preview(s);
        });
        add([&](auto& s) {
            auto reduced = std::make_shared<trace::Run>(*run);
            reduced->counters.givenUp = "late KV";
            s.show(reduced);
            s.shown.setPhase(Phase::Failed, QStringLiteral("out of memory"), 0.0);
        });
        bar.resize(1100, 220);
        bar.show();
        const auto progress = bar.findChildren<RunProgress*>();
        QTRY_VERIFY(std::count_if(progress.begin(), progress.end(), [](const RunProgress* p) {
                        return p->isVisible();
                    }) == 2); // loading and running
        testing::savePicture(bar, QStringLiteral("status") + suffix);
        ShortcutsDialog keys(f.theme);
        keys.show();
        testing::savePicture(keys, QStringLiteral("keys") + suffix);
        AboutDialog about(f.theme, QStringLiteral("CPU, 2 threads, AVX-512"));
        about.show();
        testing::savePicture(about, QStringLiteral("about") + suffix);
    }
}

QTEST_MAIN(TestStatusParts)
#include "test_status_parts.moc"
