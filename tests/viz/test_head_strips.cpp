// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/select/fate.h"
#include "tests/support/synthetic_run.h"
#include "viz/series/head_counts.h"
#include "viz/series/head_mass.h"
#include "viz/series/head_strips.h"

#include <QtTest>
#include <cmath>
#include <numeric>
#include <random>

using namespace fkv;
using namespace fkv::viz;
using trace::Amount;

namespace {

/// A run and the fate under its own settings: exact when it has a rerun, else a preview.
struct Shown {
    trace::RunPtr run;
    trace::FatePtr fate;
    explicit Shown(const testing::SyntheticSpec& spec)
        : run(testing::makeRun(spec)), fate(select::computeFate(*run, spec.settings)) {}
};

testing::SyntheticSpec specOf(std::int64_t tokens, int tspLayer, double tsp, double kv) {
    testing::SyntheticSpec spec;
    spec.tokens = tokens;
    spec.layers = 6;
    spec.queryHeads = 4;
    spec.kvHeads = 2;
    spec.settings.tspLayer = tspLayer;
    spec.settings.tsp = Amount::ofRate(tsp);
    spec.settings.kv = Amount::ofRate(kv);
    spec.answers = false;
    return spec;
}

std::int64_t countKeeps(const trace::Fate& fate, HeadPlace at, TokenRange range) {
    std::int64_t kept = 0;
    for (std::int64_t i = range.begin; i < range.end; ++i)
        kept += fate.keeps(at.layer, at.head, i) ? 1 : 0;
    return kept;
}

template <class Visit>
void forEachHead(const trace::Fate& fate, Visit visit) {
    for (int l = 0; l < static_cast<int>(fate.layers.size()); ++l)
        for (int g = 0; g < static_cast<int>(fate.layers.front().cut.size()); ++g)
            visit(HeadPlace{l, g});
}

std::vector<std::uint32_t> bruteStrips(const trace::Fate& fate, const StripBins& bins) {
    std::vector<std::uint32_t> kept;
    forEachHead(fate, [&](HeadPlace at) {
        for (int b = 0; b < bins.count; ++b)
            kept.push_back(
                static_cast<std::uint32_t>(countKeeps(fate, at, bins.tokensOf(b, b + 1))));
    });
    return kept;
}

TokenRange bruteGap(const trace::Fate& fate, HeadPlace at) {
    TokenRange longest;
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < fate.tokens(); ++i) {
        if (!fate.keeps(at.layer, at.head, i)) continue;
        if (i - begin > longest.size()) longest = {begin, i};
        begin = i + 1;
    }
    return longest;
}

double bruteMass(const Shown& s, HeadPlace at) {
    const trace::LayerPlanes& planes = decidingPlanes(*s.run, *s.fate, at.layer);
    const auto group = static_cast<std::size_t>(s.run->model.groupSize());
    double kept = 0.0, arrived = 0.0;
    for (std::int64_t i = 0; i < s.run->scored(); ++i) {
        if (!s.fate->arrives(at.layer, i)) continue;
        const auto column =
            static_cast<std::size_t>(s.fate->layers[static_cast<std::size_t>(at.layer)].compacted
                                         ? s.fate->compactedIndex[static_cast<std::size_t>(i)]
                                         : i);
        for (std::size_t h = 0; h < group; ++h) {
            const double mass =
                planes.sums->at(static_cast<std::size_t>(at.head) * group + h, column);
            arrived += mass;
            if (s.fate->keeps(at.layer, at.head, i)) kept += mass;
        }
    }
    return arrived > 0.0 ? kept / arrived : 1.0;
}

HeadIndexes indexesOf(const trace::Run& run, const StripBins& bins) {
    HeadIndexes indexes;
    indexes.full = indexFullPass(*run.full, bins);
    if (run.fastkv) indexes.late = indexRerun(*run.fastkv, bins);
    return indexes;
}

} // namespace

