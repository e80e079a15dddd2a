// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/profile.h"

#include "engine/core/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"
#include "engine/run/fidelity.h"
#include "engine/run/passes.h"
#include "engine/select/budgets.h"
#include "engine/text/tokenizer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <ostream>

namespace fkv::cli {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point since) {
    return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

/// Everything one `profile` needs and finds out.
struct Profile {
    explicit Profile(const ProfileOptions& o)
        : options(o), config(model::readConfig(o.model)), tokenizer(text::openTokenizer(o.model)),
          backend(makeCpuBackend(0)),
          weights(model::loadWeights(o.model, config, *backend, {}, {})),
          transformer(config, weights, *backend) {}

    const ProfileOptions& options;
    model::Config config;
    std::unique_ptr<text::Tokenizer> tokenizer;
    std::unique_ptr<ops::Backend> backend;
    model::Weights weights;
    model::Transformer transformer;

    text::Encoding prompt;
    std::string promptText;
    trace::Settings settings;
    trace::Budgets budgets;
    run::FullResult full;
    run::RerunResult late;
    double fullMs = 0.0;
    double layersToTspMs = 0.0;
    double rerunMs = 0.0;

    struct Decoded {
        std::vector<std::int32_t> tokens;
        double msPerToken = 0.0;
    };
    Decoded fullAnswer, methodAnswer;
    std::vector<double> kl;
    std::int64_t agreeing = 0;
};

std::vector<std::int32_t> readIds(const std::filesystem::path& path) {
    const json list = io::readJson(path);
    if (!list.is_array()) throw Error(ErrorCode::BadFile, path.string() + ": not a JSON array of ids");
    std::vector<std::int32_t> ids;
    for (const json& id : list) {
        if (!id.is_number_integer())
            throw Error(ErrorCode::BadFile, path.string() + ": an id is not a whole number");
        const auto value = id.get<std::int64_t>();
        ids.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(value, -1, INT32_MAX)));
    }
    return ids;
}

void readPrompt(Profile& p) {
    if (!p.options.idsFile.empty()) {
        p.prompt.ids = readIds(p.options.idsFile);
        p.promptText = p.tokenizer->text::Tokenizer::decode(p.prompt.ids);
    } else {
        p.promptText = p.options.promptFile.empty() ? p.options.prompt : io::readText(p.options.promptFile);
        if (p.promptText.empty()) throw Error(ErrorCode::BadArgument, "the prompt is empty");
        p.prompt = p.tokenizer->encode(p.promptText, p.tokenizer->addsBos());
    }
    const auto tokens = static_cast<std::int64_t>(p.prompt.ids.size());
    if (tokens == 0) throw Error(ErrorCode::BadArgument, "the prompt is empty");
    if (tokens + p.options.generate > p.config.contextLength)
        throw Error(ErrorCode::BadArgument,
                    "the prompt has " + std::to_string(tokens) + " tokens and " +
                        std::to_string(p.options.generate) + " are to be generated, the model takes " +
                        std::to_string(p.config.contextLength));
    for (const std::int32_t id : p.prompt.ids)
        if (id < 0 || id >= p.config.vocabulary)
            throw Error(ErrorCode::BadArgument, "token id " + std::to_string(id) +
                                                    " is outside the vocabulary of " +
                                                    std::to_string(p.config.vocabulary));
}

void readSettings(Profile& p) {
    const ProfileOptions& o = p.options;
    trace::Settings s = select::defaultSettings(p.config.layers);
    s.method = o.method == "full" ? trace::Method::Full : trace::Method::FastKv;
    if (o.tspLayer) s.tspLayer = *o.tspLayer;
    if (o.tspRate) s.tsp = trace::Amount::ofRate(*o.tspRate);
    if (o.tspTokens) s.tsp = trace::Amount::ofTokens(*o.tspTokens);
    if (o.kvRate) s.kv = trace::Amount::ofRate(*o.kvRate);
    if (o.kvTokens) s.kv = trace::Amount::ofTokens(*o.kvTokens);
    s.window = o.window;
    s.kernel = o.kernel;
    s.pooling = o.pooling == "avg" ? trace::Pooling::Average : trace::Pooling::Max;
    select::validate(s, p.config.layers);
    // The engine holds the newest 64 queries of a layer.
    if (s.window > 64) throw Error(ErrorCode::BadArgument, "--window is above 64");
    p.settings = s;
    trace::ModelInfo info;
    info.layers = p.config.layers;
    info.queryHeads = p.config.queryHeads;
    info.kvHeads = p.config.kvHeads;
    info.headDim = p.config.headDim;
    info.kvElementBytes = static_cast<std::int64_t>(sizeOf(p.backend->info().kvType));
    p.budgets = select::computeBudgets(s, info, static_cast<std::int64_t>(p.prompt.ids.size()));
}

