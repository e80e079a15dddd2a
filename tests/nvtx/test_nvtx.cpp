// SPDX-License-Identifier: Apache-2.0
// What a tool sees that listens to the NVTX ranges of `fastkv profile`: names, nesting, categories
// and payloads, held against the spans of the trace that the same run writes. Needs no GPU.
#include "engine/io/trace_file.h"
#include "tests/cli/program.h"
#include "tests/nvtx/recording.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <tuple>

using namespace fkv;
using fkv::testing::Annotation;
using fkv::testing::Recording;
using trace::PassKind;
using trace::Zone;

namespace {

constexpr int kTokens = 700; // more than a chunk
constexpr int kPassed = 140; // TSP rate 0.2
constexpr int kLayers = 16, kTspLayer = 7, kWindow = 8, kGenerated = 4;

/// Name, layer and tokens of a zone.
using Zoned = std::tuple<std::string, std::int64_t, std::int64_t>;

class Nvtx : public ::testing::Test {
protected:
#ifdef FKV_NVTX_RECORDER
    static void SetUpTestSuite() {
        const fkv::testing::TemporaryFolder folder;
        s_recording = new Recording(record(folder));
        s_run = io::openTrace(folder / "trace");
    }
    static void TearDownTestSuite() {
        delete s_recording;
        s_run.reset();
    }
    /// Runs a profile with the recorder listening.
    static Recording record(const fkv::testing::TemporaryFolder& folder) {
        std::ofstream ids(folder / "ids");
        ids << "[1";
        for (int i = 1; i < kTokens; ++i)
            ids << ',' << 300 + i * 7919 % 7000;
        ids << "]" << std::flush;
        ::setenv("NVTX_INJECTION64_PATH", FKV_NVTX_RECORDER, 1);
        ::setenv("FKV_NVTX_RECORD", (folder / "nvtx").c_str(), 1);
        const fkv::testing::Ended ended = fkv::testing::run(
            {"profile", "--model", FKV_RESOURCES "/models/demo", "--device", "cpu", "--ids-file",
             folder / "ids", "--tsp-layer", std::to_string(kTspLayer), "--generate",
             std::to_string(kGenerated), "--measure", "1", "--out", folder / "trace"});
        ::unsetenv("NVTX_INJECTION64_PATH");
        EXPECT_EQ(ended.code, 0) << ended.error;
        EXPECT_EQ(ended.error, "");
        return fkv::testing::readRecording(folder / "nvtx", "fastkv");
    }
#endif
    void SetUp() override {
#ifndef FKV_NVTX_RECORDER
        GTEST_SKIP() << "this build found no NVTX headers, so it annotates nothing";
#endif
    }

    static const Annotation& at(int i) {
        return s_recording->ranges[static_cast<std::size_t>(i)];
    }
    /// Outermost ranges of this name and category.
    static std::vector<int> roots(const std::string& name, const std::string& category) {
        std::vector<int> found;
        for (const int i : s_recording->roots())
            if (at(i).name == name && at(i).category == category) found.push_back(i);
        return found;
    }
    static Zoned zoned(int i) {
        return {at(i).name, at(i).layer(), at(i).tokens()};
    }
    /// What lies in `root` and itself, in the order it ended.
    static std::vector<Zoned> allOf(int root) {
        std::vector<Zoned> found;
        for (const int i : s_recording->closed)
            if (s_recording->within(i, root)) found.push_back(zoned(i));
        return found;
    }
    /// Spans of the trace in the order they ended.
    static std::vector<Zoned> spansOf(const std::function<bool(const trace::Span&)>& wanted) {
        std::vector<Zoned> found;
        for (const trace::Span& s : s_run->timing.spans)
            if (wanted(s)) found.emplace_back(trace::name(s.zone), s.layer, s.tokens);
        return found;
    }
    /// Tokens that a zone of one layer ran over, chunks added.
    static std::int64_t tokensOf(int pass, const std::string& zone, int layer) {
        std::int64_t tokens = 0;
        for (const Zoned& z : allOf(pass))
            if (std::get<0>(z) == zone && std::get<1>(z) == layer) tokens += std::get<2>(z);
        return tokens;
    }

    static bool isTimedDecode(const Annotation& a) {
        return a.category == "decode" && a.tokens() == 1; // more at once: the answers compared
    }

