// SPDX-License-Identifier: Apache-2.0
// What a trace file brings back, and how it is saved; damaged files: test_trace_damage.cpp.
#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"
#include "engine/io/trace_file.h"
#include "engine/select/fate.h"
#include "tests/support/expect_round_trip.h"
#include "tests/support/synthetic_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trace_image.h"
#include "tests/support/walk_run.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

using namespace fkv;
using namespace fkv::trace;
using fkv::testing::expectRoundTrip;
using fkv::testing::SyntheticSpec;
using fkv::testing::TemporaryFolder;
using fkv::testing::TraceImage;

namespace {

/// Every small field away from its default, with values that JSON alone could not hold.
Run unusual(const SyntheticSpec& spec) {
    trace::Run run = *fkv::testing::makeRun(spec);
    run.model.path = "/some/där";
    run.model.fingerprint = 0xFEDCBA9876543210ULL;
    run.model.kvElementBytes = 2;
    run.model.intermediate = 1408;
    run.model.stepWeightBytes = 29 << 20;
    auto prompt = std::make_shared<Prompt>(*run.prompt);
    prompt->text.replace(0, 4, "\xE2\x96\x81\n");
    prompt->expected = "\"quoted\"\t😀";
    prompt->chat = {"Be brief.\n", "Hi \"you\" 😀", "2026-01-31"};
    prompt->pieces[5] = "<0xE2>";
    run.prompt = prompt;
    auto full = std::make_shared<FullPass>(*run.full);
    full->notANumber = 12;
    full->logits[3] = -std::numeric_limits<float>::infinity();
    run.full = full;
    if (run.fastkv) {
        auto pass = std::make_shared<FastKvPass>(*run.fastkv);
        pass->standalone = true;
        pass->settings.generate = 77;
        pass->settings.sampling = {0.1 + 0.2, 40, 0.95, 4'294'967'295U};
        pass->budgets.kvClamped = pass->budgets.lateClamped = pass->budgets.tspClamped = true;
        run.fastkv = pass;
    }
    auto answer = std::make_shared<Answer>(*run.fullAnswer);
    answer->tokens[1].text = "\xE2\x96"; // a character in two tokens
    answer->tokens[2].text = "\x81\xFF";
    answer->end = AnswerEnd::Stopped;
    run.fullAnswer = answer;
    auto fidelity = std::make_shared<Fidelity>(*run.fidelity);
    fidelity->kl[1] = std::numeric_limits<double>::quiet_NaN();
    fidelity->kl[2] = std::numeric_limits<double>::infinity();
    fidelity->kl[3] = 0.1 + 0.2;
    fidelity->fullTop[0][4] = {-1, "\xC3", 0.0F};
    run.fidelity = fidelity;
    run.timing.standaloneFullMs = {1.5, 1.0 / 3.0};
    run.timing.standaloneFastKvMs = {0.25};
    run.timing.fastKvState = State::Exact;
    run.timing.rerunMs.reset();
    run.timing.reusedTokens = 41;
    run.timing.peaks = DevicePeaks{7.88e14, 1e13 / 3.0};
    run.timing.spans[1].lane = 3;
    run.timing.spans[2].layer = -1;
    run.timing.spans[3].zone = Zone::Pass;
    run.timing.spans[4].pass = PassKind::DecodeFastKv;
    run.timing.gpu = {{0, 345.0F, 2619.0F, 71.25F, 31.0F, 0x0},
                      {104'857'601, 1980.0F, 2619.0F, 698.5F, 66.0F, 0x4}};
    run.timing.kernels = {{"ränks", "fkv::cuda::attentionKernel"},
                          {{5, 1LL << 40, 3, 1}, {6, 6, 0, 0}},
                          "\"why\""};
    run.counters = {1, 2, 3, 4, 5LL << 40, 6, 7, 8, "checkpoints of layers 3 and 5", {0, 2, 7}};
    run.rung = Rung::FewerCheckpoints;
    return run;
}

ErrorCode codeOf(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
        return e.code();
    }
    ADD_FAILURE() << "nothing thrown";
    return ErrorCode::Internal;
}

struct Anything {
    template <class T>
    operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
    return requires {
        T{(static_cast<void>(I), Anything{})...};
    };
}

/// How many fields an aggregate has.
template <class T, std::size_t N = 32>
constexpr std::size_t fieldsOf() {
    if constexpr (takes<T>(std::make_index_sequence<N>{}))
        return N;
    else
        return fieldsOf<T, N - 1>();
}

} // namespace