void prefill(Profile& p) {
    run::PassOptions pass;
    pass.scoring = {p.settings.window, p.settings.kernel, p.settings.pooling == trace::Pooling::Average};
    const auto begin = Clock::now();
    pass.progress = [&](double done) {
        // Composed time of FastKV: layers 0..t of this pass, then the rerun.
        if (static_cast<int>(done * p.config.layers + 0.5) == p.settings.tspLayer + 1)
            p.layersToTspMs = milliseconds(begin);
    };
    p.full = run::fullPass(p.transformer, p.prompt.ids, pass);
    p.fullMs = milliseconds(begin);
    pass.progress = {};
    const auto rerunBegin = Clock::now();
    p.late = run::rerun(p.transformer, p.full, p.budgets, pass);
    p.rerunMs = milliseconds(rerunBegin);
}

Profile::Decoded decode(Profile& p, const run::RerunResult* late) {
    run::DecodeCache cache =
        run::decodeCache(p.transformer, p.full, late, p.budgets, p.options.generate);
    Profile::Decoded d;
    const auto begin = Clock::now();
    d.tokens = run::greedy(p.transformer, {late != nullptr ? late->logits : p.full.logits, cache.layers,
                                     p.full.tokens, p.options.generate, true});
    if (d.tokens.size() > 1)
        d.msPerToken = milliseconds(begin) / static_cast<double>(d.tokens.size() - 1);
    return d;
}

/// Logits [tokens - 1, V] after each token of the full answer but the last, teacher-forced.
std::vector<float> forced(Profile& p, const run::RerunResult* late,
                          std::span<const std::int32_t> tokens) {
    run::DecodeCache cache = run::decodeCache(p.transformer, p.full, late, p.budgets,
                                              static_cast<std::int64_t>(tokens.size()));
    const auto vocabulary = static_cast<std::size_t>(p.config.vocabulary);
    std::vector<float> all(tokens.size() * vocabulary);
    const ops::BufferPtr memory = p.backend->allocate(vocabulary * sizeof(float), ops::Lifetime::Session);
    const ops::View logits{memory->data(), DType::F32, 1, p.config.vocabulary, p.config.vocabulary};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        p.backend->decodeStep({tokens.subspan(i, 1), p.full.tokens + static_cast<std::int64_t>(i),
                               cache.layers, p.weights.embedding, p.weights.finalNorm,
                               p.weights.lmHead, p.weights.cosTable, p.weights.sinTable,
                               p.config.queryHeads, p.config.rmsEps, logits});
        p.backend->readback(all.data() + i * vocabulary, logits);
        p.backend->synchronize();
    }
    return all;
}

std::size_t argMax(std::span<const float> v) {
    return static_cast<std::size_t>(std::max_element(v.begin(), v.end()) - v.begin());
}

void compare(Profile& p) {
    const auto step = [&](std::span<const float> full, std::span<const float> method) {
        p.kl.push_back(run::klDivergence(full, method));
        p.agreeing += argMax(full) == argMax(method) ? 1 : 0;
    };
    step(p.full.logits, p.late.logits);
    if (p.fullAnswer.tokens.size() < 2) return;
    const auto given = std::span<const std::int32_t>(p.fullAnswer.tokens).first(p.fullAnswer.tokens.size() - 1);
    const std::vector<float> full = forced(p, nullptr, given);
    const std::vector<float> method = forced(p, &p.late, given);
    const auto vocabulary = static_cast<std::size_t>(p.config.vocabulary);
    for (std::size_t i = 0; i < given.size(); ++i)
        step(std::span(full).subspan(i * vocabulary, vocabulary),
             std::span(method).subspan(i * vocabulary, vocabulary));
}

std::string shown(const Profile& p, const std::vector<std::int32_t>& tokens) {
    std::vector<std::int32_t> text = tokens;
    if (!text.empty() && std::count(p.config.eos.begin(), p.config.eos.end(), text.back()) > 0) text.pop_back();
    std::string answer = p.tokenizer->text::Tokenizer::decode(text);
    if (!p.options.stop.empty())
        if (const auto at = answer.find(p.options.stop); at != std::string::npos) answer.resize(at);
    return answer;
}

