// SPDX-License-Identifier: Apache-2.0
#include "engine/select/stabilization.h"

#include "engine/core/error.h"
#include "engine/select/head_mass.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace fkv::select {

namespace {

constexpr std::size_t kMostKs = 64;
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();

/// One table in the making. Every token has, in every layer, a bucket: the first K that includes it.
/// Cumulative sums over buckets are then the values at every K, and one walk serves all K.
struct Walk {
    std::vector<std::int64_t> k;
    std::size_t tokens = 0;             ///< columns [0, tokens) take part
    std::vector<std::uint8_t> buckets;  ///< [L, tokens], k.size() where no K includes the token
    trace::StabilizationTable table;

    std::size_t bucketCount() const { return k.size() + 1; }
    std::span<const std::uint8_t> row(std::size_t layer) const {
        return std::span(buckets).subspan(layer * tokens, tokens);
    }
};

/// Buckets of one row of ranks. Columns from `out.size()` on do not take part: the others move up.
void bucketsOf(std::span<const std::uint32_t> ranks, const std::vector<std::int64_t>& k,
               std::span<std::uint8_t> out) {
    std::vector<std::uint8_t> leftOut(ranks.size(), 0);
    for (std::size_t i = out.size(); i < ranks.size(); ++i) leftOut[ranks[i]] = 1;
    std::vector<std::uint8_t> bucketOfRank(ranks.size());
    std::int64_t place = 0;
    std::size_t bucket = 0;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
        while (bucket < k.size() && place >= k[bucket]) ++bucket;
        bucketOfRank[r] = static_cast<std::uint8_t>(bucket);
        place += leftOut[r] != 0 ? 0 : 1;
    }
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = bucketOfRank[ranks[i]];
}

Walk makeWalk(const trace::FullPass& full, std::vector<std::int64_t> k, std::size_t tokens,
              ThreadPool& pool) {
    Walk walk;
    const std::size_t layers = full.tspRanks->rows();
    walk.k = std::move(k);
    walk.tokens = tokens;
    walk.buckets.resize(layers * tokens);
    pool.parallelFor(layers, [&](std::size_t l, int) {
        bucketsOf(full.tspRanks->row(l), walk.k,
                  std::span(walk.buckets).subspan(l * tokens, tokens));
    });
    walk.table.k = walk.k;
    walk.table.layers = static_cast<int>(layers);
    walk.table.overlap.assign(walk.k.size() * layers * layers, 0.0F);
    walk.table.recall.assign(walk.k.size() * layers * layers, 0.0F);
    walk.table.worstRecall.assign(walk.k.size() * layers, 1.0F);
    return walk;
}

/// A token is in both sets from the later of its two buckets on.
void fillOverlap(Walk& walk, std::size_t l, std::size_t m) {
    // Several counts side by side: neighbours often share a bucket, and adding to the same memory
    // twice in a row waits.
    std::array<std::array<std::uint32_t, kMostKs + 1>, 4> counts{};
    const auto a = walk.row(l);
    const auto b = walk.row(m);
    for (std::size_t i = 0; i < a.size(); ++i) ++counts[i % 4][std::max(a[i], b[i])];
    std::uint64_t both = 0;
    const auto layers = static_cast<std::size_t>(walk.table.layers);
    for (std::size_t ki = 0; ki < walk.k.size(); ++ki) {
        for (const auto& count : counts) both += count[ki];
        const auto share =
            static_cast<float>(static_cast<double>(both) / static_cast<double>(walk.k[ki]));
        walk.table.overlap[(ki * layers + l) * layers + m] = share;
        walk.table.overlap[(ki * layers + m) * layers + l] = share;
    }
}

float shareOf(double part, double total) {
    // Rounding of partial sums must not show as more than everything.
    return total > 0.0 ? static_cast<float>(std::min(part / total, 1.0)) : 1.0F;
}

/// What of layer m's mass falls on the sets of layer l < m. Writes recall of (l, m) and the least
/// over heads for every K.
void fillRecall(Walk& walk, const HeadMass& mass, std::size_t l, std::size_t m,
                std::span<float> worst) {
    std::vector<double> sums;
    mass.sumByBucket(walk.row(l), walk.bucketCount(), sums);
    const std::size_t lanes = mass.laneCount();
    for (std::size_t i = lanes; i < sums.size(); ++i) sums[i] += sums[i - lanes];
    const auto layers = static_cast<std::size_t>(walk.table.layers);
    const auto last = std::span<const double>(sums).last(lanes).first(mass.heads());
    const double total = std::accumulate(last.begin(), last.end(), 0.0);
    for (std::size_t ki = 0; ki < walk.k.size(); ++ki) {
        const auto heads = std::span<const double>(sums).subspan(ki * lanes, mass.heads());
        float& recall = walk.table.recall[(ki * layers + l) * layers + m];
        recall = mass.heads() == 0
                     ? kUnknown
                     : shareOf(std::accumulate(heads.begin(), heads.end(), 0.0), total);
        worst[ki] = mass.perHead() ? 1.0F : kUnknown;
        for (std::size_t g = 0; g < heads.size() && mass.perHead(); ++g)
            worst[ki] = std::min(worst[ki], shareOf(heads[g], last[g]));
    }
}

