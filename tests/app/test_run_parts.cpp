// SPDX-License-Identifier: GPL-3.0-or-later
// The parts of app/run that need no engine.
#include "app/resources.h"
#include "app/run/failure.h"
#include "app/run/preview.h"
#include "app/run/recorded_prompt.h"
#include "app/run/samples.h"
#include "app/run/settings_text.h"
#include "app/run/span_tokens.h"
#include "engine/core/error.h"
#include "engine/select/fate.h"
#include "engine/text/tokenizer.h"
#include "tests/support/synthetic_run.h"

#include <QTest>
#include <nlohmann/json.hpp>
#include <string>

using namespace fkv;
using namespace fkv::app;

namespace {

trace::Prompt tokenized(const QString& text) {
    const auto tokenizer = text::openTokenizer(FKV_RESOURCES "/models/demo");
    trace::Prompt prompt;
    prompt.text = text.toStdString();
    text::Encoding encoding = tokenizer->encode(prompt.text, true);
    prompt.ids = std::move(encoding.ids);
    prompt.bytes = std::move(encoding.bytes);
    return prompt;
}

} // namespace

class TestRunParts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everySampleFactHasItsTokens() {
        // The counts were made with another program when the samples were.
        const SampleList list = loadSamples(QStringLiteral(FKV_RESOURCES "/prompts"));
        QVERIFY(list.problems.isEmpty() && !list.samples.empty());
        const auto counted = nlohmann::json::parse(readSamples().toStdString());
        for (std::size_t i = 0; i < list.samples.size(); ++i) {
            const PromptInput input = promptOf(list.samples[i]);
            const trace::Prompt prompt = tokenized(input.text);
            const auto fact =
                spanTokens(prompt, list.samples[i].factBegin, list.samples[i].factEnd);
            QCOMPARE(fact.size(), counted[i]["fact_tokens"].get<std::int64_t>());
            QCOMPARE(prompt.size(), counted[i]["tokens"].get<std::int64_t>());
        }
    }

    void spansCoverWhatSharesAByte() {
        trace::Prompt prompt;
        prompt.text = "ab cd";
        prompt.ids = {1, 2, 3, 4};
        prompt.bytes = {{0, 0}, {0, 2}, {2, 4}, {4, 5}}; // BOS, "ab", " c", "d"
        const auto tokens = [&](qsizetype begin, qsizetype end) {
            const viz::TokenRange r = spanTokens(prompt, begin, end);
            return std::pair(r.begin, r.end);
        };
        QCOMPARE(tokens(0, 2), std::pair(std::int64_t(1), std::int64_t(2)));
        QCOMPARE(tokens(3, 5), std::pair(std::int64_t(2), std::int64_t(4)));
        QCOMPARE(tokens(1, 3), std::pair(std::int64_t(1), std::int64_t(3)));
        QCOMPARE(tokens(4, 99), std::pair(std::int64_t(3), std::int64_t(4)));
        QCOMPARE(spanTokens(prompt, 2, 2).size(), 0);
        QCOMPARE(spanTokens(prompt, 9, 12).size(), 0);
        QCOMPARE(spanTokens(prompt, -5, 1).size(), 1);
    }

    void marksFollowAnEditedPrompt() {
        trace::Prompt from, to;
        from.ids = {1, 2, 3, 4, 5};
        to.ids = {1, 2, 3, 9};
        const std::vector<viz::Mark> marks{{1, false, {2, 3}, {}},
                                           {2, false, {3, 4}, {}},
                                           {3, true, {0, 3}, QStringLiteral("fact")}};
        const auto carried = carriedMarks(marks, from, to);
        QCOMPARE(carried.size(), std::size_t(2));
        QCOMPARE(carried[0].tokens.begin, 2);
        QVERIFY(carried[1].span);

        viz::Selection selection;
        selection.reset(4, 4);
        addMarks(selection, carried);
        addMarks(selection, {carried[1]}); // again: not twice
        QCOMPARE(selection.marks().size(), std::size_t(2));
        QCOMPARE(selection.pinnedToken(), 2);
    }

    void previewIsExactUnderTheScoringOfTheRun() {
        const trace::RunPtr run = testing::makeRun({});
        Preview preview;
        QVERIFY(!preview.fate(nullptr, {}));
        trace::Settings settings = run->fastkv->settings;
        QVERIFY(preview.fate(run, settings)->state() == trace::State::Exact);
        settings.tsp = trace::Amount::ofRate(0.4);
        const trace::FatePtr moved = preview.fate(run, settings);
        QVERIFY(moved->settings == settings);
        QVERIFY(moved->layers.front().state == trace::State::Exact);
        QVERIFY(moved->layers.back().state == trace::State::Preview);
    }

    void anotherScoringPreviewsEveryLayer() {
        const trace::RunPtr run = testing::makeRun({});
        Preview preview;
        trace::Settings settings = run->fastkv->settings;
        const trace::FatePtr exact = preview.fate(run, settings);
        settings.kernel = 13;
        const trace::FatePtr fate = preview.fate(run, settings);
        QVERIFY(fate->settings == settings);
        for (const trace::LayerFate& layer : fate->layers)
            QVERIFY(layer.state == trace::State::Preview);
        QVERIFY(fate->survivors == exact->survivors);
        // Back again: nothing of the approximation sticks.
        settings.kernel = run->full->kernel;
        QVERIFY(preview.fate(run, settings)->state() == trace::State::Exact);
        settings.kernel = 4;
        QVERIFY_EXCEPTION_THROWN(preview.fate(run, settings), Error);
    }

    void aRecordedChatOpensAsOne() {
        trace::Prompt prompt;
        prompt.text = "<s>[user]Who?[end]";
        prompt.ids = {1, 5, 6, 7};
        prompt.bytes = {{0, 3}, {3, 9}, {9, 13}, {13, 18}};
        prompt.chat = {"Be brief.", " Who? ", "2026-01-31"};
        const PromptInput input = recordedPrompt(prompt);
        QCOMPARE(input.text, QStringLiteral(" Who? "));
        QCOMPARE(input.chat,
                 (PromptInput::Chat{QStringLiteral("Be brief."), QStringLiteral("2026-01-31")}));
        // What the page tracks in the message is found again in the rendered prompt.
        const auto marks = spanMarks(prompt, {{1, 4, QStringLiteral("who")}});
        QCOMPARE(marks.size(), std::size_t{1});
        QCOMPARE(marks[0].tokens, (viz::TokenRange{2, 3}));
        prompt.chat.reset();
        QCOMPARE(recordedPrompt(prompt).text, QStringLiteral("<s>[user]Who?[end]"));
        QVERIFY(!recordedPrompt(prompt).chat);
    }

    void settingsAsCommandLine() {
        trace::Settings s{.tspLayer = 7};
        s.kv = trace::Amount::ofTokens(512);
        s.pooling = trace::Pooling::Average;
        QCOMPARE(
            commandLine(s, {QStringLiteral("/m/de mo"), {}, QStringLiteral("it's\nso")}),
            QStringLiteral("fastkv profile --model '/m/de mo' --prompt 'it'\\''s\nso' --method "
                           "fastkv --tsp-layer 7 --tsp-rate 0.2 --kv-tokens 512 --window 8 "
                           "--kernel 7 --pooling avg --generate 32"));
        s.generate = 64;
        s.sampling = {0.1 + 0.2, 40, 0.9, 4294967295U};
        QVERIFY(commandLine(s, {}).endsWith(
            QStringLiteral(" --generate 64 --temperature 0.30000000000000004 --top-k 40 "
                           "--top-p 0.9 --seed 4294967295")));
        QVERIFY(
            commandLine(
                s, {{}, {}, QStringLiteral("x"), PromptInput::Chat{QStringLiteral("be it"), {}}})
                .contains(QStringLiteral("--prompt x --chat --system 'be it' --method")));
        QVERIFY(commandLine(s, {{}, QStringLiteral("a.txt"), QStringLiteral("x")})
                    .contains(QStringLiteral("--prompt-file a.txt")));
    }

    void settingsAsJson() {
        trace::Settings s{.tspLayer = 7};
        s.kv = trace::Amount::ofTokens(512);
        const auto json = nlohmann::json::parse(settingsJson(s).toStdString());
        QCOMPARE(json["tsp_layer"].get<int>(), 7);
        QCOMPARE(json["tsp_rate"].get<double>(), 0.2);
        QCOMPARE(json["kv_tokens"].get<int>(), 512);
        QVERIFY(!json.contains("kv_rate"));
        QCOMPARE(json["pooling"].get<std::string>(), std::string("max"));
        QCOMPARE(json["generate"].get<int>(), 32);
        QCOMPARE(json["temperature"].get<double>(), 0.0);
        s.generate = 7;
        s.sampling = {0.7, 40, 0.9, 4294967295U};
        const auto drawn = nlohmann::json::parse(settingsJson(s).toStdString());
        QCOMPARE(drawn["generate"].get<int>(), 7);
        QCOMPARE(drawn["temperature"].get<double>(), 0.7);
        QCOMPARE(drawn["top_k"].get<int>(), 40);
        QCOMPARE(drawn["top_p"].get<double>(), 0.9);
        QCOMPARE(drawn["seed"].get<std::uint32_t>(), 4294967295U);
    }

    void recordedPromptsFindTheirSpans() {
        const SampleList list = loadSamples(resourcePath(QStringLiteral("prompts")));
        const PromptInput sample = promptOf(list.samples.front());
        trace::Prompt prompt;
        prompt.text = sample.text.toStdString();
        prompt.expected = sample.expected.toStdString();
        QVERIFY(recordedPrompt(prompt) == sample);

        prompt.text = "The key is gold. Which?";
        prompt.expected = "gold";
        const PromptInput found = recordedPrompt(prompt);
        QCOMPARE(found.spans.size(), std::size_t(1));
        QCOMPARE(found.spans[0].byteBegin, 11);
        QCOMPARE(found.spans[0].byteEnd, 15);
        prompt.expected = "silver";
        QVERIFY(recordedPrompt(prompt).spans.empty());
    }

    void failuresAreOneLine() {
        const auto from = [](auto error) { return failureOf(std::make_exception_ptr(error)); };
        const Failure e = from(Error(ErrorCode::BadFile, "a\nb", "do this"));
        QCOMPARE(e.message, QStringLiteral("a?b")); // the engine's own rule for control characters
        QVERIFY(!from(std::runtime_error("a\nb")).message.contains(QLatin1Char('\n')));
        QCOMPARE(e.hint, QStringLiteral("do this"));
        QVERIFY(!e.cancelled);
        QVERIFY(from(Error(ErrorCode::Cancelled, "cancelled")).cancelled);
        QVERIFY(from(std::bad_alloc()).message.contains(QStringLiteral("memory")));
        QVERIFY(!from(std::runtime_error("x")).message.isEmpty());
        QVERIFY(!from(42).message.isEmpty());
    }

private:
    static QString readSamples() {
        QFile file(QStringLiteral(FKV_RESOURCES "/prompts/samples.json"));
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }
};

QTEST_GUILESS_MAIN(TestRunParts)
#include "test_run_parts.moc"
