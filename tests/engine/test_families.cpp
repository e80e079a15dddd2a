// SPDX-License-Identifier: Apache-2.0
// Every family gives the logits that Hugging Face transformers gives, and FastKV runs on it.
#include "tests/support/engine_fixture.h"
#include "tests/support/family.h"

#include <algorithm>
#include <cmath>

using namespace fkv;
using namespace fkv::testing;

namespace {

class Families : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override { FKV_SKIP_UNDER_THREAD_SANITIZER(); }

    run::Session& session() {
        if (!m_session) m_session = run::Session::open(family.folder(), {"cpu", 2}, m_recorder, {});
        return *m_session;
    }
    run::Request request() const {
        run::Request request = requestFor(family.prompt(), 4);
        request.settings.generate = 12;
        return request;
    }
    model::Config config() const { return model::readConfig(family.folder()); }

    Family family{GetParam()};

private:
    Recorder m_recorder;
    std::unique_ptr<run::Session> m_session;
};

TEST_P(Families, LogitsAreThoseOfTransformers) {
    Recorder recorder;
    run::LoadedModel model(family.folder(), {"cpu", 2}, recorder, {});
    const FamilyLogits got = logitsOf(model, family);
    double worst = 0.0;
    ASSERT_EQ(got.prompts.size(), family.expected().prompts.size());
    for (std::size_t i = 0; i < got.prompts.size(); ++i) {
        const double apart = difference(got.prompts[i], family.expected().prompts[i]);
        EXPECT_LE(apart, 1e-3) << "prompt of " << family.lengths()[i];
        worst = std::max(worst, apart);
    }
    ASSERT_EQ(got.steps.size(), family.expected().steps.size());
    for (std::size_t i = 0; i < got.steps.size(); ++i) {
        const double apart = difference(got.steps[i], family.expected().steps[i]);
        EXPECT_LE(apart, 1e-3) << "step " << i;
        worst = std::max(worst, apart);
    }
    RecordProperty("largest_relative_difference", std::to_string(worst));
}

TEST_P(Families, RatesOfOneAreFullContextBitForBit) {
    run::Request whole = request();
    whole.settings.tsp = whole.settings.kv = trace::Amount::ofRate(1.0);
    const trace::RunPtr run = analyse(session(), whole);
    EXPECT_LE(difference(run->full->logits, family.expected().prompts.back()), 1e-3);
    EXPECT_EQ(run->fastkv->logits, run->full->logits);
    ASSERT_EQ(run->fastkvAnswer->tokens.size(), run->fullAnswer->tokens.size());
    for (std::size_t i = 0; i < run->fullAnswer->tokens.size(); ++i)
        EXPECT_EQ(run->fastkvAnswer->tokens[i].id, run->fullAnswer->tokens[i].id);
    for (const double kl : run->fidelity->kl)
        EXPECT_EQ(kl, 0.0);
}

TEST_P(Families, TheDeployedPathGivesTheComposedSets) {
    run::Request cut = request();
    cut.settings.tsp = trace::Amount::ofRate(0.4);
    cut.settings.kv = trace::Amount::ofRate(0.2);
    for (const int layer : {0, 1, 2}) {
        cut.settings.tspLayer = layer;
        const trace::RunPtr composed = analyse(session(), cut);
        Recorder recorder;
        const trace::RunPtr deployed = session().measure(cut, 1, recorder, {});
        EXPECT_EQ(deployed->fastkv->survivors, composed->fastkv->survivors);
        EXPECT_LE(difference(deployed->fastkv->logits, composed->fastkv->logits), 1e-4);
        // Without checkpoints the layers up to t are run again for the survivors.
        run::Request bare = cut;
        bare.memory.checkpointBytes = 0;
        const trace::RunPtr again = analyse(session(), bare);
        EXPECT_LE(difference(again->fastkv->logits, composed->fastkv->logits), 1e-4);
        EXPECT_EQ(again->fastkv->survivors, composed->fastkv->survivors);
    }
}

// What a window hides from every token to come is kept last, so a cache with room for the window
// answers as the whole cache does.
TEST_P(Families, ACacheOfTheWindowIsAsGoodAsTheWhole) {
    const model::Config c = config();
    if (c.slidingWindows.empty() || !c.slides(family.lengths().back()))
        GTEST_SKIP() << "no layer slides";
    run::Request cut = request();
    cut.settings.tsp = trace::Amount::ofRate(1.0);
    cut.settings.kv = trace::Amount::ofTokens(120);
    const trace::RunPtr run = analyse(session(), cut);
    const auto scored = static_cast<std::size_t>(run->scored());
    for (int l = 0; l < c.layers; ++l) {
        if (c.slidingWindow(l) == 0) continue;
        const trace::LayerPlanes& planes = run->full->layers[static_cast<std::size_t>(l)];
        const auto hidden =
            static_cast<std::size_t>(run->tokens() + 1 - c.slidingWindow(l)); // from the next token
        for (std::size_t g = 0; g < planes.ranks->rows(); ++g)
            for (std::size_t t = 0; t < scored; ++t) {
                EXPECT_EQ(t < hidden, planes.saliency->row(g)[t] == 0.0F) << l << " " << t;
                EXPECT_EQ(t < hidden, planes.ranks->row(g)[t] >= scored - hidden) << l << " " << t;
            }
    }
    const bool everyLayer = std::none_of(c.slidingWindows.begin(), c.slidingWindows.end(),
                                         [](std::int64_t w) { return w == 0; });
    if (!everyLayer) return;
    ASSERT_LT(run->fastkv->budgets.layers.front().kept, run->tokens());
    for (const double kl : run->fidelity->kl)
        EXPECT_LE(kl, 1e-9);
}

// TSP ranks by the whole row: later layers may see what this one hides.
TEST_P(Families, SurvivorsMayLieOutsideTheWindow) {
    const model::Config c = config();
    if (!c.slides(family.lengths().back()) || c.slidingWindow(1) == 0)
        GTEST_SKIP() << "layer 1 does not slide";
    run::Request cut = request();
    cut.settings.tspLayer = 1;
    cut.settings.tsp = trace::Amount::ofRate(0.3);
    const trace::RunPtr run = analyse(session(), cut);
    const std::int64_t hidden = run->tokens() + 1 - c.slidingWindow(1);
    const auto outside = std::count_if(run->fastkv->survivors.begin(), run->fastkv->survivors.end(),
                                       [&](std::int32_t p) { return p < hidden; });
    EXPECT_GT(outside, 50);
    // Another kernel and back: scores that were kept and scores made anew are the same.
    const auto survivors = run->fastkv->survivors;
    cut.settings.kernel = 3;
    EXPECT_NE(analyse(session(), cut)->fastkv->survivors, survivors);
    cut.settings.kernel = 7;
    EXPECT_EQ(analyse(session(), cut)->fastkv->survivors, survivors);
}

INSTANTIATE_TEST_SUITE_P(, Families, ::testing::ValuesIn(Family::names()), [](const auto& name) {
    std::string text = name.param;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return !std::isalnum(c); }, '_');
    return text;
});

} // namespace