/// Recall of every earlier layer for layer m, whose mass is loaded.
void fillRecalls(Walk& walk, const HeadMass& mass, std::size_t m, ThreadPool& pool) {
    std::vector<float> worst(m * walk.k.size());
    pool.parallelFor(m, [&](std::size_t l, int) {
        fillRecall(walk, mass, l, m, std::span(worst).subspan(l * walk.k.size(), walk.k.size()));
    });
    const auto layers = static_cast<std::size_t>(walk.table.layers);
    for (std::size_t l = 0; l < m; ++l)
        for (std::size_t ki = 0; ki < walk.k.size(); ++ki) {
            float& least = walk.table.worstRecall[ki * layers + l];
            const float here = worst[l * walk.k.size() + ki];
            if (std::isnan(here) || here < least) least = here;
        }
}

void fillOverlaps(Walk& walk, std::size_t m, ThreadPool& pool) {
    pool.parallelFor(m + 1, [&](std::size_t l, int) { fillOverlap(walk, l, m); });
}

void fillHeads(trace::HeadMassTable& table, const trace::FullPass& full, const HeadMass& mass,
               std::size_t layer, ThreadPool& pool) {
    const auto heads = static_cast<std::size_t>(table.kvHeads);
    const auto layers = static_cast<std::size_t>(table.layers);
    pool.parallelFor(heads, [&](std::size_t g, int) {
        std::vector<std::uint8_t> buckets(mass.tokens());
        bucketsOf(full.layers[layer].ranks->row(g), table.k, buckets);
        std::vector<double> sums(table.k.size() + 1);
        mass.sumHeadByBucket(g, buckets, sums);
        std::partial_sum(sums.begin(), sums.end(), sums.begin());
        for (std::size_t ki = 0; ki < table.k.size(); ++ki)
            table.mass[(ki * layers + layer) * heads + g] = shareOf(sums[ki], sums.back());
    });
}

void requireRanks(const trace::FullPass& full) {
    if (!full.tspRanks || full.tspRanks->rows() != full.layers.size())
        throw Error(ErrorCode::Internal, "the run has no ranks of every layer");
}

bool everyHeadKnown(const trace::FullPass& full) {
    return !full.layers.empty() &&
           std::all_of(full.layers.begin(), full.layers.end(), [&](const trace::LayerPlanes& p) {
               return p.ranks && p.sums && p.ranks->cols() == full.tspRanks->cols() &&
                      p.sums->tokens() == p.ranks->cols() && p.ranks->rows() > 0 &&
                      p.ranks->rows() == full.layers.front().ranks->rows() &&
                      p.sums->heads() % p.ranks->rows() == 0;
           });
}

}  // namespace

std::vector<std::int64_t> tableKs(std::int64_t scored) {
    std::vector<std::int64_t> k;
    const std::int64_t count = std::min<std::int64_t>(scored, kMostKs);
    for (std::int64_t i = 0; i < count; ++i) {
        const double exponent =
            count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.0;
        const auto ideal = static_cast<std::int64_t>(
            std::llround(std::pow(static_cast<double>(scored), exponent)));
        // The first ones would repeat themselves: whole numbers are denser than logarithms there.
        k.push_back(std::max(ideal, k.empty() ? 1 : k.back() + 1));
    }
    return k;
}

std::shared_ptr<const trace::Tables> computeTables(const trace::FullPass& full, ThreadPool& pool,
                                                   const std::stop_token& stop,
                                                   const std::function<void()>& between) {
    requireRanks(full);
    auto tables = std::make_shared<trace::Tables>();
    const auto scored = static_cast<std::int64_t>(full.tspRanks->cols());
    if (scored == 0 || full.layers.empty()) return tables;
    const auto pause = [&] {
        throwIfStopped(stop);
        if (between) between();
    };
    std::vector<Walk> walks;
    walks.push_back(makeWalk(full, tableKs(scored), static_cast<std::size_t>(scored), pool));
    if (scored > kEndTokens)
        walks.push_back(makeWalk(full, tableKs(scored - kEndTokens),
                                 static_cast<std::size_t>(scored - kEndTokens), pool));
    if (everyHeadKnown(full)) {
        tables->heads.k = walks.front().k;
        tables->heads.layers = static_cast<int>(full.layers.size());
        tables->heads.kvHeads = static_cast<int>(full.layers.front().ranks->rows());
        tables->heads.mass.resize(tables->heads.k.size() * full.layers.size() *
                                  full.layers.front().ranks->rows());
    }
    HeadMass mass;
    for (std::size_t m = 0; m < full.layers.size(); ++m) {
        pause();
        mass.load(full, m, pool);
        if (tables->heads.kvHeads > 0) fillHeads(tables->heads, full, mass, m, pool);
        for (Walk& walk : walks) {
            pause();
            fillOverlaps(walk, m, pool);
            pause();
            fillRecalls(walk, mass, m, pool);
        }
    }
    tables->all = std::move(walks.front().table);
    if (walks.size() > 1) tables->withoutEnd = std::move(walks.back().table);
    return tables;
}

trace::StabilizationTable exactAt(const trace::FullPass& full, std::int64_t k, bool withoutEnd,
                                  ThreadPool& pool, const std::stop_token& stop) {
    requireRanks(full);
    const std::int64_t scored = static_cast<std::int64_t>(full.tspRanks->cols()) -
                                (withoutEnd ? kEndTokens : 0);
    if (scored <= 0 || full.layers.empty()) return {};
    Walk walk = makeWalk(full, {std::clamp<std::int64_t>(k, 1, scored)},
                         static_cast<std::size_t>(scored), pool);
    HeadMass mass;
    for (std::size_t m = 0; m < full.layers.size(); ++m) {
        throwIfStopped(stop);
        if (m > 0) mass.load(full, m, pool);
        fillOverlaps(walk, m, pool);
        fillRecalls(walk, mass, m, pool);
    }
    return std::move(walk.table);
}

}  // namespace fkv::select