struct Case {
    const char* name;
    SyntheticSpec spec;
};

class TraceRoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(TraceRoundTrip, KeepsEverything) {
    const TemporaryFolder folder;
    const RunPtr run = fkv::testing::makeRun(GetParam().spec);
    io::saveTrace(*run, folder / "a");
    EXPECT_EQ(folder.entries(), 1);
    EXPECT_TRUE(io::isTrace(folder / "a"));
    const RunPtr once = io::openTrace(folder / "a");
    expectRoundTrip(*once, *run);
    EXPECT_EQ(fkv::testing::walkRun(*once), fkv::testing::walkRun(*once));

    // Saved again it loses nothing more.
    io::saveTrace(*once, folder / "b");
    expectRoundTrip(*io::openTrace(folder / "b"), *once);
    EXPECT_EQ(io::readText(folder / "a"), io::readText(folder / "b"));
}

SyntheticSpec specOf(std::int64_t tokens, Settings settings = {.tspLayer = 7}) {
    return {.tokens = tokens, .settings = settings};
}

INSTANTIATE_TEST_SUITE_P(
    Runs, TraceRoundTrip,
    ::testing::Values(
        Case{"plain", specOf(301)}, Case{"halfSums", {.tokens = 300, .halfSums = true}},
        Case{"noRerun", {.tokens = 299, .rerun = false}},
        Case{"noAnswers", {.tokens = 298, .answers = false}},
        Case{"noSaliency", {.tokens = 297, .saliency = false}},
        Case{"noTables", {.tokens = 296, .tables = false}},
        Case{"oneLayer", {.tokens = 100, .layers = 1, .settings = {.tspLayer = 0}}},
        Case{"oneToken", specOf(1)}, Case{"theWindow", specOf(8)}, Case{"pastTheWindow", specOf(9)},
        Case{"tspToTheWindow", specOf(40, {.tspLayer = 3, .tsp = Amount::ofTokens(1)})},
        Case{"tspOff", specOf(200, {.tspLayer = 3, .tsp = Amount::ofRate(1.0)})},
        Case{"lastLayer", specOf(200, {.tspLayer = 15})},
        Case{"tokens", specOf(333, {.tspLayer = 5,
                                    .tsp = Amount::ofTokens(77),
                                    .kv = Amount::ofTokens(31),
                                    .window = 16,
                                    .kernel = 5,
                                    .pooling = Pooling::Average})},
        Case{"methodFull", specOf(120, {.method = Method::Full, .tspLayer = 2})}),
    [](const auto& info) { return info.param.name; });

TEST(TraceFile, KeepsUnusualValues) {
    const TemporaryFolder folder;
    const trace::Run run = unusual({.tokens = 250});
    io::saveTrace(run, folder / "a");
    expectRoundTrip(*io::openTrace(folder / "a"), run);
}

TEST(TraceFile, OlderTracesWereDecodedGreedily) {
    const TemporaryFolder folder;
    io::saveTrace(unusual({.tokens = 60}), folder / "a");
    TraceImage image = TraceImage::open(folder / "a");
    image.edit("settings", [](nlohmann::json& settings) {
        for (const char* key : {"generate", "temperature", "top_k", "top_p", "seed"})
            EXPECT_EQ(settings.erase(key), 1U) << key;
    });
    for (const char* side : {"full.answer", "fastkv.answer"})
        image.edit(side, [](nlohmann::json& answer) { EXPECT_EQ(answer.erase("end"), 1U); });
    image.edit("fastkv.answer", [](nlohmann::json& answer) { answer["end_of_sequence"] = true; });
    const RunPtr old = io::openTrace(io::MappedFile::own(image.pack(), "old"));
    EXPECT_EQ(old->fastkv->settings.sampling, Sampling{});
    EXPECT_EQ(old->fastkv->settings.generate, Settings{}.generate);
    EXPECT_EQ(old->fullAnswer->end, AnswerEnd::Count);
    EXPECT_EQ(old->fastkvAnswer->end, AnswerEnd::EndOfSequence);
}

