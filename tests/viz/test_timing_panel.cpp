// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/timing_stage.h"
#include "viz/plots/figure_export.h"

#include <QTemporaryDir>
#include <QtTest>

using namespace fkv;
using namespace fkv::viz;
using Stage = testing::TimingStage;

class TestTimingPanel : public QObject {
    Q_OBJECT
    QFont m_font = QApplication::font();

private Q_SLOTS:
    void cleanup() { QApplication::setFont(m_font); }

    // --- per layer ------------------------------------------------------------------------------

    void barsStandOnACommonScaleInTheirOrder() {
        Stage s(testing::timedRun());
        s.paint();
        const TimingLayersView& view = s.layers();
        const QImage picture = s.layers().grab().toImage();
        const QRectF p = view.plot();
        const auto& zones = s.f.theme.palette().zones;
        for (const int layer : {0, 7, 8, 15}) {
            const LayerBars& bar = view.bars().layers[static_cast<std::size_t>(layer)];
            const auto place = view.barPlace(layer);
            for (const bool fast : {false, true}) {
                double below = 0.0;
                for (const trace::ZoneGroup group : kBarStack) {
                    const double ms =
                        (fast ? bar.fastKv : bar.full)[static_cast<std::size_t>(group)];
                    const double top = view.scale().y(below + ms, p),
                                 bottom = view.scale().y(below, p);
                    below += ms;
                    if (bottom - top < 3.0) continue;
                    const QPoint inside(
                        qRound((fast ? place.fastKvLeft : place.fullLeft) + place.width / 2.0),
                        qRound((top + bottom) / 2.0));
                    QCOMPARE(picture.pixelColor(inside), zones[static_cast<std::size_t>(group)]);
                }
            }
            QVERIFY(place.fullLeft + place.width <= place.fastKvLeft);
        }
    }
    void aPreviewIsHatchedNeverSolid() {
        Stage s(testing::timedRun());
        s.move(7, 0.6);
        s.paint();
        const QImage picture = s.layers().grab().toImage();
        const auto solidShare = [&](int layer) {
            const auto place = s.layers().barPlace(layer);
            const auto& ms = s.layers().bars().layers[static_cast<std::size_t>(layer)].fastKv;
            const QRectF p = s.layers().plot();
            const int top = qRound(s.layers().scale().y(ms[0], p)) + 2,
                      bottom = qRound(p.bottom()) - 2;
            int solid = 0, all = 0;
            for (int y = top; y < bottom; ++y)
                for (int x = qRound(place.fastKvLeft) + 2;
                     x < qRound(place.fastKvLeft + place.width) - 2; ++x, ++all)
                    solid += picture.pixelColor(x, y) == s.f.theme.palette().zones[0];
            return static_cast<double>(solid) / std::max(1, all);
        };
        QVERIFY(solidShare(7) > 0.99);
        QVERIFY(solidShare(8) < 0.6);
        QVERIFY(s.panel.readout().contains(QStringLiteral("≈ ")));
        s.move(7, 0.2);
        s.paint();
        QVERIFY(!s.panel.readout().contains(QStringLiteral("≈ ")));
    }
    void totalsAreRead() {
        Stage s(testing::timedRun());
        s.paint();
        QVERIFY(
            s.panel.readout().startsWith(QStringLiteral("prefill: full 1,440 ms · FastKV Σ 8")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("speedup Σ 1.66× of at most 1.67×")));
        QVERIFY(testing::hasLabel(s.layers(), QStringLiteral("bound by the work done 1.67×")));
        QVERIFY(!testing::hasLabel(s.layers(), QStringLiteral("check")));
        for (const auto& name :
             {"attention", "projections", "MLP", "saliency and selection", "other", "capture"})
            QVERIFY2(testing::hasLabel(s.layers(), QString::fromUtf8(name)), name);
    }
    void moreThanTheWorkAllowsSaysCheck() {
        auto run = std::make_shared<trace::Run>(*testing::timedRun());
        run->timing.fastKvPrefillMs = 600.0;
        Stage s(run);
        s.paint();
        QVERIFY(testing::hasLabel(s.layers(), QStringLiteral("check")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("check, more than the work allows")));
        const QImage picture = s.layers().grab().toImage();
        int vermillion = 0;
        for (int y = 0; y < picture.height(); ++y)
            for (int x = 0; x < picture.width(); ++x)
                vermillion += picture.pixelColor(x, y) == s.f.theme.palette().lost;
        QVERIFY(vermillion > 5);
    }
    void measuredTotalsShowHowOften() {
        auto run = std::make_shared<trace::Run>(*testing::timedRun());
        run->timing.standaloneFullMs = {1500, 1480, 1600, 1490, 1510};
        run->timing.standaloneFastKvMs = {900};
        Stage s(run);
        s.paint();
        QVERIFY(testing::hasLabel(s.layers(), QStringLiteral("n = 5")));
        QVERIFY(testing::hasLabel(s.layers(), QStringLiteral("n = 1")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("alone 1.67× of at most")));
        s.move(7, 0.5);
        QVERIFY(!s.panel.readout().contains(QStringLiteral("alone")));
    }
    void hoverReadsALayerAndAClickPinsIt() {
        Stage s(testing::timedRun());
        s.paint();
        TimingLayersView& view = s.layers();
        const QPoint at(qRound(view.xOf(9)), 30);
        s.moveTo(view, at);
        QCOMPARE(s.f.selection.hover().layer, 9);
        QVERIFY(s.panel.readout().startsWith(
            QStringLiteral("layer 9 · full 90.0 ms (attention 40.0, projections 18.0, MLP 30.0, "
                           "other 2.00) · FastKV 13.3 ms (")));
        QTest::mouseClick(&view, Qt::LeftButton, {}, at);
        QCOMPARE(s.f.selection.pinnedLayer(), 9);
        // The TSP line is not dragged here.
        const QPoint line(qRound(view.xOf(7) + view.plot().width() / 32.0), 30);
        QTest::mousePress(&view, Qt::LeftButton, {}, line);
        s.dragTo(view, line + QPoint(80, 0));
        QTest::mouseRelease(&view, Qt::LeftButton, {}, line + QPoint(80, 0));
        QCOMPARE(s.f.settings.settings().tspLayer, 7);
    }
    void onlyWhatChangesThePrefillPaintsAnew() {
        Stage s(testing::timedRun());
        s.paint();
        const int made = s.layers().picturesMade();
        for (int i = 0; i < 100; ++i) {
            s.moveTo(s.layers(), {60 + 4 * i, 20 + i % 40});
            s.paint();
        }
        trace::Settings settings = s.f.settings.settings();
        settings.kv = trace::Amount::ofRate(0.4);
        s.f.move(settings);
        s.paint();
        QCOMPARE(s.layers().picturesMade(), made);
        s.move(5, 0.2);
        s.paint();
        QCOMPARE(s.layers().picturesMade(), made + 1);
    }

