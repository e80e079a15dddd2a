// SPDX-License-Identifier: Apache-2.0
// Golden cases through the command line: `fastkv profile --ids-file ... --out ...`, then the
// trace's tensors against reference answers computed with the official selection code, within SPEC
// section 9.
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"
#include "tests/cli/program.h"
#include "tests/support/temporary_folder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <set>

using namespace fkv;
using fkv::testing::TemporaryFolder;
using nlohmann::json;

namespace {

constexpr int kLayers = 16;
constexpr std::size_t kHeads = 4;

template <class T>
std::vector<T> values(const io::SafetensorsFile& file, const std::string& name) {
    const io::TensorEntry* entry = file.find(name);
    EXPECT_NE(entry, nullptr) << name;
    if (entry == nullptr) return {};
    std::vector<T> out(entry->bytes.size() / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), entry->bytes.data(), entry->bytes.size());
    return out;
}

std::string ofLayer(const std::string& name, int layer) {
    return name + '.' + std::to_string(layer);
}

/// Amounts as they are given on the command line.
struct Given {
    std::vector<std::string> tsp, kv;
};

class GoldenCli : public ::testing::TestWithParam<int> {
protected:
    void SetUp() override {
        m_case = io::readJson(FKV_TEST_DATA "/golden/cases.json")
                     .at(static_cast<std::size_t>(GetParam()));
        m_expected = io::SafetensorsFile::open(
            FKV_TEST_DATA "/golden/" + m_case.at("name").get<std::string>() + ".safetensors");
    }

    /// Runs the program on the case's ids and scoring.
    io::SafetensorsFile profile(const Given& given, const std::string& kernel,
                                const std::string& pooling) {
        std::ofstream(m_folder / "ids.json") << json(values<std::int32_t>(m_expected, "input_ids"));
        std::vector<std::string> words{"profile",
                                       "--model",
                                       FKV_RESOURCES "/models/demo",
                                       "--ids-file",
                                       (m_folder / "ids.json").string(),
                                       "--out",
                                       (m_folder / "out").string(),
                                       "--window",
                                       std::to_string(window()),
                                       "--kernel",
                                       kernel,
                                       "--pooling",
                                       pooling,
                                       "--tsp-layer",
                                       std::to_string(tspLayer())};
        words.insert(words.end(), given.tsp.begin(), given.tsp.end());
        words.insert(words.end(), given.kv.begin(), given.kv.end());
        const fkv::testing::Ended ended = fkv::testing::run(words);
        EXPECT_EQ(ended.code, 0) << ended.error;
        return io::SafetensorsFile::open(m_folder / "out");
    }
    io::SafetensorsFile profile(const Given& given) {
        const bool average = m_case.value("pooling", "maxpool") == "avgpool";
        return profile(given, std::to_string(m_case.value("kernel", 7)), average ? "avg" : "max");
    }
    Given rates() const {
        return {{"--tsp-rate", m_case.at("tsp_rate").dump()},
                {"--kv-rate", m_case.at("retain_rate").dump()}};
    }
    int window() const { return m_case.value("window", 8); }
    int tspLayer() const { return m_case.at("tsp_layer"); }

    void expectAll(const io::SafetensorsFile& got) const;
    void expectKept(const io::SafetensorsFile& got, int layer) const;

    TemporaryFolder m_folder;
    json m_case;
    io::SafetensorsFile m_expected;
};

void expectSaliency(const std::vector<float>& got, const std::vector<float>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_LE(std::abs(got[i] - expected[i]), 1e-3F * std::abs(expected[i]) + 1e-7F) << i;
}

void expectLogits(const std::vector<float>& got, const std::vector<float>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], expected[i], 2e-3F) << i;
}

/// Equal up to tokens tied at the cut.
void GoldenCli::expectKept(const io::SafetensorsFile& got, int layer) const {
    const auto ours = values<std::int32_t>(got, ofLayer("fastkv.kept", layer));
    const auto theirs = values<std::int32_t>(m_expected, ofLayer("fastkv.kept", layer));
    const auto scores = values<float>(m_expected, ofLayer("fastkv.saliency", layer));
    const auto survivors = values<std::int32_t>(m_expected, "fastkv.tsp_indices");
    const auto tokens =
        static_cast<std::int32_t>(values<std::int32_t>(m_expected, "input_ids").size());
    ASSERT_EQ(ours.size(), theirs.size());
    const std::size_t kept = ours.size() / kHeads;
    const std::size_t scored = scores.size() / kHeads;
    for (std::size_t g = 0; g < kHeads; ++g) {
        const auto score = [&](std::int32_t position) {
            const auto column = layer <= tspLayer() ? position
                                                    : std::lower_bound(survivors.begin(),
                                                                       survivors.end(), position) -
                                                          survivors.begin();
            return scores[g * scored + static_cast<std::size_t>(column)];
        };
        const auto begin = static_cast<std::ptrdiff_t>(g * kept);
        const auto end = begin + static_cast<std::ptrdiff_t>(kept);
        ASSERT_TRUE(std::is_sorted(ours.begin() + begin, ours.begin() + end, std::less_equal<>()));
        float cut = INFINITY;
        for (auto it = theirs.begin() + begin; it != theirs.begin() + end; ++it)
            if (*it < tokens - window()) cut = std::min(cut, score(*it));
        std::vector<std::int32_t> differing;
        std::set_symmetric_difference(ours.begin() + begin, ours.begin() + end,
                                      theirs.begin() + begin, theirs.begin() + end,
                                      std::back_inserter(differing));
        for (const std::int32_t position : differing)
            EXPECT_LE(std::abs(score(position) - cut), 1e-4F * std::abs(cut) + 1e-7F)
                << "layer " << layer << " head " << g << " token " << position;
    }
}

