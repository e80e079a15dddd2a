// SPDX-License-Identifier: Apache-2.0
// Answers: drawn, streamed, stopped, and ended by any of a model's end-of-sequence ids.
#include "engine/core/error.h"
#include "engine/io/trace_file.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

#include <algorithm>
#include <fstream>

using namespace fkv;
using namespace fkv::testing;
using trace::AnswerEnd;
using trace::Sampling;

namespace {

using Ids = std::vector<std::int32_t>;

Ids idsOf(const trace::Answer& answer) {
    Ids ids;
    for (const trace::AnswerToken& token : answer.tokens)
        ids.push_back(token.id);
    return ids;
}

run::Request sampled(const Sampling& sampling, std::size_t tokens = 300) {
    run::Request request = requestFor(randomIds(sized(tokens), 21));
    request.settings.generate = 12;
    request.settings.sampling = sampling;
    request.tables = false;
    return request;
}

std::unique_ptr<run::Session> openFolder(const std::filesystem::path& folder) {
    Recorder recorder;
    return run::Session::open(folder, {"cpu", 2}, recorder, {});
}

TEST(SampledAnswers, OnlyTheAnswersAreMadeAgain) {
    FKV_SKIP_UNDER_THREAD_SANITIZER();
    const auto session = openDemo();
    const trace::RunPtr greedy = analyse(*session, sampled({}));
    for (const Sampling& s : {Sampling{1.0, 0, 1.0, 1}, Sampling{0.8, 40, 0.95, 1},
                              Sampling{0.8, 40, 0.95, 2}, Sampling{}}) {
        const trace::RunPtr run = analyse(*session, sampled(s));
        const run::Session::Work& work = session->lastWork();
        EXPECT_EQ(work.fullRows, 0);
        EXPECT_EQ(work.rerunRows, 0);
        EXPECT_FALSE(work.rescored);
        EXPECT_FALSE(work.regathered);
        // Drawn tokens differ from one processor to the next, and may end an answer early.
        EXPECT_EQ(work.decoded, std::ssize(run->fullAnswer->tokens) +
                                    std::ssize(run->fastkvAnswer->tokens));
        EXPECT_EQ(run->full, greedy->full) << "planes are shared";
        EXPECT_EQ(run->fastkv->settings.sampling, s);
        expectSameRun(*run, *analyse(*openDemo(), sampled(s)));
        // Again, and fewer tokens of it: both are there.
        EXPECT_EQ(analyse(*session, sampled(s))->fullAnswer, run->fullAnswer);
        EXPECT_EQ(session->lastWork().decoded, 0);
        run::Request shorter = sampled(s);
        shorter.settings.generate = 5;
        const trace::RunPtr front = analyse(*session, shorter);
        EXPECT_EQ(session->lastWork().decoded, 0);
        EXPECT_EQ(front->fullAnswer->end, AnswerEnd::Count);
        expectSameRun(*front, *analyse(*openDemo(), shorter));
    }
}

TEST(SampledAnswers, AtTemperatureZeroNothingElseMatters) {
    const auto session = openDemo();
    const trace::RunPtr greedy = analyse(*session, sampled({}));
    const trace::RunPtr run = analyse(*session, sampled({0.0, 3, 0.2, 77}));
    EXPECT_EQ(session->lastWork().decoded, 0);
    EXPECT_EQ(run->fullAnswer, greedy->fullAnswer);
    EXPECT_EQ(run->fastkvAnswer, greedy->fastkvAnswer);
    EXPECT_EQ(run->fidelity->kl, greedy->fidelity->kl);
}

TEST(SampledAnswers, AmongOneTheLikeliestIsDrawn) {
    const auto session = openDemo();
    const trace::RunPtr greedy = analyse(*session, sampled({}));
    const trace::RunPtr topK = analyse(*session, sampled({1.3, 1, 1.0, 5}));
    EXPECT_EQ(idsOf(*topK->fullAnswer), idsOf(*greedy->fullAnswer));
    EXPECT_EQ(idsOf(*topK->fastkvAnswer), idsOf(*greedy->fastkvAnswer));
    EXPECT_EQ(topK->fidelity->kl, greedy->fidelity->kl) << "of the models, not of what is drawn";
    const trace::RunPtr topP = analyse(*session, sampled({1.3, 0, 1e-9, 5}));
    EXPECT_EQ(idsOf(*topP->fullAnswer), idsOf(*greedy->fullAnswer));
}

TEST(SampledAnswers, ASeedIsAnAnswer) {
    const auto session = openDemo();
    const Ids first = idsOf(*analyse(*session, sampled({1.5, 0, 1.0, 1}))->fullAnswer);
    const Ids other = idsOf(*analyse(*session, sampled({1.5, 0, 1.0, 2}))->fullAnswer);
    EXPECT_NE(first, other);
    EXPECT_NE(first, idsOf(*analyse(*session, sampled({}))->fullAnswer));
    EXPECT_EQ(first, idsOf(*analyse(*session, sampled({1.5, 0, 1.0, 1}))->fullAnswer));
}

TEST(SampledAnswers, BothSidesDrawWithTheSameNumbers) {
    // Where FastKV keeps everything it is the full context: any difference would be the dice's.
    const auto session = openDemo();
    run::Request request = sampled({1.2, 0, 1.0, 4});
    request.settings.method = trace::Method::Full;
    const trace::RunPtr run = analyse(*session, request);
    EXPECT_EQ(idsOf(*run->fastkvAnswer), idsOf(*run->fullAnswer));
    // Fidelity follows the full answer as drawn.
    EXPECT_EQ(run->fidelity->kl.size(), run->fullAnswer->tokens.size());
    for (const double kl : run->fidelity->kl)
        EXPECT_LT(kl, 1e-6);
}

TEST(SampledAnswers, ATraceKeepsHowTheyWereDrawn) {
    const auto session = openDemo();
    const trace::RunPtr run = analyse(*session, sampled({0.9, 50, 0.9, 4'000'000'000U}));
    const TemporaryFolder folder;
    io::saveTrace(*run, folder / "t");
    const trace::RunPtr opened = io::openTrace(folder / "t");
    EXPECT_EQ(opened->fastkv->settings, run->fastkv->settings);
    EXPECT_EQ(opened->fullAnswer->end, run->fullAnswer->end);
}

/// A tiny model whose config and generation_config name the ids that end an answer.
std::filesystem::path withEnds(const Ids& config, const nlohmann::json& generation,
                               const std::string& name) {
    TinyModel model;
    model.eos = config;
    const auto folder = writeTinyModel(model, name);
    if (!generation.is_null())
        std::ofstream(folder / "generation_config.json")
            << nlohmann::json{{"eos_token_id", generation}}.dump();
    return folder;
}

TEST(Answers, AnyEndOfSequenceIdEndsThem) {
    for (const Sampling& s : {Sampling{}, Sampling{0.9, 0, 1.0, 3}}) {
        SCOPED_TRACE(s.greedy() ? "greedy" : "sampled");
        run::Request request = requestFor(randomIds(60, 1), TinyModel{}.layers);
        request.settings.generate = 6;
        request.settings.sampling = s;
        const trace::RunPtr open = analyse(*openFolder(withEnds({2}, {}, "fkv_open")), request);
        const Ids ids = idsOf(*open->fullAnswer);
        ASSERT_EQ(ids.size(), 6U);
        EXPECT_EQ(open->fullAnswer->end, AnswerEnd::Count);
        // The first place of an id is where it ends an answer.
        const auto at = [&](std::int32_t id) {
            return static_cast<std::size_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
        };
        struct Case {
            const char* what;
            Ids config;
            nlohmann::json generation;
            std::int32_t ends;
        };
        for (const Case& c : {Case{"one of a list", {2, ids[3], 5}, {}, ids[3]},
                              Case{"the last of a list", {2, 5, ids[2]}, {}, ids[2]},
                              Case{"a number of generation_config.json", {2}, ids[4], ids[4]},
                              Case{"a list of generation_config.json goes before config.json",
                                   {ids[0]},
                                   {7, 2, ids[4]},
                                   ids[4]},
                              Case{"the very first token", {ids[0]}, {}, ids[0]}}) {
            SCOPED_TRACE(c.what);
            const auto session = openFolder(withEnds(c.config, c.generation, "fkv_ends"));
            const trace::RunPtr run = analyse(*session, request);
            const trace::Answer& answer = *run->fullAnswer;
            EXPECT_EQ(answer.end, AnswerEnd::EndOfSequence);
            EXPECT_EQ(idsOf(answer),
                      Ids(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(at(c.ends)) + 1));
            // The other side ends by the same rule, wherever that is.
            const trace::Answer& other = *run->fastkvAnswer;
            EXPECT_TRUE(other.complete());
            EXPECT_EQ(other.end == AnswerEnd::Count, other.tokens.size() == 6U);
        }
    }
}

/// Stops when an answer, the full one or FastKV's, has grown to `tokens`.
class StopAnswer : public Recorder {
public:
    StopAnswer(bool full, std::size_t tokens) : m_full(full), m_tokens(tokens) {}
    void published(const trace::RunPtr& run) override {
        Recorder::published(run);
        const auto& answer = m_full ? run->fullAnswer : run->fastkvAnswer;
        if (answer && answer->tokens.size() >= m_tokens) m_stop.request_stop();
    }
    std::stop_token token() const { return m_stop.get_token(); }

private:
    bool m_full;
    std::size_t m_tokens;
    std::stop_source m_stop;
};

TEST(Answers, StreamWithTheTimeOfAToken) {
    Recorder recorder;
    const auto session = openDemo();
    run::Request request = sampled({});
    request.settings.generate = 100;
    const trace::RunPtr run = session->analyse(request, recorder, {});
    for (const bool full : {true, false}) {
        std::size_t most = 0;
        const trace::Answer& whole = *(full ? run->fullAnswer : run->fastkvAnswer);
        const Ids all = idsOf(whole);
        bool grew = false;
        for (const trace::RunPtr& partial : recorder.runs) {
            const auto& answer = full ? partial->fullAnswer : partial->fastkvAnswer;
            if (!answer) continue;
            EXPECT_GE(answer->tokens.size(), most);
            most = answer->tokens.size();
            if (answer->complete()) continue;
            grew = true;
            EXPECT_EQ(answer->end, AnswerEnd::Growing);
            EXPECT_EQ(idsOf(*answer),
                      Ids(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(most)));
            EXPECT_EQ(answer->msPerToken > 0.0, most > 1);
        }
        EXPECT_TRUE(grew) << "the first token comes at once";
        EXPECT_EQ(whole.end, AnswerEnd::Count);
    }
}

TEST(Answers, AStopKeepsWhatThereIs) {
    for (const Sampling& s : {Sampling{}, Sampling{1.0, 0, 1.0, 3}}) {
        SCOPED_TRACE(s.greedy() ? "greedy" : "sampled");
        run::Request request = sampled(s);
        request.settings.generate = 40;
        const trace::RunPtr whole = analyse(*openDemo(), request);
        for (const bool full : {true, false}) {
            SCOPED_TRACE(full ? "full" : "FastKV");
            const auto session = openDemo();
            StopAnswer observer(full, 1);
            try {
                session->analyse(request, observer, observer.token());
                ADD_FAILURE() << "not stopped";
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::Cancelled);
            }
            const trace::RunPtr last = observer.runs.back();
            const trace::Answer& stopped = *(full ? last->fullAnswer : last->fastkvAnswer);
            const Ids ids = idsOf(*(full ? whole->fullAnswer : whole->fastkvAnswer));
            EXPECT_EQ(stopped.end, AnswerEnd::Stopped);
            EXPECT_EQ(idsOf(stopped), Ids(ids.begin(), ids.begin() + 1)) << "no token was lost";
            EXPECT_EQ(last->fastkvAnswer == nullptr, full);
            EXPECT_EQ(last->fidelity->kl.size(), 1U);
            // What was stopped can be saved, and the next run is as if nothing had been.
            const TemporaryFolder folder;
            io::saveTrace(*last, folder / "t");
            const trace::RunPtr opened = io::openTrace(folder / "t");
            EXPECT_EQ((full ? opened->fullAnswer : opened->fastkvAnswer)->end, AnswerEnd::Stopped);
            expectSameRun(*analyse(*session, request), *whole);
            EXPECT_EQ(session->lastWork().fullRows, 0);
        }
    }
}

} // namespace
