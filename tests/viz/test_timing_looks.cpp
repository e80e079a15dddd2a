// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fit.h"
#include "tests/viz/timing_stage.h"
#include "viz/series/gpu_text.h"

#include <QtTest>
#include <optional>

using namespace fkv;
using namespace fkv::viz;
using Stage = testing::TimingStage;

class TestTimingLooks : public QObject {
    Q_OBJECT
    QFont m_font = QApplication::font();

private Q_SLOTS:
    void cleanup() { QApplication::setFont(m_font); }

    void everyStateHasItsPicture() {
        testing::ViewFixture f;
        f.theme.apply();
        TimingPanel panel(f.context());
        panel.resize(1000, 130);
        panel.show();
        testing::savePicture(panel, QStringLiteral("timing-state-empty"));
        f.shown.setPhase(Shown::Phase::Loading, QStringLiteral("Loading weights"), 0.4);
        testing::savePicture(panel, QStringLiteral("timing-state-loading"));
        testing::SyntheticSpec spec;
        spec.rerun = spec.answers = false;
        f.show(testing::makeRun(spec));
        f.shown.setPhase(Shown::Phase::Running, QStringLiteral("Rerun"), 0.4);
        QVERIFY(panel.readout().contains(QStringLiteral("≈ ")));
        testing::savePicture(panel, QStringLiteral("timing-state-running"));
        panel.setView(TimingPanel::Decode);
        QVERIFY(panel.chart(TimingPanel::Decode)
                    ->emptyText()
                    .contains(QStringLiteral("not decoded yet")));
        testing::savePicture(panel, QStringLiteral("timing-state-running-decode"));
        panel.setView(TimingPanel::PerLayer);
        f.show(testing::timedRun());
        f.shown.setPhase(Shown::Phase::Failed, QStringLiteral("Out of memory"), 0.0);
        testing::savePicture(panel, QStringLiteral("timing-state-failed"));
        auto recorded = std::make_shared<trace::Run>(*testing::timedRun());
        recorded->recorded = true;
        f.show(recorded);
        QVERIFY(panel.caption().contains(QStringLiteral("recorded")));
        testing::savePicture(panel, QStringLiteral("timing-state-recorded"));
        auto bare = std::make_shared<trace::Run>(*recorded);
        bare->timing = {};
        bare->fullAnswer = bare->fastkvAnswer = nullptr;
        f.show(bare);
        for (int view = 0; view < 4; ++view) {
            panel.setView(view);
            QVERIFY(!panel.chart(static_cast<TimingPanel::View>(view))->emptyText().isEmpty());
            testing::savePicture(panel, QStringLiteral("timing-state-bare-%1").arg(view));
        }
    }
    void theGpusStateStandsInTheHeaderAndInFigures() {
        auto run = std::make_shared<trace::Run>(*testing::timedRun());
        run->machine.device = "NVIDIA H100 80GB HBM3";
        run->machine.threads = 16;
        Stage cpu(run);
        QVERIFY(!cpu.panel.caption().contains(QStringLiteral("GHz")));
        constexpr auto kCap = static_cast<std::uint32_t>(trace::ClockLimit::PowerCap);
        run->timing.gpu = {{0, 345.0F, 2619.0F, 71.0F, 31.0F, 0},
                           {100, 1980.0F, 2619.0F, 650.0F, 66.0F, kCap},
                           {200, 1980.0F, 2619.0F, 648.0F, 66.0F, kCap}};
        for (const int width : {752, 1000}) {
            Stage s(run, {width, 130});
            s.f.theme.apply();
            for (int view = 0; view < 4; ++view) {
                s.panel.setView(view);
                QVERIFY(s.panel.caption().contains(
                    QStringLiteral("H100 80GB HBM3 · 1.98 GHz SM · 650 W · "
                                   "power cap 67 %")));
                testing::savePicture(s.panel,
                                     QStringLiteral("timing-gpu-%1-%2").arg(width).arg(view));
            }
        }
        QCOMPARE(gpuLine(std::span(run->timing.gpu).last(2)),
                 QStringLiteral("1.98 GHz SM · 650 W · power cap"));
        const trace::GpuSample silent{};
        QCOMPARE(gpuLine({&silent, 1}), QString());
        QCOMPARE(gpuLine({}), QString());
    }
    void smallRunsAreShown_data() {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("layers");
        QTest::newRow("one token") << 1 << 2;
        QTest::newRow("one layer") << 100 << 1;
    }
    void smallRunsAreShown() {
        QFETCH(int, tokens);
        QFETCH(int, layers);
        testing::SyntheticSpec spec;
        spec.tokens = tokens;
        spec.layers = layers;
        spec.settings.tspLayer = 0;
        Stage s(testing::timedRun(spec));
        for (int view = 0; view < 4; ++view) {
            s.panel.setView(view);
            s.paint();
            QCOMPARE(testing::labelFault(*s.panel.chart(static_cast<TimingPanel::View>(view))),
                     QString());
        }
    }
    void labelsFit_data() {
        QTest::addColumn<bool>("dark");
        QTest::addColumn<bool>("presenter");
        QTest::addColumn<bool>("longer");
        QTest::addColumn<QSize>("size");
        for (const bool dark : {false, true})
            for (const bool presenter : {false, true})
                for (const bool longer : {false, true})
                    for (const QSize& size :
                         {QSize(1000, 130), QSize(472, 110), QSize(752, 130), QSize(1500, 420)})
                        QTest::addRow("%s %s %s %d", dark ? "dark" : "light",
                                      presenter ? "presenter" : "normal",
                                      longer ? "longer" : "english", size.width())
                            << dark << presenter << longer << size;
    }
    void labelsFit() {
        QFETCH(bool, dark);
        QFETCH(bool, presenter);
        QFETCH(bool, longer);
        QFETCH(QSize, size);
        std::optional<testing::LongWords> words;
        if (longer) words.emplace();
        testing::SyntheticSpec spec;
        spec.layers = size.width() > 800 ? 32 : 16;
        auto run = size.width() == 752 ? testing::peakedRun(spec)
                                       : std::make_shared<trace::Run>(*testing::timedRun(spec));
        if (size.width() != 1000) {
            run->timing.standaloneFullMs = {1500, 1480, 1600, 1490, 1510};
            run->timing.standaloneFastKvMs = {900, 880, 950, 910, 905};
        }
        Stage s(run, presenter ? size * 1.5 : size);
        s.f.theme.setChoice(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        s.f.theme.setPresenter(presenter);
        s.f.theme.apply();
        QCoreApplication::processEvents();
        s.f.selection.pinLayer(4);
        for (int view = 0; view < 4; ++view) {
            s.panel.setView(view);
            const QString name = QStringLiteral("timing-%1-%2-%3%4%5")
                                     .arg(size.width())
                                     .arg(view)
                                     .arg(dark ? QStringLiteral("dark") : QStringLiteral("light"),
                                          presenter ? QStringLiteral("-presenter") : QString(),
                                          longer ? QStringLiteral("-long") : QString());
            testing::savePicture(s.panel, name);
            QCOMPARE(testing::labelFault(*s.panel.chart(static_cast<TimingPanel::View>(view))),
                     QString());
        }
        s.panel.setView(TimingPanel::PerLayer);
        s.move(5, 0.5);
        testing::savePicture(s.panel,
                             QStringLiteral("timing-preview-%1-%2").arg(size.width()).arg(dark));
        QCOMPARE(testing::labelFault(s.layers()), QString());
        if (!longer) QVERIFY(testing::hasLabel(s.layers(), QStringLiteral("5")));
    }
};

QTEST_MAIN(TestTimingLooks)
#include "test_timing_looks.moc"
