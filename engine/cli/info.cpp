// SPDX-License-Identifier: Apache-2.0
#include "engine/cli/info.h"

#include "engine/cli/report.h"
#include "engine/core/bytes_text.h"
#include "engine/io/json_record.h"
#include "engine/io/trace_file.h"
#include "engine/model/config.h"
#include "engine/model/model_folder.h"
#include "engine/model/tensor_files.h"
#include "engine/model/weights.h"
#include "engine/ops/backend.h"
#include "engine/ops/planning_backend.h"
#include "engine/run/fit.h"
#include "engine/run/work.h"
#include "engine/select/budgets.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <ostream>

namespace fkv::cli {

using nlohmann::json;

namespace {

json ropeJson(const model::Rope& r) {
    json j{{"type", nameOf(r.kind)}, {"factor", r.factor}};
    if (r.originalContext > 0) j["original_context"] = r.originalContext;
    if (r.kind == model::RopeKind::Yarn) j["attention_factor"] = r.attentionFactor;
    return j;
}

json configJson(const model::Config& c) {
    json windows = json::array(); // what binds; 0: sees all
    for (int layer = 0; layer < c.layers; ++layer)
        windows.push_back(c.slidingWindow(layer));
    return {{"model_type", c.modelType},
            {"layers", c.layers},
            {"hidden", c.hidden},
            {"intermediate", c.intermediate},
            {"query_heads", c.queryHeads},
            {"kv_heads", c.kvHeads},
            {"head_dim", c.headDim},
            {"vocabulary", c.vocabulary},
            {"context_length", c.contextLength},
            {"rms_eps", c.rmsEps},
            {"rope_theta", c.rope.theta},
            {"rope", ropeJson(c.rope)},
            {"qkv_bias", c.qkvBias},
            {"qk_norm", c.qkNorm},
            {"sliding_windows", windows},
            {"eos", c.eos}};
}

json tensorsJson(const model::TensorFiles& tensors) {
    json files = json::array();
    std::map<std::string, std::int64_t> byType;
    std::int64_t count = 0;
    std::int64_t parameters = 0;
    std::int64_t bytes = 0;
    for (const io::SafetensorsFile& file : tensors.files()) {
        files.push_back(file.file()->path().filename().string());
        for (const io::TensorEntry& entry : file.tensors()) {
            ++count;
            parameters += entry.elements();
            bytes += static_cast<std::int64_t>(entry.bytes.size());
            ++byType[std::string(name(entry.dtype))];
        }
    }
    return {{"files", std::move(files)},
            {"count", count},
            {"parameters", parameters},
            {"bytes", bytes},
            {"by_type", byType}};
}

/// Devices a model may run on: this processor, and the GPU that is here or any.
std::vector<ops::DeviceInfo> devicesToAsk(const ops::Backend& cpu) {
    std::vector<ops::DeviceInfo> devices{cpu.info(), ops::gpuTraits()};
    const std::vector<std::string> names = ops::availableDevices();
    const auto gpu = std::find_if(names.begin(), names.end(),
                                  [](const std::string& n) { return n.starts_with("cuda"); });
    if (gpu != names.end()) devices.back() = ops::makeBackend({*gpu, 1})->info();
    return devices;
}

json fitJson(const std::filesystem::path& folder, const InfoOptions& o, int layers) {
    run::Request request;
    request.settings = select::defaultSettings(layers);
    request.settings.generate = o.generate;
    const auto cpu = ops::makeBackend({"cpu", 0});
    const run::Rates rates = run::measureRates(*cpu);
    json devices = json::array();
    for (const ops::DeviceInfo& device : devicesToAsk(*cpu)) {
        run::FitPlanner planner(folder, device);
        const run::FitReport r = planner.plan(o.tokens, request, planner.wholeRoom(o.memoryBytes));
        const auto deployed = [&](const run::DeployedMemory& m) {
            return json{{"kv_bytes", m.kvBytes},
                        {"activation_bytes", m.activationBytes},
                        {"total_bytes", r.totalBytes(m)}};
        };
        // A minute before it starts is worth knowing on a processor; a GPU's own rates are not
        // asked.
        const auto time = [&](const run::DeployedMemory& m) {
            return json{
                {"prefill_ms", m.prefillFlop / rates.flopPerSecond * 1e3},
                {"ms_per_token", static_cast<double>(m.stepBytes) / rates.bytesPerSecond * 1e3}};
        };
        devices.push_back(
            {{"device", device.name},
             {"memory_bytes", device.memoryBytes},
             {"room_bytes", r.roomBytes},
             {"weight_bytes", r.weightBytes},
             {"full", deployed(r.full)},
             {"fastkv", deployed(r.fastkv)},
             {"instrument",
              {{"kv_bytes", r.instrument.kvBytes},
               {"checkpoint_bytes", r.instrument.checkpointBytes},
               {"host_bytes", r.instrument.pinnedBytes},
               {"plane_bytes", r.instrument.planeBytes},
               {"scratch_bytes", r.instrument.scratchBytes},
               {"total_bytes", r.instrument.total()}}},
             {"rung", r.roomBytes > 0 && r.rung ? json(trace::name(*r.rung)) : json()},
             {"given_up", r.givenUp},
             {"verdict", fitText(r)}});
        if (device.name == cpu->info().name)
            devices.back()["estimate"] = {{"full", time(r.full)}, {"fastkv", time(r.fastkv)}};
    }
    return {{"tokens", o.tokens}, {"generate", o.generate}, {"devices", std::move(devices)}};
}

json chatJson(const text::ChatSupport& support) {
    if (support.chat) return {{"file", support.chat->origin()}};
    return {{"file", nullptr}, {"reason", support.reason}};
}

json modelJson(const InfoOptions& o) {
    const std::filesystem::path folder = model::modelFolder(o.path);
    const model::Config config = model::readConfig(folder);
    const model::WeightFiles weights(folder, config);
    const auto tokenizer = text::openTokenizer(folder);
    const ops::DeviceInfo device = ops::makeBackend({o.device, 1})->info();
    const std::int64_t perToken = std::int64_t{2} * config.layers * config.kvHeads *
                                  config.headDim * static_cast<std::int64_t>(sizeOf(device.kvType));
    json model{{"kind", "model"},
               {"path", o.path.string()},
               {"config", configJson(config)},
               {"tensors", tensorsJson(weights.tensors())},
               {"tokenizer",
                {{"kind", tokenizer->kind()},
                 {"vocabulary", tokenizer->vocabulary()},
                 {"bos", tokenizer->bos()},
                 {"eos", tokenizer->eos()},
                 {"adds_bos", tokenizer->addsBos()}}},
               {"chat_template", chatJson(text::findChatTemplate(folder, *tokenizer))},
               {"kv",
                {{"device", device.name},
                 {"type", name(device.kvType)},
                 {"bytes_per_token", perToken},
                 {"bytes_at_context_length", perToken * config.contextLength}}}};
    if (o.tokens > 0) model["fit"] = fitJson(folder, o, config.layers);
    return model;
}

void printFit(const json& fit, std::ostream& to) {
    const auto bytes = [](const json& value) { return bytesText(value.get<std::int64_t>()); };
    to << "a prompt of " << fit["tokens"] << " tokens, and " << fit["generate"] << " after it:\n";
    for (const json& d : fit["devices"]) {
        to << "  " << d["device"].get<std::string>();
        if (d["memory_bytes"] != 0) to << ", " << bytes(d["memory_bytes"]);
        to << ": weights " << bytes(d["weight_bytes"]) << '\n';
        for (const char* path : {"full", "fastkv"}) {
            const json& m = d[path];
            to << "    " << (path == std::string("full") ? "full context" : "FastKV      ")
               << "  KV " << bytes(m["kv_bytes"]) << ", activations "
               << bytes(m["activation_bytes"]) << ", in all " << bytes(m["total_bytes"]) << '\n';
        }
        const json& i = d["instrument"];
        to << "    instrument    KV " << bytes(i["kv_bytes"]) << ", checkpoints "
           << bytes(i["checkpoint_bytes"]) << ", planes " << bytes(i["plane_bytes"]) << ", in all "
           << bytes(i["total_bytes"]);
        if (i["host_bytes"] != 0) to << ", and of the host " << bytes(i["host_bytes"]);
        to << '\n';
        if (d.contains("estimate"))
            for (const char* path : {"full", "fastkv"}) {
                const json& e = d["estimate"][path];
                std::array<char, 96> line{};
                std::snprintf(line.data(), line.size(), "about %.3g s of prefill, %.3g ms a token",
                              e["prefill_ms"].get<double>() * 1e-3,
                              e["ms_per_token"].get<double>());
                to << "    " << (path == std::string("full") ? "full context" : "FastKV      ")
                   << "  " << line.data() << " at the rates of this moment\n";
            }
        if (const auto verdict = d["verdict"].get<std::string>(); !verdict.empty())
            to << "    " << verdict << '\n';
    }
}

std::string ropeText(const json& rope) {
    const auto type = rope["type"].get<std::string>();
    if (type == "default") return {};
    std::string text = ", rotary positions " + type;
    if (rope["factor"] != 1.0) text += " x" + rope["factor"].dump();
    if (rope.contains("original_context"))
        text += " from " + rope["original_context"].dump() + " tokens";
    return text;
}

std::string windowText(const json& windows) {
    std::int64_t sliding = 0, window = 0;
    for (const json& w : windows) {
        if (w == 0) continue;
        ++sliding;
        window = w.get<std::int64_t>();
    }
    if (sliding == 0) return {};
    return "attention  the last " + std::to_string(window) + " tokens in " +
           std::to_string(sliding) + " of " + std::to_string(windows.size()) + " layers\n";
}

void printModel(const json& j, std::ostream& to) {
    const json& c = j["config"];
    const json& t = j["tensors"];
    const json& k = j["kv"];
    const auto bytes = [](const json& value) { return bytesText(value.get<std::int64_t>()); };
    to << "model      " << j["path"].get<std::string>() << " ("
       << c["model_type"].get<std::string>() << ")\n"
       << "layers     " << c["layers"] << ", hidden " << c["hidden"] << ", MLP "
       << c["intermediate"] << '\n'
       << "heads      " << c["query_heads"] << " query, " << c["kv_heads"] << " KV, of "
       << c["head_dim"] << " each\n"
       << "context    " << c["context_length"] << " tokens" << ropeText(c["rope"]) << '\n'
       << windowText(c["sliding_windows"]) << "weights    " << t["parameters"] << " parameters in "
       << t["count"] << " tensors, " << bytes(t["bytes"]) << " in " << t["files"].size()
       << " file(s):";
    for (const auto& [type, count] : t["by_type"].items())
        to << ' ' << count << ' ' << type;
    const json& chat = j["chat_template"];
    to << "\nchat       "
       << (chat["file"].is_null() ? "prompts as they are: " + chat["reason"].get<std::string>()
                                  : "template in " + chat["file"].get<std::string>());
    to << "\ntokenizer  " << j["tokenizer"]["kind"].get<std::string>() << ", "
       << j["tokenizer"]["vocabulary"] << " pieces for a vocabulary of " << c["vocabulary"] << '\n'
       << "KV cache   " << bytes(k["bytes_per_token"]) << " a token in "
       << k["type"].get<std::string>() << " on " << k["device"].get<std::string>() << ", "
       << bytes(k["bytes_at_context_length"]) << " at full length\n";
}

} // namespace

void info(const InfoOptions& o, std::ostream& to) {
    if (std::filesystem::is_directory(o.path)) {
        const json model = modelJson(o);
        if (o.json)
            to << io::jsonText(model, 2) << '\n';
        else
            printModel(model, to);
        if (!o.json && o.tokens > 0) printFit(model["fit"], to);
        return;
    }
    const trace::RunPtr run = io::openTrace(o.path);
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(o.path));
    if (!o.json) {
        to << "trace     " << o.path.string() << ", " << bytesText(size) << ", recorded "
           << run->machine.dateUtc << '\n';
        printReport(*run, {}, to);
        return;
    }
    json out = reportJson(*run, {});
    out["kind"] = "trace";
    out["path"] = o.path.string();
    out["bytes"] = size;
    out["schema"] = io::kTraceSchema;
    to << io::jsonText(out, 2) << '\n';
}

} // namespace fkv::cli
