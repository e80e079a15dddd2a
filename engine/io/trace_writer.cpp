// SPDX-License-Identifier: Apache-2.0
// Names and meaning of the tensors: trace_file.h.
#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/trace_file.h"
#include "engine/io/trace_records.h"
#include "engine/io/trace_source.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fkv::io {

using trace::FullPass;
using trace::LayerPlanes;
using trace::PlanePtr;
using trace::Run;

namespace {

template <class T>
std::span<const std::byte> bytesOf(std::span<const T> values) {
    return std::as_bytes(values);
}

/// Adds a run's parts to a safetensors writer. Large planes are written from where they lie.
class TraceWriter {
public:
    TraceWriter(const Run& run, const std::stop_token& stop) : m_run(run), m_stop(stop) {}

    SafetensorsWriter& fill() {
        addMetadata();
        addPrompt();
        if (m_run.full) addFull();
        if (m_run.fastkv) addFastKv(*m_run.fastkv);
        addAnswers();
        addSpans();
        addGpu();
        addKernels();
        addCounters();
        return m_out;
    }

private:
    using Shape = std::vector<std::int64_t>;

    template <class T>
    void list(const std::string& name, std::vector<T> values, Shape shape = {}) {
        if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
        m_out.add(name, dtypeOf<T>(), std::move(shape),
                  [values = std::move(values)](const SafetensorsWriter::Sink& sink) {
                      sink(bytesOf(std::span<const T>(values)));
                  });
    }
    template <class T>
    void plane(const std::string& name, const PlanePtr<T>& plane) {
        if (!plane) return;
        m_out.add(
            name, dtypeOf<T>(),
            {static_cast<std::int64_t>(plane->rows()), static_cast<std::int64_t>(plane->cols())},
            bytesOf(plane->values()));
    }

    void addMetadata();
    void addPrompt();
    void addFull();
    void addTables(const trace::Tables& tables);
    void addFastKv(const trace::FastKvPass& pass);
    void addKept(const trace::FastKvPass& pass, int layer);
    void addSums(const std::string& name, const std::shared_ptr<const trace::WindowSums>& sums);
    void addAnswers();
    void addSpans();
    void addGpu();
    void addKernels();
    void addCounters();

    const Run& m_run;
    const std::stop_token& m_stop;
    SafetensorsWriter m_out;
};

std::string ofLayer(const std::string& name, std::size_t layer) {
    return name + '.' + std::to_string(layer);
}

/// The text with every byte that is not part of valid UTF-8 replaced by one byte, so that offsets
/// stay true. Text decoded from arbitrary ids can hold such bytes.
std::string validUtf8(std::string text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (isUtf8(std::string_view(text).substr(i, length))) {
            i += std::min(length, text.size() - i);
        } else {
            text[i++] = '?';
        }
    }
    return text;
}

void TraceWriter::addMetadata() {
    const trace::Prompt& prompt = *m_run.prompt;
    // What looks into the prompt can be read by every older program.
    m_out.metadata("schema", std::to_string(m_run.full ? 1 : kTraceSchema));
    m_out.metadata("rung", std::string(trace::name(m_run.rung)));
    m_out.metadata("versions", jsonText({{"fastkv", m_run.machine.version}}));
    m_out.metadata("model", jsonText(toJson(m_run.model)));
    m_out.metadata("machine", jsonText(toJson(m_run.machine)));
    m_out.metadata("timing", jsonText(toJson(m_run.timing)));
    m_out.metadata("prompt", validUtf8(prompt.text));
    m_out.metadata("expected", validUtf8(prompt.expected));
    if (prompt.chat)
        m_out.metadata("chat", jsonText({{"system", bytesJson(prompt.chat->system)},
                                         {"user", bytesJson(prompt.chat->user)},
                                         {"date", bytesJson(prompt.chat->date)}}));
    nlohmann::json pieces = nlohmann::json::array();
    for (std::size_t i = 0; i < prompt.pieces.size(); ++i)
        if (!prompt.pieces[i].empty())
            pieces.push_back({{"token", i}, {"piece", bytesJson(prompt.pieces[i])}});
    m_out.metadata("pieces", jsonText({{"list", std::move(pieces)}}));
    if (const FullPass* full = m_run.full.get())
        m_out.metadata("scoring", jsonText({{"window", full->window},
                                            {"kernel", full->kernel},
                                            {"pooling", trace::name(full->pooling)},
                                            {"not_a_number", full->notANumber}}));
    if (m_run.fidelity) m_out.metadata("fidelity", jsonText(toJson(*m_run.fidelity)));
    m_out.metadata("given_up", validUtf8(m_run.counters.givenUp));
}

