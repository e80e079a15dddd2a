// SPDX-License-Identifier: Apache-2.0
// What is refused, in one line and with the session unharmed; and what is small but valid.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <unistd.h>

using namespace fkv;
using namespace fkv::testing;

namespace {

/// Message of the error that `task` throws.
template <class Task>
std::string failureOf(const Task& task, ErrorCode code) {
    try {
        task();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

std::string refused(const run::Request& request) {
    return failureOf([&] { analyse(demo(), request); }, ErrorCode::BadArgument);
}

TEST(Input, PromptsThatCannotBeRunAreRefusedInOneLine) {
    EXPECT_EQ(refused(requestFor(std::string())), "the prompt is empty");
    EXPECT_EQ(refused(requestFor(std::vector<std::int32_t>{})), "the prompt is empty");
    EXPECT_EQ(refused(requestFor(std::vector<std::int32_t>{1, 8192})),
              "token id 8192 is outside the vocabulary of 8192");
    EXPECT_EQ(refused(requestFor(std::vector<std::int32_t>{-1})),
              "token id -1 is outside the vocabulary of 8192");
    EXPECT_EQ(refused(requestFor(std::string("caf\xE9"))), "the text is not valid UTF-8");
    EXPECT_EQ(refused(requestFor(std::vector<std::int32_t>(8193, 300))),
              "the prompt has 8193 tokens, the model takes 8192");
    EXPECT_EQ(refused(requestFor(std::vector<std::int32_t>(8170, 300))),
              "the prompt has 8170 tokens and 32 are to be generated, the model takes 8192");
}

TEST(Input, SettingsOutOfRangeAreRefusedWithTheRange) {
    const run::Request good = requestFor(std::string("The sea was grey."));
    const trace::RunPtr before = analyse(demo(), good);
    const auto with = [&](auto change) {
        run::Request request = good;
        change(request);
        return refused(request);
    };
    using trace::Amount;
    EXPECT_NE(with([](auto& r) { r.settings.kernel = 6; }).find("odd"), std::string::npos);
    EXPECT_NE(with([](auto& r) { r.settings.tspLayer = 16; }).find("0 to 15"), std::string::npos);
    EXPECT_NE(with([](auto& r) { r.settings.window = 65; }).find("1 to 64"), std::string::npos);
    for (const double rate :
         {0.0, -0.1, 1.5, std::nan(""), std::numeric_limits<double>::infinity()}) {
        EXPECT_NE(with([&](auto& r) { r.settings.tsp = Amount::ofRate(rate); }).find("valid"),
                  std::string::npos);
        EXPECT_NE(with([&](auto& r) { r.settings.kv = Amount::ofRate(rate); }).find("valid"),
                  std::string::npos);
    }
    EXPECT_NE(with([](auto& r) { r.settings.kv = Amount::ofTokens(0); }).find("valid"),
              std::string::npos);
    EXPECT_NE(with([](auto& r) { r.settings.generate = -1; }).find("generate"), std::string::npos);
    EXPECT_NE(with([](auto& r) { r.memory.checkpointBytes = -1; }).find("budget"),
              std::string::npos);
    expectSameRun(*before, *analyse(demo(), good));
    EXPECT_EQ(demo().lastWork().fullRows + demo().lastWork().decoded, 0)
        << "a refusal costs nothing";
}

TEST(Input, SmallPromptsAndBudgetsAreValid) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    for (const std::int64_t tokens : {1, 2, 7, 8, 9, 12, 63, 64, 65, 511, 512, 513}) {
        SCOPED_TRACE(tokens);
        run::Request request = requestFor(randomIds(static_cast<std::size_t>(tokens), 11));
        request.settings.generate = 3;
        request.settings.kv = trace::Amount::ofTokens(1); // below the window
        const trace::RunPtr run = analyse(demo(), request);
        const trace::Budgets& b = run->fastkv->budgets;
        EXPECT_EQ(run->scored(), std::max<std::int64_t>(0, tokens - 8));
        EXPECT_EQ(run->full->tspRanks->cols(), static_cast<std::size_t>(run->scored()));
        for (const trace::LayerBudget& layer : b.layers)
            EXPECT_EQ(layer.kept, std::min<std::int64_t>(layer.entering, 8));
        EXPECT_EQ(static_cast<std::int64_t>(run->fastkv->survivors.size()),
                  b.tspOn ? b.propagated : 0);
        for (const float logit : run->fastkv->logits)
            ASSERT_TRUE(std::isfinite(logit));
        for (const double kl : run->fidelity->kl)
            EXPECT_TRUE(std::isfinite(kl));
        expectSameRun(*run, *analyse(*openDemo(), request));
    }
}

TEST(Input, TheWholeContextCanBeUsed) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    run::Request request = requestFor(randomIds(1000, 12));
    request.settings.generate = 0;
    request.prompt.ids->resize(8192, 400);
    request.tables = false;
    const trace::RunPtr run = analyse(demo(), request);
    EXPECT_EQ(run->tokens(), 8192);
    EXPECT_TRUE(run->fullAnswer->tokens.empty());
    EXPECT_EQ(run->fidelity->kl.size(), 1U);
}

TEST(Input, TokenizeGivesByteRangesAndPieces) {
    const trace::Prompt text = demo().tokenize({"The sea \xE2\x98\x83", {}, "cold"});
    EXPECT_EQ(text.ids.front(), 1);
    EXPECT_EQ(text.tokenText(0), "<s>");
    EXPECT_EQ(text.bytes.back().second, text.text.size());
    EXPECT_EQ(text.expected, "cold");
    const trace::Prompt ids = demo().tokenize({{}, text.ids, {}});
    EXPECT_EQ(ids.text, text.text);
    EXPECT_EQ(ids.tokenText(0), "<s>");
}

TEST(Input, TheEstimateIsWhatIsThenHeld) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    const auto session = openDemo();
    run::Request request = requestFor(randomIds(3000, 13));
    request.tables = false;
    request.settings.generate = 4;
    const run::InstrumentMemory estimate = session->fit(3000, request).instrument;
    const trace::RunPtr run = analyse(*session, request);
    EXPECT_EQ(estimate.weightBytes, run->model.weightBytes);
    EXPECT_EQ(estimate.checkpointBytes, run->counters.checkpointBytes);
    EXPECT_NEAR(static_cast<double>(estimate.total()), static_cast<double>(run->counters.peakBytes),
                0.03 * static_cast<double>(run->counters.peakBytes));
    EXPECT_GE(run->counters.peakBytes, run->counters.heldBytes);
}

