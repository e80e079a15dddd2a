// SPDX-License-Identifier: Apache-2.0
// What a prompt would need, from headers alone, against what is then held; and what is given up.
#include "engine/core/error.h"
#include "engine/model/shapes.h"
#include "engine/ops/planning_backend.h"
#include "engine/run/fit.h"
#include "engine/run/standalone.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/family.h"

#include <algorithm>

using namespace fkv;
using namespace fkv::testing;

namespace {

const std::filesystem::path kDemo = FKV_RESOURCES "/models/demo";

run::FitReport planFor(const std::filesystem::path& folder, const ops::DeviceInfo& device,
                       std::int64_t tokens, const run::Request& request) {
    run::FitPlanner planner(folder, device);
    return planner.plan(tokens, request, planner.wholeRoom(request.memory.limitBytes));
}

/// Bytes of one run of the deployed path, as the model's memory counts them.
std::int64_t heldBy(run::LoadedModel& model, const run::Request& request,
                    const trace::Settings& settings) {
    Gate gate;
    const std::stop_token stop;
    const run::RunContext context{model, gate, stop};
    const std::vector<std::int32_t>& ids = *request.prompt.ids;
    const trace::Budgets budgets =
        select::computeBudgets(settings, model.info(), static_cast<std::int64_t>(ids.size()));
    model.transformer().memory().restartPeak();
    run::Standalone pass(context, {ids, budgets, {}});
    pass.run();
    const auto cache = pass.decodeCache(request.settings.generate);
    EXPECT_EQ(model.transformer().memory().peakBytes(), model.transformer().memory().heldBytes());
    return model.info().weightBytes + model.transformer().memory().heldBytes();
}

void expectExact(const std::filesystem::path& folder, const run::Request& request) {
    Recorder recorder;
    run::LoadedModel model(folder, {"cpu", 2}, recorder, {});
    const auto tokens = static_cast<std::int64_t>(request.prompt.ids->size());
    const run::FitReport r = planFor(folder, ops::cpuTraits(), tokens, request);
    trace::Settings full = request.settings;
    full.method = trace::Method::Full;
    EXPECT_EQ(r.weightBytes, model.info().weightBytes);
    EXPECT_EQ(r.totalBytes(r.full), heldBy(model, request, full));
    EXPECT_EQ(r.totalBytes(r.fastkv), heldBy(model, request, request.settings));
    EXPECT_LT(r.fastkv.kvBytes, r.full.kvBytes);
    EXPECT_LT(r.fastkv.prefillFlop, r.full.prefillFlop);
    const bool tied =
        model.transformer().weights().lmHead.data == model.transformer().weights().embedding.data;
    const std::int64_t tables = model.config().contextLength * model.config().headDim * 4;
    const ops::View& embedding = model.transformer().weights().embedding;
    const auto unread =
        tables +
        (tied ? 0 : embedding.elements() * static_cast<std::int64_t>(sizeOf(embedding.dtype)));
    EXPECT_EQ(r.full.stepBytes - r.fastkv.stepBytes,
              select::computeBudgets(full, model.info(), tokens).kvBytes -
                  select::computeBudgets(request.settings, model.info(), tokens).kvBytes);
    EXPECT_EQ(r.full.stepBytes,
              r.weightBytes - unread + select::computeBudgets(full, model.info(), tokens).kvBytes);
    EXPECT_EQ(r.roomBytes, 0);
    EXPECT_EQ(r.rung, trace::Rung::Everything);
    EXPECT_TRUE(run::fitText(r).empty());
}

/// The demo model where so much may be used.
run::FitReport fitIn(std::int64_t roomBytes) {
    run::FitPlanner planner(kDemo, ops::cpuTraits());
    return planner.plan(3000, requestFor(randomIds(3000, 13)), {roomBytes, 0});
}

TEST(Fit, TheDeployedPathIsExact) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    expectExact(kDemo, requestFor(randomIds(1500, 13)));
    for (const char* name : {"mistral-sliding", "ministral-ragged", "qwen2.5", "qwen3", "tinyllama",
                             "llama-3.2-tied"}) {
        SCOPED_TRACE(name);
        const Family family(name);
        run::Request request = requestFor(family.prompt(), 4);
        request.settings.tspLayer = 2;
        expectExact(family.folder(), request);
    }
}

TEST(Fit, TheInstrumentIsWhatIsThenHeld) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    run::Request request = requestFor(randomIds(3000, 13));
    request.settings.generate = 4;
    const run::FitReport r = planFor(kDemo, ops::cpuTraits(), 3000, request);
    const run::FitReport loaded = demo().fit(3000, request);
    EXPECT_EQ(r.instrument.total(), loaded.instrument.total());
    EXPECT_EQ(r.instrument.checkpointBytes, loaded.instrument.checkpointBytes);
    EXPECT_EQ(loaded.neededBytes(), r.instrument.total());
    const trace::RunPtr run = analyse(*openDemo(), request);
    EXPECT_NEAR(static_cast<double>(r.instrument.total()),
                static_cast<double>(run->counters.peakBytes),
                0.03 * static_cast<double>(run->counters.peakBytes));
}

