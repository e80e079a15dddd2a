// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/format.h"
#include "viz/series/position_axis.h"

#include <QtTest>

using namespace fkv::viz;

class TestPositionAxis : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void roundTrip_data() {
        QTest::addColumn<qint64>("tokens");
        QTest::addColumn<int>("width");
        for (const qint64 tokens : {1LL, 2LL, 999LL, 1000LL, 1001LL, 131072LL})
            for (const int width : {1, 320, 800, 1000, 1250, 2000})
                QTest::addRow("%lld tokens, %d px", static_cast<long long>(tokens), width) << tokens << width;
    }
    void roundTrip() {
        QFETCH(qint64, tokens);
        QFETCH(int, width);
        const PositionAxis axis(tokens, {0, tokens}, width);
        QVERIFY(axis.cells() > 0);
        int next = 0;
        std::int64_t covered = 0;
        for (int cell = 0; cell < axis.cells(); ++cell) {
            const PixelRange px = axis.pixelsOf(cell);
            QCOMPARE(px.x0, next);  // neither gap nor overlap
            next = px.x1;
            covered += axis.tokensOf(cell).size();
            if (px.width() == 0) continue;
            for (const double x : {px.x0 + 0.0, px.x0 + 0.5, px.x1 - 0.5}) {
                QCOMPARE(axis.cellAt(x), cell);
                const std::int64_t begin = axis.tokensOf(cell).begin;
                QCOMPARE(axis.cellOf(begin), cell);
            }
        }
        QCOMPARE(next, width);
        QCOMPARE(covered, static_cast<std::int64_t>(tokens));
    }
    void everyCellHasAPixel() {
        for (std::int64_t scored = 990; scored < 140000; scored += scored / 97)
            for (const int width : {313, 613, 1000}) {
                const PositionAxis axis(scored, {0, scored}, width);
                for (int cell = 0; cell < axis.cells(); ++cell)
                    QVERIFY2(axis.pixelsOf(cell).width() >= 1,
                             qPrintable(QStringLiteral("%1 tokens, %2 px, cell %3").arg(scored).arg(width).arg(cell)));
            }
    }
    void tokenToPixelAndBack() {
        const PositionAxis axis(131072, {500, 900}, 1000);
        QCOMPARE(axis.tokensPerCell(), std::int64_t{1});
        for (std::int64_t token = 500; token < 900; ++token) {
            const PixelRange px = axis.pixelsOf(axis.cellOf(token));
            QCOMPARE(axis.tokensOf(axis.cellAt(0.5 * (px.x0 + px.x1))).begin, token);
        }
    }
    void panningKeepsCellBorders() {
        const PositionAxis a(131072, {0, 60000}, 1000);
        const PositionAxis b(131072, {777, 60777}, 1000);
        QCOMPARE(a.tokensPerCell(), b.tokensPerCell());
        QCOMPARE(b.tokensOf(0).begin % b.tokensPerCell(), std::int64_t{0});
    }
    void marksAreAtLeastThreeWide() {
        const PositionAxis axis(131072, {0, 131072}, 1000);
        for (const std::int64_t token : {std::int64_t{0}, std::int64_t{65540}, std::int64_t{131071}}) {
            const PixelRange px = axis.pixelsOf({token, token + 1}, 3);
            QCOMPARE(px.width(), 3);
            QVERIFY(px.x0 >= 0 && px.x1 <= 1000);
        }
        QCOMPARE(axis.pixelsOf({200000, 200001}, 3).width(), 0);
    }
    void rangesStayInside() {
        QCOMPARE(clampRange({-50, 20}, 1000), (TokenRange{0, 70}));
        QCOMPARE(clampRange({990, 992}, 1000).size(), std::int64_t{16});
        QCOMPARE(clampRange({0, 100}, 5), (TokenRange{0, 5}));
        QCOMPARE(clampRange({3, 9}, 0), (TokenRange{}));
        const TokenRange zoomed = zoomRange({0, 1000}, 1000, 250.0, 0.5);
        QCOMPARE(zoomed, (TokenRange{125, 625}));
    }
    void numbers_data() {
        QTest::addColumn<QString>("got");
        QTest::addColumn<QString>("want");
        QTest::newRow("small KL") << formatKl(3.2e-5) << QStringLiteral("3e-5");
        QTest::newRow("tiny KL") << formatKl(1.2e-10) << QStringLiteral("1e-10");
        QTest::newRow("huge") << formatSignificant(1.234e8) << QStringLiteral("1.23e8");
        QTest::newRow("ms") << formatMs(811.7) << QStringLiteral("812 ms");
        QTest::newRow("thousands") << formatMs(1830.4) << QStringLiteral("1,830 ms");
        QTest::newRow("just below a thousand") << formatMs(999.7) << QStringLiteral("1,000 ms");
        QTest::newRow("GiB") << formatBytes(std::int64_t{1} << 34) << QStringLiteral("16.0 GiB");
        QTest::newRow("percent") << formatPercent(0.102) << QStringLiteral("10.2 %");
        QTest::newRow("rate") << formatRate(0.2) << QStringLiteral("20 %");
        QTest::newRow("rate with a digit") << formatRate(0.12499) << QStringLiteral("12.5 %");
        QTest::newRow("ratio") << formatRatio(1.8249) << QStringLiteral("1.82×");
        QTest::newRow("zero") << formatSignificant(0.0) << QStringLiteral("0");
        QTest::newRow("nan") << formatSignificant(std::nan("")) << QStringLiteral("–");
    }
    void numbers() {
        QFETCH(QString, got);
        QFETCH(QString, want);
        QCOMPARE(got, want);
    }
};

QTEST_APPLESS_MAIN(TestPositionAxis)
#include "test_position_axis.moc"
