// SPDX-License-Identifier: Apache-2.0
// Timing, answers and fidelity as JSON; the other records are in trace_records.cpp.
#include "engine/io/trace_records.h"

#include <array>
#include <cmath>

namespace fkv::io {

using Json = nlohmann::json;

namespace {

constexpr std::array<std::string_view, 5> kStates{"exact", "preview", "composed", "pending",
                                                  "recorded"};
constexpr std::size_t kMostSteps = 1U << 26;

Json optionalJson(const std::optional<double>& value) {
    return value ? numberJson(*value) : Json();
}

Json numbersJson(const std::vector<double>& values) {
    Json list = Json::array();
    for (const double value : values)
        list.push_back(numberJson(value));
    return list;
}

Json topJson(const std::vector<trace::TopFive>& steps) {
    Json list = Json::array();
    for (const trace::TopFive& top : steps) {
        Json step = Json::array();
        for (const trace::TokenProbability& t : top)
            step.push_back({{"id", t.id},
                            {"text", bytesJson(t.text)},
                            {"probability", numberJson(t.probability)}});
        list.push_back({{"best", std::move(step)}});
    }
    return list;
}

std::vector<trace::TopFive> topFrom(const JsonRecord& json, const char* key, std::size_t steps,
                                    int vocabulary) {
    std::vector<trace::TopFive> out;
    for (const JsonRecord& step : json.list(key, steps)) {
        trace::TopFive top;
        const auto best = step.list("best", top.size());
        for (std::size_t i = 0; i < best.size(); ++i)
            top[i] = {best[i].small("id", {-1, vocabulary - 1}), best[i].bytes("text"),
                      static_cast<float>(best[i].number("probability"))};
        out.push_back(std::move(top));
    }
    if (!out.empty() && out.size() != steps)
        json.bad(std::string(key) + " has another number of steps than kl");
    return out;
}

trace::DevicePeaks peaksFrom(const JsonRecord& json) {
    const trace::DevicePeaks peaks{json.number("flop_per_s"), json.number("bytes_per_s")};
    for (const double rate : {peaks.flopPerSecond, peaks.bytesPerSecond})
        if (!(rate > 0.0 && std::isfinite(rate))) json.bad("a rate is not above 0");
    return peaks;
}

} // namespace

Json toJson(const trace::Timing& t) {
    Json json{{"full_prefill_ms", optionalJson(t.fullPrefillMs)},
              {"full_prefill_with_capture_ms", optionalJson(t.fullPrefillWithCaptureMs)},
              {"fastkv_prefill_ms", optionalJson(t.fastKvPrefillMs)},
              {"fastkv_state", kStates[static_cast<std::size_t>(t.fastKvState)]},
              {"rerun_ms", optionalJson(t.rerunMs)},
              {"load_ms", optionalJson(t.loadMs)},
              {"reused_tokens", t.reusedTokens},
              {"standalone_full_ms", numbersJson(t.standaloneFullMs)},
              {"standalone_fastkv_ms", numbersJson(t.standaloneFastKvMs)}};
    if (t.peaks)
        json["peaks"] = {{"flop_per_s", t.peaks->flopPerSecond},
                         {"bytes_per_s", t.peaks->bytesPerSecond}};
    return json;
}

trace::Timing timingFrom(const JsonRecord& json) {
    trace::Timing t;
    t.fullPrefillMs = json.numberIf("full_prefill_ms");
    t.fullPrefillWithCaptureMs = json.numberIf("full_prefill_with_capture_ms");
    t.fastKvPrefillMs = json.numberIf("fastkv_prefill_ms");
    t.fastKvState = static_cast<trace::State>(json.oneOf("fastkv_state", kStates));
    t.rerunMs = json.numberIf("rerun_ms");
    t.loadMs = json.numberIf("load_ms");
    t.reusedTokens = json.integer("reused_tokens", {});
    t.standaloneFullMs = json.numbers("standalone_full_ms");
    t.standaloneFastKvMs = json.numbers("standalone_fastkv_ms");
    if (json.has("peaks")) t.peaks = peaksFrom(json.object("peaks"));
    return t;
}

Json toJson(const trace::Answer& answer) {
    Json tokens = Json::array();
    for (const trace::AnswerToken& t : answer.tokens)
        tokens.push_back({{"text", bytesJson(t.text)}, {"ms", numberJson(t.ms)}});
    return {{"text", answer.text()},
            {"tokens", std::move(tokens)},
            {"end", trace::name(answer.end)},
            {"end_of_sequence", answer.endOfSequence()}, // what older programs ask for
            {"ms_per_token", numberJson(answer.msPerToken)}};
}

trace::Answer answerFrom(const JsonRecord& json, std::span<const std::int32_t> ids) {
    trace::Answer answer;
    const auto tokens = json.list("tokens", ids.size());
    if (tokens.size() != ids.size())
        json.bad("tokens lists " + std::to_string(tokens.size()) + " of " +
                 std::to_string(ids.size()));
    for (std::size_t i = 0; i < ids.size(); ++i)
        answer.tokens.push_back({ids[i], tokens[i].bytes("text"), tokens[i].number("ms")});
    using enum trace::AnswerEnd;
    if (json.has("end"))
        answer.end = static_cast<trace::AnswerEnd>(json.oneOf("end", trace::kAnswerEnds));
    else
        answer.end = json.flag("end_of_sequence") ? EndOfSequence : Count;
    answer.msPerToken = json.number("ms_per_token");
    return answer;
}

Json toJson(const trace::Fidelity& f) {
    Json same = Json::array();
    for (const std::uint8_t one : f.sameTop1)
        same.push_back(one);
    return {{"kl", numbersJson(f.kl)},           {"same_top1", std::move(same)},
            {"full_top", topJson(f.fullTop)},    {"fastkv_top", topJson(f.fastkvTop)},
            {"kl_mean", numberJson(f.meanKl())}, {"top1_agreement", numberJson(f.top1Agreement())}};
}

trace::Fidelity fidelityFrom(const JsonRecord& json, int vocabulary) {
    trace::Fidelity f;
    f.kl = json.numbers("kl");
    const std::string same = json.bytes("same_top1");
    if (same.size() != f.kl.size() || same.size() > kMostSteps)
        json.bad("same_top1 has another number of steps than kl");
    for (const char one : same) {
        if (one != 0 && one != 1) json.bad("same_top1 is neither 0 nor 1");
        f.sameTop1.push_back(static_cast<std::uint8_t>(one));
    }
    f.fullTop = topFrom(json, "full_top", f.kl.size(), vocabulary);
    f.fastkvTop = topFrom(json, "fastkv_top", f.kl.size(), vocabulary);
    return f;
}

} // namespace fkv::io
