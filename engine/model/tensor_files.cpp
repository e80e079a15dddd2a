// SPDX-License-Identifier: Apache-2.0
#include "engine/model/tensor_files.h"

#include "engine/core/error.h"
#include "engine/io/json_limits.h"

#include <bit>
#include <map>
#include <set>

namespace fkv::model {

namespace {

class Fnv1a {
public:
    void add(std::string_view bytes) {
        for (const char c : bytes)
            m_hash = (m_hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    /// Byte by byte, lowest first, on any machine.
    void add(std::uint64_t value) {
        for (int i = 0; i < 8; ++i)
            m_hash = (m_hash ^ ((value >> (8 * i)) & 0xFFU)) * 0x100000001b3ULL;
    }
    std::uint64_t hash() const { return m_hash; }

private:
    std::uint64_t m_hash = 0xcbf29ce484222325ULL;
};

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string out = "[";
    for (const std::int64_t extent : shape)
        out += (out.size() > 1 ? ", " : "") + std::to_string(extent);
    return out + ']';
}

void refuseMissing(const std::filesystem::path& folder, const std::set<std::string>& shards) {
    std::vector<std::string> missing;
    for (const std::string& shard : shards)
        if (!std::filesystem::exists(folder / shard)) missing.push_back(shard);
    if (missing.empty()) return;
    throw Error(ErrorCode::NotFound,
                "model.safetensors.index.json names " + std::to_string(shards.size()) + " files, " +
                    std::to_string(missing.size()) + " of them missing: " + missing.front() +
                    (missing.size() > 1 ? ", ..." : ""),
                "The download has not ended, or a link of the cache points nowhere.");
}

/// Weights that are there, but in files that are not read.
void refuseOtherFormats(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / "model.safetensors", ignored)) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const std::string extension = entry.path().extension().string();
        if (extension != ".gguf" && extension != ".bin" && extension != ".pth") continue;
        throw Error(ErrorCode::Unsupported,
                    folder.string() + " has no model.safetensors, and " +
                        entry.path().filename().string() + " cannot be read",
                    "Only weights in safetensors files are read.");
    }
}

} // namespace

TensorFiles::TensorFiles(const std::filesystem::path& folder) {
    const auto index = folder / "model.safetensors.index.json";
    if (!std::filesystem::exists(index)) {
        refuseOtherFormats(folder);
        m_files.push_back(io::SafetensorsFile::open(folder / "model.safetensors"));
        return;
    }
    const nlohmann::json json = io::readJson(index);
    if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
        throw Error(ErrorCode::BadFile, index.filename().string() + ": no weight_map");
    std::set<std::string> shards;
    for (const auto& [tensor, file] : json["weight_map"].items()) {
        if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos)
            throw Error(ErrorCode::BadFile,
                        index.filename().string() + ": bad shard for " + tensor);
        shards.insert(file.get<std::string>());
    }
    refuseMissing(folder, shards);
    std::set<std::string> seen;
    for (const std::string& shard : shards) {
        m_files.push_back(io::SafetensorsFile::open(folder / shard));
        for (const io::TensorEntry& entry : m_files.back().tensors())
            if (!seen.insert(entry.name).second)
                throw Error(ErrorCode::BadFile, "tensor " + entry.name + " is in two files of " +
                                                    folder.string());
    }
}

const io::TensorEntry* TensorFiles::find(const std::string& name) const {
    for (const io::SafetensorsFile& file : m_files)
        if (const io::TensorEntry* entry = file.find(name)) return entry;
    return nullptr;
}

const io::TensorEntry& TensorFiles::require(const std::string& name,
                                            std::vector<std::int64_t> shape) const {
    const io::TensorEntry* entry = find(name);
    if (entry == nullptr) throw Error(ErrorCode::BadFile, "the model has no tensor " + name);
    if (entry->shape != shape)
        throw Error(ErrorCode::BadFile, "tensor " + name + " has the shape " +
                                            shapeText(entry->shape) + ", config.json says " +
                                            shapeText(shape));
    if (entry->dtype != DType::F32 && entry->dtype != DType::F16 && entry->dtype != DType::BF16)
        throw Error(ErrorCode::Unsupported, name + " is " + std::string(fkv::name(entry->dtype)) +
                                                ", not F32, F16 or BF16");
    return *entry;
}

std::uint64_t TensorFiles::fingerprint(const Config& c) const {
    Fnv1a hash;
    hash.add(c.modelType);
    for (const std::int64_t number :
         {std::int64_t{c.layers}, std::int64_t{c.hidden}, std::int64_t{c.intermediate},
          std::int64_t{c.queryHeads}, std::int64_t{c.kvHeads}, std::int64_t{c.headDim},
          std::int64_t{c.vocabulary}, c.contextLength})
        hash.add(static_cast<std::uint64_t>(number));
    hash.add(std::uint64_t{std::bit_cast<std::uint32_t>(c.rmsEps)});
    hash.add(std::bit_cast<std::uint64_t>(c.rope.theta));
    // What plain models do not have is added only where it is, so that their traces stay theirs.
    if (c.rope.kind != RopeKind::Default) {
        hash.add(nameOf(c.rope.kind));
        for (const double number :
             {c.rope.factor, static_cast<double>(c.rope.originalContext), c.rope.lowFrequency,
              c.rope.highFrequency, c.rope.betaFast, c.rope.betaSlow, c.rope.attentionFactor})
            hash.add(std::bit_cast<std::uint64_t>(number));
    }
    for (const std::int64_t window : c.slidingWindows)
        hash.add(static_cast<std::uint64_t>(window));
    std::map<std::string_view, const io::TensorEntry*> tensors;
    for (const io::SafetensorsFile& file : m_files)
        for (const io::TensorEntry& entry : file.tensors())
            tensors[entry.name] = &entry;
    for (const auto& [name, entry] : tensors) {
        hash.add(name);
        hash.add(fkv::name(entry->dtype));
        hash.add(std::uint64_t{entry->shape.size()});
        for (const std::int64_t extent : entry->shape)
            hash.add(static_cast<std::uint64_t>(extent));
    }
    return hash.hash();
}

} // namespace fkv::model
