// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/report.h"

#include "engine/core/bytes_text.h"
#include "engine/io/trace_records.h"
#include "engine/trace/fate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace fkv::cli {

using nlohmann::json;

namespace {

std::string shown(const trace::Answer& answer, const std::string& stop) {
    std::string text = answer.text();
    if (!stop.empty())
        if (const auto at = text.find(stop); at != std::string::npos) text.resize(at);
    return text;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

/// Measured on the deployed path when that was done, else what the instrument composed.
std::optional<double> prefillMs(const std::vector<double>& measured,
                                const std::optional<double>& composed) {
    return measured.empty() ? composed : std::optional(median(measured));
}

std::optional<double> fullPrefillMs(const trace::Run& run) {
    return prefillMs(run.timing.standaloneFullMs, run.timing.fullPrefillMs);
}

std::optional<double> methodPrefillMs(const trace::Run& run) {
    return prefillMs(run.timing.standaloneFastKvMs, run.timing.fastKvPrefillMs);
}

/// Method "full" is the reference itself: it stands there once.
bool hasOtherMethod(const trace::Run& run) {
    return run.fastkv && run.fastkv->settings.method != trace::Method::Full;
}

std::string methodName(const trace::Run& run) {
    return std::string(trace::name(run.fastkv->settings.method));
}

/// Tokens tied at a cut when it parts them, so that only the rule for ties decides; else 0.
std::int64_t tiedAcross(std::span<const float> scores, std::span<const std::uint32_t> ranks,
                        std::int64_t kept) {
    const std::int64_t tied = trace::tiedAtCut(scores, ranks, kept);
    if (tied < 2) return 0;
    float lastKept = 0.0F;
    float firstLost = 0.0F;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        if (ranks[i] == kept - 1) lastKept = scores[i];
        if (ranks[i] == kept) firstLost = scores[i];
    }
    return std::abs(firstLost - lastKept) <= 1e-4F * std::abs(lastKept) + 1e-7F ? tied : 0;
}

/// Ties of every head of a layer (SPEC section 5); empty when scores are missing.
std::vector<std::int64_t> tiedOf(const trace::Run& run, int layer) {
    if (!run.full) return {};
    const trace::Budgets& b = run.fastkv->budgets;
    const trace::LayerBudget& budget = b.layers[static_cast<std::size_t>(layer)];
    const bool late = layer >= b.firstLate();
    const auto i = static_cast<std::size_t>(late ? layer - b.firstLate() : layer);
    const auto& layers = late ? run.fastkv->late : run.full->layers;
    std::vector<std::int64_t> tied;
    if (i >= layers.size() || !layers[i].saliency || !layers[i].ranks) return tied;
    const std::int64_t kept = budget.kept >= budget.entering ? 0 : budget.kept - b.window;
    for (std::size_t g = 0; g < layers[i].ranks->rows(); ++g)
        tied.push_back(tiedAcross(layers[i].saliency->row(g), layers[i].ranks->row(g), kept));
    return tied;
}

std::optional<std::int64_t> tiedAtTsp(const trace::Run& run) {
    const trace::Budgets& b = run.fastkv->budgets;
    if (!b.tspOn) return 0;
    if (!run.full) return std::nullopt;
    const auto t = static_cast<std::size_t>(b.tspLayer);
    const auto& saliency = run.full->layers[t].saliency;
    if (!saliency || !run.full->tspRanks) return std::nullopt;
    std::vector<float> score(saliency->cols());
    for (std::size_t g = 0; g < saliency->rows(); ++g)
        for (std::size_t i = 0; i < score.size(); ++i)
            score[i] += saliency->row(g)[i];
    return tiedAcross(score, run.full->tspRanks->row(t), b.propagated - b.window);
}

json achievedJson(const trace::Run& run) {
    json achieved = io::toJson(run.fastkv->budgets);
    if (const auto tied = tiedAtTsp(run)) achieved["tsp_tied"] = *tied;
    json& layers = achieved["layers"];
    for (std::size_t l = 0; l < layers.size(); ++l)
        if (const auto tied = tiedOf(run, static_cast<int>(l)); !tied.empty())
            layers[l]["tied"] = tied;
    return achieved;
}

struct Side {
    std::shared_ptr<const trace::Answer> answer;
    std::int64_t kvBytes = 0;
    std::optional<double> prefillMs;
    std::int64_t peakBytes = 0;
};

json sideJson(const Side& side, const std::string& stop) {
    json out{{"kv_bytes", side.kvBytes}};
    if (side.prefillMs) out["prefill_ms"] = io::numberJson(*side.prefillMs);
    if (side.peakBytes > 0) out["peak_bytes"] = side.peakBytes;
    if (!side.answer) return out;
    out["answer"] = shown(*side.answer, stop);
    json tokens = json::array();
    for (const trace::AnswerToken& t : side.answer->tokens)
        tokens.push_back(t.id);
    out["tokens"] = std::move(tokens);
    out["end"] = trace::name(side.answer->end);
    out["decode_ms_per_token"] = io::numberJson(side.answer->msPerToken);
    return out;
}

Side fullSide(const trace::Run& run) {
    std::int64_t bytes = run.model.kvBytesPerTokenHead() * run.model.kvHeads;
    bytes *= run.tokens() * run.model.layers;
    return {run.fullAnswer, bytes, fullPrefillMs(run), run.counters.standaloneFullPeakBytes};
}

Side methodSide(const trace::Run& run) {
    return {run.fastkvAnswer, run.fastkv->budgets.kvBytes, methodPrefillMs(run),
            run.counters.standaloneFastKvPeakBytes};
}

json fidelityJson(const trace::Fidelity& f) {
    return {{"first", {{"kl", io::numberJson(f.kl.front())}, {"top1", f.sameTop1.front() != 0}}},
            {"answer",
             {{"kl_mean", io::numberJson(f.meanKl())},
              {"top1_agreement", io::numberJson(f.top1Agreement())},
              {"tokens", f.kl.size()}}}};
}

std::string formatted(const char* format, double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

std::string percent(double share) {
    return formatted("%.3g %%", 100.0 * share);
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

/// One line of the answer, with line breaks spelled.
std::string inOneLine(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n')
            out += "\\n";
        else
            out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out;
}

void printSide(const std::string& name, const Side& side, const std::string& stop,
               std::ostream& to) {
    to << padded(name, 10)
       << padded(side.prefillMs ? formatted("%.1f ms", *side.prefillMs) : "-", 12)
       << padded(side.answer && side.answer->msPerToken > 0.0
                     ? formatted("%.2f ms", side.answer->msPerToken)
                     : "-",
                 12)
       << padded(bytesText(side.kvBytes), 12)
       << (side.answer ? inOneLine(shown(*side.answer, stop)) : "-") << '\n';
}

void printAchieved(const trace::Run& run, std::ostream& to) {
    const trace::Budgets& b = run.fastkv->budgets;
    if (b.tspOn)
        to << "TSP       layer " << b.tspLayer << " passes " << b.propagated << " of " << b.tokens
           << " tokens (" << percent(b.tspRate) << ")\n";
    else
        to << "TSP       off\n";
    to << "KV        " << percent(b.kvRate) << " of the cache, " << b.layers.front().kept
       << " tokens a head";
    if (b.layers.back().kept != b.layers.front().kept)
        to << ", " << b.layers.back().kept << " in the last layer";
    to << (b.lateClamped ? ", clamped to what TSP passes\n" : "\n");
    std::size_t cuts = 0;
    std::size_t tiedCuts = 0;
    for (int l = 0; l < run.model.layers; ++l)
        for (const std::int64_t tied : tiedOf(run, l)) {
            ++cuts;
            tiedCuts += tied > 0 ? 1 : 0;
        }
    if (cuts > 0)
        to << "ties      " << tiedCuts << " of " << cuts
           << " cuts part tied tokens: the earlier one is kept\n";
}

} // namespace

json gpuJson(std::span<const trace::GpuSample> samples) {
    const auto summary = trace::summarize(samples);
    if (!summary) return {};
    json limits = json::object();
    for (std::size_t i = 0; i < trace::kClockLimits.size(); ++i)
        if (summary->limited[i] > 0.0)
            limits[std::string(name(trace::kClockLimits[i]))] = summary->limited[i];
    return {{"samples", summary->samples},          {"sm_mhz", summary->smMhz},
            {"memory_mhz", summary->memoryMhz},     {"most_watts", summary->mostWatts},
            {"most_celsius", summary->mostCelsius}, {"limits", std::move(limits)}};
}

std::string gpuText(std::span<const trace::GpuSample> samples) {
    const auto summary = trace::summarize(samples);
    if (!summary) return {};
    std::string text = formatted("%.2f GHz SM, ", summary->smMhz * 1e-3) +
                       formatted("%.2f GHz memory, ", summary->memoryMhz * 1e-3) +
                       formatted("at most %.0f W", summary->mostWatts) +
                       formatted(" and %.0f C", summary->mostCelsius);
    bool limited = false;
    for (std::size_t i = 0; i < trace::kClockLimits.size(); ++i)
        if (summary->limited[i] > 0.0) {
            text += ", " + std::string(name(trace::kClockLimits[i])) + " in " +
                    percent(summary->limited[i]);
            limited = true;
        }
    return text + (limited ? " of " : ", ") + std::to_string(summary->samples) + " samples";
}

namespace {

/// Kinds of kernels that a report lists, the longest.
constexpr std::size_t kListedKernels = 12, kPrintedKernels = 3;

json kernelsJson(const trace::KernelList& list) {
    json out{{"count", list.kernels.size()}, {"kinds", list.names.size()}};
    if (!list.absent.empty()) out["absent"] = list.absent;
    const auto sums = totals(list);
    for (std::size_t i = 0; i < std::min(sums.size(), kListedKernels); ++i)
        out["longest"].push_back({{"name", list.names[sums[i].name]},
                                  {"count", sums[i].count},
                                  {"ms", static_cast<double>(sums[i].ns) * 1e-6}});
    return out;
}

std::string kernelsText(const trace::KernelList& list) {
    if (list.empty()) return "not recorded: " + list.absent;
    const auto sums = totals(list);
    std::string text = std::to_string(list.kernels.size()) + " of " +
                       std::to_string(list.names.size()) + " kinds, longest in sum:";
    for (std::size_t i = 0; i < std::min(sums.size(), kPrintedKernels); ++i)
        text += (i == 0 ? " " : ", ") + list.names[sums[i].name] +
                formatted(" %.1f ms", static_cast<double>(sums[i].ns) * 1e-6);
    return text;
}

bool wereAsked(const trace::KernelList& list) {
    return !list.empty() || !list.absent.empty();
}

} // namespace

json reportJson(const trace::Run& run, const std::string& stop) {
    json out{{"model", io::toJson(run.model)},
             {"prompt", {{"tokens", run.tokens()}}},
             {"device", io::toJson(run.machine)},
             {"timing", io::toJson(run.timing)},
             {"rung", trace::name(run.rung)},
             {"given_up", run.counters.givenUp},
             {"full", sideJson(fullSide(run), stop)}};
    out["device"]["version"] = run.machine.version;
    if (wereAsked(run.timing.kernels)) out["kernels"] = kernelsJson(run.timing.kernels);
    if (!run.timing.gpu.empty()) out["gpu"] = gpuJson(run.timing.gpu);
    if (!run.prompt->expected.empty()) out["prompt"]["expected"] = run.prompt->expected;
    if (const auto& chat = run.prompt->chat)
        out["prompt"]["chat"] = {{"system", chat->system}, {"date", chat->date}};
    if (run.fastkv) {
        out["settings"] = io::toJson(run.fastkv->settings);
        out["achieved"] = achievedJson(run);
    }
    if (hasOtherMethod(run)) out[methodName(run)] = sideJson(methodSide(run), stop);
    if (run.fidelity && !run.fidelity->kl.empty()) out["fidelity"] = fidelityJson(*run.fidelity);
    return out;
}

void printReport(const trace::Run& run, const std::string& stop, std::ostream& to) {
    to << "model     " << run.model.name << ", " << run.model.layers << " layers, "
       << run.model.queryHeads << " query and " << run.model.kvHeads << " KV heads\n"
       << "device    " << run.machine.device << ", " << run.machine.cpu << ", "
       << run.machine.threads << " threads\n"
       << "prompt    " << run.tokens() << " tokens\n";
    if (!run.counters.givenUp.empty())
        to << "memory    given up to fit: " << run.counters.givenUp << '\n';
    if (!run.timing.gpu.empty()) to << "GPU       " << gpuText(run.timing.gpu) << '\n';
    if (wereAsked(run.timing.kernels))
        to << "kernels   " << kernelsText(run.timing.kernels) << '\n';
    if (run.fastkv) {
        printAchieved(run, to);
        if (!run.fastkv->settings.sampling.greedy())
            to << "sampling  " << trace::describe(run.fastkv->settings.sampling)
               << ", the same draws for all\n";
    }
    to << '\n'
       << padded("", 10) << padded("prefill", 12) << padded("a token", 12) << padded("KV", 12)
       << "answer\n";
    printSide("full", fullSide(run), stop, to);
    if (hasOtherMethod(run)) printSide(methodName(run), methodSide(run), stop, to);
    if (!hasOtherMethod(run) || !run.fidelity || run.fidelity->kl.empty()) return;
    const trace::Fidelity& f = *run.fidelity;
    to << "\nfidelity  KL " << formatted("%.3g", f.kl.front()) << " nats at the first token, mean "
       << formatted("%.3g", f.meanKl()) << " over " << f.kl.size() << ", top-1 agreement "
       << percent(f.top1Agreement()) << " (one prompt is no evaluation)\n";
    if (run.timing.standaloneFastKvMs.empty() && run.timing.fastKvPrefillMs &&
        run.timing.fastKvState == trace::State::Composed)
        to << "prefill of the method is composed: layers to TSP of the full pass, then the rerun\n";
}

} // namespace fkv::cli
