// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/error.h"
#include "engine/io/json_limits.h"
#include "engine/io/safetensors.h"
#include "engine/select/budgets.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

namespace fkv::testing {

/// A tensor of a file as values of T. Throws BadFile when there is none of that name.
template <class T>
std::vector<T> values(const io::SafetensorsFile& file, const std::string& name) {
    const io::TensorEntry* entry = file.find(name);
    if (entry == nullptr) throw Error(ErrorCode::BadFile, "no " + name);
    std::vector<T> out(entry->bytes.size() / sizeof(T));
    std::memcpy(out.data(), entry->bytes.data(), entry->bytes.size());
    return out;
}

/// Reference answers for a prompt of the demo model under some settings (SPEC section 9).
struct GoldenCase {
    io::SafetensorsFile file;
    std::vector<std::int32_t> ids;
    trace::Settings settings;
};

/// The `index`th case of `folder`, for a model of that many layers.
inline GoldenCase goldenCase(const std::string& folder, int index, int layers) {
    const auto json = io::readJson(folder + "/cases.json");
    const auto& c = json.at(static_cast<std::size_t>(index));
    GoldenCase golden{
        io::SafetensorsFile::open(folder + "/" + c.at("name").get<std::string>() + ".safetensors"),
        {},
        select::defaultSettings(layers)};
    golden.ids = values<std::int32_t>(golden.file, "input_ids");
    golden.settings.tspLayer = c.at("tsp_layer");
    golden.settings.tsp = trace::Amount::ofRate(c.at("tsp_rate"));
    golden.settings.kv = trace::Amount::ofRate(c.at("retain_rate"));
    golden.settings.window = c.value("window", 8);
    golden.settings.kernel = c.value("kernel", 7);
    if (c.value("pooling", "maxpool") == "avgpool")
        golden.settings.pooling = trace::Pooling::Average;
    return golden;
}

/// Of two ascending lists: how much of what is in either is in both.
inline double jaccard(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
    std::vector<std::int32_t> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    const auto n = static_cast<double>(both.size());
    return n / (static_cast<double>(a.size() + b.size()) - n);
}

} // namespace fkv::testing
