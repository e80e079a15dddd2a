// SPDX-License-Identifier: Apache-2.0

// Times the engine on a model and prints one JSON object:
//     engine_bench --model DIR [--tokens 1024,2048,4096,8192] [--repeats 5] [--ids-out FILE]
//     engine_bench --shape llama-3.1-8b --device cuda:0 --tokens 32768        random weights,
//     prefill alone
// What is compared takes turns inside one loop, because the machine may be busy with other things.
// Every figure is a median; shares are of the rate of a matrix product measured in the same run.

#include "engine/core/error.h"
#include "engine/core/nvtx.h"
#include "engine/model/shapes.h"
#include "engine/run/full_pass.h"
#include "engine/run/rerun.h"
#include "engine/run/session.h"
#include "engine/select/budgets.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

using namespace fkv;
using nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;

double timed(const std::function<void()>& work) {
    const auto begin = Clock::now();
    work();
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

struct Series {
    std::vector<double> ms;
    double median() const {
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
    json report() const {
        return {{"ms", median()},
                {"min", *std::min_element(ms.begin(), ms.end())},
                {"max", *std::max_element(ms.begin(), ms.end())},
                {"runs", ms.size()}};
    }
};

/// A text-like prompt: the same ids every time, BOS first.
std::vector<std::int32_t> promptIds(std::int64_t tokens, std::int32_t vocabulary) {
    std::mt19937 random(20260);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
    for (std::int32_t& id : ids)
        id = 300 + static_cast<std::int32_t>(random() % static_cast<unsigned>(vocabulary - 300));
    ids.front() = 1;
    return ids;
}

/// Floating-point operations of one full-context prefill: projections, causal attention, the last
/// row's logits.
double prefillFlop(const trace::ModelInfo& m, double n) {
    const double d = m.headDim;
    const double linear = 2.0 * m.hidden * (m.queryHeads + 2.0 * m.kvHeads) * d +
                          2.0 * m.queryHeads * d * m.hidden + 6.0 * m.hidden * m.intermediate;
    const double attention = 4.0 * m.queryHeads * d * (n + 1.0) / 2.0;
    return m.layers * n * (linear + attention) + 2.0 * m.hidden * m.vocabulary;
}

/// GFLOP/s of a product of the model's own kind: the peak that shares are of.
double productRate(ops::Backend& backend) {
    const std::int64_t rows = 2048, cols = 2048, depth = 1024;
    std::vector<ops::BufferPtr> memory;
    const auto matrix = [&](std::int64_t r, std::int64_t c) {
        const DType type = backend.info().weightType;
        const auto bytes = static_cast<std::size_t>(r * c) * sizeOf(type);
        memory.push_back(backend.allocate(bytes, ops::Lifetime::Session));
        const ops::View v{memory.back()->data(), type, r, c, c};
        std::vector<float> values(static_cast<std::size_t>(r * c));
        std::mt19937 random(7);
        std::normal_distribution<float> normal;
        for (float& x : values)
            x = normal(random);
        backend.uploadWeights(v, values.data(), DType::F32);
        return v;
    };
    const ops::LinearParams p{
        matrix(rows, depth), matrix(cols, depth), {}, matrix(rows, cols), false};
    Series s;
    for (int i = -2; i < 7; ++i) {
        const double ms = timed([&] {
            backend.linear(p);
            backend.synchronize();
        });
        if (i >= 0) s.ms.push_back(ms);
    }
    return 2.0 * static_cast<double>(rows * cols * depth) / s.median() * 1e-6;
}

class Bench {
public:
    Bench(const std::string& folder, const ops::DeviceSpec& device, int repeats)
        : m_model(folder, device, m_observer, m_stop), m_repeats(repeats) {}
    Bench(const model::Config& shape, const ops::DeviceSpec& device, int repeats)
        : m_model(shape, device, 1), m_repeats(repeats) {}

    json machine() {
        const ops::DeviceInfo& i = m_model.backend().info();
        m_rate = productRate(m_model.backend());
        return {
            {"device", i.name}, {"cpu", i.cpu}, {"threads", i.threads}, {"product_gflops", m_rate}};
    }

    json prefill(std::int64_t tokens) {
        const std::vector<std::int32_t> ids = promptIds(tokens, m_model.config().vocabulary);
        const run::RunContext context{m_model, m_gate, m_stop};
        const trace::Settings settings = select::defaultSettings(m_model.config().layers);
        const trace::Budgets budgets = select::computeBudgets(settings, m_model.info(), tokens);
        Series plain, capture, rerun;
        for (int i = -1; i < m_repeats; ++i) {
            run::HeldState held;
            const double p = timed([&] { passWithoutCapture(ids); });
            const double c = timed([&] {
                run::runFullPass(
                    context, {ids, {settings.window, settings.kernel, false}, 8LL << 30, {}}, held);
            });
            const double r = timed([&] { run::runRerun(context, {budgets, {}}, held); });
            if (i < 0) continue; // warm-up
            plain.ms.push_back(p);
            capture.ms.push_back(c);
            rerun.ms.push_back(r);
        }
        const double gflops =
            prefillFlop(m_model.info(), static_cast<double>(tokens)) / plain.median() * 1e-6;
        return {{"tokens", tokens},
                {"full", plain.report()},
                {"full_with_capture", capture.report()},
                {"capture_ratio", ratio(capture, plain)},
                {"rerun", rerun.report()},
                {"rerun_ratio", ratio(rerun, plain)},
                {"gflops", gflops},
                {"share_of_product_rate", gflops / m_rate}};
    }

private:
    /// Median of the ratios of neighbours in time.
    static double ratio(const Series& a, const Series& b) {
        Series r;
        for (std::size_t i = 0; i < a.ms.size(); ++i)
            r.ms.push_back(a.ms[i] / b.ms[i]);
        return r.median();
    }

    /// What prefill costs without the instrument: keys and values are kept, since decoding needs
    /// them.
    void passWithoutCapture(const std::vector<std::int32_t>& ids) {
        model::Transformer& transformer = m_model.transformer();
        const auto tokens = static_cast<std::int64_t>(ids.size());
        std::vector<std::int32_t> positions(ids.size());
        std::iota(positions.begin(), positions.end(), 0);
        SpanSink sink;
        PassScope scope(sink, trace::PassKind::Standalone, m_gate, m_stop);
        const ops::Tensor x = transformer.makeRows(tokens);
        transformer.embed(ids, x.view, scope);
        std::vector<model::LayerCache> caches;
        for (int layer = 0; layer < m_model.config().layers; ++layer) {
            caches.push_back(transformer.makeCache(tokens));
            // Of the last layer nobody reads more than the last rows, with or without the
            // instrument.
            const bool last = layer + 1 == m_model.config().layers;
            const std::int64_t live =
                last ? std::max<std::int64_t>(0, tokens - model::kMostWindow) : 0;
            transformer.runLayer({layer, x.view, positions, caches.back().kv, 0, live}, scope);
        }
        transformer.lastLogits(x.view, scope);
    }

    run::Observer m_observer;
    std::stop_token m_stop;
    Gate m_gate;
    run::LoadedModel m_model;
    int m_repeats;
    double m_rate = 0.0;
};

model::Config shapeOf(const std::string& name, std::int64_t longest) {
    model::Config config = model::shapeConfig(name);
    config.contextLength = longest;
    return config;
}

json decoding(const std::string& folder, const std::string& device, int threads, int repeats) {
    run::Observer observer;
    const auto session = run::Session::open(folder, {device, threads}, observer, {});
    Series full, fastkv;
    run::Request request;
    request.settings = select::defaultSettings(session->model().layers);
    request.settings.generate = 33;
    request.fidelity = false;
    request.tables = false;
    json out = json::array();
    for (const std::int64_t longest : {4096, 8192}) {
        // Prompt and answer have to fit the model's context together.
        const std::int64_t tokens = std::min<std::int64_t>(longest, session->model().contextLength -
                                                                        request.settings.generate);
        for (int i = -1; i < repeats; ++i) {
            request.prompt.ids = promptIds(tokens, session->model().vocabulary);
            (*request.prompt.ids)[1] = 301 + i; // another prompt, so that all of it is run again
            const trace::RunPtr run = session->analyse(request, observer, {});
            if (i < 0) continue;
            full.ms.push_back(run->fullAnswer->msPerToken);
            fastkv.ms.push_back(run->fastkvAnswer->msPerToken);
        }
        out.push_back({{"tokens", tokens}, {"full", full.report()}, {"fastkv", fastkv.report()}});
        full.ms.clear();
        fastkv.ms.clear();
    }
    return out;
}

/// Nanoseconds of a span, and of the NVTX range alone that it opens; without a tool listening.
json spanCost() {
    constexpr int kSpans = 1'000'000;
    const trace::Span named{0, 0, trace::Zone::Mlp, trace::PassKind::Full, 3, 0, 512};
    const auto perSpan = [&](const auto& work) {
        Series s;
        for (int i = 0; i < 5; ++i)
            s.ms.push_back(timed([&] {
                SpanSink sink(kSpans);
                for (int n = 0; n < kSpans; ++n)
                    work(sink);
            }));
        return s.median() * 1e6 / kSpans;
    };
    return {{"span_ns", perSpan([&](SpanSink& sink) {
                 const ScopedSpan span(sink, {named.zone, named.pass, named.layer, named.tokens});
             })},
            {"nvtx_ns", perSpan([&](SpanSink&) {
                 nvtx::push(named);
                 nvtx::pop();
             })}};
}

json loading(const std::string& folder, const std::string& device, int threads, int repeats) {
    Series s;
    run::Observer observer;
    for (int i = -1; i < repeats; ++i) {
        const double ms = timed([&] {
            run::Session::open(folder, {device, threads}, observer, {});
        });
        if (i >= 0) s.ms.push_back(ms);
    }
    return s.report();
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times prefill, rerun, decoding and loading."};
    std::string model, shape, device = "cpu", idsOut;
    std::vector<std::int64_t> tokens{1024, 2048, 4096, 8192};
    int repeats = 5, threads = 2;
    bool prefillOnly = false;
    auto* source = app.add_option_group("source")->require_option(1);
    source->add_option("--model", model, "model folder");
    source->add_option("--shape", shape, "a published model's shape with random weights");
    app.add_option("--device", device, "cpu or cuda:N");
    app.add_option("--tokens", tokens, "prompt lengths")->delimiter(',');
    app.add_option("--repeats", repeats, "runs, after one warm-up")->check(CLI::Range(1, 1000));
    app.add_option("--threads", threads, "threads of the CPU");
    app.add_flag("--prefill-only", prefillOnly, "no decoding and no loading");
    app.add_option("--ids-out", idsOut, "write the longest prompt's ids here, for a peer");
    CLI11_PARSE(app, argc, argv);
    const ops::DeviceSpec spec{device, threads};
    try {
        json out;
        {
            prefillOnly = prefillOnly || model.empty();
            const auto longest = *std::max_element(tokens.begin(), tokens.end());
            const auto bench = model.empty()
                                   ? std::make_unique<Bench>(shapeOf(shape, longest), spec, repeats)
                                   : std::make_unique<Bench>(model, spec, repeats);
            out["machine"] = bench->machine();
            out["annotation"] = spanCost();
            if (!prefillOnly) out["load"] = loading(model, device, threads, repeats);
            for (const std::int64_t n : tokens) {
                out["prefill"].push_back(bench->prefill(n));
                std::cerr << out["prefill"].back().dump() << '\n';
            }
            if (!prefillOnly) out["decode"] = decoding(model, device, threads, repeats);
            if (!idsOut.empty()) std::ofstream(idsOut) << json(promptIds(longest, 8192));
        }
        std::cout << out.dump(2) << '\n';
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "engine_bench: error: %s\n", e.what());
        return 1;
    }
}
