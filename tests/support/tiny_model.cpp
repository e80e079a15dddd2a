// SPDX-License-Identifier: Apache-2.0
#include "tests/support/tiny_model.h"

#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"

#include <cmath>
#include <deque>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <unistd.h>

namespace fkv::testing {

namespace {

constexpr std::int64_t kVocabulary = 8192;

/// Random matrices in a safetensors file.
class Weights {
public:
    void add(const std::string& name, std::int64_t rows, std::int64_t cols) {
        std::normal_distribution<float> normal(0.0F, 1.0F / std::sqrt(static_cast<float>(cols)));
        std::vector<float>& values = m_values.emplace_back();
        for (std::int64_t i = 0; i < rows * cols; ++i)
            values.push_back(normal(m_random));
        write(name, {rows, cols});
    }
    void addOnes(const std::string& name, std::int64_t size) {
        m_values.emplace_back(static_cast<std::size_t>(size), 1.0F);
        write(name, {size});
    }
    std::vector<float>& newest() { return m_values.back(); }
    void save(const std::filesystem::path& path) { m_writer.save(path); }

private:
    void write(const std::string& name, std::vector<std::int64_t> shape) {
        m_writer.add(name, DType::F32, std::move(shape), std::as_bytes(std::span(m_values.back())));
    }
    std::mt19937 m_random{1};
    std::deque<std::vector<float>> m_values;
    io::SafetensorsWriter m_writer;
};

/// Removes the folders that this process wrote.
struct Folders {
    ~Folders() {
        std::error_code ignored;
        for (const auto& folder : written)
            std::filesystem::remove_all(folder, ignored);
    }
    std::vector<std::filesystem::path> written;
};

void writeWeights(const TinyModel& m, const std::filesystem::path& path) {
    Weights w;
    w.add("model.embed_tokens.weight", kVocabulary, m.hidden);
    w.addOnes("model.norm.weight", m.hidden);
    for (int layer = 0; layer < m.layers; ++layer) {
        const std::string p = "model.layers." + std::to_string(layer) + ".";
        w.addOnes(p + "input_layernorm.weight", m.hidden);
        w.add(p + "self_attn.q_proj.weight", m.queryHeads * m.headDim, m.hidden);
        w.add(p + "self_attn.k_proj.weight", m.kvHeads * m.headDim, m.hidden);
        if (m.notANumber && layer == 1)
            w.newest().front() = std::numeric_limits<float>::quiet_NaN();
        w.add(p + "self_attn.v_proj.weight", m.kvHeads * m.headDim, m.hidden);
        w.add(p + "self_attn.o_proj.weight", m.hidden, m.queryHeads * m.headDim);
        w.addOnes(p + "post_attention_layernorm.weight", m.hidden);
        w.add(p + "mlp.gate_proj.weight", m.intermediate, m.hidden);
        w.add(p + "mlp.up_proj.weight", m.intermediate, m.hidden);
        w.add(p + "mlp.down_proj.weight", m.hidden, m.intermediate);
    }
    w.save(path);
}

} // namespace

std::filesystem::path writeTinyModel(const TinyModel& m, const std::string& name) {
    static Folders folders;
    // Cases of one test run at the same time as processes of their own.
    const auto folder =
        std::filesystem::path(::testing::TempDir()) / (name + "_" + std::to_string(getpid()));
    folders.written.push_back(folder);
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    const nlohmann::json config{{"model_type", "llama"},
                                {"num_hidden_layers", m.layers},
                                {"hidden_size", m.hidden},
                                {"intermediate_size", m.intermediate},
                                {"num_attention_heads", m.queryHeads},
                                {"num_key_value_heads", m.kvHeads},
                                {"head_dim", m.headDim},
                                {"vocab_size", kVocabulary},
                                {"max_position_embeddings", m.contextLength},
                                {"rms_norm_eps", 1e-5},
                                {"rope_theta", 10000.0},
                                {"bos_token_id", 1},
                                {"eos_token_id", m.eos}};
    std::ofstream(folder / "config.json") << config.dump();
    std::filesystem::copy_file(FKV_RESOURCES "/models/demo/tokenizer.model",
                               folder / "tokenizer.model");
    writeWeights(m, folder / "model.safetensors");
    return folder;
}

} // namespace fkv::testing