void TraceWriter::addPrompt() {
    const trace::Prompt& prompt = *m_run.prompt;
    list("input_ids", prompt.ids);
    std::vector<std::uint32_t> offsets;
    offsets.reserve(2 * prompt.bytes.size());
    for (const auto& [begin, end] : prompt.bytes) {
        offsets.push_back(begin);
        offsets.push_back(end);
    }
    list("tokens.offsets", std::move(offsets), {prompt.size(), 2});
}

void TraceWriter::addSums(const std::string& name,
                          const std::shared_ptr<const trace::WindowSums>& sums) {
    if (!sums) return;
    const Shape shape{static_cast<std::int64_t>(sums->heads()),
                      static_cast<std::int64_t>(sums->tokens())};
    if (!sums->exact()) { // as they came from a file: the same halves again
        plane(name, sums->half());
        list(name + ".scale",
             std::vector<float>(sums->scales()->values().begin(), sums->scales()->values().end()));
        return;
    }
    // A power of two that puts a row's largest value just below the largest half loses nothing by
    // itself, and leaves 2^29 of range before halves get coarse.
    std::vector<float> scales(sums->heads(), 1.0F);
    std::vector<float> row(sums->tokens());
    for (std::size_t h = 0; h < scales.size(); ++h) {
        throwIfStopped(m_stop);
        sums->row(h, row);
        float most = 0.0F;
        for (const float v : row)
            if (std::isfinite(v)) most = std::max(most, std::abs(v));
        int exponent = 0;
        std::frexp(most, &exponent);
        if (most > 0.0F) scales[h] = std::ldexp(1.0F, std::max(exponent - 15, -126));
    }
    m_out.add(name, DType::F16, shape, [sums, scales](const SafetensorsWriter::Sink& sink) {
        std::vector<float> row(sums->tokens());
        std::vector<std::uint16_t> half(row.size());
        for (std::size_t h = 0; h < scales.size(); ++h) {
            sums->row(h, row);
            const float up = 1.0F / scales[h];
            for (std::size_t i = 0; i < row.size(); ++i)
                half[i] = trace::floatToHalf(row[i] * up);
            sink(bytesOf(std::span<const std::uint16_t>(half)));
        }
    });
    list(name + ".scale", std::move(scales));
}

void TraceWriter::addFull() {
    const FullPass& full = *m_run.full;
    list("full.logits", full.logits);
    const bool all = std::all_of(full.layers.begin(), full.layers.end(),
                                 [](const LayerPlanes& p) { return p.saliency != nullptr; });
    if (all && !full.layers.empty())
        m_out.add("full.saliency", DType::F32,
                  {m_run.model.layers, m_run.model.kvHeads, m_run.scored()},
                  [&full](const SafetensorsWriter::Sink& sink) {
                      for (const LayerPlanes& p : full.layers)
                          sink(bytesOf(p.saliency->values()));
                  });
    for (std::size_t l = 0; l < full.layers.size(); ++l) {
        plane(ofLayer("full.ranks", l), full.layers[l].ranks);
        addSums(ofLayer("full.window_sums", l), full.layers[l].sums);
    }
    plane("full.tsp_ranks", full.tspRanks);
    plane("full.mass", full.mass);
    if (full.tables) addTables(*full.tables);
}

void TraceWriter::addTables(const trace::Tables& tables) {
    const auto curves = [&](const std::string& prefix, const trace::StabilizationTable& t) {
        const auto ks = static_cast<std::int64_t>(t.k.size());
        const std::int64_t layers = t.layers;
        list(prefix + ".k", t.k);
        list(prefix + ".overlap", t.overlap, {ks, layers, layers});
        list(prefix + ".recall", t.recall, {ks, layers, layers});
        list(prefix + ".worst_recall", t.worstRecall, {ks, layers});
    };
    curves("tables.all", tables.all);
    curves("tables.without_end", tables.withoutEnd);
    list("tables.heads.k", tables.heads.k);
    list("tables.heads.mass", tables.heads.mass,
         {static_cast<std::int64_t>(tables.heads.k.size()), tables.heads.layers,
          tables.heads.kvHeads});
}