TEST(Fit, CheckpointsGoFirstThenCaptureThenFullContext) {
    using trace::Rung;
    const run::FitReport r = fitIn(1LL << 40);
    EXPECT_EQ(r.rung, Rung::Everything);
    EXPECT_TRUE(r.givenUp.empty());
    EXPECT_EQ(r.checkpoints.layers.size(), 15U);
    const std::int64_t all = r.instrument.total(), bare = all - r.instrument.checkpointBytes;
    EXPECT_EQ(fitIn(all).rung, Rung::Everything);
    const run::FitReport fewer = fitIn(all - 1);
    EXPECT_EQ(fewer.rung, Rung::FewerCheckpoints);
    EXPECT_NE(fewer.givenUp.find("of every checkpoint all but the best 986 of 3000 tokens"),
              std::string::npos)
        << fewer.givenUp;
    EXPECT_EQ(run::fitText(fewer), "fits with the best tokens of every checkpoint");
    EXPECT_LE(fewer.neededBytes(), all - 1);
    const run::FitReport half = fitIn(bare + fewer.instrument.checkpointBytes - 1);
    EXPECT_EQ(half.rung, Rung::FewerCheckpoints);
    EXPECT_NE(half.givenUp.find("8 of 15 checkpoints, and of the others"), std::string::npos)
        << half.givenUp;
    EXPECT_EQ(run::fitText(half), "fits with the best tokens of every 2nd checkpoint");
    EXPECT_EQ(fitIn(bare).rung, Rung::FewerCheckpoints);
    EXPECT_EQ(run::fitText(fitIn(bare)), "fits without checkpoints");
    EXPECT_EQ(fitIn(bare).neededBytes(), bare);
    // Then keys and values of late layers.
    const run::FitReport thin = fitIn(bare - 1);
    EXPECT_EQ(thin.rung, Rung::FewerCheckpoints);
    EXPECT_FALSE(thin.kv.late);
    EXPECT_NE(thin.givenUp.find("keys and values of late layers"), std::string::npos);
    EXPECT_FALSE(thin.checkpoints.layers.empty()) << "in what room that leaves";
    const std::int64_t least = thin.neededBytes() - thin.instrument.checkpointBytes;
    const std::int64_t full = r.totalBytes(r.full), fastkv = r.totalBytes(r.fastkv);
    ASSERT_LT(full, least);
    ASSERT_LT(fastkv, full);
    EXPECT_EQ(fitIn(least).rung, Rung::FewerCheckpoints);
    for (const std::int64_t room : {least - 1, full}) {
        EXPECT_EQ(fitIn(room).rung, Rung::Deployed);
        EXPECT_EQ(fitIn(room).neededBytes(), full);
        EXPECT_NE(fitIn(room).givenUp.find("capture, as looking into this prompt needs"),
                  std::string::npos);
    }
    for (const std::int64_t room : {full - 1, fastkv}) {
        EXPECT_EQ(fitIn(room).rung, Rung::FastKvAlone);
        EXPECT_EQ(fitIn(room).neededBytes(), fastkv);
    }
    EXPECT_EQ(fitIn(fastkv - 1).rung, std::nullopt);
}

TEST(Fit, WhatWouldFitIsTheMostThatDoes) {
    run::FitPlanner planner(kDemo, ops::cpuTraits());
    const run::Request request = requestFor(randomIds(10, 1));
    const std::int64_t room = planner.model().weightBytes + (12 << 20);
    const run::FitReport r = planner.plan(8000, request, {room, 0});
    ASSERT_FALSE(r.rung);
    ASSERT_GT(r.mostTokens, 0);
    EXPECT_EQ(planner.plan(r.mostTokens, request, {room, 0}).rung, trace::Rung::FastKvAlone);
    EXPECT_EQ(planner.plan(r.mostTokens + 1, request, {room, 0}).rung, std::nullopt);
    const std::string most = std::to_string(r.mostTokens);
    EXPECT_EQ(run::fitText(r), "does not fit: at most " + most + " tokens");
    EXPECT_NE(run::refusalText(r).find("at most " + most + " tokens fit"), std::string::npos)
        << run::refusalText(r);
    const run::FitReport none = planner.plan(8000, request, {1 << 20, 0});
    EXPECT_EQ(none.mostTokens, 0);
    EXPECT_NE(run::refusalText(none).find("the weights alone"), std::string::npos);
}

