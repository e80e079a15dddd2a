// SPDX-License-Identifier: Apache-2.0
// The golden cases on every device, each step on its own: what a device selects from its own scores
// is what the CPU selects from them; and from the reference's TSP set on, a device keeps nearly
// what the reference keeps. Weights in bf16 move scores, so that neighbours of a cut change places.
#include "engine/run/full_pass.h"
#include "engine/run/rerun.h"
#include "engine/select/ranks.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/golden_case.h"

#include <algorithm>
#include <cmath>
#include <tuple>

using namespace fkv;
using namespace fkv::testing;

namespace {

using Ids = std::vector<std::int32_t>;

struct Fidelity {
    double survivors; ///< Jaccard of the TSP set, at least
    double kept;      ///< Jaccard of the kept sets, on average at least
};
constexpr Fidelity kBf16{0.98, 0.98}, kF32{1.0, 0.999};

class GoldenOn : public ::testing::TestWithParam<std::tuple<const char*, int>> {
protected:
    void SetUp() override {
        FKV_SKIP_UNDER_THREAD_SANITIZER();
        const std::string device = std::get<0>(GetParam());
        const auto devices = ops::availableDevices();
        if (std::find(devices.begin(), devices.end(), device) == devices.end())
            GTEST_SKIP() << "no CUDA device on this machine";
        m_bounds = device == "cpu" ? kF32 : kBf16;
        m_model = std::make_unique<run::LoadedModel>(
            FKV_RESOURCES "/models/demo", ops::DeviceSpec{device, 2}, m_recorder, m_stop);
        const GoldenCase golden =
            goldenCase(FKV_TEST_DATA "/golden", std::get<1>(GetParam()), m_model->config().layers);
        m_file = golden.file;
        m_settings = golden.settings;
        m_budgets = select::computeBudgets(m_settings, m_model->info(),
                                           static_cast<std::int64_t>(golden.ids.size()));
        run::FullPassRequest request{};
        request.ids = golden.ids;
        request.scoring = {m_settings.window, m_settings.kernel,
                           m_settings.pooling == trace::Pooling::Average};
        request.checkpointBudget = {std::int64_t{1} << 30, 0};
        run::runFullPass(context(), request, m_held);
    }

    run::RunContext context() { return {*m_model, m_gate, m_stop}; }
    void rerun() { run::runRerun(context(), {m_budgets, {}}, m_held); }

    /// Ranks of the TSP layer under which the reference's TSP set is what passes.
    void feedTspSet(const Ids& expected) {
        auto planes = std::make_shared<trace::FullPass>(*m_held.full.planes);
        const std::size_t cols = planes->tspRanks->cols();
        std::vector<std::uint32_t> all = toVector(planes->tspRanks);
        const auto row = all.begin() + static_cast<std::ptrdiff_t>(
                                           cols * static_cast<std::size_t>(m_budgets.tspLayer));
        std::uint32_t passes = 0,
                      other = static_cast<std::uint32_t>(m_budgets.propagated - m_budgets.window);
        for (std::size_t i = 0; i < cols; ++i)
            row[static_cast<std::ptrdiff_t>(i)] =
                std::binary_search(expected.begin(), expected.end(), static_cast<std::int32_t>(i))
                    ? passes++
                    : other++;
        planes->tspRanks = trace::Plane<std::uint32_t>::own(
            std::move(all), m_held.full.planes->tspRanks->rows(), cols);
        m_held.full.planes = planes;
    }

    /// Original positions of what a head keeps, ascending, window included.
    Ids kept(int layer, std::size_t head) const {
        const bool late = layer >= m_budgets.firstLate();
        const auto index = static_cast<std::size_t>(late ? layer - m_budgets.firstLate() : layer);
        const auto& planes = late ? m_held.rerun.late[index] : m_held.full.planes->layers[index];
        const trace::LayerBudget& budget = m_budgets.layers[static_cast<std::size_t>(layer)];
        Ids places = select::bestAscending(planes.ranks->row(head), budget.kept - m_budgets.window);
        for (std::int64_t i = budget.entering - m_budgets.window; i < budget.entering; ++i)
            places.push_back(static_cast<std::int32_t>(i));
        if (late)
            for (std::int32_t& place : places)
                place = m_held.rerun.survivors[static_cast<std::size_t>(place)];
        return places;
    }

    void expectSelectedByCpu(const trace::LayerPlanes& planes) {
        select::RankScratch scratch;
        const std::size_t cols = planes.saliency->cols();
        std::vector<float> saliency(planes.saliency->rows() * cols);
        const std::vector<float> sums = sumsOf(planes);
        const model::Config& c = m_model->config();
        select::poolAndGroup({sums, saliency, c.queryHeads, c.kvHeads,
                              static_cast<std::int64_t>(cols), m_settings.kernel,
                              m_settings.pooling == trace::Pooling::Average});
        EXPECT_EQ(saliency, toVector(planes.saliency));
        std::vector<std::uint32_t> ranks(cols);
        for (std::size_t head = 0; head < planes.ranks->rows(); ++head) {
            select::rankDescending(planes.saliency->row(head), ranks, scratch);
            const auto got = planes.ranks->row(head);
            EXPECT_TRUE(std::equal(ranks.begin(), ranks.end(), got.begin(), got.end()))
                << "head " << head;
        }
    }