/// Ascending positions that every head of a layer keeps, one row after the other.
void TraceWriter::addKept(const trace::FastKvPass& pass, int layer) {
    const trace::LayerBudget& budget = pass.budgets.layers[static_cast<std::size_t>(layer)];
    const int first = pass.budgets.firstLate();
    const bool late = layer >= first;
    const LayerPlanes& planes = late ? pass.late[static_cast<std::size_t>(layer - first)]
                                     : m_run.full->layers[static_cast<std::size_t>(layer)];
    m_out.add(ofLayer("fastkv.kept", static_cast<std::size_t>(layer)), DType::I32,
              {m_run.model.kvHeads, budget.kept},
              [this, &pass, &planes, budget, late](const SafetensorsWriter::Sink& sink) {
                  std::vector<std::int32_t> kept;
                  const std::int64_t scored =
                      std::max<std::int64_t>(budget.entering - pass.budgets.window, 0);
                  for (int g = 0; g < m_run.model.kvHeads; ++g) {
                      kept.clear();
                      const bool whole = budget.kept >= budget.entering;
                      for (std::int64_t j = 0; j < budget.entering; ++j) {
                          const auto column = static_cast<std::size_t>(j);
                          if (!whole && j < scored &&
                              planes.ranks->row(static_cast<std::size_t>(g))[column] >=
                                  budget.kept - pass.budgets.window)
                              continue;
                          kept.push_back(late ? pass.survivors[column]
                                              : static_cast<std::int32_t>(j));
                      }
                      sink(bytesOf(std::span<const std::int32_t>(kept)));
                  }
              });
}

void TraceWriter::addFastKv(const trace::FastKvPass& pass) {
    m_out.metadata("settings", jsonText(toJson(pass.settings)));
    nlohmann::json achieved = toJson(pass.budgets);
    achieved["standalone"] = pass.standalone;
    m_out.metadata("achieved", jsonText(achieved));
    list("fastkv.logits", pass.logits);
    std::vector<std::int32_t> passing = pass.survivors;
    if (!pass.budgets.tspOn) { // everyone passes
        passing.resize(static_cast<std::size_t>(m_run.tokens()));
        std::iota(passing.begin(), passing.end(), 0);
    }
    list("fastkv.tsp_indices", std::move(passing));
    if (!m_run.full) return; // nothing was kept of what decides

    const int layers = m_run.model.layers;
    const int first = pass.budgets.firstLate();
    // The deployed path keeps no planes of later layers: then only earlier ones can be listed.
    const bool scored = pass.budgets.propagated > pass.budgets.window;
    const bool hasLate = pass.late.size() == static_cast<std::size_t>(layers - first) &&
                         std::all_of(pass.late.begin(), pass.late.end(),
                                     [&](const LayerPlanes& p) { return p.ranks || !scored; });
    for (int l = 0; l < layers; ++l) {
        const auto layer = static_cast<std::size_t>(l);
        if (l >= first && !hasLate) break;
        addKept(pass, l);
        if (l < first) {
            plane(ofLayer("fastkv.saliency", layer), m_run.full->layers[layer].saliency);
            continue;
        }
        const LayerPlanes& planes = pass.late[static_cast<std::size_t>(l - first)];
        plane(ofLayer("fastkv.ranks", layer), planes.ranks);
        plane(ofLayer("fastkv.saliency", layer), planes.saliency);
        addSums(ofLayer("fastkv.window_sums", layer), planes.sums);
    }
}

void TraceWriter::addAnswers() {
    const auto add = [&](const std::string& name, const std::shared_ptr<const trace::Answer>& a) {
        if (!a) return;
        std::vector<std::int32_t> ids;
        for (const trace::AnswerToken& t : a->tokens)
            ids.push_back(t.id);
        list(name + ".greedy", std::move(ids));
        m_out.metadata(name + ".answer", jsonText(toJson(*a)));
    };
    add("full", m_run.fullAnswer);
    add("fastkv", m_run.fastkvAnswer);
}

