// SPDX-License-Identifier: Apache-2.0
// Model folders that cannot be run: one clear line each. Every case is the demo model with one
// thing broken.
#include "engine/core/error.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/trace_image.h"

#include <fstream>
#include <functional>

using namespace fkv;
using namespace fkv::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const fs::path kDemo = FKV_RESOURCES "/models/demo";
const std::string kShard = "model-00001-of-00002.safetensors";
const std::string kOtherShard = "model-00002-of-00002.safetensors";
const std::string kIndex = "model.safetensors.index.json";

/// The demo model's files as links, to be broken one at a time.
class Model {
public:
    Model() {
        for (const char* name : {"config.json", "tokenizer.model", kIndex.c_str(), kShard.c_str(),
                                 kOtherShard.c_str()})
            fs::create_symlink(fs::absolute(kDemo / name), m_folder / name);
    }
    void remove(const std::string& name) { fs::remove(m_folder / name); }
    void put(const std::string& name, const std::string& bytes) {
        remove(name);
        std::ofstream(m_folder / name, std::ios::binary) << bytes;
    }
    std::string read(const std::string& name) const { return io::readText(m_folder / name); }
    void edit(const std::string& name, const std::function<void(json&)>& change) {
        json j = json::parse(read(name));
        change(j);
        put(name, j.dump());
    }
    void editShard(const std::function<void(TraceImage&)>& change) {
        TraceImage image = TraceImage::open(m_folder / kShard);
        change(image);
        const auto bytes = image.pack();
        put(kShard, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    std::unique_ptr<run::Session> open() const {
        Recorder recorder;
        return run::Session::open(m_folder.path(), {"cpu", 1}, recorder, {});
    }

private:
    TemporaryFolder m_folder;
};

struct Refused {
    ErrorCode code;
    std::string says;
    std::function<void(Model&)> breakIt;
};

void expectRefused(const std::vector<Refused>& cases) {
    for (const Refused& refused : cases) {
        SCOPED_TRACE("expected: " + refused.says);
        Model model;
        refused.breakIt(model);
        try {
            model.open();
            ADD_FAILURE() << "it opened";
        } catch (const Error& e) {
            const std::string what = e.what();
            EXPECT_EQ(e.code(), refused.code) << what;
            EXPECT_NE(what.find(refused.says), std::string::npos) << what;
            EXPECT_EQ(what.find('\n'), std::string::npos) << what;
        }
    }
}

/// A config with one key set.
Refused config(const std::string& key, const json& value, const std::string& says,
               ErrorCode code = ErrorCode::BadFile) {
    return {code, says, [=](Model& m) { m.edit("config.json", [&](json& j) { j[key] = value; }); }};
}

Refused file(const std::string& name, const std::string& bytes, const std::string& says,
             ErrorCode code = ErrorCode::BadFile) {
    return {code, says, [=](Model& m) { m.put(name, bytes); }};
}

Refused absent(const std::string& name) {
    return {ErrorCode::NotFound, name, [=](Model& m) { m.remove(name); }};
}

Refused shard(const std::string& says, const std::function<void(TraceImage&)>& change,
              ErrorCode code = ErrorCode::BadFile) {
    return {code, says, [=](Model& m) { m.editShard(change); }};
}

} // namespace

TEST(BadModel, TheUnbrokenCopyOpens) {
    EXPECT_EQ(Model().open()->model().fingerprint, demo().model().fingerprint);
    // Written again by other hands, in one file without an index, it is still the same model.
    Model single;
    TraceImage image = TraceImage::open(kDemo / kShard);
    image.tensors.merge(TraceImage::open(kDemo / kOtherShard).tensors);
    const auto bytes = image.pack();
    single.remove(kIndex);
    single.remove(kShard);
    single.put("model.safetensors", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    EXPECT_EQ(single.open()->model().fingerprint, demo().model().fingerprint);
}

TEST(BadModel, MissingFiles) {
    expectRefused({absent("config.json"),
                   {ErrorCode::NotFound, "no tokenizer in",
                    [](Model& m) { m.remove("tokenizer.model"); }},
                   absent(kShard),
                   {ErrorCode::NotFound, "model.safetensors", [](Model& m) { m.remove(kIndex); }}});
}

TEST(BadModel, ConfigsThatAreNone) {
    expectRefused({
        file("config.json", "", "invalid JSON"),
        file("config.json", "{\"layers\": ", "invalid JSON"),
        file("config.json", "[]", "not an object"),
        file("config.json", "{}", "model_type is missing"),
        file("config.json", "{\"a\": 1, \"a\": 2}", "duplicate key"),
        file("config.json", std::string(100000, '['), "nested deeper"),
        file("config.json", "{\"model_type\": \"\xFF\"}", "invalid JSON"),
        file("generation_config.json", "{", "invalid JSON"),
        file("tokenizer_config.json", "[]", "not a JSON object"),
        file("tokenizer_config.json", "{\"add_bos_token\": 1}", "add_bos_token"),
    });
}

TEST(BadModel, ConfigsWithWrongNumbers) {
    std::vector<Refused> cases;
    for (const std::string key : {"num_hidden_layers", "hidden_size", "intermediate_size",
                                  "num_attention_heads", "vocab_size", "max_position_embeddings"}) {
        cases.push_back({ErrorCode::BadFile, key + " is missing",
                         [=](Model& m) { m.edit("config.json", [&](json& j) { j.erase(key); }); }});
        cases.push_back(config(key, 0, key + " is 0, valid: 1 to"));
        cases.push_back(config(key, -16, key + " is -16, valid: 1 to"));
        cases.push_back(config(key, 1LL << 40, key + " is 1099511627776, valid: 1 to"));
        cases.push_back(config(key, 18446744073709551615ULL, key));
        cases.push_back(config(key, 16.5, key + " is not a whole number"));
        cases.push_back(config(key, "16", key + " is not a whole number"));
        cases.push_back(config(key, nullptr, key + " is missing"));
    }
    for (const std::string key : {"num_key_value_heads", "head_dim"}) {
        cases.push_back(config(key, 0, key + " is 0, valid: 1 to"));
        cases.push_back(config(key, -1, key + " is -1, valid: 1 to"));
    }
    for (const std::string key : {"rms_norm_eps", "rope_theta"}) {
        cases.push_back(config(key, 0, key + " must be positive"));
        cases.push_back(config(key, -1.0, key + " must be positive"));
        cases.push_back(config(key, "small", key + " is not a number"));
    }
    expectRefused(cases);
}

TEST(BadModel, ConfigsThatContradictThemselvesOrTheTensors) {
    expectRefused({
        config("num_key_value_heads", 3, "num_attention_heads (8) is no multiple"),
        config("num_attention_heads", 6, "num_attention_heads (6) is no multiple"),
        config("num_key_value_heads", 16, "no multiple of num_key_value_heads (16)"),
        config("head_dim", 31, "head_dim is odd"),
        {ErrorCode::BadFile, "hidden_size is smaller than num_attention_heads",
         [](Model& m) {
             m.edit("config.json", [](json& j) {
                 j["hidden_size"] = 4;
                 j.erase("head_dim");
             });
         }},
        config("eos_token_id", 8192, "eos_token_id"),
        config("eos_token_id", -1, "eos_token_id"),
        config("eos_token_id", 4294967298LL, "eos_token_id"),
        config("eos_token_id", {2, "end"}, "eos_token_id"),
        config("num_hidden_layers", 17, "no tensor model.layers.16.input_layernorm.weight"),
        config("num_hidden_layers", 15, "more layers than the 15"),
        config("hidden_size", 512, "has the shape [8192, 256], config.json says [8192, 512]"),
        config("hidden_size", 1 << 20, "config.json says [8192, 1048576]"),
        config("intermediate_size", 705, "config.json says [705, 256]"),
        config("vocab_size", 1 << 24, "config.json says [16777216, 256]"),
        config("num_key_value_heads", 8, "k_proj.weight has the shape [128, 256]"),
        config("head_dim", 64,
               "q_proj.weight has the shape [256, 256], config.json says [512, 256]"),
    });
}

TEST(BadModel, FamiliesThatAreNotSupportedAreNamed) {
    const auto code = ErrorCode::Unsupported;
    expectRefused({
        config("model_type", "mamba", "model_type \"mamba\"", code),
        config("model_type", "mixtral", "a mixture of experts of model_type \"mixtral\"", code),
        config("model_type", "qwen3_moe", "experts of model_type \"qwen3_moe\"", code),
        config("num_local_experts", 8, "a mixture of experts (num_local_experts)", code),
        config("kv_lora_rank", 512, "latent attention (kv_lora_rank)", code),
        config("vision_config", json::object(), "several modalities (vision_config)", code),
        config("quantization_config", {{"bits", 4}}, "quantised weights (quantization_config)",
               code),
        config("quantization_config", {{"quant_method", "gptq"}}, "(quantization_config, gptq)",
               code),
        config("architectures", {"LlamaForSequenceClassification"},
               "architecture \"LlamaForSequenceClassification\"", code),
        config("attention_bias", true, "attention_bias", code),
        config("mlp_bias", true, "mlp_bias", code),
        config("hidden_act", "gelu", "hidden_act \"gelu\"", code),
        config("partial_rotary_factor", 0.5, "partial_rotary_factor", code),
        config("rope_scaling", {{"rope_type", "longrope"}}, "rope type \"longrope\"", code),
        config("rope_parameters", {{"full_attention", json::object()}},
               "other rotary positions in some layers", code),
        {code, "layer type \"chunked_attention\"",
         [](Model& m) {
             m.edit("config.json", [](json& j) {
                 j["model_type"] = "ministral";
                 j["layer_types"] = std::vector<std::string>(16, "chunked_attention");
             });
         }},
    });
}

TEST(BadModel, ConfigsOfFamiliesThatAreContradictory) {
    const auto family = [](const char* says, const json& changes) {
        return Refused{ErrorCode::BadFile, says, [=](Model& m) {
                           m.edit("config.json", [&](json& j) { j.update(changes); });
                       }};
    };
    expectRefused({
        family("no tensor model.layers.0.self_attn.q_proj.bias", {{"model_type", "qwen2"}}),
        family("no tensor model.layers.0.self_attn.q_norm.weight", {{"model_type", "qwen3"}}),
        family("sliding_window is 0, valid: 1 to",
               {{"model_type", "mistral"}, {"sliding_window", 0}}),
        family("layer_types is not a list of 16 names",
               {{"model_type", "ministral"}, {"layer_types", {"full_attention"}}}),
        family("there is no sliding_window",
               {{"model_type", "qwen3"},
                {"layer_types", std::vector<std::string>(16, "sliding_attention")}}),
        family("rope_scaling: factor is missing", {{"rope_scaling", {{"rope_type", "llama3"}}}}),
        family("rope_scaling: factor must be positive",
               {{"rope_scaling", {{"type", "linear"}, {"factor", -1}}}}),
        family("high_freq_factor is not above low_freq_factor", {{"rope_parameters",
                                                                  {{"rope_type", "llama3"},
                                                                   {"factor", 8},
                                                                   {"low_freq_factor", 4},
                                                                   {"high_freq_factor", 1}}}}),
        family("rope_scaling: not an object", {{"rope_scaling", "yarn"}}),
        family("beta_fast is below beta_slow",
               {{"rope_scaling", {{"rope_type", "yarn"}, {"factor", 4}, {"beta_fast", 0.5}}}}),
    });
}

TEST(BadModel, WhatDownloadsLeaveBehind) {
    const std::string pointer = "version https://git-lfs.github.com/spec/v1\n"
                                "oid sha256:4665\nsize 4976698672\n";
    expectRefused({
        file(kShard, pointer, kShard + ": a Git LFS pointer, not the file itself"),
        file(kShard, "<!DOCTYPE html>\n<html><body>Access denied</body></html>",
             kShard + ": a web page"),
        file(kShard, "\n <HTML lang=\"en\"></HTML>", kShard + ": a web page"),
        {ErrorCode::NotFound, "names 2 files, 1 of them missing: " + kOtherShard,
         [](Model& m) { m.remove(kOtherShard); }},
        {ErrorCode::NotFound, "names 2 files, 2 of them missing: " + kShard + ", ...",
         [](Model& m) {
             m.remove(kShard);
             m.remove(kOtherShard);
         }},
        {ErrorCode::Unsupported, "pytorch_model.bin cannot be read",
         [](Model& m) {
             m.remove(kIndex);
             m.put("pytorch_model.bin", "x");
         }},
        shard(
            "tensor model.layers.0.self_attn.q_norm.weight is no part of a \"llama\" model",
            [](TraceImage& i) {
                i.tensors["model.layers.0.self_attn.q_norm.weight"] =
                    i.tensors.at("model.layers.0.input_layernorm.weight");
            },
            ErrorCode::Unsupported),
    });
}

// models--org--name: refs/main names a snapshot, whose files are links to blobs.
TEST(BadModel, ACacheFolderOpensByItsSnapshot) {
    TemporaryFolder cache;
    const fs::path model = cache / "models--someone--demo-model";
    const fs::path snapshot = model / "snapshots" / "0123abcd";
    fs::create_directories(snapshot);
    fs::create_directories(model / "refs");
    fs::create_directories(model / "blobs");
    Recorder recorder;
    const auto open = [&] { return run::Session::open(model, {"cpu", 1}, recorder, {}); };
    try {
        fs::remove_all(snapshot);
        open();
        ADD_FAILURE() << "it opened";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::NotFound);
        EXPECT_NE(std::string(e.what()).find("no snapshot"), std::string::npos) << e.what();
    }
    fs::create_directories(snapshot);
    int blob = 0;
    for (const std::string& name : {std::string("config.json"), std::string("tokenizer.model"),
                                    kIndex, kShard, kOtherShard}) {
        const std::string hash = "f00d" + std::to_string(blob++);
        fs::copy_file(kDemo / name, model / "blobs" / hash);
        fs::create_symlink("../../blobs/" + hash, snapshot / name);
    }
    EXPECT_EQ(open()->model().name, "someone/demo-model"); // without refs the newest
    fs::create_directories(model / "snapshots" / "4567");
    std::ofstream(model / "refs" / "main") << "0123abcd\n";
    const auto session = open();
    EXPECT_EQ(session->model().name, "someone/demo-model");
    EXPECT_EQ(session->model().fingerprint, demo().model().fingerprint);
    fs::remove(model / "blobs" / "f00d4");
    try {
        open();
        ADD_FAILURE() << "it opened";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::NotFound);
        EXPECT_NE(std::string(e.what()).find(kOtherShard), std::string::npos) << e.what();
    }
}

