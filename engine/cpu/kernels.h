// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Included by files that are compiled for one instruction set: nothing inline may live here or in
// what it includes, or the linker could pick the copy that not every processor can run.

namespace fkv::cpu {

/// Rows of packed matrices are padded to a multiple of this many floats: one 64-byte vector.
constexpr std::int64_t kLanes = 16;

/// out[r][lane] = sum over t of a(r, t) b[t][lane] (+ out). a is read one number at a time, so its
/// two steps are free: the same loop serves a matrix and its transpose. `lanes` is a multiple of
/// kLanes; out and b hold whole padded rows.
struct Product {
    const float* a;          ///< a(r, t) at r * aRowStep + t * aDepthStep
    std::int64_t aRowStep;
    std::int64_t aDepthStep;
    const float* b;          ///< [depth, bStep]
    std::int64_t bStep;
    float* out;              ///< [rows, outStep]
    std::int64_t outStep;
    std::int64_t rows, lanes, depth;
    bool accumulate;
};

/// One block of keys for a block of queries, as online softmax takes them. Everything is transposed:
/// a lane is a query, so maxima and sums run along lanes and nothing is reduced across a vector.
struct AttendBlock {
    const float* queries;       ///< [headDim, lanes], multiplied by scale x log2(e)
    const float* keys;          ///< [count, headDim]
    const float* values;        ///< [count, headDim]
    const std::int32_t* seen;   ///< [lanes] keys of this block that a query sees; null: all of them
    std::int64_t headDim, lanes, count;
    float* scores;              ///< scratch [count, lanes]
    float* sums;                ///< [headDim, lanes], relative to 2^highest
    float* highest;             ///< [lanes], kNothingSeen at first
    float* total;               ///< [lanes]
};
constexpr float kNothingSeen = -1e38F;

/// The loops that decide the speed, compiled once for each instruction set.
struct Kernels {
    const char* name;
    void (*multiply)(const Product& p);
    void (*attend)(const AttendBlock& p);
    /// out[r] = dot(a row r, x) (+ out[r]): a [rows, depth] with aRowStep; b and lanes are not used.
    void (*dotRows)(const Product& p);
    /// out[t][r] = in[r][t] for rows <= outStep; the rest of a row of `out` is 0.
    void (*transpose)(const Product& p);
};

/// The fastest that this processor runs.
const Kernels& bestKernels();

}  // namespace fkv::cpu