json report(const Profile& p) {
    const auto answer = [&](const Profile::Decoded& d, std::int64_t kvBytes, double prefillMs) {
        return json{{"answer", shown(p, d.tokens)}, {"tokens", d.tokens}, {"kv_bytes", kvBytes},
                    {"prefill_ms", prefillMs}, {"decode_ms_per_token", d.msPerToken}};
    };
    const trace::Budgets& b = p.budgets;
    json layers = json::array();
    for (const trace::LayerBudget& l : b.layers)
        layers.push_back({{"entering", l.entering}, {"kept", l.kept}});
    double sum = 0.0;
    for (const double v : p.kl) sum += v;
    const auto count = static_cast<double>(p.kl.size());
    const double methodMs = b.tspOn ? p.layersToTspMs + p.rerunMs : p.fullMs;
    return {
        {"model", {{"path", p.options.model.string()}, {"layers", p.config.layers},
                   {"query_heads", p.config.queryHeads}, {"kv_heads", p.config.kvHeads},
                   {"head_dim", p.config.headDim}, {"context_length", p.config.contextLength}}},
        {"prompt", {{"tokens", p.prompt.ids.size()}}},
        {"settings", {{"method", trace::name(p.settings.method)}, {"tsp_layer", p.settings.tspLayer},
                      {"window", p.settings.window}, {"kernel", p.settings.kernel},
                      {"pooling", trace::name(p.settings.pooling)}}},
        {"achieved", {{"tsp_on", b.tspOn}, {"tsp_tokens", b.propagated}, {"tsp_rate", b.tspRate},
                      {"kv_rate", b.kvRate}, {"late_clamped", b.lateClamped}, {"layers", layers}}},
        {"device", {{"name", p.backend->info().name}, {"cpu", p.backend->info().cpu},
                    {"blas", p.backend->info().blas}, {"threads", p.backend->info().threads}}},
        {"timing", {{"state", b.tspOn ? "composed" : "exact"}, {"with_capture", true},
                    {"full_prefill_ms", p.fullMs}, {"rerun_ms", p.rerunMs}}},
        {"full", answer(p.fullAnswer, b.fullKvBytes, p.fullMs)},
        {std::string(trace::name(p.settings.method)) == "full" ? "method" : "fastkv",
         answer(p.methodAnswer, b.kvBytes, methodMs)},
        {"fidelity", {{"first", {{"kl", p.kl.front()}, {"top1", argMax(p.full.logits) == argMax(p.late.logits)}}},
                      {"answer", {{"kl_mean", sum / count},
                                  {"top1_agreement", static_cast<double>(p.agreeing) / count},
                                  {"tokens", p.kl.size()}}}}},
    };
}

/// Tensor names of SPEC section 9.
void save(const Profile& p, const json& summary) {
    io::SafetensorsWriter writer;
    std::deque<std::vector<std::byte>> memory;
    const auto add = [&](const std::string& name, DType dtype, std::vector<std::int64_t> shape, const auto& v) {
        memory.emplace_back(v.size() * sizeof(v[0]));
        std::memcpy(memory.back().data(), v.data(), memory.back().size());
        writer.add(name, dtype, std::move(shape), std::span<const std::byte>(memory.back()));
    };
    const auto size = [](const auto& v) { return static_cast<std::int64_t>(v.size()); };
    const std::int64_t heads = p.config.kvHeads;
    add("input_ids", DType::I32, {size(p.prompt.ids)}, p.prompt.ids);
    add("full.logits", DType::F32, {size(p.full.logits)}, p.full.logits);
    add("full.greedy", DType::I32, {size(p.fullAnswer.tokens)}, p.fullAnswer.tokens);
    std::vector<float> saliency;
    for (const auto& s : p.full.scores) saliency.insert(saliency.end(), s.saliency.begin(), s.saliency.end());
    const std::int64_t scored = p.full.scores.front().scored;
    if (scored > 0) add("full.saliency", DType::F32, {p.config.layers, heads, scored}, saliency);
    for (int layer = 0; layer < p.config.layers && scored > 0; ++layer)
        add("full.ranks." + std::to_string(layer), DType::U32, {heads, scored},
            p.full.scores[static_cast<std::size_t>(layer)].ranks);
    add("fastkv.tsp_indices", DType::I32, {size(p.late.survivors)}, p.late.survivors);
    for (int layer = 0; layer < p.config.layers; ++layer) {
        std::vector<std::int32_t> kept;
        for (const auto& head : run::keptPositions(p.full, p.late, p.budgets, layer))
            kept.insert(kept.end(), head.begin(), head.end());
        add("fastkv.kept." + std::to_string(layer), DType::I32, {heads, size(kept) / heads}, kept);
        const bool reduced = layer >= p.budgets.firstLate();
        const auto& s = reduced ? p.late.scores[static_cast<std::size_t>(layer - p.budgets.firstLate())]
                                : p.full.scores[static_cast<std::size_t>(layer)];
        if (s.scored > 0)
            add("fastkv.saliency." + std::to_string(layer), DType::F32, {heads, s.scored}, s.saliency);
    }
    add("fastkv.logits", DType::F32, {size(p.late.logits)}, p.late.logits);
    add("fastkv.greedy", DType::I32, {size(p.methodAnswer.tokens)}, p.methodAnswer.tokens);
    writer.metadata("schema", "1");
    writer.metadata("report", summary.dump(-1, ' ', false, json::error_handler_t::replace));
    writer.metadata("prompt", p.promptText);
    writer.save(p.options.out);
}

}  // namespace

void profile(const ProfileOptions& options, std::ostream& to) {
    Profile p(options);
    readPrompt(p);
    readSettings(p);
    prefill(p);
    p.fullAnswer = decode(p, nullptr);
    p.methodAnswer = decode(p, &p.late);
    compare(p);
    const json summary = report(p);
    if (!options.out.empty()) save(p, summary);
    if (options.json) {
        to << summary.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
        return;
    }
    to << "full    " << shown(p, p.fullAnswer.tokens) << "\n" << trace::name(p.settings.method) << "  "
       << shown(p, p.methodAnswer.tokens) << '\n';
}

}  // namespace fkv::cli