TEST(BadModel, Indexes) {
    expectRefused({
        file(kIndex, "{", "invalid JSON"),
        file(kIndex, "[]", "no weight_map"),
        file(kIndex, "{\"weight_map\": []}", "no weight_map"),
        file(kIndex, "{\"weight_map\": {}}", "no tensor model.embed_tokens.weight"),
        file(kIndex, "{\"weight_map\": {\"a\": 1}}", "bad shard for a"),
        file(kIndex, R"({"weight_map": {"a\nb\u001b": 1}})", "bad shard for a?b?"),
        file(kIndex, "{\"weight_map\": {\"a\": \"../weights\"}}", "bad shard for a"),
        file(kIndex, "{\"weight_map\": {\"a\": \"..\"}}", "is a folder"),
        file(kIndex, "{\"weight_map\": {\"a\": \"gone\"}}", "gone", ErrorCode::NotFound),
        file(kIndex, "{\"weight_map\": {\"a\": \"" + kShard + "\"}}", "no tensor"),
    });
}

TEST(BadModel, Weights) {
    const std::string norm = "model.layers.0.input_layernorm.weight";
    const auto truncated = [](std::size_t bytes) {
        return [=](Model& m) { m.put(kShard, m.read(kShard).substr(0, bytes)); };
    };
    expectRefused({
        file(kShard, "", "too short for a safetensors file"),
        file(kShard, std::string(64, 'x'), "not a safetensors file"),
        {ErrorCode::BadFile, "ends inside its header", truncated(1000)},
        {ErrorCode::BadFile, "reaches past the end of the file", truncated(1U << 20)},
        {ErrorCode::BadFile, "bytes after the last tensor",
         [](Model& m) { m.put(kShard, m.read(kShard) + "x"); }},
        shard("no tensor " + norm, [=](TraceImage& i) { i.tensors.erase(norm); }),
        shard(norm + " has the shape [1, 256], config.json says [256]",
              [=](TraceImage& i) {
                  i.tensors.at(norm).shape = {1, 256};
              }),
        shard(
            norm + " is I16, not F32, F16 or BF16",
            [=](TraceImage& i) { i.tensors.at(norm).dtype = "I16"; }, ErrorCode::Unsupported),
        shard("has the unknown dtype \"BF17\"",
              [=](TraceImage& i) { i.tensors.at(norm).dtype = "BF17"; }),
        {ErrorCode::BadFile, "model.norm.weight is in two files",
         [](Model& m) {
             const auto norms =
                 TraceImage::open(kDemo / kOtherShard).tensors.at("model.norm.weight");
             m.editShard([&](TraceImage& i) { i.tensors["model.norm.weight"] = norms; });
         }},
    });
}

TEST(BadModel, TokenizersThatAreNone) {
    const std::string good = io::readText(kDemo / "tokenizer.model");
    expectRefused({
        file("tokenizer.model", "", "not a sentencepiece model"),
        file("tokenizer.model", "{\"version\": \"1.0\"}", "not a sentencepiece model"),
        file("tokenizer.model", good.substr(0, good.size() / 2), "tokenizer.model"),
        file("tokenizer.model", std::string(1000, '\0'), "tokenizer.model"),
        file("tokenizer.model", good.substr(1), "tokenizer.model"),
    });
}