    // --- decode ---------------------------------------------------------------------------------

    void stepsArePointsFromZero() {
        Stage s(testing::timedRun());
        s.panel.setView(TimingPanel::Decode);
        s.paint();
        const QImage picture = s.decode().grab().toImage();
        // Filled, so ink at its centre; full is hollow.
        QCOMPARE(picture.pixelColor(s.decode().pointOf(true, 2).toPoint()),
                 s.f.theme.palette().fastkv);
        QVERIFY(s.decode().pointOf(true, 2).y() > s.decode().pointOf(false, 2).y());
        QVERIFY(testing::hasLabel(s.decode(), QStringLiteral("0")));
        QVERIFY(
            s.panel.readout().contains(QStringLiteral("full 4.20 ms a token, median of 5 steps")));
        s.moveTo(s.decode(), s.decode().pointOf(true, 2).toPoint());
        QCOMPARE(s.panel.readout(),
                 QStringLiteral("generated token 3 · full 4.20 ms “le” · FastKV 2.90 ms “les”"));
    }
    void whatIsPendingIsDimmedAndNamed() {
        Stage s(testing::timedRun());
        s.panel.setView(TimingPanel::Decode);
        s.move(7, 0.4);
        s.paint();
        QVERIFY(s.panel.readout().contains(QStringLiteral("FastKV of TSP 7 · 20")));
        const QImage picture = s.decode().grab().toImage();
        const Palette& colours = s.f.theme.palette();
        QCOMPARE(picture.pixelColor(s.decode().pointOf(true, 2).toPoint()),
                 faded(colours.fastkv, colours.base, 0.5));
        QVERIFY(testing::hasLabel(s.decode(), QStringLiteral("pending")));
    }