class TestHeadStrips : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void counts_data();
    void counts();
    void movedSlidersAreCountedFromTheSameIndex();
    void indexOfAForeignPlaneIsNotUsed();
    void ranksThatAreNoPermutationAreNotIndexed();
    void shownBinsAreEqual_data();
    void shownBinsAreEqual();
    void shareAddsUp();
    void massFromTables_data();
    void massFromTables();
    void massOfNothing();
    void worst();
};

void TestHeadStrips::counts_data() {
    QTest::addColumn<int>("tokens");
    QTest::addColumn<double>("tsp");
    QTest::addColumn<double>("kv");
    QTest::addColumn<bool>("rerun");
    for (const int tokens : {1, 8, 9, 12, 300, 2056, 5000})
        for (const double tsp : {0.05, 0.2, 0.7, 1.0})
            for (const double kv : {0.004, 0.1, 0.5, 1.0})
                for (const bool rerun : {true, false})
                    QTest::addRow("%d tokens, TSP %g, KV %g, %s", tokens, tsp, kv,
                                  rerun ? "exact" : "preview")
                        << tokens << tsp << kv << rerun;
}

// Everything this view counts, against a sum of Fate::keeps; and VIEWS' rule that a preview, too,
// keeps exactly C in every head.
void TestHeadStrips::counts() {
    QFETCH(int, tokens);
    QFETCH(double, tsp);
    QFETCH(double, kv);
    QFETCH(bool, rerun);
    testing::SyntheticSpec spec = specOf(tokens, tokens % 2 == 0 ? 2 : 4, tsp, kv);
    spec.rerun = rerun;
    spec.tables = false;
    const Shown s(spec);
    const trace::Fate& fate = *s.fate;
    const StripBins bins(s.run->scored());
    const std::vector<std::uint32_t> want = bruteStrips(fate, bins);
    const HeadStrips direct = countStrips(fate, bins, {});
    QCOMPARE(direct.kept, want);
    QCOMPARE(countStrips(fate, bins, indexesOf(*s.run, bins)).kept, want);

    const std::int64_t n = fate.tokens();
    std::mt19937 random(7);
    forEachHead(fate, [&](HeadPlace at) {
        const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
        QCOMPARE(layer.state == trace::State::Exact, rerun || at.layer < fate.budgets.firstLate());
        const auto strip = direct.of(at.layer, at.head);
        QCOMPARE(std::accumulate(strip.begin(), strip.end(), n - s.run->scored()), layer.kept);
        QCOMPARE(keptIn(fate, at, {0, n}), layer.kept);
        QCOMPARE(longestGap(fate, at).size(), bruteGap(fate, at).size());
        for (int i = 0; i < 4; ++i) {
            const auto a = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(n + 1));
            const auto b = static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(n + 1));
            const TokenRange range{std::min(a, b), std::max(a, b)};
            QCOMPARE(keptIn(fate, at, range), countKeeps(fate, at, range));
        }
        const auto tied = tiedAtHead(*s.run, fate, at);
        QCOMPARE(tied.has_value(), layer.state == trace::State::Exact);
    });
}

