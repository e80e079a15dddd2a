// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/select/fate.h"
#include "engine/select/ranks.h"
#include "tests/support/synthetic_run.h"
#include "viz/series/cells.h"
#include "viz/series/survivor_ranks.h"

#include <QtTest>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

using namespace fkv;
using namespace fkv::viz;

namespace {

constexpr std::int64_t kMany = 131072 - 8;

/// A permutation in which `best` has rank 0 and all else follows by position.
std::vector<std::uint32_t> ranksWithBest(std::int64_t scored, std::int64_t best) {
    std::vector<std::uint32_t> ranks(static_cast<std::size_t>(scored));
    std::uint32_t next = 1;
    for (std::int64_t i = 0; i < scored; ++i)
        ranks[static_cast<std::size_t>(i)] = i == best ? 0 : next++;
    return ranks;
}

const trace::RunPtr& smallRun() {
    static const trace::RunPtr run = testing::makeRun({.tokens = 1500});
    return run;
}

std::vector<RankRow> rowsOf(const trace::Plane<std::uint32_t>& plane) {
    std::vector<RankRow> rows;
    for (std::size_t l = 0; l < plane.rows(); ++l)
        rows.push_back({plane.row(l), {}});
    return rows;
}

} // namespace

class TestCells : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void oneTokenLightsOneCell() {
        const PositionAxis axis(kMany, {0, kMany}, 1000);
        std::set<std::int64_t> tokens{0, kMany - 1};
        for (int cell = 0; cell < axis.cells(); ++cell) {
            tokens.insert(axis.tokensOf(cell).begin);
            tokens.insert(axis.tokensOf(cell).end - 1);
        }
        for (std::int64_t i = 0; i < 20; ++i)
            tokens.insert((i * 7919 * 7919 + 17) % kMany);
        for (const std::int64_t token : tokens) {
            const auto ranks = ranksWithBest(kMany, token);
            const RankRow row{ranks, {}};
            const BestCells best = bestCells({&row, 1}, axis);
            QCOMPARE(best.cells, axis.cells());
            int lit = 0;
            for (int cell = 0; cell < best.cells; ++cell) {
                if (best.rank[best.at(0, cell)] != 0) continue;
                ++lit;
                QVERIFY(axis.tokensOf(cell).has(token));
                QVERIFY(axis.pixelsOf(cell).width() >= 1);
                QCOMPARE(static_cast<std::int64_t>(best.token[best.at(0, cell)]), token);
            }
            QVERIFY2(lit == 1, qPrintable(QString::number(token)));
        }
    }
    void bestAgreesWithALoop_data() {
        QTest::addColumn<qint64>("begin");
        QTest::addColumn<qint64>("end");
        QTest::newRow("all") << qint64{0} << qint64{1492};
        QTest::newRow("part") << qint64{333} << qint64{1201};
        QTest::newRow("one token a cell") << qint64{700} << qint64{800};
    }
    void bestAgreesWithALoop() {
        QFETCH(qint64, begin);
        QFETCH(qint64, end);
        const auto& plane = *smallRun()->full->tspRanks;
        const PositionAxis axis(1492, {begin, end}, 211);
        const auto rows = rowsOf(plane);
        const CellScan scan = scanCells(rows, axis, 15);
        for (std::size_t l = 0; l < plane.rows(); ++l)
            for (int cell = 0; cell < axis.cells(); ++cell) {
                const TokenRange tokens = axis.tokensOf(cell);
                std::int64_t want = tokens.begin;
                for (std::int64_t i = tokens.begin; i < tokens.end; ++i)
                    if (plane.row(l)[static_cast<std::size_t>(i)] <
                        plane.row(l)[static_cast<std::size_t>(want)])
                        want = i;
                const std::size_t at = scan.best.at(static_cast<int>(l), cell);
                QCOMPARE(static_cast<std::int64_t>(scan.best.token[at]), want);
                QCOMPARE(scan.best.rank[at], plane.row(l)[static_cast<std::size_t>(want)]);
            }
        if (axis.visible().size() == 1492) QCOMPARE(scan.top.size(), plane.rows() * 15);
        for (const RankedToken& top : scan.top) {
            QVERIFY(top.rank < 15);
            QCOMPARE(
                plane.row(static_cast<std::size_t>(top.row))[static_cast<std::size_t>(top.token)],
                top.rank);
        }
    }
    void survivorsAlone() {
        const std::vector<std::int32_t> positions{3, 40, 41, 99};
        const std::vector<std::uint32_t> ranks{2, 1, 0, 3};
        const RankRow row{ranks, positions};
        const BestCells best = bestCells({&row, 1}, PositionAxis(100, {0, 100}, 10));
        const std::vector<std::int32_t> want{3, -1, -1, -1, 41, -1, -1, -1, -1, 99};
        QCOMPARE(best.token, want);
        QCOMPARE(best.rank[1], kNoRank);
        const BestCells part = bestCells({&row, 1}, PositionAxis(100, {41, 100}, 100));
        QCOMPARE(part.token[0], 41);
        QCOMPARE(part.token[58], 99);
        QCOMPARE(std::count(part.token.begin(), part.token.end(), -1), 57);
    }
    void nothingVisible() {
        const RankRow row{};
        QVERIFY(bestCells({&row, 1}, PositionAxis(0, {}, 100)).token.empty());
        QVERIFY(bestCells({}, PositionAxis(10, {0, 10}, 100)).token.empty());
        QVERIFY(lostPerCell({}, 0, {}, PositionAxis()).empty());
    }

    void ribbonAddsUp() {
        const trace::FatePtr fate = testing::makeFate(smallRun());
        for (const int width : {97, 313, 1000, 1492}) {
            const auto kept = keptPerCell(fate->passes, PositionAxis(1492, {0, 1492}, width));
            const auto sum = std::accumulate(kept.begin(), kept.end(), std::int64_t{0});
            QCOMPARE(sum, fate->budgets.propagated - fate->budgets.window);
        }
    }
    void lostIsTheWorstDropped() {
        trace::Settings settings = smallRun()->fastkv->settings;
        settings.tspLayer = 1;
        settings.tsp = trace::Amount::ofRate(0.05);
        const trace::FatePtr fate = select::computeFate(*smallRun(), settings);
        const auto& plane = *smallRun()->full->tspRanks;
        const PositionAxis axis(1492, {0, 1492}, 150);
        const std::uint32_t limit = 149;
        const CellScan scan = scanCells(rowsOf(plane), axis, limit);
        const int first = fate->budgets.firstLate();
        const auto lost = lostPerCell(scan.top, first, fate->passes, axis);
        int found = 0;
        for (int cell = 0; cell < axis.cells(); ++cell) {
            std::uint32_t want = kNoRank;
            for (std::int64_t i = axis.tokensOf(cell).begin; i < axis.tokensOf(cell).end; ++i)
                for (auto l = static_cast<std::size_t>(first); l < plane.rows(); ++l) {
                    const std::uint32_t rank = plane.row(l)[static_cast<std::size_t>(i)];
                    if (!fate->passes.has(i) && rank < limit) want = std::min(want, rank);
                }
            const RankedToken& got = lost[static_cast<std::size_t>(cell)];
            QCOMPARE(got.rank, want);
            if (got.token < 0) continue;
            ++found;
            QVERIFY(!fate->passes.has(got.token));
            QVERIFY(axis.tokensOf(cell).has(got.token));
        }
        QVERIFY(found > 0);
    }
    void massAddsUp() {
        const auto& mass = *smallRun()->full->mass;
        const MassRow row{mass.row(5), {}};
        const auto sums = sumOfRows({&row, 1});
        const PositionAxis axis(1492, {0, 1492}, 113);
        const auto ratios = massPerCell({&row, 1}, sums, axis);
        double share = 0.0;
        for (int cell = 0; cell < axis.cells(); ++cell)
            share += static_cast<double>(ratios[static_cast<std::size_t>(cell)]) *
                     static_cast<double>(axis.tokensOf(cell).size()) / 1492.0;
        QVERIFY2(std::fabs(share - 1.0) < 1e-5, qPrintable(QString::number(share)));
        const std::vector<float> none(1492, 0.0F);
        const MassRow empty{none, {}};
        QVERIFY(std::isnan(massPerCell({&empty, 1}, sumOfRows({&empty, 1}), axis)[0]));
    }
    void survivorsRankAsTheMethodDoes() {
        const auto& late = smallRun()->fastkv->late[3];
        std::vector<float> values(late.saliency->values().begin(), late.saliency->values().end());
        values[17] = std::nanf("");
        values[30] = -0.0F;
        const auto saliency = trace::Plane<float>::own(std::move(values), late.saliency->rows(),
                                                       late.saliency->cols());
        std::vector<float> score(saliency->cols());
        select::sumRows(saliency->values(), static_cast<std::int64_t>(saliency->rows()), score);
        std::vector<std::uint32_t> want(score.size());
        select::RankScratch scratch;
        select::rankDescending(score, want, scratch);
        QCOMPARE(allHeadRanks(*saliency), want);
    }
    void previewRanksCountTheBetterSurvivors() {
        const auto ranks = smallRun()->full->tspRanks->row(9);
        const auto& survivors = smallRun()->fastkv->survivors;
        const std::span<const std::int32_t> scored(survivors.data(), survivors.size() - 8);
        const auto among = ranksAmong(ranks, scored);
        for (std::size_t j = 0; j < scored.size(); ++j) {
            const auto better =
                std::count_if(scored.begin(), scored.end(), [&](std::int32_t other) {
                    return ranks[static_cast<std::size_t>(other)] <
                           ranks[static_cast<std::size_t>(scored[j])];
                });
            QCOMPARE(static_cast<std::ptrdiff_t>(among[j]), better);
        }
        QVERIFY(ranksAmong(ranks, {}).empty());
    }
    void headsAgreeWithTheFate_data() {
        QTest::addColumn<double>("tsp");
        QTest::addColumn<double>("kv");
        QTest::newRow("exact") << 0.2 << 0.1;
        QTest::newRow("preview") << 0.31 << 0.1;
        QTest::newRow("all kept") << 0.2 << 1.0;
        QTest::newRow("TSP off") << 1.0 << 0.05;
    }
    void headsAgreeWithTheFate() {
        QFETCH(double, tsp);
        QFETCH(double, kv);
        trace::Settings settings = smallRun()->fastkv->settings;
        settings.tsp = trace::Amount::ofRate(tsp);
        settings.kv = trace::Amount::ofRate(kv);
        const trace::FatePtr fate = select::computeFate(*smallRun(), settings);
        std::vector<std::int32_t> tokens{-1};
        for (std::int32_t i = 0; i < 1492; i += 3)
            tokens.push_back(i);
        for (int layer = 0; layer < 16; ++layer) {
            const auto ranks = headRanks(*fate, layer, tokens);
            QCOMPARE(ranks[0], kNoRank);
            for (std::size_t i = 1; i < tokens.size(); ++i) {
                if (!fate->arrives(layer, tokens[i])) continue;
                QCOMPARE(keptHeads(fate->layers[static_cast<std::size_t>(layer)],
                                   std::span(ranks).subspan(i * 4, 4)),
                         fate->keptHeads(layer, tokens[i]));
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestCells)
#include "test_cells.moc"