void GoldenCli::expectAll(const io::SafetensorsFile& got) const {
    for (const char* name : {"input_ids", "full.greedy", "fastkv.greedy", "fastkv.tsp_indices"})
        EXPECT_EQ(values<std::int32_t>(got, name), values<std::int32_t>(m_expected, name)) << name;
    for (const char* name : {"full.logits", "fastkv.logits"})
        expectLogits(values<float>(got, name), values<float>(m_expected, name));
    expectSaliency(values<float>(got, "full.saliency"), values<float>(m_expected, "full.saliency"));
    for (int layer = 0; layer < kLayers; ++layer) {
        expectSaliency(values<float>(got, ofLayer("fastkv.saliency", layer)),
                       values<float>(m_expected, ofLayer("fastkv.saliency", layer)));
        expectKept(got, layer);
    }
    // Every tensor of the reference is there, in its type and shape.
    for (const io::TensorEntry& entry : m_expected.tensors())
        EXPECT_NO_THROW(got.require(entry.name, entry.dtype, entry.shape));
}

TEST_P(GoldenCli, Rates) {
    expectAll(profile(rates()));
}

TEST_P(GoldenCli, Tokens) {
    // The same cuts in tokens, where one number of kept tokens says the same for every layer.
    const auto count = [&](const std::string& name) {
        return static_cast<std::int64_t>(values<std::int32_t>(m_expected, name).size());
    };
    const std::int64_t early = count("fastkv.kept.0") / static_cast<std::int64_t>(kHeads);
    const std::int64_t late = count("fastkv.kept.15") / static_cast<std::int64_t>(kHeads);
    const Given given{{"--tsp-tokens", std::to_string(count("fastkv.tsp_indices"))},
                      {"--kv-tokens", std::to_string(early)}};
    const io::SafetensorsFile got = profile(given);
    if (early == late) return expectAll(got);
    for (int layer = 0; layer <= tspLayer(); ++layer)
        expectKept(got, layer);
    EXPECT_EQ(values<std::int32_t>(got, "fastkv.tsp_indices"),
              values<std::int32_t>(m_expected, "fastkv.tsp_indices"));
}

/// The order that SPEC sections 1, 3 and 5 ask for: larger first, ties to the lower index.
std::vector<std::int32_t> best(const std::vector<float>& scores, std::size_t begin,
                               std::size_t count, std::size_t wanted) {
    std::vector<std::int32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        return scores[begin + static_cast<std::size_t>(a)] >
               scores[begin + static_cast<std::size_t>(b)];
    });
    order.resize(wanted);
    std::sort(order.begin(), order.end());
    return order;
}

/// Any settings: what the trace lists follows from its own scores by the plain rule.
void expectSelfConsistent(const io::SafetensorsFile& got, int window, int tspLayer, std::size_t tsp,
                          const std::function<std::size_t(bool late)>& kept) {
    const auto tokens = values<std::int32_t>(got, "input_ids").size();
    const auto w = static_cast<std::size_t>(window);
    const std::size_t scored = tokens - w;
    const auto saliency = values<float>(got, "full.saliency");
    std::vector<float> total(scored);
    for (std::size_t g = 0; g < kHeads; ++g)
        for (std::size_t i = 0; i < scored; ++i)
            total[i] += saliency[(static_cast<std::size_t>(tspLayer) * kHeads + g) * scored + i];
    auto passing = best(total, 0, scored, tsp - w);
    for (std::size_t i = scored; i < tokens; ++i)
        passing.push_back(static_cast<std::int32_t>(i));
    EXPECT_EQ(values<std::int32_t>(got, "fastkv.tsp_indices"), passing);
    for (int layer = 0; layer < kLayers; ++layer) {
        const bool late = layer > tspLayer;
        const std::size_t entering = late ? tsp : tokens;
        const auto scores = values<float>(got, ofLayer("fastkv.saliency", layer));
        ASSERT_EQ(scores.size(), kHeads * (entering - w));
        std::vector<std::int32_t> expected;
        for (std::size_t g = 0; g < kHeads; ++g) {
            auto columns = best(scores, g * (entering - w), entering - w, kept(late) - w);
            for (std::size_t i = entering - w; i < entering; ++i)
                columns.push_back(static_cast<std::int32_t>(i));
            for (const std::int32_t c : columns)
                expected.push_back(late ? passing[static_cast<std::size_t>(c)] : c);
        }
        EXPECT_EQ(values<std::int32_t>(got, ofLayer("fastkv.kept", layer)), expected) << layer;
    }
}

TEST_P(GoldenCli, FreshSettingsFollowFromTheirOwnScores) {
    const auto n = values<std::int32_t>(m_expected, "input_ids").size();
    const auto share = [&](std::size_t of, double rate) {
        return static_cast<std::size_t>(static_cast<double>(of) * rate);
    };
    const std::size_t tsp = share(n, 0.3);
    const io::SafetensorsFile byRate =
        profile({{"--tsp-rate", "0.3"}, {"--kv-rate", "0.12"}}, "5", "max");
    expectSelfConsistent(byRate, window(), tspLayer(), tsp,
                         [&](bool late) { return late ? share(tsp, 0.12 / 0.3) : share(n, 0.12); });
    const io::SafetensorsFile byCount =
        profile({{"--tsp-tokens", "333"}, {"--kv-tokens", "77"}}, "3", "avg");
    expectSelfConsistent(byCount, window(), tspLayer(), 333, [&](bool) { return std::size_t{77}; });
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenCli, ::testing::Values(0, 1, 2));

} // namespace
