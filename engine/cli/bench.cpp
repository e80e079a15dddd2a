// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/bench.h"

#include "engine/cli/report.h"
#include "engine/core/error.h"
#include "engine/core/median.h"
#include "engine/model/shapes.h"
#include "engine/run/gpu_sampling.h"
#include "engine/run/loaded_model.h"
#include "engine/run/standalone.h"
#include "engine/run/work.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <random>

namespace fkv::cli {

namespace {

using nlohmann::json;

/// Many times what any cache holds.
std::int64_t copyBytes(const ops::Backend& backend) {
    return backend.info().isGpu() ? std::int64_t{2} << 30 : std::int64_t{256} << 20;
}

/// Milliseconds of the last pass by zone.
json zonesMs(const std::vector<trace::Span>& spans) {
    std::map<std::string, double> zones;
    for (const trace::Span& s : spans)
        zones[std::string(name(s.zone))] += static_cast<double>(s.durationNs()) * 1e-6;
    return zones;
}

/// Milliseconds of the last pass's ops of a group.
double zoneGroupMs(const std::vector<trace::Span>& spans, trace::ZoneGroup group) {
    std::int64_t ns = 0;
    for (const trace::Span& s : spans)
        if (groupOf(s.zone) == group) ns += s.durationNs();
    return static_cast<double>(ns) * 1e-6;
}

std::uint64_t hashOf(const std::vector<float>& logits) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (const float v : logits)
        h = (h ^ std::bit_cast<std::uint32_t>(v)) * 0x100000001b3ULL;
    return h;
}

std::vector<std::int32_t> randomIds(std::int64_t tokens, std::int32_t vocabulary,
                                    std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
    for (std::int32_t& id : ids)
        id = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(vocabulary));
    return ids;
}

class Bench {
public:
    Bench(const BenchOptions& options, const std::stop_token& stop)
        : m_options(options),
          m_stop(stop),
          m_model(configOf(options), {options.device, 0}, options.seed),
          m_peaks(run::measurePeaks(m_model.backend(), copyBytes(m_model.backend()))) {}

    json machine() {
        const ops::DeviceInfo& i = m_model.backend().info();
        return {{"device", i.name},
                {"blas", i.blas},
                {"product_tflops", m_peaks.flopPerSecond * 1e-12},
                {"copy_gbs", m_peaks.bytesPerSecond * 1e-9},
                {"weight_bytes", m_model.info().weightBytes}};
    }

    json at(std::int64_t tokens) {
        const std::vector<std::int32_t> ids =
            randomIds(tokens, m_model.config().vocabulary, m_options.seed);
        trace::Settings settings = select::defaultSettings(m_model.config().layers);
        json out{{"tokens", tokens}};
        out["fastkv"] = method(ids, settings);
        settings.method = trace::Method::Full;
        out["full"] = method(ids, settings);
        out["speedup"] =
            out["full"]["prefill_ms"].get<double>() / out["fastkv"]["prefill_ms"].get<double>();
        // What doing less work can give at most, at the same rate of work.
        out["speedup_bound"] =
            out["full"]["prefill_flop"].get<double>() / out["fastkv"]["prefill_flop"].get<double>();
        return out;
    }

private:
    static model::Config configOf(const BenchOptions& o) {
        model::Config c = model::shapeConfig(o.shape);
        c.contextLength = *std::max_element(o.tokens.begin(), o.tokens.end()) + o.decode + 8;
        return c;
    }

    json method(const std::vector<std::int32_t>& ids, const trace::Settings& settings) {
        const trace::Budgets budgets =
            select::computeBudgets(settings, m_model.info(), static_cast<std::int64_t>(ids.size()));
        const run::RunContext context{m_model, m_gate, m_stop};
        model::DeviceMemory& memory = m_model.transformer().memory();
        memory.restartPeak();
        run::Standalone pass(context, {ids, budgets, {settings.window, settings.kernel, false}});
        std::vector<double> ms;
        run::GpuSampling gpu(m_model.gpu());
        for (int i = -1; i < m_options.repeats; ++i) {
            throwIfStopped(m_stop);
            const double t = 1e3 * run::secondsOf(m_model.backend(), [&] { pass.run(); });
            if (i >= 0) ms.push_back(t);
        }
        const std::vector<trace::GpuSample> samples = gpu.take();
        const double flop = run::prefillFlop(m_model.info(), budgets), prefillMs = median(ms);
        const std::int64_t peak = memory.peakBytes() + m_model.info().weightBytes;
        const bool full = settings.method == trace::Method::Full;
        const double tokenMs =
            decode(pass, static_cast<std::int64_t>(ids.size()),
                   full ? trace::PassKind::DecodeFull : trace::PassKind::DecodeFastKv);
        const double bytes = static_cast<double>(m_model.info().stepWeightBytes + budgets.kvBytes);
        const double selectMs = zoneGroupMs(pass.spans(), trace::ZoneGroup::Selection);
        json out{{"prefill_ms", prefillMs},
                 {"prefill_flop", flop},
                 {"zones_ms", zonesMs(pass.spans())},
                 {"selection_ms", selectMs},
                 {"selection_share", selectMs / prefillMs},
                 {"prefill_min_ms", *std::min_element(ms.begin(), ms.end())},
                 {"prefill_tflops", flop / prefillMs * 1e-9},
                 {"share_of_product_rate", flop / prefillMs * 1e3 / m_peaks.flopPerSecond},
                 {"decode_ms_per_token", tokenMs},
                 {"decode_floor_ms", bytes / m_peaks.bytesPerSecond * 1e3},
                 {"share_of_copy_rate", bytes / tokenMs * 1e3 / m_peaks.bytesPerSecond},
                 {"kv_bytes", budgets.kvBytes},
                 {"peak_bytes", peak},
                 {"logits_fnv", hashOf(pass.logits())}};
        if (!samples.empty()) {
            out["gpu"] = gpuJson(samples);
            out["gpu"]["text"] = gpuText(samples);
        }
        return out;
    }