/// A new field has to be written, read, and compared in expect_round_trip.h; then it counts here.
TEST(TraceFile, NoFieldOfARunIsForgotten) {
    EXPECT_EQ(fieldsOf<trace::Run>(), 13U);
    EXPECT_EQ(fieldsOf<ModelInfo>(), 14U);
    EXPECT_EQ(fieldsOf<Machine>(), 6U);
    EXPECT_EQ(fieldsOf<Prompt>(), 6U);
    EXPECT_EQ(fieldsOf<LayerPlanes>(), 4U);
    EXPECT_EQ(fieldsOf<FullPass>(), 9U);
    EXPECT_EQ(fieldsOf<FastKvPass>(), 6U);
    EXPECT_EQ(fieldsOf<Settings>(), 9U);
    EXPECT_EQ(fieldsOf<Sampling>(), 4U);
    EXPECT_EQ(fieldsOf<Budgets>(), 13U);
    EXPECT_EQ(fieldsOf<LayerBudget>(), 2U);
    EXPECT_EQ(fieldsOf<Answer>(), 3U);
    EXPECT_EQ(fieldsOf<AnswerToken>(), 3U);
    EXPECT_EQ(fieldsOf<Fidelity>(), 4U);
    EXPECT_EQ(fieldsOf<Timing>(), 13U);
    EXPECT_EQ(fieldsOf<DevicePeaks>(), 2U);
    EXPECT_EQ(fieldsOf<Span>(), 7U);
    EXPECT_EQ(fieldsOf<GpuSample>(), 6U);
    EXPECT_EQ(fieldsOf<KernelList>(), 3U);
    EXPECT_EQ(fieldsOf<Kernel>(), 4U);
    EXPECT_EQ(fieldsOf<Counters>(), 10U);
    EXPECT_EQ(fieldsOf<Tables>(), 3U);
    EXPECT_EQ(fieldsOf<StabilizationTable>(), 5U);
    EXPECT_EQ(fieldsOf<HeadMassTable>(), 4U);
}

TEST(TraceFile, ListsTheSetsOfTheMethod) {
    const TemporaryFolder folder;
    const SyntheticSpec spec = specOf(400);
    const RunPtr run = fkv::testing::makeRun(spec);
    io::saveTrace(*run, folder / "a");
    TraceImage image = TraceImage::open(folder / "a");
    const FatePtr fate = select::computeFate(*run, spec.settings);
    for (int l = 0; l < spec.layers; ++l)
        for (int g = 0; g < spec.kvHeads; ++g) {
            const auto kept = select::keptPositions(*fate, l, g);
            const std::string name = "fastkv.kept." + std::to_string(l);
            ASSERT_EQ(image.tensors.at(name).shape,
                      (std::vector<std::int64_t>{4, static_cast<std::int64_t>(kept.size())}));
            for (std::size_t i = 0; i < kept.size(); ++i)
                ASSERT_EQ(
                    image.value<std::int32_t>(name, static_cast<std::size_t>(g) * kept.size() + i),
                    kept[i]);
        }
    EXPECT_EQ(image.tensors.at("fastkv.tsp_indices").shape, std::vector<std::int64_t>{80});
    EXPECT_EQ(image.tensors.at("full.saliency").shape, (std::vector<std::int64_t>{16, 4, 392}));
    EXPECT_EQ(image.tensors.at("fastkv.saliency.0").shape, (std::vector<std::int64_t>{4, 392}));
    EXPECT_EQ(image.tensors.at("fastkv.saliency.8").shape, (std::vector<std::int64_t>{4, 72}));
    const auto settings = nlohmann::json::parse(image.metadata.at("settings"));
    EXPECT_EQ(settings.at("tsp_rate"), 0.2);
    EXPECT_EQ(settings.at("tsp_layer"), 7);
}