    static inline Recording* s_recording = nullptr;
    static inline trace::RunPtr s_run;
};

} // namespace

#ifdef FKV_NVTX_RECORDER

TEST_F(Nvtx, ADomainIsMadeOnceWithEveryNameAndCategory) {
    EXPECT_EQ(s_recording->domains, 1);
    EXPECT_EQ(s_recording->categories,
              (std::set<std::string>{"prefill", "select", "rerun", "decode", "load"}));
    std::set<std::string> zones;
    for (int z = 0; z < static_cast<int>(Zone::Count); ++z)
        zones.emplace(trace::name(static_cast<Zone>(z)));
    EXPECT_EQ(s_recording->strings, zones);
    EXPECT_EQ(s_recording->schemas,
              (std::vector<std::vector<std::string>>{{"fastkv span", "layer", "tokens"}}));
    for (const Annotation& a : s_recording->ranges) {
        EXPECT_TRUE(zones.contains(a.name)) << a.name;
        EXPECT_TRUE(s_recording->categories.contains(a.category)) << a.name;
        EXPECT_EQ(a.payload.size(), 2U) << a.name;
    }
}

TEST_F(Nvtx, EveryRangeIsASpanOfTheTrace) {
    const auto prefills = roots("pass", "prefill");
    ASSERT_EQ(prefills.size(), 5U) << "the instrument's, and two of either kind standalone";
    EXPECT_EQ(allOf(prefills.front()),
              spansOf([](const trace::Span& s) { return s.pass == PassKind::Full; }));
    EXPECT_EQ(allOf(prefills.back()),
              spansOf([](const trace::Span& s) { return s.pass == PassKind::Standalone; }));
    const auto reruns = roots("pass", "rerun");
    ASSERT_EQ(reruns.size(), 1U);
    EXPECT_EQ(allOf(reruns.front()), spansOf([](const trace::Span& s) {
                  return s.pass == PassKind::FastKv && s.zone != Zone::Select &&
                         (s.zone != Zone::Gather || s.layer < 0);
              }));
    std::vector<Zoned> steps;
    for (const int i : s_recording->closed)
        if (isTimedDecode(at(i))) steps.push_back(zoned(i));
    EXPECT_EQ(steps, spansOf([](const trace::Span& s) {
                  return s.pass == PassKind::DecodeFull || s.pass == PassKind::DecodeFastKv;
              }));
}

TEST_F(Nvtx, ZonesLieInLayersAndLayersInPasses) {
    int layers = 0;
    for (int i = 0; i < static_cast<int>(s_recording->ranges.size()); ++i) {
        const Annotation& a = at(i);
        EXPECT_EQ(a.thread, at(0).thread);
        if (a.name == "pass" || a.name == "load") {
            EXPECT_EQ(a.parent, -1);
            EXPECT_EQ(a.layer(), -1);
        } else if (a.name == "layer") {
            ++layers;
            ASSERT_GE(a.parent, 0);
            EXPECT_EQ(at(a.parent).name, "pass");
        } else if (a.parent >= 0 && a.layer() >= 0) {
            EXPECT_EQ(at(a.parent).name, "layer");
            EXPECT_EQ(at(a.parent).layer(), a.layer()) << a.name;
        }
    }
    EXPECT_EQ(layers, kLayers * 5 + kLayers - kTspLayer - 1);
    for (const int pass : roots("pass", "prefill")) {
        std::vector<std::int64_t> inOrder;
        for (const int i : s_recording->inside(pass))
            if (at(i).name == "layer") inOrder.push_back(at(i).layer());
        ASSERT_EQ(inOrder.size(), static_cast<std::size_t>(kLayers));
        EXPECT_TRUE(std::is_sorted(inOrder.begin(), inOrder.end()));
        EXPECT_EQ(inOrder.back(), kLayers - 1);
    }
}

TEST_F(Nvtx, CategoriesSayWhatTheWorkIsFor) {
    EXPECT_EQ(roots("load", "load").size(), 1U);
    EXPECT_EQ(roots("select", "select").size(), 1U);
    EXPECT_EQ(roots("gather", "select").size(), static_cast<std::size_t>(kLayers));
    for (const Annotation& a : s_recording->ranges) {
        const bool selection = a.name == "window_sums" || a.name == "saliency" ||
                               a.name == "ranks" || a.name == "select" || a.name == "gather";
        EXPECT_EQ(a.category == "select", selection) << a.name;
        if (a.parent >= 0 && !selection) {
            EXPECT_EQ(a.category, at(a.parent).category) << a.name;
        }
    }
}

