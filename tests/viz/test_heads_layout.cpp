// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/heads_layout.h"

#include <QtTest>
#include <algorithm>

using namespace fkv::viz;

namespace {

HeadsLayout::Params paramsOf(int layers, int heads, int firstLate, QSize size) {
    HeadsLayout::Params p;
    p.size = size;
    p.layers = layers;
    p.heads = heads;
    p.firstLate = firstLate;
    return p;
}

} // namespace

class TestHeadsLayout : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void grid_data();
    void grid();
    void scrolls();
    void noRoom();
    void namesLayers();
    void spreadsLabels();
};

void TestHeadsLayout::grid_data() {
    QTest::addColumn<int>("layers");
    QTest::addColumn<int>("heads");
    QTest::addColumn<int>("firstLate");
    QTest::addColumn<QSize>("size");
    for (const QSize size : {QSize(490, 124), QSize(990, 380), QSize(1500, 900)}) {
        const QByteArray tag = QByteArray::number(size.width());
        QTest::addRow("demo, %s", tag.data()) << 16 << 4 << 8 << size;
        QTest::addRow("8B, %s", tag.data()) << 32 << 8 << 16 << size;
        QTest::addRow("TSP off, %s", tag.data()) << 32 << 8 << 32 << size;
        QTest::addRow("every head its own, %s", tag.data()) << 30 << 32 << 1 << size;
        QTest::addRow("one, %s", tag.data()) << 1 << 1 << 1 << size;
    }
}

// A point in a cell finds the cell, cells neither overlap nor leave the grid, rows are equally high
// and at least 3 px, and the TSP line lies under row t alone.
void TestHeadsLayout::grid() {
    QFETCH(int, layers);
    QFETCH(int, heads);
    QFETCH(int, firstLate);
    QFETCH(QSize, size);
    const HeadsLayout layout(paramsOf(layers, heads, firstLate, size));
    QVERIFY(!layout.empty());
    QVERIFY(layout.rowHeight() >= HeadsLayout::kLeastRow);
    QVERIFY(QRect(QPoint(), size).contains(layout.grid()));
    for (int l = 0; l < layers; ++l)
        for (int g = 0; g < heads; ++g) {
            const QRect cell = layout.cell(l, g);
            QVERIFY(layout.grid().contains(cell));
            for (const QPoint& point : {cell.topLeft(), cell.center(), cell.bottomRight()})
                QCOMPARE(layout.hit(point), (HeadPlace{l, g}));
            if (l > 0) QVERIFY(layout.cell(l - 1, g).bottom() < cell.top());
            if (g > 0) QVERIFY(layout.cell(l, g - 1).right() < cell.left());
            QVERIFY(l < firstLate ? cell.bottom() < layout.lineY() - 1
                                  : cell.top() > layout.lineY() + 1);
        }
    QVERIFY(!layout.hit({layout.grid().center().x(), layout.lineY()}).valid());
    QVERIFY(!layout.hit(layout.grid().topLeft() - QPoint(1, 0)).valid());
    QVERIFY(!layout.hit(layout.grid().bottomRight() + QPoint(1, 1)).valid());
    QCOMPARE(layout.showsStrips(), layout.cellWidth() >= HeadsLayout::kLeastStrip);
    if (layout.showsStrips())
        QVERIFY(layout.stripWidth() + 1 + layout.gutterWidth() <= layout.cellWidth());
}

void TestHeadsLayout::scrolls() {
    HeadsLayout::Params p = paramsOf(80, 8, 40, {490, 124});
    const HeadsLayout top(p);
    QCOMPARE(top.rowHeight(), HeadsLayout::kLeastRow);
    QVERIFY(top.contentHeight() > top.grid().height());
    QCOMPARE(top.hit(top.grid().topLeft()).layer, 0);
    p.scroll = 100'000;
    const HeadsLayout bottom(p);
    QCOMPARE(bottom.hit(bottom.grid().bottomLeft()).layer, 79);
    QCOMPARE(bottom.rowTop(0), bottom.grid().bottom() + 1 - bottom.contentHeight());
}

void TestHeadsLayout::noRoom() {
    QVERIFY(HeadsLayout().empty());
    QVERIFY(HeadsLayout(paramsOf(0, 8, 0, {490, 124})).empty());
    QVERIFY(HeadsLayout(paramsOf(32, 0, 16, {490, 124})).empty());
    QVERIFY(HeadsLayout(paramsOf(32, 8, 16, {100, 124})).empty());
    QVERIFY(HeadsLayout(paramsOf(32, 8, 16, {490, 10})).empty());
    QVERIFY(!HeadsLayout(paramsOf(32, 0, 16, {490, 124})).hit({50, 50}).valid());
}

void TestHeadsLayout::namesLayers() {
    QCOMPARE(namedLayers(16, 7, 14, 13), (std::vector<int>{0, 4, 7, 8, 12}));
    QCOMPARE(namedLayers(32, 15, 3, 13), (std::vector<int>{0, 8, 15, 24}));
    QCOMPARE(namedLayers(12, -1, 6, 13), (std::vector<int>{0, 4, 8}));
    QCOMPARE(namedLayers(1, 0, 20, 13), (std::vector<int>{0}));
}

void TestHeadsLayout::spreadsLabels() {
    const auto apart = [](std::vector<int> tops, int height) {
        std::sort(tops.begin(), tops.end());
        for (std::size_t i = 1; i < tops.size(); ++i)
            if (tops[i] - tops[i - 1] < height) return false;
        return true;
    };
    QCOMPARE(spreadLabels({50, 20}, 10, 0, 100), (std::vector<int>{45, 15}));
    for (const std::vector<int>& wanted :
         {std::vector<int>{10, 11, 12, 13}, std::vector<int>{99, 98, 99, 3},
          std::vector<int>{0, 0}}) {
        const std::vector<int> tops = spreadLabels(wanted, 10, 0, 100);
        QVERIFY(apart(tops, 10));
        for (const int top : tops)
            QVERIFY(top >= 0 && top <= 90);
    }
    QVERIFY(spreadLabels({}, 10, 0, 100).empty());
}

QTEST_APPLESS_MAIN(TestHeadsLayout)
#include "test_heads_layout.moc"
