// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/safetensors.h"

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace fkv::testing {

/// A safetensors file taken apart, to be changed and written again: for making damaged files. It
/// packs by itself and checks nothing.
struct TraceImage {
    struct Tensor {
        std::string dtype;
        std::vector<std::int64_t> shape;
        std::vector<std::byte> bytes;
    };
    std::map<std::string, Tensor> tensors;
    std::map<std::string, std::string> metadata;
    std::size_t shift = 0; ///< spaces after the header: moves the data off its alignment

    static TraceImage open(const std::filesystem::path& path) {
        const io::SafetensorsFile file = io::SafetensorsFile::open(path);
        TraceImage image;
        image.metadata = file.metadata();
        for (const io::TensorEntry& e : file.tensors())
            image.tensors[e.name] = {
                std::string(name(e.dtype)), e.shape, {e.bytes.begin(), e.bytes.end()}};
        return image;
    }

    template <class T>
    T& value(const std::string& tensor, std::size_t index) {
        return reinterpret_cast<T*>(tensors.at(tensor).bytes.data())[index];
    }
    /// Changes one metadata entry as JSON.
    template <class Change>
    void edit(const std::string& key, Change&& change) {
        nlohmann::json json = nlohmann::json::parse(metadata.at(key));
        change(json);
        metadata[key] = json.dump();
    }

    std::vector<std::byte> pack() const {
        nlohmann::json header;
        header["__metadata__"] = metadata;
        std::vector<std::byte> data;
        // Eight-byte values first, so that all stay aligned unless shifted on purpose.
        for (const std::size_t size : {8U, 4U, 2U, 1U})
            for (const auto& [name, t] : tensors) {
                if (sizeOf(t.dtype) != size) continue;
                header[name] = {{"dtype", t.dtype},
                                {"shape", t.shape},
                                {"data_offsets", {data.size(), data.size() + t.bytes.size()}}};
                data.insert(data.end(), t.bytes.begin(), t.bytes.end());
            }
        std::string text = header.dump();
        text.append((64 - (8 + text.size()) % 64) % 64 + shift, ' ');
        const std::uint64_t length = text.size();
        std::vector<std::byte> out(8 + text.size() + data.size());
        std::memcpy(out.data(), &length, 8);
        std::memcpy(out.data() + 8, text.data(), text.size());
        std::memcpy(out.data() + 8 + text.size(), data.data(), data.size());
        return out;
    }

private:
    static std::size_t sizeOf(const std::string& dtype) {
        if (dtype.ends_with("64")) return 8;
        if (dtype.ends_with("32")) return 4;
        return dtype.ends_with("16") ? 2 : 1;
    }
};

} // namespace fkv::testing