TEST_F(Nvtx, PayloadsCountTheTokensOfTheInstrument) {
    const int full = roots("pass", "prefill").front();
    const int rerun = roots("pass", "rerun").front();
    EXPECT_EQ(at(full).tokens(), kTokens);
    EXPECT_EQ(at(rerun).tokens(), kPassed);
    for (int l = 0; l < kLayers; ++l) {
        EXPECT_EQ(tokensOf(full, "layer", l), kTokens);
        EXPECT_EQ(tokensOf(full, "qkv", l), kTokens);
        EXPECT_EQ(tokensOf(full, "window_sums", l), kTokens);
        EXPECT_EQ(tokensOf(full, "ranks", l), kTokens - kWindow);
        EXPECT_EQ(tokensOf(full, "mlp", l) / 3, l + 1 < kLayers ? kTokens : 64);
        const bool late = l > kTspLayer;
        EXPECT_EQ(tokensOf(rerun, "qkv", l), late ? kPassed : 0);
        EXPECT_EQ(tokensOf(rerun, "ranks", l), late ? kPassed - kWindow : 0);
    }
    EXPECT_EQ(at(roots("select", "select").front()).tokens(), kTokens);
}

TEST_F(Nvtx, PayloadsCountTheTokensOfTheDeployedPath) {
    const int pass = roots("pass", "prefill").back();
    EXPECT_EQ(at(pass).tokens(), kTokens);
    for (int l = 0; l < kLayers; ++l) {
        const std::int64_t entering = l <= kTspLayer ? kTokens : kPassed;
        EXPECT_EQ(tokensOf(pass, "layer", l), entering);
        // At the TSP layer: keys of all rows, the queries of the newest 64, then the survivors.
        EXPECT_EQ(tokensOf(pass, "attention", l), l == kTspLayer     ? kPassed
                                                  : l + 1 == kLayers ? 64
                                                                     : entering);
        EXPECT_EQ(tokensOf(pass, "window_sums", l), entering);
        EXPECT_EQ(tokensOf(pass, "checkpoint", l), 0) << "no work for the instrument";
    }
    EXPECT_EQ(tokensOf(pass, "select", kTspLayer), kTokens);
    for (const int full : {roots("pass", "prefill")[1], roots("pass", "prefill")[3]})
        for (int l = 0; l < kLayers; ++l)
            EXPECT_EQ(tokensOf(full, "window_sums", l), 0) << "full context selects nothing";
}

TEST_F(Nvtx, DecodeStepsAreRanges) {
    int steps = 0, samples = 0, compared = 0;
    for (const int i : s_recording->roots()) {
        if (at(i).category != "decode") continue;
        steps += at(i).name == "pass" && at(i).tokens() == 1 ? 1 : 0;
        samples += at(i).name == "sample" ? 1 : 0;
        compared += at(i).tokens() == kGenerated - 1 ? 1 : 0;
    }
    EXPECT_EQ(steps, 2 * (kGenerated - 1)) << "the first token comes from prefill";
    EXPECT_EQ(samples, 2 * kGenerated);
    EXPECT_EQ(compared, 2) << "the full answer given to both";
}

TEST_F(Nvtx, AToolWithoutSchemasGetsTheLayer) {
    const fkv::testing::TemporaryFolder folder;
    ::setenv("FKV_NVTX_PLAIN", "1", 1);
    const Recording plain = record(folder);
    ::unsetenv("FKV_NVTX_PLAIN");
    EXPECT_TRUE(plain.schemas.empty());
    ASSERT_EQ(plain.ranges.size(), s_recording->ranges.size());
    for (std::size_t i = 0; i < plain.ranges.size(); ++i) {
        EXPECT_EQ(plain.ranges[i].name, s_recording->ranges[i].name);
        ASSERT_EQ(plain.ranges[i].payload.size(), 1U);
        EXPECT_EQ(plain.ranges[i].payload.at("payload"), s_recording->ranges[i].layer());
    }
}

#else

TEST_F(Nvtx, Annotates) {}

#endif
