// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace fkv::trace {

/// Curves of SPEC section 7 at log-spaced K, computed once a run in one cumulative walk.
/// All arrays are row-major in the order of their subscripts. K counts scored tokens.
struct StabilizationTable {
    std::vector<std::int64_t> k;     ///< ascending, at most 64 values, first 1, last M
    int layers = 0;
    std::vector<float> overlap;      ///< [k, layer l, layer m], symmetric, 1 on the diagonal
    std::vector<float> recall;       ///< [k, deciding layer l, later layer m], 0 where m <= l
    /// [k, deciding layer l], least over later layers and KV heads; 1 where there is no later layer.
    std::vector<float> worstRecall;

    float overlapAt(std::size_t ki, int l, int m) const;
    float recallAt(std::size_t ki, int l, int m) const;
};

/// Cumulative attention mass of every KV head by its own rank: how much the best K tokens hold.
struct HeadMassTable {
    std::vector<std::int64_t> k;  ///< as above
    int layers = 0;
    int kvHeads = 0;
    std::vector<float> mass;      ///< [k, layer, kvHead] in [0, 1]
};

struct Tables {
    StabilizationTable all;         ///< every scored token
    StabilizationTable withoutEnd;  ///< without the last 64 scored tokens; empty when M <= 64
    HeadMassTable heads;
};

/// Position of K in a table: values between `lower` and `lower + 1` mix with `weight` in [0, 1],
/// linear in log K. K is clamped to the table.
struct TablePosition {
    std::size_t lower = 0;
    float weight = 0.0F;
};
TablePosition locate(const std::vector<std::int64_t>& ks, std::int64_t k);

/// One value a layer at one K, interpolated: what the curves of the stabilization view draw. NaN
/// where there is no later layer, and all empty for an empty table. Microseconds: made for sliders.
struct StabilizationCurves {
    float chance = 0.0F;                   ///< K / M, the overlap of two random sets
    std::vector<float> nextOverlap;        ///< [L] with the next layer
    std::vector<float> leastLaterOverlap;  ///< [L] minimum over later layers
    std::vector<float> meanLaterRecall;    ///< [L] mean over later layers
    std::vector<float> worstLaterRecall;   ///< [L] least over later layers and KV heads
};
/// `scored` is M of the table's curves (a table of one exact K does not know it).
StabilizationCurves curvesAt(const StabilizationTable& table, std::int64_t k, std::int64_t scored);

/// [L, L] at one K, interpolated; row = deciding layer l, column = layer m. Empty for an empty table.
std::vector<float> overlapMap(const StabilizationTable& table, std::int64_t k);
std::vector<float> recallMap(const StabilizationTable& table, std::int64_t k);

/// Share of a head's mass on its own best K tokens, interpolated; NaN when the table is empty.
float headMassAt(const HeadMassTable& table, std::int64_t k, int layer, int head);

}  // namespace fkv::trace