void TraceWriter::addSpans() {
    const std::vector<trace::Span>& spans = m_run.timing.spans;
    const auto column = [&](const std::string& name, auto valueOf) {
        std::vector<decltype(valueOf(trace::Span{}))> values;
        values.reserve(spans.size());
        for (const trace::Span& s : spans)
            values.push_back(valueOf(s));
        list("spans." + name, std::move(values));
    };
    using trace::Span;
    column("begin_ns", [](const Span& s) { return s.beginNs; });
    column("end_ns", [](const Span& s) { return s.endNs; });
    column("zone", [](const Span& s) { return static_cast<std::uint8_t>(s.zone); });
    column("pass", [](const Span& s) { return static_cast<std::uint8_t>(s.pass); });
    column("layer", [](const Span& s) { return s.layer; });
    column("lane", [](const Span& s) { return s.lane; });
    column("tokens", [](const Span& s) { return s.tokens; });
    // By name, so that the lists may grow and a file still says what it means.
    nlohmann::json zones = nlohmann::json::array();
    for (int z = 0; z < static_cast<int>(trace::Zone::Count); ++z)
        zones.push_back(trace::name(static_cast<trace::Zone>(z)));
    nlohmann::json passes = nlohmann::json::array();
    for (int p = 0; p < static_cast<int>(trace::PassKind::Count); ++p)
        passes.push_back(trace::name(static_cast<trace::PassKind>(p)));
    m_out.metadata("span_names",
                   jsonText({{"zones", std::move(zones)}, {"passes", std::move(passes)}}));
}

void TraceWriter::addGpu() {
    const std::vector<trace::GpuSample>& samples = m_run.timing.gpu;
    if (samples.empty()) return;
    const auto column = [&](const std::string& name, auto member) {
        std::vector<std::remove_cvref_t<decltype(samples.front().*member)>> values;
        for (const trace::GpuSample& s : samples)
            values.push_back(s.*member);
        list("gpu." + name, std::move(values));
    };
    using trace::GpuSample;
    column("ns", &GpuSample::ns);
    column("sm_mhz", &GpuSample::smMhz);
    column("memory_mhz", &GpuSample::memoryMhz);
    column("watts", &GpuSample::watts);
    column("celsius", &GpuSample::celsius);
    column("limits", &GpuSample::limits);
}

void TraceWriter::addKernels() {
    const trace::KernelList& list = m_run.timing.kernels;
    if (list.empty() && list.absent.empty()) return;
    const auto column = [&](const std::string& name, auto member) {
        std::vector<std::remove_cvref_t<decltype(trace::Kernel{}.*member)>> values;
        values.reserve(list.kernels.size());
        for (const trace::Kernel& k : list.kernels)
            values.push_back(k.*member);
        this->list("kernels." + name, std::move(values));
    };
    column("begin_ns", &trace::Kernel::beginNs);
    column("end_ns", &trace::Kernel::endNs);
    column("span", &trace::Kernel::span);
    column("name", &trace::Kernel::name);
    m_out.metadata("kernels", jsonText({{"names", list.names}, {"absent", list.absent}}));
}

void TraceWriter::addCounters() {
    const trace::Counters& c = m_run.counters;
    const auto add = [&](const std::string& name, std::int64_t value) {
        list<std::int64_t>("counters." + name, {value});
    };
    add("kv_bytes_full", c.kvBytesFull);
    add("checkpoint_bytes", c.checkpointBytes);
    add("plane_bytes", c.planeBytes);
    add("scratch_bytes", c.scratchBytes);
    add("held_bytes", c.heldBytes);
    add("peak_bytes", c.peakBytes);
    add("standalone_full_peak_bytes", c.standaloneFullPeakBytes);
    add("standalone_fastkv_peak_bytes", c.standaloneFastKvPeakBytes);
    list("counters.checkpoint_layers", c.checkpointLayers);
}

void checkRanked(const Run& run) {
    const FullPass& full = *run.full;
    const bool ranked = full.tspRanks && std::all_of(full.layers.begin(), full.layers.end(),
                                                     [](const auto& p) { return p.ranks; });
    if (full.layers.size() != static_cast<std::size_t>(run.model.layers) ||
        (run.scored() > 0 && !ranked))
        throw Error(ErrorCode::Internal, "the run has no ranks of every layer");
}

} // namespace

void saveTrace(const Run& run, const std::filesystem::path& path, const std::stop_token& stop,
               const std::function<void(double)>& progress) {
    const bool deployed = run.rung >= trace::Rung::Deployed;
    if (!run.prompt || run.tokens() == 0 || (deployed ? !run.fastkv : !run.full))
        throw Error(ErrorCode::BadArgument, "there is nothing to save yet",
                    "Wait until the first full pass is done.");
    if (!deployed) checkRanked(run);
    TraceWriter writer(run, stop);
    writer.fill().save(path, stop, progress);
}

} // namespace fkv::io