    void aMeasuredCopyRateDrawsTheFloorOfAStep() {
        Stage bare(testing::timedRun());
        bare.panel.setView(TimingPanel::Decode);
        QVERIFY(!testing::hasLabel(bare.decode(), QStringLiteral("at least")));
        QVERIFY(bare.tip(bare.decode(), {20, 20}).isEmpty());
        Stage s(testing::peakedRun());
        s.panel.setView(TimingPanel::Decode);
        s.paint();
        // 88 % of 4.2 ms.
        QVERIFY(testing::hasLabel(s.decode(), QStringLiteral("at least 3.70 ms")));
        QVERIFY(s.panel.readout().contains(QStringLiteral("at least 3.70 ms and ")));
        QVERIFY(s.tip(s.decode(), {20, 20}).contains(QStringLiteral("GB/s")));
        const QRectF p = s.decode().plot();
        const double perMs = (p.bottom() - s.decode().pointOf(false, 2).y()) / 4.2;
        const int y = qFloor(p.bottom() - 3.696 * perMs + 0.5);
        const QImage picture = s.decode().grab().toImage();
        int inked = 0;
        for (int x = qRound(p.left()); x < qRound(p.right()); ++x)
            for (int row = y - 1; row <= y + 1; ++row)
                inked += deltaE(toLab(picture.pixel(x, row)),
                                toLab(s.f.theme.palette().full.rgb())) < 12.0;
        QVERIFY2(inked > p.width() / 4.0, qPrintable(QString::number(inked)));
        const QStringList csv = s.panel.csv().split(QLatin1Char('\n'));
        QCOMPARE(csv[0],
                 QStringLiteral("generated_token,full_ms,fastkv_ms,full_least_ms,fastkv_least_ms"));
        QVERIFY(csv[1].split(QLatin1Char(','))[3].startsWith(QStringLiteral("3.69")));
    }

    void theBoundIsExplainedWhereItIsDrawn() {
        Stage s(testing::timedRun());
        s.paint();
        QVERIFY(s.tip(s.layers(), {s.layers().width() - 20, 20})
                    .contains(QStringLiteral("FastKV’s prefill can take")));
        QVERIFY(s.tip(s.layers(), {100, 20}).isEmpty());
    }

    // --- files ----------------------------------------------------------------------------------

    void numbersAndFiguresAreWrittenOut() {
        Stage s(testing::timedRun());
        QTemporaryDir folder;
        const auto lines = [&](int view) {
            s.panel.setView(view);
            return s.panel.csv().trimmed().split(QLatin1Char('\n')).size();
        };
        QCOMPARE(lines(TimingPanel::PerLayer), 1 + 16 * 5);
        QCOMPARE(lines(TimingPanel::Timeline),
                 1 + static_cast<qsizetype>(s.f.shown.run()->timing.spans.size()));
        QCOMPARE(lines(TimingPanel::Decode), 1 + 5);
        QCOMPARE(lines(TimingPanel::Figures), 1 + 5);
        s.panel.setView(TimingPanel::PerLayer);
        const QString perLayer = s.panel.csv();
        QVERIFY(perLayer.startsWith(QStringLiteral(
            "layer,zone_group,full_ms,full_state,fastkv_ms,fastkv_state,fastkv_least_ms\n")));
        for (int view = 0; view < 4; ++view) {
            s.panel.setView(view);
            const QString path = folder.filePath(QStringLiteral("%1.svg").arg(view));
            QCOMPARE(saveFigure(s.panel, path), QString());
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadOnly));
            QVERIFY(file.readAll().contains("<text"));
        }
    }
};

QTEST_MAIN(TestTimingPanel)
#include "test_timing_panel.moc"
