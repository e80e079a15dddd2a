// SPDX-License-Identifier: Apache-2.0
// Names and meaning of the tensors: trace_file.h.
#include "engine/core/error.h"
#include "engine/io/trace_checks.h"
#include "engine/io/trace_file.h"
#include "engine/io/trace_passes.h"
#include "engine/io/trace_records.h"
#include "engine/io/trace_source.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

namespace fkv::io {

namespace {

// As many tokens as a model's config may name: no product of extents can overflow.
constexpr std::int64_t kMostTokens = 1LL << 26;

void checkSchema(const TraceSource& source) {
    if (!source.hasText("schema")) source.bad("not a FastKV trace");
    const std::string& schema = source.text("schema");
    const char* end = schema.data() + schema.size();
    int number = 0;
    const auto [at, error] = std::from_chars(schema.data(), end, number);
    // A number too large to hold is a newer schema still.
    const bool newer = error == std::errc::result_out_of_range || number > kTraceSchema;
    if (at != end || error == std::errc::invalid_argument || (!newer && number < 1))
        source.bad("the schema is not a number of 1 or more");
    if (newer)
        source.bad("the trace has schema " + schema.substr(0, 20) + ", this program reads up to " +
                       std::to_string(kTraceSchema),
                   "Open it with a newer version of this program.");
}

void readPieces(const TraceSource& source, trace::Prompt& prompt) {
    prompt.pieces.resize(prompt.ids.size());
    source.json("pieces", [&](const JsonRecord& record) {
        for (const JsonRecord& entry : record.list("list", prompt.ids.size())) {
            const auto token = entry.integer("token", {0, prompt.size() - 1});
            prompt.pieces[static_cast<std::size_t>(token)] = entry.bytes("piece");
        }
    });
}

void readChat(const TraceSource& source, trace::Prompt& prompt) {
    if (!source.hasText("chat")) return; // a prompt as it was typed, and every older trace
    source.json("chat", [&](const JsonRecord& record) {
        prompt.chat = {record.text("system"), record.text("user"), record.text("date")};
    });
}

void readOffsets(const TraceSource& source, trace::Prompt& prompt) {
    const auto offsets = source.list<std::uint32_t>("tokens.offsets", {prompt.size(), 2});
    std::pair<std::uint32_t, std::uint32_t> last{0, 0};
    for (std::size_t i = 0; i < prompt.ids.size(); ++i) {
        const std::pair<std::uint32_t, std::uint32_t> bytes{offsets[2 * i], offsets[2 * i + 1]};
        if (bytes.first > bytes.second || bytes.first < last.first || bytes.second < last.second)
            source.bad("token offsets are not ascending");
        prompt.bytes.push_back(last = bytes);
    }
    if (last.second > prompt.text.size()) source.bad("token offsets reach past the prompt's text");
}

std::shared_ptr<const trace::Prompt> readPrompt(const TraceSource& source, int vocabulary) {
    auto prompt = std::make_shared<trace::Prompt>();
    prompt->text = source.text("prompt");
    prompt->expected = source.text("expected");
    if (!isUtf8(prompt->text) || !isUtf8(prompt->expected))
        source.bad("the prompt is not valid UTF-8");
    readChat(source, *prompt);
    prompt->ids = source.list<std::int32_t>("input_ids", {-1});
    if (prompt->ids.empty()) source.bad("the trace has no tokens");
    if (prompt->size() > kMostTokens) source.bad("the trace has too many tokens");
    for (const std::int32_t id : prompt->ids)
        if (id < 0 || id >= vocabulary)
            source.bad("token id " + std::to_string(id) + " is outside the vocabulary of " +
                       std::to_string(vocabulary));
    readOffsets(source, *prompt);
    readPieces(source, *prompt);
    return prompt;
}

std::shared_ptr<const trace::Answer> readAnswer(const TraceSource& source, const std::string& name,
                                                int vocabulary) {
    if (!source.hasText(name + ".answer")) return nullptr;
    const auto ids = source.list<std::int32_t>(name + ".greedy", {-1});
    for (const std::int32_t id : ids)
        if (id < 0 || id >= vocabulary)
            source.bad(name + ".greedy has an id outside the vocabulary");
    return std::make_shared<const trace::Answer>(
        source.json(name + ".answer", [&](const JsonRecord& r) { return answerFrom(r, ids); }));
}

/// Values of a closed list by the names that the file uses for its indices. Names of another
/// program become `count`, which no span may have.
template <class Enum>
std::vector<Enum> readNames(const TraceSource& source, const char* key, Enum count) {
    return source.json("span_names", [&](const JsonRecord& r) {
        const nlohmann::json& names = r.value(key);
        if (!names.is_array()) r.bad(std::string(key) + " is not a list");
        std::vector<Enum> values;
        for (const nlohmann::json& entry : names) {
            int i = 0;
            while (i < static_cast<int>(count) && entry != trace::name(static_cast<Enum>(i)))
                ++i;
            values.push_back(static_cast<Enum>(i));
        }
        return values;
    });
}

std::vector<trace::Span> readSpans(const TraceSource& source, int layers) {
    using trace::PassKind;
    using trace::Zone;
    const auto zones = readNames(source, "zones", Zone::Count);
    const auto passes = readNames(source, "passes", PassKind::Count);
    const auto begin = source.list<std::int64_t>("spans.begin_ns", {-1});
    const auto n = static_cast<std::int64_t>(begin.size());
    const auto end = source.list<std::int64_t>("spans.end_ns", {n});
    const auto zone = source.list<std::uint8_t>("spans.zone", {n});
    const auto pass = source.list<std::uint8_t>("spans.pass", {n});
    const auto layer = source.list<std::int16_t>("spans.layer", {n});
    const auto lane = source.list<std::int16_t>("spans.lane", {n});
    const auto tokens = source.list<std::int32_t>("spans.tokens", {n});
    std::vector<trace::Span> spans;
    for (std::size_t i = 0; i < begin.size(); ++i) {
        if (zone[i] >= zones.size() || zones[zone[i]] == Zone::Count || pass[i] >= passes.size() ||
            passes[pass[i]] == PassKind::Count)
            source.bad("a span has an unknown zone or pass");
        if (begin[i] < 0 || end[i] < begin[i] || layer[i] < -1 || layer[i] >= layers ||
            lane[i] < 0 || tokens[i] < 0)
            source.bad("a span is out of range");
        spans.push_back(
            {begin[i], end[i], zones[zone[i]], passes[pass[i]], layer[i], lane[i], tokens[i]});
    }
    return spans;
}

std::vector<trace::GpuSample> readGpu(const TraceSource& source) {
    if (!source.has("gpu.ns")) return {};
    const auto ns = source.list<std::int64_t>("gpu.ns", {-1});
    const auto n = static_cast<std::int64_t>(ns.size());
    const auto smMhz = source.list<float>("gpu.sm_mhz", {n});
    const auto memoryMhz = source.list<float>("gpu.memory_mhz", {n});
    const auto watts = source.list<float>("gpu.watts", {n});
    const auto celsius = source.list<float>("gpu.celsius", {n});
    const auto limits = source.list<std::uint32_t>("gpu.limits", {n});
    std::vector<trace::GpuSample> samples;
    for (std::size_t i = 0; i < ns.size(); ++i) {
        // False for what is no number, too.
        const bool sound = ns[i] >= 0 && smMhz[i] >= 0.0F && memoryMhz[i] >= 0.0F &&
                           watts[i] >= 0.0F && std::isfinite(celsius[i]);
        if (!sound) source.bad("a sample of the GPU is out of range");
        samples.push_back({ns[i], smMhz[i], memoryMhz[i], watts[i], celsius[i], limits[i]});
    }
    return samples;
}

trace::KernelList readKernels(const TraceSource& source, std::size_t spans) {
    if (!source.hasText("kernels")) return {};
    auto list = source.json("kernels", [](const JsonRecord& json) {
        trace::KernelList read;
        read.absent = json.text("absent");
        const nlohmann::json& names = json.value("names");
        if (!names.is_array()) json.bad("names is not a list");
        for (const nlohmann::json& name : names) {
            if (!name.is_string()) json.bad("names has something that is no text");
            read.names.push_back(name.get<std::string>());
        }
        return read;
    });
    const auto begin = source.list<std::int64_t>("kernels.begin_ns", {-1});
    const auto n = static_cast<std::int64_t>(begin.size());
    const auto end = source.list<std::int64_t>("kernels.end_ns", {n});
    const auto span = source.list<std::uint32_t>("kernels.span", {n});
    const auto name = source.list<std::uint32_t>("kernels.name", {n});
    for (std::size_t i = 0; i < begin.size(); ++i) {
        if (begin[i] < 0 || end[i] < begin[i] || span[i] >= spans || name[i] >= list.names.size())
            source.bad("a kernel is out of range");
        list.kernels.push_back({begin[i], end[i], span[i], name[i]});
    }
    return list;
}

trace::Counters readCounters(const TraceSource& source, int layers) {
    const auto get = [&](const std::string& name) {
        const auto value = source.list<std::int64_t>("counters." + name, {1}).front();
        if (value < 0) source.bad("counters." + name + " is negative");
        return value;
    };
    trace::Counters c;
    c.kvBytesFull = get("kv_bytes_full");
    c.checkpointBytes = get("checkpoint_bytes");
    c.planeBytes = get("plane_bytes");
    c.scratchBytes = get("scratch_bytes");
    c.heldBytes = get("held_bytes");
    c.peakBytes = get("peak_bytes");
    c.standaloneFullPeakBytes = get("standalone_full_peak_bytes");
    c.standaloneFastKvPeakBytes = get("standalone_fastkv_peak_bytes");
    c.givenUp = source.text("given_up");
    c.checkpointLayers = source.list<std::int32_t>("counters.checkpoint_layers", {-1});
    const bool inRange = c.checkpointLayers.empty() ||
                         (c.checkpointLayers.front() >= 0 && c.checkpointLayers.back() < layers);
    if (!strictlyAscending(c.checkpointLayers) || !inRange)
        source.bad("counters.checkpoint_layers is not ascending within the layers");
    return c;
}

/// Older traces only know checkpoints that were given up.
trace::Rung readRung(const TraceSource& source, const trace::Counters& counters) {
    using trace::Rung;
    if (!source.hasText("rung"))
        return counters.givenUp.empty() ? Rung::Everything : Rung::FewerCheckpoints;
    const auto& all = trace::kRungs;
    const auto at = std::find(all.begin(), all.end(), source.text("rung"));
    if (at == all.end()) source.bad("the rung is not known");
    return static_cast<Rung>(at - all.begin());
}

trace::RunPtr readRun(const TraceSource& source) {
    checkSchema(source);
    auto run = std::make_shared<trace::Run>();
    run->recorded = true;
    run->model = source.json("model", modelFrom);
    run->machine = source.json("machine", machineFrom);
    run->machine.version =
        source.json("versions", [](const JsonRecord& r) { return r.text("fastkv"); });
    const int vocabulary = run->model.vocabulary;
    const int layers = run->model.layers;
    run->prompt = readPrompt(source, vocabulary);

    run->counters = readCounters(source, layers);
    run->rung = readRung(source, run->counters);
    const bool deployed = run->rung >= trace::Rung::Deployed;
    TracePasses passes(source, *run);
    if (!deployed) passes.readFull();
    if (deployed || source.hasText("settings")) passes.readFastKv();
    run->fullAnswer = readAnswer(source, "full", vocabulary);
    run->fastkvAnswer = readAnswer(source, "fastkv", vocabulary);
    if (source.hasText("fidelity"))
        run->fidelity = std::make_shared<const trace::Fidelity>(source.json(
            "fidelity", [&](const JsonRecord& r) { return fidelityFrom(r, vocabulary); }));
    run->timing = source.json("timing", timingFrom);
    run->timing.spans = readSpans(source, layers);
    run->timing.gpu = readGpu(source);
    run->timing.kernels = readKernels(source, run->timing.spans.size());
    passes.check();
    passes.addLevels();
    return run;
}

} // namespace

trace::RunPtr openTrace(std::shared_ptr<const MappedFile> mapped) {
    const SafetensorsFile file = SafetensorsFile::open(std::move(mapped));
    return readRun(TraceSource(file));
}

trace::RunPtr openTrace(const std::filesystem::path& path) {
    return openTrace(MappedFile::open(path));
}

bool isTrace(const std::filesystem::path& path) {
    try {
        return SafetensorsFile::open(path).metadata().contains("schema");
    } catch (const Error&) {
        return false;
    }
}

} // namespace fkv::io
