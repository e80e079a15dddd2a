// SPDX-License-Identifier: Apache-2.0
// Every family on the GPU: as near to the logits of transformers in float32 as bf16 comes, where
// transformers in bf16 is 0.01 to 0.06 away.
#include "engine/cuda/make_cuda.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/family.h"

#include <algorithm>

using namespace fkv;
using namespace fkv::testing;

namespace {

class FamiliesCuda : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (!cuda::anyDevice()) GTEST_SKIP() << "no CUDA device on this machine";
    }
    Family family{GetParam()};
    Recorder recorder;
};

TEST_P(FamiliesCuda, LogitsAreThoseOfTransformers) {
    run::LoadedModel model(family.folder(), {"cuda:0", 0}, recorder, {});
    const FamilyLogits got = logitsOf(model, family);
    std::vector<double> apart;
    for (std::size_t i = 0; i < got.prompts.size(); ++i)
        apart.push_back(difference(got.prompts[i], family.expected().prompts[i]));
    for (std::size_t i = 0; i < got.steps.size(); ++i)
        apart.push_back(difference(got.steps[i], family.expected().steps[i]));
    ASSERT_EQ(apart.size(), family.lengths().size() + family.expected().steps.size());
    double sum = 0.0;
    for (const double a : apart)
        sum += a;
    EXPECT_LE(sum / static_cast<double>(apart.size()), 0.06);
    EXPECT_LE(*std::max_element(apart.begin(), apart.end()), 0.2);
}

TEST_P(FamiliesCuda, RatesOfOneAreFullContextAndTheDeployedPathKeepsTheSameTokens) {
    const auto session = run::Session::open(family.folder(), {"cuda:0", 0}, recorder, {});
    run::Request request = requestFor(family.prompt(), 4);
    request.settings.generate = 12;
    request.settings.tsp = request.settings.kv = trace::Amount::ofRate(1.0);
    const trace::RunPtr whole = analyse(*session, request);
    EXPECT_EQ(whole->fastkv->logits, whole->full->logits);
    for (const double kl : whole->fidelity->kl)
        EXPECT_EQ(kl, 0.0);
    request.settings.tsp = trace::Amount::ofRate(0.4);
    request.settings.kv = trace::Amount::ofRate(0.2);
    const trace::RunPtr composed = analyse(*session, request);
    const trace::RunPtr deployed = session->measure(request, 1, recorder, {});
    std::vector<std::int32_t> shared;
    std::set_intersection(composed->fastkv->survivors.begin(), composed->fastkv->survivors.end(),
                          deployed->fastkv->survivors.begin(), deployed->fastkv->survivors.end(),
                          std::back_inserter(shared));
    EXPECT_GE(shared.size(), composed->fastkv->survivors.size() * 97 / 100);
    EXPECT_LE(difference(deployed->fastkv->logits, composed->fastkv->logits), 0.1);
}

INSTANTIATE_TEST_SUITE_P(, FamiliesCuda, ::testing::ValuesIn(Family::names()),
                         [](const auto& name) {
                             std::string text = name.param;
                             std::replace_if(
                                 text.begin(), text.end(), [](char c) { return !std::isalnum(c); },
                                 '_');
                             return text;
                         });

} // namespace