TEST(TraceFile, LargePlanesStayInTheMapping) {
    const TemporaryFolder folder;
    io::saveTrace(*fkv::testing::makeRun(specOf(500)), folder / "a");
    const auto file = io::MappedFile::open(folder / "a");
    const RunPtr run = io::openTrace(file);
    const auto mapped = [&](const auto& plane) {
        const auto bytes = std::as_bytes(plane->values());
        return bytes.data() >= file->bytes().data() &&
               bytes.data() + bytes.size() <= file->bytes().data() + file->bytes().size();
    };
    for (const auto& layers : {run->full->layers, run->fastkv->late})
        for (const LayerPlanes& layer : layers) {
            EXPECT_TRUE(mapped(layer.ranks));
            EXPECT_TRUE(mapped(layer.saliency));
            EXPECT_TRUE(mapped(layer.sums->half()));
        }
    EXPECT_TRUE(mapped(run->full->tspRanks));
    EXPECT_TRUE(mapped(run->full->mass));
}

TEST(TraceFile, FilesThatAreNotAlignedAreRead) {
    const TemporaryFolder folder;
    const RunPtr run = fkv::testing::makeRun(specOf(100));
    io::saveTrace(*run, folder / "a");
    TraceImage image = TraceImage::open(folder / "a");
    image.shift = 1;
    expectRoundTrip(*io::openTrace(io::MappedFile::own(image.pack(), "moved")), *run);
}

TEST(TraceFile, TextThatIsNotUtf8KeepsItsOffsets) {
    const TemporaryFolder folder;
    trace::Run run = *fkv::testing::makeRun(specOf(50));
    auto prompt = std::make_shared<Prompt>(*run.prompt);
    const std::size_t size = prompt->text.size();
    prompt->text.replace(0, 5, "\xE2\x96x\xC3\xA9");
    prompt->text.back() = '\xF0';
    run.prompt = prompt;
    run.model.path = "/tmp/\xFF"; // a path is bytes
    io::saveTrace(run, folder / "a");
    const RunPtr opened = io::openTrace(folder / "a");
    EXPECT_EQ(opened->prompt->text.size(), size);
    EXPECT_EQ(opened->prompt->text.substr(0, 5), "??x\xC3\xA9");
    EXPECT_EQ(opened->prompt->text.back(), '?');
    EXPECT_EQ(opened->prompt->bytes, prompt->bytes);
}

TEST(TraceFile, ARunWithoutItsFullPassIsRefused) {
    const TemporaryFolder folder;
    EXPECT_EQ(codeOf([&] { io::saveTrace({}, folder / "a"); }), ErrorCode::BadArgument);
    trace::Run run = *fkv::testing::makeRun(specOf(50));
    auto full = std::make_shared<FullPass>(*run.full);
    full->layers[3].ranks = nullptr;
    run.full = full;
    EXPECT_EQ(codeOf([&] { io::saveTrace(run, folder / "a"); }), ErrorCode::Internal);
    EXPECT_EQ(folder.entries(), 0);
}

TEST(TraceFile, FailuresLeaveTheEarlierFileIntact) {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder / "a";
    std::ofstream(path) << "earlier";
    const RunPtr run = fkv::testing::makeRun(specOf(500));

    // A folder that may not be written; the superuser has to step down to be refused.
    const bool root = ::geteuid() == 0;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
    if (root) {
        ASSERT_EQ(::seteuid(65534), 0);
    }
    EXPECT_EQ(codeOf([&] { io::saveTrace(*run, path); }), ErrorCode::Io);
    if (root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));

    // A limit on a file's size stands in for a full disk.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{100000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(codeOf([&] { io::saveTrace(*run, path); }), ErrorCode::Io);
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);

    // Cancelled at once, and in the middle of it.
    std::stop_source stop;
    const auto save = [&] {
        io::saveTrace(*run, path, stop.get_token(), [&](double done) {
            if (done > 0.5) stop.request_stop();
        });
    };
    EXPECT_EQ(codeOf(save), ErrorCode::Cancelled);
    EXPECT_EQ(codeOf(save), ErrorCode::Cancelled);
    EXPECT_EQ(codeOf([&] { io::saveTrace(*run, folder / "no/a"); }), ErrorCode::Io);

    EXPECT_EQ(io::readText(path), "earlier");
    EXPECT_EQ(folder.entries(), 1);
    std::vector<double> seen;
    io::saveTrace(*run, path, {}, [&](double done) { seen.push_back(done); });
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(seen.back(), 1.0);
    EXPECT_TRUE(io::openTrace(path)->recorded);
}
