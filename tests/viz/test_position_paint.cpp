// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/view_fixture.h"
#include "viz/plots/position_paint.h"

#include <QImage>
#include <QPainter>
#include <QtTest>

using namespace fkv::viz;

namespace {

constexpr std::int64_t kTokens = 131072;
constexpr std::int64_t kScored = kTokens - 8;
constexpr int kGutter = PositionAxis::kGutter;

int eightPerLetter(const QString& text) {
    return 8 * static_cast<int>(text.size());
}

} // namespace

class TestPositionPaint : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void marksAreSeenAtAnyZoom_data() {
        QTest::addColumn<qint64>("begin");
        QTest::addColumn<qint64>("end");
        QTest::addColumn<bool>("gutter");
        QTest::newRow("first") << qint64{0} << qint64{1} << false;
        QTest::newRow("middle") << qint64{65540} << qint64{65541} << false;
        QTest::newRow("last scored") << qint64{kScored - 1} << qint64{kScored} << false;
        QTest::newRow("first of the window") << qint64{kScored} << qint64{kScored + 1} << true;
        QTest::newRow("last") << qint64{kTokens - 1} << qint64{kTokens} << true;
        QTest::newRow("across") << qint64{kScored - 2} << qint64{kScored + 2} << true;
    }
    void marksAreSeenAtAnyZoom() {
        QFETCH(qint64, begin);
        QFETCH(qint64, end);
        QFETCH(bool, gutter);
        for (const int width : {50, 613, 1000}) {
            const PositionAxis axis(kScored, {0, kScored}, width);
            const PixelRange px = markPixels({begin, end}, axis, kTokens);
            QVERIFY(px.width() >= kLeastMark);
            QVERIFY(px.x0 >= 0 && px.x1 <= width + kGutter);
            QCOMPARE(px.x1 > width, gutter);
        }
        const PositionAxis zoomed(kScored, {1000, 1100}, 613);
        const PixelRange px = markPixels({begin, end}, zoomed, kTokens);
        QCOMPARE(px.width() > 0, gutter); // the gutter stays
    }
    void labelsKeepClear() {
        Selection selection;
        selection.reset(kTokens, kScored);
        selection.addSpan({50000, 50012}, QStringLiteral("fact"));
        selection.addSpan({50300, 50312},
                          QStringLiteral("a name that is much too long for its place"));
        selection.addSpan({131000, kTokens}, QStringLiteral("question"));
        selection.pinToken(50600, true);
        selection.pinToken(90000, true);
        selection.setHits({{10, 12}, {11, 13}, {70000, 70001}});
        const PositionAxis axis(kScored, selection.range(), 600);
        const auto shapes = layoutMarks(selection, axis, eightPerLetter);
        QCOMPARE(std::count_if(shapes.begin(), shapes.end(),
                               [](const MarkShape& s) { return s.kind == MarkShape::Kind::Hit; }),
                 std::ptrdiff_t{2});
        QCOMPARE(shapes.size(), std::size_t{7});
        int labels = 0;
        for (const MarkShape& a : shapes) {
            if (a.label.isEmpty()) continue;
            ++labels;
            QCOMPARE(a.labelPx.width(), eightPerLetter(a.label));
            QVERIFY(a.labelPx.x0 >= 0 && a.labelPx.x1 <= 600 + kGutter);
            QVERIFY(a.labelPx.x0 >= a.px.x1 || a.labelPx.x1 <= a.px.x0);
            for (const MarkShape& b : shapes) {
                if (&a == &b || b.kind == MarkShape::Kind::Hit) continue;
                QVERIFY(a.labelPx.x1 <= b.px.x0 || b.px.x1 <= a.labelPx.x0);
                QVERIFY(b.label.isEmpty() || a.labelPx.x1 <= b.labelPx.x0 ||
                        b.labelPx.x1 <= a.labelPx.x0);
            }
        }
        QVERIFY(labels >= 4);
        QCOMPARE(shapes.back().number, 5);
    }
    void ticksKeepClear() {
        for (std::int64_t size = 16; size <= kScored; size = size * 7 / 4 + 1)
            for (const int width : {60, 250, 613, 1900}) {
                const PositionAxis axis(kScored, {kScored / 3, kScored / 3 + size}, width);
                const auto ticks = positionTicks(axis, eightPerLetter);
                int free = 0;
                for (const AxisTick& tick : ticks) {
                    QVERIFY(tick.labelPx.x0 >= free && tick.labelPx.x1 <= width);
                    QCOMPARE(tick.labelPx.width(), eightPerLetter(tick.label));
                    QVERIFY(tick.x >= tick.labelPx.x0 && tick.x <= tick.labelPx.x1);
                    free = tick.labelPx.x1;
                }
                if (width >= 250) QVERIFY(ticks.size() >= 2);
            }
    }
    void paintersLeaveThePainterAlone() {
        QImage image(700, 60, QImage::Format_RGB32);
        image.fill(Qt::white);
        QPainter painter(&image);
        painter.setPen(Qt::green);
        painter.setFont(QFont(QStringLiteral("DejaVu Serif"), 17));
        const QFont font = painter.font();
        const Palette& colours = lightPalette();
        Selection selection;
        selection.reset(kTokens, kScored);
        selection.addSpan({50000, 50012}, QStringLiteral("fact"));
        selection.pinToken(kScored - 1, true);
        const PositionAxis axis(kScored, selection.range(), 600);
        const QRect plot(20, 15, 600, 30);
        paintMarks(painter, QRect(20, 2, 608, 12),
                   layoutMarks(selection, axis, textWidthOf(QFont())), colours, QFont());
        paintTicks(painter, QRect(20, 46, 600, 14), positionTicks(axis, textWidthOf(QFont())),
                   colours, QFont());
        paintGutter(painter, QRect(620, 15, 8, 30), colours);
        paintPreview(painter, QRect(400, 15, 100, 30), colours, QFont());
        paintHover(painter, plot, {100, 101}, QRect(20, 20, 600, 4), colours);
        paintRubberBand(painter, plot, {300, 350}, colours);
        paintTie(painter, QRect(200, 20, 12, 8), colours);
        paintFocus(painter, image.rect(), colours);
        QCOMPARE(painter.pen().color(), QColor(Qt::green));
        QCOMPARE(painter.font(), font);
        QVERIFY(!painter.hasClipping());
        painter.end();
        // A hovered cell of one pixel is outlined and stays visible itself.
        QCOMPARE(image.pixelColor(20 + 98, 35), colours.hover);
        QCOMPARE(image.pixelColor(20 + 100, 35), QColor(Qt::white));
        QCOMPARE(image.pixelColor(20 + 102, 35), colours.hover);
        // The mark of the last scored token stands left of the gutter.
        QCOMPARE(image.pixelColor(616, 7), colours.pins[1]);
        const QString folder = qEnvironmentVariable("FKV_PICTURES");
        if (!folder.isEmpty()) image.save(folder + QStringLiteral("/position_paint.png"));
    }
};

QTEST_MAIN(TestPositionPaint)
#include "test_position_paint.moc"
