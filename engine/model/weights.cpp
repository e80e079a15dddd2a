// SPDX-License-Identifier: Apache-2.0
#include "engine/model/weights.h"

#include "engine/core/error.h"
#include "engine/model/tensor_files.h"

#include <cmath>
#include <string>

namespace fkv::model {

namespace {

/// Places tensors of the files into fresh backend memory.
class Loader {
public:
    Loader(const TensorFiles& files, ops::Backend& backend, Weights& weights)
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
        for (const Part& part : parts)
            rows += part.rows;
        const ops::View all = matrix(rows, cols, m_backend.info().weightType);
        std::int64_t at = 0;
        for (const Part& part : parts) {
            put(all.rowsFrom(at, part.rows), m_files.require(part.name, {part.rows, cols}));
            at += part.rows;
        }
        return all;
    }
    ops::View vector(const std::string& name, std::int64_t size) {
        const ops::View view = matrix(1, size, m_backend.info().weightType);
        put(view, m_files.require(name, {size}));
        return view;
    }

private:
    void put(const ops::View& to, const io::TensorEntry& entry) {
        m_backend.uploadWeights(to, entry.bytes.data(), entry.dtype);
    }
    const TensorFiles& m_files;
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
    w.out = loader.stacked({{p + "self_attn.o_proj.weight", c.hidden}}, queries);
    w.postNorm = loader.vector(p + "post_attention_layernorm.weight", c.hidden);
    w.gateUp = loader.stacked(
        {{p + "mlp.gate_proj.weight", c.intermediate}, {p + "mlp.up_proj.weight", c.intermediate}},
        c.hidden);
    w.down = loader.stacked({{p + "mlp.down_proj.weight", c.hidden}}, c.intermediate);
    return w;
}

} // namespace

void ropeTables(double theta, std::int32_t headDim, std::int64_t positions,
                std::vector<float>& cosines, std::vector<float>& sines) {
    const auto half = static_cast<std::size_t>(headDim / 2);
    cosines.resize(static_cast<std::size_t>(positions) * half);
    sines.resize(cosines.size());
    for (std::size_t i = 0; i < half; ++i) {
        const float exponent = static_cast<float>(2 * i) / static_cast<float>(headDim);
        const float inverse = 1.0F / std::pow(static_cast<float>(theta), exponent);
        for (std::size_t x = 0; x < static_cast<std::size_t>(positions); ++x) {
            const float angle = static_cast<float>(x) * inverse;
            cosines[x * half + i] = std::cos(angle);
            sines[x * half + i] = std::sin(angle);
        }
    }
}

void checkTensors(const TensorFiles& files, const Config& c) {
    const std::int64_t queries = std::int64_t{c.queryHeads} * c.headDim;
    const std::int64_t keys = std::int64_t{c.kvHeads} * c.headDim;
    files.require("model.embed_tokens.weight", {c.vocabulary, c.hidden});
    files.require("model.norm.weight", {c.hidden});
    if (files.find("lm_head.weight") != nullptr)
        files.require("lm_head.weight", {c.vocabulary, c.hidden});
    for (int layer = 0; layer < c.layers; ++layer) {
        const std::string p = "model.layers." + std::to_string(layer) + ".";
        files.require(p + "input_layernorm.weight", {c.hidden});
        files.require(p + "self_attn.q_proj.weight", {queries, c.hidden});
        files.require(p + "self_attn.k_proj.weight", {keys, c.hidden});
        files.require(p + "self_attn.v_proj.weight", {keys, c.hidden});
        files.require(p + "self_attn.o_proj.weight", {c.hidden, queries});
        files.require(p + "post_attention_layernorm.weight", {c.hidden});
        files.require(p + "mlp.gate_proj.weight", {c.intermediate, c.hidden});
        files.require(p + "mlp.up_proj.weight", {c.intermediate, c.hidden});
        files.require(p + "mlp.down_proj.weight", {c.hidden, c.intermediate});
    }
    // A layer that the config does not know means that it describes another model.
    const std::string next = "model.layers." + std::to_string(c.layers) + ".input_layernorm.weight";
    if (files.find(next) != nullptr)
        throw Error(ErrorCode::BadFile, "the model has more layers than the " +
                                            std::to_string(c.layers) + " that config.json says");
}

Weights loadWeights(const std::filesystem::path& folder, const Config& config,
                    ops::Backend& backend, const std::function<void(double)>& progress,
                    const std::stop_token& stop) {
    const TensorFiles files(folder);
    checkTensors(files, config);  // before anything is allocated: a wrong config asks for any size
    Weights weights;
    weights.fingerprint = files.fingerprint(config);
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
    weights.lmHead = files.find("lm_head.weight") == nullptr
                         ? weights.embedding
                         : loader.stacked({{"lm_head.weight", config.vocabulary}}, config.hidden);
    for (int layer = 0; layer < config.layers; ++layer) {
        report(layer + 1);
        weights.layers.push_back(loadLayer(loader, config, layer));
    }
    std::vector<float> cosines, sines;
    ropeTables(config.ropeTheta, config.headDim, config.contextLength, cosines, sines);
    weights.cosTable = loader.matrix(config.contextLength, config.headDim / 2, DType::F32);
    weights.sinTable = loader.matrix(config.contextLength, config.headDim / 2, DType::F32);
    backend.upload(weights.cosTable, cosines.data());
    backend.upload(weights.sinTable, sines.data());
    return weights;
}

} // namespace fkv::model
