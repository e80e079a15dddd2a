// SPDX-License-Identifier: Apache-2.0
// Spans cover what was done, in order, and totals are the sums they claim to be. Nothing here asks
// how long anything takes.
#include "tests/support/engine_fixture.h"

#include <algorithm>
#include <set>

using namespace fkv;
using namespace fkv::testing;
using trace::PassKind;
using trace::Span;
using trace::Zone;

namespace {

bool encloses(const Span& s) {
    return s.zone == Zone::Layer || s.zone == Zone::Pass;
}

template <class Wanted>
double sumMs(const trace::Run& run, const Wanted& wanted) {
    double ms = 0.0;
    for (const Span& s : run.timing.spans)
        if (!encloses(s) && wanted(s)) ms += static_cast<double>(s.durationNs()) * 1e-6;
    return ms;
}

std::set<int> layersOf(const trace::Run& run, Zone zone, PassKind pass) {
    std::set<int> layers;
    for (const Span& s : run.timing.spans)
        if (s.zone == zone && s.pass == pass) layers.insert(s.layer);
    return layers;
}

std::set<int> range(int begin, int end) {
    std::set<int> layers;
    for (int l = begin; l < end; ++l)
        layers.insert(l);
    return layers;
}

run::Request timedRequest() {
    run::Request request = requestFor(randomIds(sized(600), 1));
    request.settings.generate = 4;
    return request;
}

TEST(Timing, EveryZoneOfEveryLayerIsThere) {
    const trace::RunPtr run = analyse(*openDemo(), timedRequest());
    for (const Zone zone :
         {Zone::Norm, Zone::Qkv, Zone::Rope, Zone::Attention, Zone::OutProj, Zone::Mlp,
          Zone::WindowSums, Zone::Saliency, Zone::Ranks, Zone::Capture, Zone::Layer}) {
        EXPECT_EQ(layersOf(*run, zone, PassKind::Full), range(0, 16)) << trace::name(zone);
        EXPECT_EQ(layersOf(*run, zone, PassKind::FastKv), range(8, 16)) << trace::name(zone);
    }
    EXPECT_EQ(layersOf(*run, Zone::Checkpoint, PassKind::Full), range(0, 15));
    EXPECT_EQ(layersOf(*run, Zone::Checkpoint, PassKind::FastKv), std::set<int>{});
    std::set<int> gathered = range(0, 16);
    gathered.insert(-1); // rows of the checkpoint
    EXPECT_EQ(layersOf(*run, Zone::Gather, PassKind::FastKv), gathered);
    const auto steps = [&](PassKind pass) {
        return std::count_if(run->timing.spans.begin(), run->timing.spans.end(),
                             [&](const Span& s) { return s.pass == pass && s.zone == Zone::Pass; });
    };
    EXPECT_EQ(steps(PassKind::Full), 1);
    EXPECT_EQ(steps(PassKind::FastKv), 1);
    EXPECT_EQ(steps(PassKind::DecodeFull), 3) << "the first token comes from prefill";
    EXPECT_EQ(steps(PassKind::DecodeFastKv), 3);
}

TEST(Timing, LeavesDoNotOverlapAndLieInsideTheirPass) {
    const trace::RunPtr run = analyse(*openDemo(), timedRequest());
    std::vector<Span> leaves;
    for (const Span& s : run->timing.spans) {
        EXPECT_LE(s.beginNs, s.endNs);
        if (!encloses(s)) leaves.push_back(s);
    }
    std::stable_sort(leaves.begin(), leaves.end(),
                     [](const Span& a, const Span& b) { return a.beginNs < b.beginNs; });
    for (std::size_t i = 1; i < leaves.size(); ++i)
        EXPECT_LE(leaves[i - 1].endNs, leaves[i].beginNs) << i;
    for (const Span& pass : run->timing.spans) {
        if (pass.zone != Zone::Pass || pass.pass != PassKind::Full) continue;
        for (const Span& s : leaves) {
            if (s.pass != PassKind::Full) continue;
            EXPECT_GE(s.beginNs, pass.beginNs);
            EXPECT_LE(s.endNs, pass.endNs);
        }
    }
}

TEST(Timing, TotalsAreTheSumsTheyClaimToBe) {
    const auto session = openDemo();
    run::Request request = timedRequest();
    const auto selection = [](const Span& s) {
        return groupOf(s.zone) == trace::ZoneGroup::Selection;
    };
    const auto check = [&](const trace::Run& run) {
        const trace::Timing& t = run.timing;
        const int firstLate = run.fastkv->budgets.firstLate();
        const double full = sumMs(run, [&](const Span& s) {
            return s.pass == PassKind::Full && !isInstrument(s.zone) && !selection(s);
        });
        EXPECT_NEAR(*t.fullPrefillMs, full, 1e-6);
        EXPECT_NEAR(*t.fullPrefillWithCaptureMs,
                    sumMs(run, [](const Span& s) { return s.pass == PassKind::Full; }), 1e-6);
        const double composed = sumMs(run, [&](const Span& s) {
            if (isInstrument(s.zone)) return false;
            if (s.pass == PassKind::FastKv) return true;
            return s.pass == PassKind::Full && s.layer < firstLate &&
                   (s.zone != Zone::Head || firstLate == 16);
        });
        EXPECT_NEAR(*t.fastKvPrefillMs, composed, 1e-6);
        EXPECT_EQ(t.fastKvState, trace::State::Composed);
        EXPECT_GT(*t.loadMs, 0.0);
    };
    check(*analyse(*session, request));
    request.settings.tspLayer = 3; // from a checkpoint that is there
    check(*analyse(*session, request));
    request.settings.kv = trace::Amount::ofRate(0.02); // a prefix of the caches
    check(*analyse(*session, request));
    request.settings.tsp = trace::Amount::ofRate(1.0);
    check(*analyse(*session, request));
    request.memory.checkpointBytes = 0; // rows are made again for the instrument alone
    request.settings.tsp = trace::Amount::ofRate(0.2);
    const trace::RunPtr restored = analyse(*session, request);
    check(*restored);
    EXPECT_EQ(layersOf(*restored, Zone::Checkpoint, PassKind::FastKv), ([] {
                  std::set<int> layers = range(0, 4);
                  layers.insert(-1); // embeddings
                  return layers;
              }()));
}

} // namespace
