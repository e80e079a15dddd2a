// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fit.h"
#include "tests/support/label_check.h"
#include "tests/viz/stabilization_stage.h"

#include <QtTest>
#include <optional>

using namespace fkv;
using namespace fkv::viz;
using Stage = testing::StabilizationStage;
using testing::View;
using testing::visibleButton;

class TestStabilizationLooks : public QObject {
    Q_OBJECT
    QFont m_font = QApplication::font();

private Q_SLOTS:
    void cleanup() { QApplication::setFont(m_font); }

    void everyStateHasItsPicture() {
        testing::ViewFixture f;
        f.theme.apply();
        StabilizationPanel panel(f.context());
        panel.resize(500, 190);
        panel.show();
        testing::savePicture(panel, QStringLiteral("stab-state-empty"));
        f.shown.setPhase(Shown::Phase::Loading, QStringLiteral("Loading weights"), 0.4);
        testing::savePicture(panel, QStringLiteral("stab-state-loading"));
        testing::SyntheticSpec spec;
        spec.tables = false;
        f.show(testing::makeRun(spec));
        f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Prefill, layer 7 of 16"), 0.4);
        QCOMPARE(panel.chart(StabilizationPanel::Curves)->emptyText(),
                 QStringLiteral("Comparing layers…"));
        testing::savePicture(panel, QStringLiteral("stab-state-comparing"));
        f.show(testing::makeRun({}));
        QVERIFY(panel.chart(StabilizationPanel::Curves)->emptyText().isEmpty());
        f.shown.setPhase(Shown::Phase::Failed, QStringLiteral("Out of memory"), 0.0);
        testing::savePicture(panel, QStringLiteral("stab-state-failed"));
        auto recorded = std::make_shared<trace::Run>(*f.shown.run());
        recorded->recorded = true;
        f.show(recorded);
        for (int view = 0; view < 5; ++view) {
            panel.setView(view);
            testing::savePicture(panel, QStringLiteral("stab-state-recorded-%1").arg(view));
        }
        QVERIFY(panel.chart(StabilizationPanel::Measured)
                    ->emptyText()
                    .contains(QStringLiteral("recording")));
        QVERIFY(panel.chart(StabilizationPanel::Tracked)
                    ->emptyText()
                    .contains(QStringLiteral("press P")));
        QVERIFY(panel.caption().contains(QStringLiteral("recorded")));
    }
    void smallRunsAreShown_data() {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("layers");
        QTest::newRow("one token") << 1 << 4;
        QTest::newRow("window") << 8 << 4;
        QTest::newRow("one scored") << 9 << 4;
        QTest::newRow("no end") << 60 << 2;
        QTest::newRow("one layer") << 200 << 1;
    }
    void smallRunsAreShown() {
        QFETCH(int, tokens);
        QFETCH(int, layers);
        testing::SyntheticSpec spec;
        spec.tokens = tokens;
        spec.layers = layers;
        spec.settings.tspLayer = 0;
        testing::ViewFixture f(spec);
        StabilizationPanel panel(f.context());
        panel.resize(500, 420);
        panel.show();
        f.shown.setDerived(testing::derivedOf(*f.shown.run()));
        f.selection.addSpan({0, tokens}, QStringLiteral("all"));
        for (int view = 0; view < 5; ++view) {
            panel.setView(view);
            panel.grab();
            QCOMPARE(testing::labelFault(*panel.chart(static_cast<View>(view))), QString());
        }
    }
    void tspOffIsSaid() {
        Stage s;
        s.track();
        trace::Settings settings = s.f.settings.settings();
        settings.tsp = trace::Amount::ofRate(1.0);
        s.f.move(settings);
        QVERIFY(testing::hasLabel(s.chart(StabilizationPanel::Tracked), QStringLiteral("TSP off")));
        QVERIFY(testing::hasLabel(s.chart(StabilizationPanel::Tracked), QStringLiteral("7 off")));
    }
    void labelsFit_data() {
        QTest::addColumn<bool>("dark");
        QTest::addColumn<bool>("presenter");
        QTest::addColumn<bool>("longer");
        QTest::addColumn<QSize>("size");
        QTest::addColumn<int>("layers");
        for (const bool dark : {false, true})
            for (const bool presenter : {false, true})
                for (const bool longer : {false, true})
                    for (const QSize& size : {QSize(500, 190), QSize(250, 150), QSize(760, 420)})
                        QTest::addRow("%s %s %s %d", dark ? "dark" : "light",
                                      presenter ? "presenter" : "normal",
                                      longer ? "longer" : "english", size.width())
                            << dark << presenter << longer << size
                            << (size.width() > 700 ? 32 : 16);
    }
    void labelsFit() {
        QFETCH(bool, dark);
        QFETCH(bool, presenter);
        QFETCH(bool, longer);
        QFETCH(QSize, size);
        QFETCH(int, layers);
        std::optional<testing::LongWords> words;
        if (longer) words.emplace();
        testing::SyntheticSpec spec;
        spec.layers = layers;
        testing::ViewFixture f(spec);
        f.theme.setChoice(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        f.theme.setPresenter(presenter);
        f.theme.apply();
        {
            StabilizationPanel panel(f.context());
            panel.resize(presenter ? size * 1.5 : size);
            panel.show();
            f.shown.setDerived(testing::derivedOf(*f.shown.run()));
            f.selection.addSpan({testing::needleBegin(spec), testing::needleBegin(spec) + 9},
                                QStringLiteral("fact"));
            f.selection.addSpan({900, 930}, QStringLiteral("a question of some length"));
            f.selection.pinToken(333, false);
            for (int v = 0; v < 5; ++v) {
                panel.setView(v);
                testing::savePicture(
                    panel, QStringLiteral("stab-%1-%2-%3%4%5")
                               .arg(size.width())
                               .arg(v)
                               .arg(dark ? QStringLiteral("dark") : QStringLiteral("light"),
                                    presenter ? QStringLiteral("-presenter") : QString(),
                                    longer ? QStringLiteral("-long") : QString()));
                const ChartView& chart = *panel.chart(static_cast<View>(v));
                QCOMPARE(testing::labelFault(chart), QString());
                QVERIFY(testing::hasLabel(chart, QStringLiteral("7")));
            }
        }
    }
};

QTEST_MAIN(TestStabilizationLooks)
#include "test_stabilization_looks.moc"