    Fidelity m_bounds{};
    io::SafetensorsFile m_file;
    Recorder m_recorder;
    std::stop_token m_stop;
    Gate m_gate;
    std::unique_ptr<run::LoadedModel> m_model;
    trace::Settings m_settings;
    trace::Budgets m_budgets;
    run::HeldState m_held;
};

TEST_P(GoldenOn, TheCpuSelectsTheSameFromTheDevicesScores) {
    rerun();
    for (const trace::LayerPlanes& planes : m_held.full.planes->layers)
        expectSelectedByCpu(planes);
    for (const trace::LayerPlanes& planes : m_held.rerun.late)
        expectSelectedByCpu(planes);
    select::RankScratch scratch;
    const trace::FullPass& full = *m_held.full.planes;
    const std::size_t cols = full.tspRanks->cols();
    std::vector<float> scores(cols);
    std::vector<std::uint32_t> ranks(cols);
    for (std::size_t l = 0; l < full.layers.size(); ++l) {
        const auto& saliency = full.layers[l].saliency;
        select::sumRows(saliency->values(), static_cast<std::int64_t>(saliency->rows()), scores);
        select::rankDescending(scores, ranks, scratch);
        const auto got = full.tspRanks->row(l);
        EXPECT_TRUE(std::equal(ranks.begin(), ranks.end(), got.begin(), got.end()))
            << "layer " << l;
    }
}

TEST_P(GoldenOn, TheSameTokensPassTheTspLayer) {
    rerun();
    const Ids expected = values<std::int32_t>(m_file, "fastkv.tsp_indices");
    const double same = jaccard(m_held.rerun.survivors, expected);
    std::printf("TSP set: Jaccard %.4f\n", same);
    EXPECT_GE(same, m_bounds.survivors);
}

TEST_P(GoldenOn, HeadsKeepTheSameTokensFromTheSameTspSet) {
    feedTspSet(values<std::int32_t>(m_file, "fastkv.tsp_indices"));
    rerun();
    ASSERT_EQ(m_held.rerun.survivors, values<std::int32_t>(m_file, "fastkv.tsp_indices"));
    const auto heads = static_cast<std::size_t>(m_model->config().kvHeads);
    double sum = 0.0;
    std::size_t mostSwapped = 0;
    double farthest = 0.0;
    for (int layer = 0; layer < m_model->config().layers; ++layer) {
        const Ids all = values<std::int32_t>(m_file, "fastkv.kept." + std::to_string(layer));
        const auto scores = values<float>(m_file, "fastkv.saliency." + std::to_string(layer));
        const std::size_t c = all.size() / heads, m = scores.size() / heads;
        const bool late = layer >= m_budgets.firstLate();
        for (std::size_t head = 0; head < heads; ++head) {
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(head * c);
            const Ids expected(begin, begin + static_cast<std::ptrdiff_t>(c));
            const Ids got = kept(layer, head);
            ASSERT_EQ(got.size(), c);
            sum += jaccard(got, expected);
            const auto scoreOf = [&](std::int32_t position) {
                const Ids& survivors = m_held.rerun.survivors;
                const auto place =
                    late ? std::lower_bound(survivors.begin(), survivors.end(), position) -
                               survivors.begin()
                         : position;
                return scores[head * m + static_cast<std::size_t>(place)];
            };
            Ids swapped;
            std::set_symmetric_difference(got.begin(), got.end(), expected.begin(), expected.end(),
                                          std::back_inserter(swapped));
            const std::size_t limit = std::max<std::size_t>(3, (c + 19) / 20);
            EXPECT_LE(swapped.size() / 2, limit) << "layer " << layer << " head " << head;
            mostSwapped = std::max(mostSwapped, swapped.size() / 2);
            if (swapped.empty()) continue;
            float cut = std::numeric_limits<float>::infinity();
            const std::int64_t scored = m_budgets.tokens - m_budgets.window;
            for (const std::int32_t position : expected)
                if (position < scored) cut = std::min(cut, scoreOf(position));
            for (const std::int32_t position : swapped) {
                const double off = std::abs(scoreOf(position) - cut) / std::abs(cut);
                farthest = std::max(farthest, off);
                EXPECT_LE(off, 0.1)
                    << "layer " << layer << " head " << head << " token " << position;
            }
        }
    }
    const double mean = sum / static_cast<double>(heads * m_budgets.layers.size());
    std::printf(
        "kept sets: Jaccard %.4f on average, at most %zu swapped in a head, the farthest %.1f "
        "%% from the cut\n",
        mean, mostSwapped, 100.0 * farthest);
    EXPECT_GE(mean, m_bounds.kept);
}

INSTANTIATE_TEST_SUITE_P(Cpu, GoldenOn,
                         ::testing::Combine(::testing::Values("cpu"), ::testing::Values(0, 1, 2)));
INSTANTIATE_TEST_SUITE_P(Cuda, GoldenOn,
                         ::testing::Combine(::testing::Values("cuda:0"),
                                            ::testing::Values(0, 1, 2)));

} // namespace
