// SPDX-License-Identifier: Apache-2.0
// What a prompt would need, from headers alone, against what is then held; and what is given up.
#include "engine/core/error.h"
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
    const run::FitReport r = run::estimateFit(folder, ops::cpuTraits(), tokens, request);
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
    EXPECT_EQ(r.fit, run::Fit::Unknown);
}

/// The demo model on a device of so many bytes.
run::FitReport fitIn(std::int64_t bytes) {
    ops::DeviceInfo device = ops::cpuTraits();
    device.memoryBytes = static_cast<std::size_t>(bytes);
    return run::estimateFit(kDemo, device, 3000, requestFor(randomIds(3000, 13)));
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
    const run::FitReport r = run::estimateFit(kDemo, ops::cpuTraits(), 3000, request);
    const run::MemoryEstimate loaded = demo().estimate(3000, request);
    EXPECT_EQ(r.instrument.total(), loaded.total());
    EXPECT_EQ(r.instrument.checkpointBytes, loaded.checkpointBytes);
    const trace::RunPtr run = analyse(*openDemo(), request);
    EXPECT_NEAR(static_cast<double>(r.instrument.total()),
                static_cast<double>(run->counters.peakBytes),
                0.03 * static_cast<double>(run->counters.peakBytes));
}

TEST(Fit, CheckpointsGoFirstThenCaptureThenFullContext) {
    const run::FitReport r = fitIn(1LL << 40);
    EXPECT_EQ(r.fit, run::Fit::Everything);
    EXPECT_TRUE(r.givenUp.empty());
    const auto with = [](std::int64_t need) { return fitIn(need + need / 9 + 16); };
    const std::int64_t bare = r.instrument.total() - r.instrument.checkpointBytes;
    EXPECT_EQ(with(r.instrument.total()).fit, run::Fit::Everything);
    const run::FitReport fewer = with(r.instrument.total() - 100);
    EXPECT_EQ(fewer.fit, run::Fit::FewerCheckpoints);
    EXPECT_NE(fewer.givenUp.find("of 15 checkpoints"), std::string::npos) << fewer.givenUp;
    EXPECT_EQ(with(bare).fit, run::Fit::FewerCheckpoints);
    EXPECT_NE(with(bare).givenUp.find("all checkpoints"), std::string::npos);
    EXPECT_EQ(with(bare - 100).fit, run::Fit::NoCapture);
    EXPECT_EQ(with(r.totalBytes(r.full)).fit, run::Fit::NoCapture);
    EXPECT_EQ(with(r.totalBytes(r.full) - 100).fit, run::Fit::FastKvAlone);
    EXPECT_EQ(with(r.totalBytes(r.fastkv) - 100).fit, run::Fit::Nothing);
}

TEST(Fit, AGpuNeedNotBeThere) {
    const auto request = requestFor(randomIds(3000, 13));
    const run::FitReport cpu = run::estimateFit(kDemo, ops::cpuTraits(), 3000, request);
    const run::FitReport gpu = run::estimateFit(kDemo, ops::gpuTraits(), 3000, request);
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
        EXPECT_THROW(run::estimateFit(kDemo, ops::cpuTraits(), tokens, request), Error) << tokens;
    EXPECT_THROW(run::estimateFit("/nowhere", ops::cpuTraits(), 10, request), Error);
}

} // namespace
