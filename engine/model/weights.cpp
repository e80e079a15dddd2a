// SPDX-License-Identifier: Apache-2.0
#include "engine/model/weights.h"

#include "engine/core/error.h"
#include "engine/model/tensor_files.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace fkv::model {

namespace {

/// Read from the disk before it is placed: some tensors, so that it never stands still.
constexpr std::size_t kAheadBytes = std::size_t{1} << 30;

/// Places tensors of the files into fresh backend memory.
class Loader {
public:
    Loader(WeightFiles& files, ops::Backend& backend, Weights& weights)
        : m_files(files), m_backend(backend), m_weights(weights) {}

    ops::View matrix(std::int64_t rows, std::int64_t cols, DType dtype) {
        const auto bytes = static_cast<std::size_t>(rows * cols) * sizeOf(dtype);
        m_weights.buffers.push_back(m_backend.allocate(bytes, ops::Lifetime::Weights));
        m_weights.bytes += static_cast<std::int64_t>(bytes);
        return {m_weights.buffers.back()->data(), dtype, rows, cols, cols};
    }
    /// Several tensors [rows_i, cols] below each other.
    struct Part {
        std::string name;
        std::int64_t rows;
    };
    ops::View stacked(const std::vector<Part>& parts, std::int64_t cols) {
        std::int64_t rows = 0;
        std::vector<const io::TensorEntry*> entries;
        for (const Part& part : parts) {
            rows += part.rows;
            entries.push_back(&m_files.tensors().require(part.name, {part.rows, cols}));
        }
        const ops::View all = matrix(rows, cols, typeOf(entries));
        std::int64_t at = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            put(all.rowsFrom(at, parts[i].rows), *entries[i]);
            at += parts[i].rows;
        }
        return all;
    }
    /// Several vectors [size_i] one after the other.
    ops::View joined(const std::vector<Part>& parts) {
        std::int64_t size = 0;
        for (const Part& part : parts)
            size += part.rows;
        const ops::View all = matrix(1, size, m_backend.info().weightType);
        auto* bytes = static_cast<std::byte*>(all.data);
        for (const Part& part : parts) {
            put({bytes, all.dtype, 1, part.rows, part.rows},
                m_files.tensors().require(part.name, {part.rows}));
            bytes += static_cast<std::size_t>(part.rows) * sizeOf(all.dtype);
        }
        return all;
    }
    ops::View vector(const std::string& name, std::int64_t size) { return joined({{name, size}}); }

private:
    /// The type that matrices of these tensors are held in.
    DType typeOf(const std::vector<const io::TensorEntry*>& entries) const {
        const ops::DeviceInfo& device = m_backend.info();
        for (const io::TensorEntry* entry : entries)
            if (!device.matricesAsStored || entry->dtype != entries.front()->dtype)
                return device.weightType;
        return entries.front()->dtype;
    }
    void put(const ops::View& to, const io::TensorEntry& entry) {
        m_backend.uploadWeights(to, entry.bytes.data(), entry.dtype);
        m_files.used(entry.bytes.size());
    }
    WeightFiles& m_files;
    ops::Backend& m_backend;
    Weights& m_weights;
};

ops::LayerWeights loadLayer(Loader& loader, const Config& c, int layer) {
    const std::string p = "model.layers." + std::to_string(layer) + ".";
    const std::int64_t queries = std::int64_t{c.queryHeads} * c.headDim;
    const std::int64_t keys = std::int64_t{c.kvHeads} * c.headDim;
    ops::LayerWeights w;
    w.inputNorm = loader.vector(p + "input_layernorm.weight", c.hidden);
    w.qkv = loader.stacked({{p + "self_attn.q_proj.weight", queries},
                            {p + "self_attn.k_proj.weight", keys},
                            {p + "self_attn.v_proj.weight", keys}},
                           c.hidden);
    if (c.qkvBias)
        w.qkvBias = loader.joined({{p + "self_attn.q_proj.bias", queries},
                                   {p + "self_attn.k_proj.bias", keys},
                                   {p + "self_attn.v_proj.bias", keys}});
    if (c.qkNorm) {
        w.queryNorm = loader.vector(p + "self_attn.q_norm.weight", c.headDim);
        w.keyNorm = loader.vector(p + "self_attn.k_norm.weight", c.headDim);
    }
    w.out = loader.stacked({{p + "self_attn.o_proj.weight", c.hidden}}, queries);
    w.postNorm = loader.vector(p + "post_attention_layernorm.weight", c.hidden);
    w.gateUp = loader.stacked(
        {{p + "mlp.gate_proj.weight", c.intermediate}, {p + "mlp.up_proj.weight", c.intermediate}},
        c.hidden);
    w.down = loader.stacked({{p + "mlp.down_proj.weight", c.hidden}}, c.intermediate);
    return w;
}

struct Expected {
    std::string name;
    std::vector<std::int64_t> shape;
};