void TestHeadStrips::movedSlidersAreCountedFromTheSameIndex() {
    testing::SyntheticSpec spec = specOf(20'000, 2, 0.2, 0.1);
    spec.tables = false;
    const Shown s(spec);
    const StripBins bins(s.run->scored());
    const HeadIndexes indexes = indexesOf(*s.run, bins);
    // Cuts on, next to and between the check points of an index.
    for (const std::int64_t kept :
         {8, 9, 1032, 2055, 2056, 2057, 3080, 3081, 4104, 12'000, 19'999}) {
        trace::Settings settings = spec.settings;
        settings.kv = Amount::ofTokens(kept);
        const trace::FatePtr fate = select::computeFate(*s.run, settings);
        QCOMPARE(countStrips(*fate, bins, indexes).kept, bruteStrips(*fate, bins));
    }
}

void TestHeadStrips::indexOfAForeignPlaneIsNotUsed() {
    testing::SyntheticSpec spec = specOf(3000, 2, 0.2, 0.1);
    spec.tables = false;
    const Shown s(spec);
    const Shown other(spec);
    const StripBins bins(s.run->scored());
    const HeadIndexes indexes = indexesOf(*s.run, bins);
    QVERIFY(indexes.find(s.fate->layers[0].ranks, bins));
    QVERIFY(!indexes.find(other.fate->layers[0].ranks, bins));
    QVERIFY(!indexes.find(s.fate->layers[0].ranks, StripBins(100)));
    QCOMPARE(countStrips(*other.fate, bins, indexes).kept, bruteStrips(*other.fate, bins));
}

void TestHeadStrips::ranksThatAreNoPermutationAreNotIndexed() {
    const auto ranks = trace::Plane<std::uint32_t>::own({0, 1, 2, 3, 1, 7, 0, 2}, 2, 4);
    QVERIFY(!HeadIndex::build(ranks, {}, StripBins(4)));
    std::stop_source stop;
    stop.request_stop();
    const auto fine = trace::Plane<std::uint32_t>::own({0, 1, 2, 3}, 1, 4);
    QVERIFY(!HeadIndex::build(fine, {}, StripBins(4), stop.get_token()));
    QVERIFY(HeadIndex::build(fine, {}, StripBins(4)));
}

void TestHeadStrips::shownBinsAreEqual_data() {
    QTest::addColumn<qint64>("scored");
    QTest::addColumn<int>("width");
    for (const qint64 scored : {0LL, 1LL, 5LL, 63LL, 64LL, 65LL, 1000LL, 131064LL})
        for (const int width : {-3, 0, 1, 16, 46, 63, 64, 65, 70, 128, 200, 1000})
            QTest::addRow("%lld tokens, %d px", static_cast<long long>(scored), width)
                << scored << width;
}

void TestHeadStrips::shownBinsAreEqual() {
    QFETCH(qint64, scored);
    QFETCH(int, width);
    const StripBins fine(scored);
    const ShownBins shown(fine, width);
    QVERIFY(fine.count <= StripBins::kMost);
    QVERIFY(shown.bins <= ShownBins::kMostShown && shown.bins <= fine.count);
    if (scored == 0 || width <= 0) {
        QCOMPARE(shown.bins, 0);
        return;
    }
    QVERIFY(shown.width() <= width && shown.width() * 2 > width);
    QVERIFY(shown.bins >= 1);
    std::int64_t next = 0;
    for (int b = 0; b < shown.bins; ++b) {
        const TokenRange tokens = shown.tokensOf(fine, b);
        QCOMPARE(tokens.begin, next);
        QVERIFY(tokens.size() > 0);
        QCOMPARE(shown.binOf(fine, tokens.begin), b);
        QCOMPARE(shown.binOf(fine, tokens.end - 1), b);
        next = tokens.end;
    }
    QCOMPARE(next, static_cast<std::int64_t>(scored));
}

void TestHeadStrips::shareAddsUp() {
    testing::SyntheticSpec spec = specOf(5000, 2, 0.2, 0.1);
    spec.tables = false;
    const Shown s(spec);
    const StripBins bins(s.run->scored());
    const HeadStrips strips = countStrips(*s.fate, bins, {});
    const ShownBins shown(bins, 46);
    std::vector<float> share(static_cast<std::size_t>(shown.bins));
    forEachHead(*s.fate, [&](HeadPlace at) {
        shareKept(strips.of(at.layer, at.head), bins, shown, share);
        double kept = 0.0;
        for (int b = 0; b < shown.bins; ++b) {
            const TokenRange tokens = shown.tokensOf(bins, b);
            kept += static_cast<double>(share[static_cast<std::size_t>(b)]) *
                    static_cast<double>(tokens.size());
            QVERIFY(
                std::fabs(share[static_cast<std::size_t>(b)] * static_cast<double>(tokens.size()) -
                          static_cast<double>(countKeeps(*s.fate, at, tokens))) < 1e-3);
        }
        QCOMPARE(std::llround(kept) + s.fate->budgets.window,
                 s.fate->layers[static_cast<std::size_t>(at.layer)].kept);
    });
}

void TestHeadStrips::massFromTables_data() {
    QTest::addColumn<double>("tsp");
    QTest::addColumn<double>("kv");
    QTest::addColumn<bool>("rerun");
    QTest::addColumn<bool>("half");
    for (const double tsp : {0.2, 0.7, 1.0})
        for (const double kv : {0.004, 0.03, 0.1, 0.5, 1.0})
            for (const bool rerun : {true, false})
                QTest::addRow("TSP %g, KV %g, %s", tsp, kv, rerun ? "exact" : "preview")
                    << tsp << kv << rerun << (kv == 0.1);
}

void TestHeadStrips::massFromTables() {
    QFETCH(double, tsp);
    QFETCH(double, kv);
    QFETCH(bool, rerun);
    QFETCH(bool, half);
    testing::SyntheticSpec spec = specOf(6000, 2, tsp, kv);
    spec.rerun = rerun;
    spec.halfSums = half;
    const Shown s(spec);
    const trace::HeadMassTable table =
        s.run->fastkv ? rerunMassTable(*s.run->fastkv) : trace::HeadMassTable{};
    const std::vector<float> mass = keptMass(*s.fate, {s.run->full->tables->heads, table});
    QCOMPARE(mass.size(), std::size_t{12});
    forEachHead(*s.fate, [&](HeadPlace at) {
        const double want = bruteMass(s, at);
        QVERIFY2(std::fabs(exactKeptMass(*s.run, *s.fate, at) - want) < 1e-4, "exact");
        const float got = mass[static_cast<std::size_t>(at.layer * 2 + at.head)];
        // Between two K of a table, and in a preview with the mean of a table's step.
        const bool preview =
            s.fate->layers[static_cast<std::size_t>(at.layer)].state == trace::State::Preview;
        QVERIFY2(std::fabs(got - want) < (preview ? 0.03 : 0.01),
                 qPrintable(QStringLiteral("layer %1 head %2: %3 for %4")
                                .arg(at.layer)
                                .arg(at.head)
                                .arg(got)
                                .arg(want)));
    });
}

void TestHeadStrips::massOfNothing() {
    testing::SyntheticSpec spec = specOf(300, 2, 0.2, 0.1);
    spec.tables = false;
    const Shown s(spec);
    const std::vector<float> mass = keptMass(*s.fate, {{}, {}});
    QVERIFY(std::all_of(mass.begin(), mass.end(), [](float m) { return std::isnan(m); }));
    QVERIFY(!worstHead(mass, 2).valid());
    // The window alone holds no scored token, and of a prompt within the window nothing is lost.
    const Shown least(specOf(3000, 2, 0.2, 0.001));
    QCOMPARE(exactKeptMass(*least.run, *least.fate, {0, 0}), 0.0);
    QCOMPARE(keptMass(*least.fate, {least.run->full->tables->heads, {}}).front(), 0.0F);
    const Shown whole(specOf(8, 2, 0.2, 0.1));
    QCOMPARE(exactKeptMass(*whole.run, *whole.fate, {5, 1}), 1.0);
}

void TestHeadStrips::worst() {
    const float nan = std::nanf("");
    QCOMPARE(worstHead({0.9F, 0.5F, nan, 0.4F, 0.4F, 1.0F}, 2), (HeadPlace{1, 1}));
    QVERIFY(!worstHead({1.0F, 1.0F, nan, 1.0F}, 2).valid());
}

QTEST_APPLESS_MAIN(TestHeadStrips)
#include "test_head_strips.moc"
