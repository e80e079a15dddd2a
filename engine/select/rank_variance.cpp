// SPDX-License-Identifier: Apache-2.0
#include "engine/core/error.h"
#include "engine/select/stabilization.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

namespace fkv::select {

namespace {

/// Mean variance of the ranks, over the rows, of tokens that rank below `top` in any of them.
double meanVariance(const std::vector<std::span<const std::uint32_t>>& rows, std::uint32_t top) {
    const auto n = static_cast<double>(rows.size());
    double total = 0.0;
    std::int64_t members = 0;
    for (std::size_t i = 0; i < rows.front().size(); ++i) {
        if (std::none_of(rows.begin(), rows.end(), [&](auto row) { return row[i] < top; }))
            continue;
        double mean = 0.0;
        for (const auto row : rows) mean += row[i] / n;
        double variance = 0.0;
        for (const auto row : rows) variance += (row[i] - mean) * (row[i] - mean) / n;
        total += variance;
        ++members;
    }
    return members > 0 ? total / static_cast<double>(members) : 0.0;
}

}  // namespace

std::vector<double> rankVariance(const trace::FullPass& full, const RankVarianceParams& p) {
    if (p.topK < 1 || p.layersBack < 1)
        throw Error(ErrorCode::BadArgument, "rank variance needs 1 token and 1 layer or more");
    const std::size_t layers = full.tspRanks ? full.tspRanks->rows() : full.layers.size();
    std::vector<double> values(layers, std::numeric_limits<double>::quiet_NaN());
    const auto back = static_cast<std::size_t>(p.layersBack);
    if (!full.tspRanks || full.tspRanks->cols() == 0 || layers < back) return values;

    const auto top = static_cast<std::uint32_t>(
        std::min<std::int64_t>(p.topK, static_cast<std::int64_t>(full.tspRanks->cols())));
    double first = 0.0;
    for (std::size_t l = back - 1; l < layers; ++l) {
        std::vector<std::span<const std::uint32_t>> rows;
        for (std::size_t r = l + 1 - back; r <= l; ++r) rows.push_back(full.tspRanks->row(r));
        const double variance = meanVariance(rows, top);
        if (l == back - 1) first = variance;
        if (first > 0.0)
            values[l] = variance / first;
        else
            values[l] = variance > 0.0 ? std::numeric_limits<double>::infinity() : 1.0;
    }
    return values;
}

}  // namespace fkv::select
