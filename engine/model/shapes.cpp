// SPDX-License-Identifier: Apache-2.0
#include "engine/model/shapes.h"

#include "engine/core/error.h"

#include <array>

namespace fkv::model {

namespace {

struct Shape {
    const char* name;
    std::int32_t layers, hidden, intermediate, queryHeads, kvHeads, headDim, vocabulary;
    double ropeTheta;
    bool tied;
};

// From the config.json of each model.
constexpr std::array kShapes{
    Shape{"llama-3.1-8b", 32, 4096, 14336, 32, 8, 128, 128256, 500000.0, false},
    Shape{"llama-3.2-1b", 16, 2048, 8192, 32, 8, 64, 128256, 500000.0, true},
    Shape{"ministral-8b", 36, 4096, 12288, 32, 8, 128, 131072, 100000000.0, false},
    Shape{"mistral-nemo-12b", 40, 5120, 14336, 32, 8, 128, 131072, 1000000.0, false},
};

/// Draws tensors one after the other, each from a seed of its own.
class Maker {
public:
    Maker(ops::Backend& backend, Weights& weights, std::uint64_t seed)
        : m_backend(backend), m_weights(weights), m_seed(seed) {}

    /// In bf16 wherever that can be held, as real models are.
    ops::View matrix(std::int64_t rows, std::int64_t cols) {
        const ops::DeviceInfo& device = m_backend.info();
        const ops::View view =
            memory(rows, cols, device.matricesAsStored ? DType::BF16 : device.weightType);
        m_backend.fillRandom(view, ++m_seed, 0.02F);
        return view;
    }
    ops::View ones(std::int64_t cols) {
        const ops::View view = memory(1, cols, m_backend.info().weightType);
        const std::vector<float> values(static_cast<std::size_t>(cols), 1.0F);
        m_backend.uploadWeights(view, values.data(), DType::F32);
        return view;
    }
    ops::View table(std::int64_t rows, std::int64_t cols, const std::vector<float>& values) {
        const ops::View view = memory(rows, cols, DType::F32);
        m_backend.upload(view, values.data());
        return view;
    }

private:
    ops::View memory(std::int64_t rows, std::int64_t cols, DType type) {
        const auto bytes = static_cast<std::size_t>(rows * cols) * sizeOf(type);
        m_weights.buffers.push_back(m_backend.allocate(bytes, ops::Lifetime::Weights));
        m_weights.bytes += static_cast<std::int64_t>(bytes);
        return {m_weights.buffers.back()->data(), type, rows, cols, cols};
    }
    ops::Backend& m_backend;
    Weights& m_weights;
    std::uint64_t m_seed;
};

} // namespace

std::vector<std::string> shapeNames() {
    std::vector<std::string> names;
    for (const Shape& s : kShapes)
        names.emplace_back(s.name);
    return names;
}

Config shapeConfig(const std::string& name) {
    std::string known;
    for (const Shape& s : kShapes) {
        if (name != s.name) {
            known += std::string(known.empty() ? "" : ", ") + s.name;
            continue;
        }
        Config c;
        c.modelType = s.name;
        c.layers = s.layers;
        c.hidden = s.hidden;
        c.intermediate = s.intermediate;
        c.queryHeads = s.queryHeads;
        c.kvHeads = s.kvHeads;
        c.headDim = s.headDim;
        c.vocabulary = s.vocabulary;
        c.contextLength = 131072;
        c.rope.theta = s.ropeTheta;
        c.tiedEmbeddings = s.tied;
        return c;
    }
    throw Error(ErrorCode::BadArgument, "no shape \"" + name + "\", known: " + known);
}

Weights randomWeights(const Config& c, ops::Backend& backend, std::uint64_t seed) {
    Weights weights;
    Maker maker(backend, weights, seed);
    const std::int64_t queries = std::int64_t{c.queryHeads} * c.headDim;
    const std::int64_t keys = std::int64_t{c.kvHeads} * c.headDim;
    weights.embedding = maker.matrix(c.vocabulary, c.hidden);
    weights.finalNorm = maker.ones(c.hidden);
    weights.lmHead = c.tiedEmbeddings ? weights.embedding : maker.matrix(c.vocabulary, c.hidden);
    for (int layer = 0; layer < c.layers; ++layer) {
        ops::LayerWeights w;
        w.inputNorm = maker.ones(c.hidden);
        w.qkv = maker.matrix(queries + 2 * keys, c.hidden);
        w.out = maker.matrix(c.hidden, queries);
        w.postNorm = maker.ones(c.hidden);
        w.gateUp = maker.matrix(2 * std::int64_t{c.intermediate}, c.hidden);
        w.down = maker.matrix(c.hidden, c.intermediate);
        weights.layers.push_back(w);
    }
    const RopeTables tables = ropeTables(c.rope, c.headDim, c.contextLength);
    weights.cosTable = maker.table(c.contextLength, c.headDim / 2, tables.cosines);
    weights.sinTable = maker.table(c.contextLength, c.headDim / 2, tables.sines);
    weights.fingerprint = seed;
    return weights;
}

} // namespace fkv::model
