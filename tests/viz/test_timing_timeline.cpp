// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/viz/timing_stage.h"
#include "viz/series/format.h"

#include <QWheelEvent>
#include <QtTest>
#include <cmath>

using namespace fkv;
using namespace fkv::viz;
using Stage = testing::TimingStage;

namespace {

void wheel(QWidget& widget, const QPointF& at, const QPoint& angle) {
    QWheelEvent event(at, widget.mapToGlobal(at), {}, angle, Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(&widget, &event);
}

/// A point of the lane at a time.
QPoint pointAt(const TimelineView& view, int lane, double ms) {
    const QRectF box = view.laneRect(lane);
    return {qRound(box.left() + timeToX(std::llround(ms * 1e6), view.visible(), box.width())),
            qRound(box.bottom() - 3.0)};
}

} // namespace

class TestTimingTimeline : public QObject {
    Q_OBJECT
    std::unique_ptr<Stage> m_stage;
    TimelineView& view() { return m_stage->timeline(); }

private Q_SLOTS:
    void init() {
        m_stage = std::make_unique<Stage>(testing::timedRun(), QSize(1000, 160));
        m_stage->panel.setView(TimingPanel::Timeline);
        m_stage->paint();
    }
    void cleanup() { m_stage.reset(); }

    void lanesAreThePasses() {
        QCOMPARE(view().timeline().lanes.size(), std::size_t{4});
        for (const auto& name : {"full pass", "FastKV rerun", "decode, full", "decode, FastKV"})
            QVERIFY2(testing::hasLabel(view(), QString::fromUtf8(name)), name);
        QCOMPARE(view().visible(), view().timeline().all);
        for (int lane = 0; lane < 4; ++lane)
            QVERIFY(view().lanesRect().adjusted(-1, -1, 1, 1).contains(view().laneRect(lane)));
    }
    void hoverNamesTheSpan() {
        // Layer 3 begins at 285 ms; its attention is from 299 ms to 339 ms.
        m_stage->moveTo(view(), pointAt(view(), 0, 320.0));
        QCOMPARE(m_stage->panel.readout(),
                 QStringLiteral(
                     "full pass · layer 3 · attention · 40.0 ms · from 299 ms · 1,000 tokens"));
        QCOMPARE(m_stage->f.selection.hover().layer, 3);
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(&view(), &leave);
        QCOMPARE(m_stage->f.selection.hover().layer, -1);
        QVERIFY(m_stage->panel.readout().contains(QStringLiteral("wheel zooms time")));
    }
    void kernelsStandInARowBelowTheirZones() {
        m_stage->f.show(testing::kernelRun());
        const trace::Run& run = *m_stage->f.shown.run();
        const auto kernels = static_cast<qlonglong>(run.timing.kernels.kernels.size());
        QVERIFY2(m_stage->panel.readout().contains(
                     QStringLiteral("%1 kernels below their zones").arg(formatCount(kernels))),
                 qPrintable(m_stage->panel.readout()));
        testing::savePicture(m_stage->panel, QStringLiteral("timeline-kernels"));
        // Attention of one layer, close.
        const trace::Span* zone = nullptr;
        for (const trace::Span& span : run.timing.spans)
            if (span.zone == trace::Zone::Attention && span.pass == trace::PassKind::Full &&
                span.layer == 3)
                zone = &span;
        QVERIFY(zone != nullptr);
        view().setVisibleTime({zone->beginNs, zone->endNs});
        const QRectF lane = view().laneRect(0);
        const auto at = [&](double share) {
            return QPoint(qRound(lane.left() + share * lane.width()), qRound(lane.bottom()) - 2);
        };
        m_stage->moveTo(view(), at(0.5));
        const QString readout = m_stage->panel.readout();
        QVERIFY2(readout.startsWith(
                     QStringLiteral("full pass · layer 3 · attention · nvjet_tst_128x256 · ")),
                 qPrintable(readout));
        QVERIFY(readout.contains(formatMs(static_cast<double>(zone->durationNs() / 3) * 1e-6)));
        QCOMPARE(m_stage->f.selection.hover().layer, 3);
        m_stage->moveTo(view(), {at(0.5).x(), qRound(lane.center().y())});
        QVERIFY(!m_stage->panel.readout().contains(QStringLiteral("nvjet")));
        // In the colours of the zone, neighbours apart.
        const QImage picture = view().grab().toImage();
        const auto& palette = m_stage->f.theme.palette();
        const QColor first = picture.pixelColor(at(0.2)), second = picture.pixelColor(at(0.5));
        QVERIFY(first != second);
        for (const QColor& ink : {first, second}) {
            QVERIFY(std::abs(ink.hue() - palette.zones[0].hue()) < 12);
            QVERIFY(ink != palette.zones[0]);
        }
        m_stage->moveTo(view(), at(0.5));
        QTest::mouseClick(&view(), Qt::LeftButton, {}, at(0.5));
        QCOMPARE(m_stage->f.selection.pinnedLayer(), 3);
        const QStringList csv = m_stage->panel.csv().split(QLatin1Char('\n'));
        QCOMPARE(
            csv.front(),
            QStringLiteral("pass,stream,layer,zone,begin_ms,end_ms,duration_ms,tokens,kernel"));
        QCOMPARE(csv.filter(QStringLiteral(",nvjet_tst_128x256")).size(), 1);
        QCOMPARE(testing::labelFault(view()), QString());
        view().setVisibleTime(view().timeline().all);
        m_stage->moveTo(view(), at(0.95));
        QVERIFY(view().timeline().kernels.size() == run.timing.kernels.kernels.size());
        for (const QSize& size : {QSize(1500, 600), QSize(472, 100)}) {
            m_stage->panel.resize(size);
            view().setVisibleTime({zone->beginNs, zone->endNs + zone->durationNs()});
            testing::savePicture(m_stage->panel,
                                 QStringLiteral("timeline-kernels-%1").arg(size.width()));
            QCOMPARE(testing::labelFault(view()), QString());
        }
    }
    void whyKernelsAreMissingIsSaid() {
        auto run = std::make_shared<trace::Run>(*testing::timedRun());
        run->timing.kernels.absent = "another tool is tracing this program";
        m_stage->f.show(run);
        QVERIFY(m_stage->panel.readout().contains(
            QStringLiteral("kernels not recorded: another tool is tracing this program")));
        QVERIFY(!m_stage->panel.csv().contains(QStringLiteral("kernel")));
    }
    void colourIsTheZones() {
        const QImage picture = view().grab().toImage();
        QCOMPARE(picture.pixelColor(pointAt(view(), 0, 300.5)),
                 m_stage->f.theme.palette().zones[0]);
    }
    void narrowSpansAreCounted() {
        // Gathering of 16 layers in 0.016 ms.
        const double end = 16 * 95.0 + 8 * 13.3;
        m_stage->moveTo(view(), pointAt(view(), 1, end));
        QVERIFY2(m_stage->panel.readout().contains(QStringLiteral("spans too narrow to be seen")),
                 qPrintable(m_stage->panel.readout()));
        for (int i = 0; i < 60; ++i)
            wheel(view(), pointAt(view(), 1, end + 0.008), {0, 120});
        m_stage->paint();
        QVERIFY(m_stage->panel.readout().contains(QStringLiteral("gather")));
    }
    void wheelZoomsAtTheCursor() {
        const QPointF at(400.0, 30.0);
        const QRectF lanes = view().lanesRect();
        const auto under = [&] {
            return xToTime(at.x() - lanes.left(), view().visible(), lanes.width());
        };
        const std::int64_t before = under();
        wheel(view(), at, {0, 120});
        wheel(view(), at, {0, 120});
        QVERIFY(view().visible().size() < view().timeline().all.size() * 0.65);
        QVERIFY(std::llabs(under() - before) < view().visible().size() / 900);
        m_stage->f.selection.pinLayer(3);
        for (int i = 0; i < 6; ++i)
            wheel(view(), at, {0, 120});
        testing::savePicture(m_stage->panel, QStringLiteral("timeline-zoomed"));
        const TimeRange zoomed = view().visible();
        wheel(view(), at, {-60, 0});
        QCOMPARE(view().visible().size(), zoomed.size());
        QVERIFY(view().visible().begin > zoomed.begin);
        for (int i = 0; i < 9; ++i)
            wheel(view(), at, {0, -120});
        QCOMPARE(view().visible(), view().timeline().all);
        // Positions are another axis.
        QCOMPARE(m_stage->f.selection.range(), (TokenRange{0, m_stage->f.selection.scored()}));
    }
    void dragPansAndAClickPins() {
        for (int i = 0; i < 5; ++i)
            wheel(view(), {500.0, 30.0}, {0, 120});
        const TimeRange before = view().visible();
        QTest::mousePress(&view(), Qt::LeftButton, {}, {500, 20});
        m_stage->dragTo(view(), {503, 20});
        QCOMPARE(view().visible(), before);
        m_stage->dragTo(view(), {600, 20});
        QVERIFY(view().visible().begin < before.begin);
        QTest::keyClick(&view(), Qt::Key_Escape);
        QCOMPARE(view().visible(), before);
        QTest::mouseRelease(&view(), Qt::LeftButton, {}, {600, 20});
        QCOMPARE(view().visible(), before);
        QCOMPARE(m_stage->f.selection.pinnedLayer(), -1);
        const double middle = static_cast<double>(before.begin + before.size() / 2) * 1e-6;
        const QPoint at = pointAt(view(), 0, middle);
        QTest::mouseClick(&view(), Qt::LeftButton, {}, at);
        QCOMPARE(m_stage->f.selection.pinnedLayer(), static_cast<int>(middle / 95.0));
        // A double click on data is two clicks; on the axis it fits.
        QTest::mouseDClick(&view(), Qt::LeftButton, {}, at);
        QCOMPARE(view().visible(), before);
        QTest::mouseDClick(&view(), Qt::LeftButton, {}, {400, view().height() - 4});
        QCOMPARE(view().visible(), view().timeline().all);
    }
    void keysZoomTime() {
        view().setFocus();
        QTest::keyClick(&view(), Qt::Key_Plus);
        QVERIFY(std::llabs(view().visible().size() - view().timeline().all.size() / 2) < 10);
        QTest::keyClick(&view(), Qt::Key_Minus);
        QCOMPARE(view().visible(), view().timeline().all);
        QTest::keyClick(&view(), Qt::Key_Plus);
        QTest::keyClick(&view(), Qt::Key_0);
        QCOMPARE(view().visible(), view().timeline().all);
        // Other keys are those of every view.
        QTest::keyClick(&view(), Qt::Key_Down);
        QCOMPARE(m_stage->f.selection.pinnedLayer(), 8);
    }
    void aRunThatGoesOnKeepsWhatIsLookedAt() {
        for (int i = 0; i < 3; ++i)
            wheel(view(), {500.0, 30.0}, {0, 120});
        const TimeRange looked = view().visible();
        auto more = std::make_shared<trace::Run>(*m_stage->f.shown.run());
        const std::int64_t end = view().timeline().all.end;
        more->timing.spans.push_back(
            {end, end + 5'000'000, trace::Zone::Pass, trace::PassKind::DecodeFastKv, -1, 0, 1});
        m_stage->f.shown.setRun(more, m_stage->f.shown.fate());
        QCOMPARE(view().visible(), looked);
        QCOMPARE(view().timeline().all.end, end + 5'000'000);
        view().setVisibleTime(view().timeline().all);
        m_stage->f.shown.setRun(testing::timedRun(), m_stage->f.shown.fate());
        QCOMPARE(view().visible(), view().timeline().all);
    }
    void hoversPaintNoPictureAnew() {
        const int made = view().picturesMade();
        for (int i = 0; i < 100; ++i) {
            m_stage->moveTo(view(), {100 + 8 * i, 10 + i % 60});
            m_stage->paint();
        }
        QCOMPARE(view().picturesMade(), made);
    }
};

QTEST_MAIN(TestTimingTimeline)
#include "test_timing_timeline.moc"
