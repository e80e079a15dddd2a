// SPDX-License-Identifier: Apache-2.0
#include "engine/select/rescore.h"

#include "engine/core/error.h"
#include "engine/select/ranks.h"

#include <algorithm>
#include <vector>

namespace fkv::select {

namespace {

using trace::Plane;

/// One layer's sums and what becomes of them.
struct LayerScores {
    std::vector<float> sums, saliency;
    std::vector<std::uint32_t> ranks;
};

/// Pools one KV group and ranks it.
std::int64_t scoreGroup(LayerScores& layer, std::size_t group, std::size_t groups, PoolParams p,
                        RankScratch& scratch) {
    const std::size_t columns = layer.saliency.size() / groups;
    const std::size_t heads = layer.sums.size() / columns / groups;
    p.windowSums = std::span(layer.sums).subspan(group * heads * columns, heads * columns);
    p.saliency = std::span(layer.saliency).subspan(group * columns, columns);
    p.queryHeads = static_cast<std::int64_t>(heads);
    p.kvHeads = 1;
    p.tokens = static_cast<std::int64_t>(columns);
    poolAndGroup(p);
    return rankDescending(p.saliency, std::span(layer.ranks).subspan(group * columns, columns),
                          scratch);
}

} // namespace

std::shared_ptr<const trace::FullPass> rescore(const trace::FullPass& full, const Pooling& pooling,
                                               ThreadPool& pool,
                                               const std::function<void()>& between) {
    if (pooling.kernel < 1 || pooling.kernel % 2 == 0)
        throw Error(ErrorCode::BadArgument, "pooling kernel " + std::to_string(pooling.kernel) +
                                                " is out of range, valid: odd, 1 or more");
    auto result = std::make_shared<trace::FullPass>(full);
    result->kernel = pooling.kernel;
    result->pooling = pooling.kind;
    result->tables = nullptr;
    result->notANumber = 0;
    const std::size_t columns = full.tspRanks ? full.tspRanks->cols() : 0;
    if (columns == 0) return result;

    std::vector<std::uint32_t> tspRanks(full.layers.size() * columns);
    std::vector<RankScratch> scratch(static_cast<std::size_t>(pool.threads()));
    std::vector<float> total(columns);
    for (std::size_t l = 0; l < full.layers.size(); ++l) {
        if (between) between();
        const trace::LayerPlanes& from = full.layers[l];
        if (!from.sums || !from.ranks)
            throw Error(ErrorCode::Unsupported, "this run has no window sums to score anew");
        const std::size_t groups = from.ranks->rows();
        LayerScores layer;
        layer.sums.resize(from.sums->heads() * columns);
        layer.saliency.resize(groups * columns);
        layer.ranks.resize(groups * columns);
        PoolParams p{};
        p.kernel = pooling.kernel;
        p.average = pooling.kind == trace::Pooling::Average;
        std::vector<std::int64_t> bad(groups);
        pool.parallelFor(groups, [&](std::size_t g, int worker) {
            const std::size_t heads = from.sums->heads() / groups;
            for (std::size_t h = g * heads; h < (g + 1) * heads; ++h)
                from.sums->row(h, std::span(layer.sums).subspan(h * columns, columns));
            bad[g] = scoreGroup(layer, g, groups, p, scratch[static_cast<std::size_t>(worker)]);
        });
        for (const std::int64_t n : bad)
            result->notANumber += n;
        sumRows(layer.saliency, static_cast<std::int64_t>(groups), total);
        rankDescending(total, std::span(tspRanks).subspan(l * columns, columns), scratch.front());
        trace::LayerPlanes& to = result->layers[l];
        to.ranks = Plane<std::uint32_t>::own(std::move(layer.ranks), groups, columns);
        to.levels = std::make_shared<const trace::RankLevels>(to.ranks);
        to.saliency = Plane<float>::own(std::move(layer.saliency), groups, columns);
    }
    result->tspRanks = Plane<std::uint32_t>::own(std::move(tspRanks), full.layers.size(), columns);
    return result;
}

void sumHeads(std::span<const float> windowSums, std::span<float> mass, ThreadPool& pool) {
    constexpr std::size_t kPiece = 8192;
    const std::size_t columns = mass.size();
    if (columns == 0) return;
    pool.parallelFor((columns + kPiece - 1) / kPiece, [&](std::size_t i, int) {
        const std::size_t begin = i * kPiece;
        const std::size_t count = std::min(kPiece, columns - begin);
        float* out = mass.data() + begin;
        std::fill_n(out, count, 0.0F);
        for (std::size_t at = begin; at < windowSums.size(); at += columns)
            for (std::size_t c = 0; c < count; ++c)
                out[c] += windowSums[at + c];
    });
}

} // namespace fkv::select
