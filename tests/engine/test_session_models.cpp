// SPDX-License-Identifier: Apache-2.0
// Models of other shapes than the demo's, and models that misbehave.
#include "tests/support/engine_fixture.h"
#include "tests/support/tiny_model.h"

#include <algorithm>
#include <cmath>

using namespace fkv;
using namespace fkv::testing;

namespace {

std::unique_ptr<run::Session> openTiny(const TinyModel& model, const std::string& name,
                                       int threads = 2) {
    Recorder recorder;
    return run::Session::open(writeTinyModel(model, name), {"cpu", threads}, recorder, {});
}

run::Request tinyRequest(const TinyModel& model, std::size_t tokens) {
    run::Request request = requestFor(randomIds(tokens, 1), model.layers);
    request.settings.generate = 6;
    return request;
}

TEST(Models, AnyNumberOfLayersAndEveryTspLayerWorks) {
    for (const int layers : {1, 2, 3}) {
        TinyModel model;
        model.layers = layers;
        const auto session = openTiny(model, "fkv_layers");
        run::Request request = tinyRequest(model, 100);
        for (int t = 0; t < layers; ++t) {
            SCOPED_TRACE(std::to_string(layers) + " layers, TSP at " + std::to_string(t));
            request.settings.tspLayer = t;
            const trace::RunPtr run = analyse(*session, request);
            EXPECT_EQ(run->fastkv->survivors.size(), 20U);
            EXPECT_EQ(run->fastkv->late.size(), static_cast<std::size_t>(layers - 1 - t));
            EXPECT_EQ(run->counters.checkpointLayers.size(), static_cast<std::size_t>(layers - 1));
            if (t + 1 == layers) {
                EXPECT_EQ(run->fastkv->logits, run->full->logits);
            }
            expectSameRun(*run, *analyse(*openTiny(model, "fkv_layers_again"), request));
            Recorder recorder;
            const trace::RunPtr measured = session->measure(request, 1, recorder, {});
            EXPECT_EQ(measured->fastkv->survivors, run->fastkv->survivors);
        }
    }
}

TEST(Models, TheNumberOfThreadsDoesNotChangeABit) {
    const TinyModel model;
    const run::Request request = tinyRequest(model, 300);
    const trace::RunPtr one = analyse(*openTiny(model, "fkv_threads_1", 1), request);
    expectSameRun(*one, *analyse(*openTiny(model, "fkv_threads_3", 3), request));
}

TEST(Models, AnEndOfSequenceEndsTheAnswer) {
    TinyModel model;
    model.eos = {2};
    const run::Request request = tinyRequest(model, 60);
    const trace::RunPtr open = analyse(*openTiny(model, "fkv_eos"), request);
    ASSERT_EQ(open->fullAnswer->tokens.size(), 6U);
    EXPECT_FALSE(open->fullAnswer->endOfSequence());
    const std::int32_t third = open->fullAnswer->tokens[2].id;
    ASSERT_NE(open->fullAnswer->tokens[0].id, third);
    ASSERT_NE(open->fullAnswer->tokens[1].id, third);
    model.eos = {2, third};
    const auto session = openTiny(model, "fkv_eos");
    const trace::RunPtr ended = analyse(*session, request);
    EXPECT_EQ(ended->fullAnswer->tokens.size(), 3U);
    EXPECT_TRUE(ended->fullAnswer->endOfSequence());
    EXPECT_EQ(ended->fidelity->kl.size(), 3U);
    // More tokens are asked for, but there are none.
    run::Request longer = request;
    longer.settings.generate = 20;
    EXPECT_EQ(analyse(*session, longer)->fullAnswer->tokens.size(), 3U);
}

TEST(Models, ScoresThatAreNotNumbersAreCountedAndHarmless) {
    TinyModel model;
    model.notANumber = true;
    const auto session = openTiny(model, "fkv_nan");
    run::Request request = tinyRequest(model, 120);
    const trace::RunPtr run = analyse(*session, request);
    EXPECT_GT(run->full->notANumber, 0);
    EXPECT_EQ(run->fastkv->survivors.size(), 24U);
    std::int64_t counted = 0;
    for (const trace::LayerPlanes& planes : run->full->layers)
        for (const float v : planes.saliency->values())
            counted += std::isnan(v) ? 1 : 0;
    EXPECT_EQ(run->full->notANumber, counted);
    request.settings.kernel = 9;
    const trace::RunPtr rescored = analyse(*session, request);
    counted = 0;
    for (const trace::LayerPlanes& planes : rescored->full->layers)
        for (const float v : planes.saliency->values())
            counted += std::isnan(v) ? 1 : 0;
    EXPECT_EQ(rescored->full->notANumber, counted);
}

} // namespace