std::vector<Expected> tensorsOfLayer(const Config& c, int layer) {
    const std::int64_t queries = std::int64_t{c.queryHeads} * c.headDim;
    const std::int64_t keys = std::int64_t{c.kvHeads} * c.headDim;
    const std::string p = "model.layers." + std::to_string(layer) + ".";
    std::vector<Expected> tensors{{p + "input_layernorm.weight", {c.hidden}},
                                  {p + "self_attn.q_proj.weight", {queries, c.hidden}},
                                  {p + "self_attn.k_proj.weight", {keys, c.hidden}},
                                  {p + "self_attn.v_proj.weight", {keys, c.hidden}},
                                  {p + "self_attn.o_proj.weight", {c.hidden, queries}},
                                  {p + "post_attention_layernorm.weight", {c.hidden}},
                                  {p + "mlp.gate_proj.weight", {c.intermediate, c.hidden}},
                                  {p + "mlp.up_proj.weight", {c.intermediate, c.hidden}},
                                  {p + "mlp.down_proj.weight", {c.hidden, c.intermediate}}};
    if (c.qkvBias) {
        tensors.push_back({p + "self_attn.q_proj.bias", {queries}});
        tensors.push_back({p + "self_attn.k_proj.bias", {keys}});
        tensors.push_back({p + "self_attn.v_proj.bias", {keys}});
    }
    if (c.qkNorm) {
        tensors.push_back({p + "self_attn.q_norm.weight", {c.headDim}});
        tensors.push_back({p + "self_attn.k_norm.weight", {c.headDim}});
    }
    return tensors;
}

/// All tensors, in the order in which they are placed.
std::vector<Expected> expectedTensors(const TensorFiles& files, const Config& c) {
    std::vector<Expected> all{{"model.embed_tokens.weight", {c.vocabulary, c.hidden}},
                              {"model.norm.weight", {c.hidden}}};
    if (files.find("lm_head.weight") != nullptr)
        all.push_back({"lm_head.weight", {c.vocabulary, c.hidden}});
    for (int layer = 0; layer < c.layers; ++layer)
        for (Expected& tensor : tensorsOfLayer(c, layer))
            all.push_back(std::move(tensor));
    return all;
}

/// A tensor that no layer reads says that the config describes another model; old files also hold
/// what can be computed.
void refuseOthers(const TensorFiles& files, const Config& c, const std::set<std::string>& known) {
    const std::string next = "model.layers." + std::to_string(c.layers) + ".input_layernorm.weight";
    if (files.find(next) != nullptr)
        throw Error(ErrorCode::BadFile, "the model has more layers than the " +
                                            std::to_string(c.layers) + " that config.json says");
    for (const io::SafetensorsFile& file : files.files())
        for (const io::TensorEntry& entry : file.tensors())
            if (!known.contains(entry.name) && !entry.name.ends_with(".rotary_emb.inv_freq"))
                throw Error(ErrorCode::Unsupported, "tensor " + entry.name + " is no part of a \"" +
                                                        c.modelType + "\" model");
}

} // namespace

WeightFiles::WeightFiles(const std::filesystem::path& folder, const Config& config)
    : m_tensors(folder) {
    std::set<std::string> known;
    for (const Expected& tensor : expectedTensors(m_tensors, config)) {
        m_order.push_back(m_tensors.require(tensor.name, tensor.shape).bytes);
        known.insert(tensor.name);
    }
    refuseOthers(m_tensors, config, known);
}

void WeightFiles::readAhead() {
    m_ahead.emplace(m_order, kAheadBytes);
}

void WeightFiles::used(std::size_t bytes) {
    if (m_ahead) m_ahead->used(bytes);
}

void checkDevice(const Config& c, const ops::DeviceInfo& device) {
    const auto refuse = [&](const std::string& what) {
        throw Error(ErrorCode::Unsupported, what + " does not run on " + device.name,
                    "Run on the CPU with --device cpu.");
    };
    const std::vector<std::int32_t>& sizes = device.headSizes;
    if (!sizes.empty() && std::find(sizes.begin(), sizes.end(), c.headDim) == sizes.end())
        refuse("a head size of " + std::to_string(c.headDim));
    if (c.hidden % device.widthMultiple != 0)
        refuse("a hidden size of " + std::to_string(c.hidden));
    if (c.intermediate % device.widthMultiple != 0)
        refuse("an MLP width of " + std::to_string(c.intermediate));
}

std::int64_t Weights::stepBytes() const {
    const auto bytesOf = [](const ops::View& v) {
        return v.elements() * static_cast<std::int64_t>(sizeOf(v.dtype));
    };
    const bool tied = lmHead.data == embedding.data;
    return bytes - bytesOf(cosTable) - bytesOf(sinTable) - (tied ? 0 : bytesOf(embedding));
}

Weights loadWeights(WeightFiles& files, const Config& config, ops::Backend& backend,
                    const std::function<void(double)>& progress, const std::stop_token& stop) {
    Weights weights;
    weights.fingerprint = files.tensors().fingerprint(config);
    Loader loader(files, backend, weights);
    const auto report = [&](int done) {
        throwIfStopped(stop);
        if (progress) progress(static_cast<double>(done) / (config.layers + 1));
    };
    report(0);
    weights.embedding =
        loader.stacked({{"model.embed_tokens.weight", config.vocabulary}}, config.hidden);
    weights.finalNorm = loader.vector("model.norm.weight", config.hidden);
    // The tensor list decides about a tied head: the config key is often wrong.
    weights.lmHead = files.tensors().find("lm_head.weight") == nullptr
                         ? weights.embedding
                         : loader.stacked({{"lm_head.weight", config.vocabulary}}, config.hidden);
    for (int layer = 0; layer < config.layers; ++layer) {
        report(layer + 1);
        weights.layers.push_back(loadLayer(loader, config, layer));
    }
    weights.cosTable = loader.matrix(config.contextLength, config.headDim / 2, DType::F32);
    weights.sinTable = loader.matrix(config.contextLength, config.headDim / 2, DType::F32);
    if (backend.info().plansOnly) return weights;
    const RopeTables tables = ropeTables(config.rope, config.headDim, config.contextLength);
    backend.upload(weights.cosTable, tables.cosines.data());
    backend.upload(weights.sinTable, tables.sines.data());
    return weights;
}

} // namespace fkv::model