TEST(Fit, EightBillionParametersOnTwoGpus) {
    run::FitPlanner planner(model::shapeConfig("llama-3.1-8b"), ops::gpuTraits());
    constexpr std::int64_t kGiB = 1LL << 30;
    EXPECT_NEAR(static_cast<double>(planner.model().weightBytes), 16.06e9, 0.1e9);
    run::Request request;
    request.settings = select::defaultSettings(32);
    const auto at = [&](std::int64_t tokens, std::int64_t gib) {
        return planner.plan(tokens - 32, request, {gib * kGiB * 9 / 10, 16 * kGiB});
    };
    using trace::Rung;
    EXPECT_EQ(at(8192, 24).rung, Rung::Everything);
    EXPECT_EQ(at(8192, 141).rung, Rung::Everything);
    EXPECT_EQ(at(32768, 141).rung, Rung::Everything);
    const run::FitReport small = at(32768, 24), large = at(131072, 24), wide = at(131072, 141);
    // 128 KiB a token: 4.3 and 17.2 GB of full context beside 15 GiB of weights.
    EXPECT_EQ(small.full.kvBytes / 32768 >> 10, 128);
    // 16 GiB of keys and values lie beside such a card, where its host has room for them.
    EXPECT_EQ(large.rung, Rung::FewerCheckpoints) << run::fitText(large);
    EXPECT_EQ(large.kv.place, ops::Place::Host);
    EXPECT_NEAR(static_cast<double>(large.instrument.pinnedBytes), 17.2e9, 1e8);
    EXPECT_EQ(run::fitText(large), "fits with keys and values in host memory");
    EXPECT_EQ(planner.plan(131040, request, {24 * kGiB * 9 / 10, 15 * kGiB}).rung,
              Rung::FastKvAlone);
    EXPECT_EQ(wide.rung, Rung::Everything) << run::fitText(wide);
    EXPECT_GE(wide.checkpointBudget.deviceBytes, 31 * kGiB) << "a quarter of the room";
    EXPECT_LE(wide.neededBytes(), wide.roomBytes);
    // What a 24 GB card has left would be every 2nd checkpoint: its host holds all.
    EXPECT_EQ(small.rung, Rung::FewerCheckpoints) << run::fitText(small);
    EXPECT_EQ(run::fitText(small), "fits with the best tokens of every checkpoint, in host memory");
    EXPECT_NEAR(static_cast<double>(small.instrument.pinnedBytes), 31 * 0.33 * 32768 * 8192, 3e8);
    EXPECT_EQ(small.instrument.checkpointBytes, 0);
    EXPECT_LE(large.neededBytes(), large.roomBytes);
    for (const run::FitReport* r : {&small, &large, &wide})
        std::printf("%lld tokens in %.1f GiB: %s, %.1f GiB\n", static_cast<long long>(r->tokens),
                    static_cast<double>(r->roomBytes) / kGiB, run::fitText(*r).c_str(),
                    static_cast<double>(r->neededBytes()) / kGiB);
}

TEST(Fit, AGpuNeedNotBeThere) {
    const auto request = requestFor(randomIds(3000, 13));
    const run::FitReport cpu = planFor(kDemo, ops::cpuTraits(), 3000, request);
    const run::FitReport gpu = planFor(kDemo, ops::gpuTraits(), 3000, request);
    EXPECT_EQ(gpu.full.kvBytes * 2, cpu.full.kvBytes) << "bf16 against f32";
    EXPECT_GT(gpu.full.activationBytes, cpu.full.activationBytes) << "chunks of 8192 rows";
}

TEST(Fit, WhatADeviceCannotRunIsNamed) {
    model::Config config = model::readConfig(kDemo);
    EXPECT_NO_THROW(model::checkDevice(config, ops::gpuTraits()));
    const auto refused = [](const model::Config& c) {
        EXPECT_NO_THROW(model::checkDevice(c, ops::cpuTraits()));
        try {
            model::checkDevice(c, ops::gpuTraits());
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), ErrorCode::Unsupported);
            return std::string(e.what());
        }
        return std::string();
    };
    config.headDim = 96;
    EXPECT_EQ(refused(config), "a head size of 96 does not run on GPU");
    config.headDim = 64;
    config.intermediate = 702;
    EXPECT_EQ(refused(config), "an MLP width of 702 does not run on GPU");
}

TEST(Fit, WhatCannotBeRunIsRefused) {
    const run::Request request = requestFor(randomIds(10, 1));
    for (const std::int64_t tokens : {std::int64_t{0}, std::int64_t{8192}, std::int64_t{1} << 40})
        EXPECT_THROW(planFor(kDemo, ops::cpuTraits(), tokens, request), Error) << tokens;
    EXPECT_THROW(planFor("/nowhere", ops::cpuTraits(), 10, request), Error);
}

} // namespace