TEST(Input, ModelsAndDevicesThatAreNotThereAreNamed) {
    Recorder recorder;
    const auto open = [&](const std::filesystem::path& folder, const std::string& device) {
        return run::Session::open(folder, {device, 1}, recorder, {});
    };
    failureOf([&] { open("/nowhere/model", "cpu"); }, ErrorCode::NotFound);
    const std::string none =
        failureOf([&] { open(FKV_RESOURCES "/models/demo", "cuda:63"); }, ErrorCode::Unsupported);
    EXPECT_NE(none.find("cuda:63"), std::string::npos);
    failureOf([&] { open(FKV_RESOURCES "/models/demo", "abacus"); }, ErrorCode::BadArgument);
    std::stop_source stop;
    stop.request_stop();
    failureOf(
        [&] {
            run::Session::open(FKV_RESOURCES "/models/demo", {"cpu", 1}, recorder,
                               stop.get_token());
        },
        ErrorCode::Cancelled);
}

TEST(Input, TheFingerprintIsTheModelsOwn) {
    EXPECT_EQ(demo().model().fingerprint, openDemo(1)->model().fingerprint);
    EXPECT_NE(demo().model().fingerprint, 0U);
    // Another context length is another model, even with the same weights.
    namespace fs = std::filesystem;
    const fs::path folder =
        fs::path(::testing::TempDir()) / ("fkv_other_model_" + std::to_string(getpid()));
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(FKV_RESOURCES "/models/demo"))
        if (entry.path().filename() != "config.json")
            fs::create_symlink(entry.path(), folder / entry.path().filename());
    std::string config = io::readText(FKV_RESOURCES "/models/demo/config.json");
    const auto at = config.find("8192,\n \"rms_norm_eps\"");
    ASSERT_NE(at, std::string::npos);
    std::ofstream(folder / "config.json") << config.replace(at, 4, "4096");
    Recorder recorder;
    const auto other = run::Session::open(folder, {"cpu", 1}, recorder, {});
    EXPECT_NE(other->model().fingerprint, demo().model().fingerprint);
    fs::remove_all(folder);
}

} // namespace