    /// Tokens go from step to step on the device; the host waits once for several.
    double decode(run::Standalone& pass, std::int64_t position, trace::PassKind kind) {
        constexpr int kSteps = 8;
        ops::Backend& backend = m_model.backend();
        model::Transformer& transformer = m_model.transformer();
        const int rounds = std::max(2, m_options.decode / kSteps);
        run::Standalone::DecodeCache cache = pass.decodeCache(rounds * kSteps);
        const ops::Tensor logits = transformer.memory().matrix(1, m_model.config().vocabulary);
        const ops::Tensor token = transformer.memory().matrix(1, 1, DType::U32);
        const std::int32_t first = 1;
        std::vector<double> ms;
        SpanSink spans(static_cast<std::size_t>(rounds * kSteps)); // for tools that listen in
        for (int round = 0; round < rounds; ++round) {
            throwIfStopped(m_stop);
            const double t = 1e3 * run::secondsOf(backend, [&] {
                                 for (int i = round * kSteps; i < (round + 1) * kSteps; ++i) {
                                     const ScopedSpan span(spans, {trace::Zone::Pass, kind, -1, 1});
                                     ops::DecodePlan plan = transformer.decodePlan(
                                         {&first, 1}, position + i, cache.layers, logits.view);
                                     if (i > 0) plan.token = token.view;
                                     backend.decodeStep(plan);
                                     backend.argMax({logits.view, token.view});
                                 }
                             });
            if (round > 0) ms.push_back(t / kSteps);
        }
        return median(ms);
    }

    const BenchOptions& m_options;
    const std::stop_token& m_stop;
    Gate m_gate;
    run::LoadedModel m_model;
    trace::DevicePeaks m_peaks; ///< what shares are of
};

std::string text(const json& report) {
    const auto figure = [](const json& v, const char* key) { return v.at(key).get<double>(); };
    char line[256];
    std::snprintf(line, sizeof line, "%s, product %.0f TFLOP/s, copy %.0f GB/s\n",
                  report["machine"]["device"].get<std::string>().c_str(),
                  figure(report["machine"], "product_tflops"),
                  figure(report["machine"], "copy_gbs"));
    std::string out = line;
    for (const json& at : report["results"]) {
        for (const char* name : {"full", "fastkv"}) {
            const json& m = at[name];
            std::snprintf(
                line, sizeof line,
                "%7lld %-6s prefill %9.1f ms (%4.1f %% of product rate)  decode %6.2f ms/token "
                "(floor %5.2f)  KV %6.2f GiB  peak %6.2f GiB  %016llx\n",
                static_cast<long long>(at["tokens"].get<std::int64_t>()), name,
                figure(m, "prefill_ms"), 100.0 * figure(m, "share_of_product_rate"),
                figure(m, "decode_ms_per_token"), figure(m, "decode_floor_ms"),
                figure(m, "kv_bytes") / 1073741824.0, figure(m, "peak_bytes") / 1073741824.0,
                static_cast<unsigned long long>(m["logits_fnv"].get<std::uint64_t>()));
            out += line;
            if (m.contains("gpu"))
                out += "               " + m["gpu"]["text"].get<std::string>() + '\n';
        }
        std::snprintf(line, sizeof line,
                      "        speedup of prefill %.2f (bound by work %.2f), selection %.2f ms, "
                      "%.2f %% of FastKV prefill\n",
                      figure(at, "speedup"), figure(at, "speedup_bound"),
                      figure(at["fastkv"], "selection_ms"),
                      100.0 * figure(at["fastkv"], "selection_share"));
        out += line;
    }
    return out;
}

} // namespace

void bench(const BenchOptions& options, Terminal& terminal, const std::stop_token& stop,
           std::ostream& to) {
    Bench bench(options, stop);
    json report{{"shape", options.shape}, {"seed", options.seed}, {"machine", bench.machine()}};
    for (std::size_t i = 0; i < options.tokens.size(); ++i) {
        terminal.progress({"Timing " + std::to_string(options.tokens[i]) + " tokens",
                           static_cast<double>(i) / static_cast<double>(options.tokens.size())});
        report["results"].push_back(bench.at(options.tokens[i]));
    }
    terminal.clear();
    to << (options.json ? report.dump(2) + "\n" : text(report));
}

} // namespace fkv::cli
