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

/// How numbers of a weight matrix lie in memory. Both halves widen to fp32 without rounding.
enum class Stored : std::uint8_t { F32, F16, BF16 };

/// out[r] = dot(row r of the weights, x) (+ out[r]), in one order of addition for every type:
/// halves give the bits of the same weights widened first.
struct RowDots {
    const void* weights; ///< [rows, depth], `rowStep` elements from row to row
    Stored type;
    std::int64_t rowStep;
    const float* x; ///< [depth]
    float* out;     ///< [rows]
    std::int64_t rows, depth;
    bool accumulate;
};

/// One block of keys for a block of queries, as online softmax takes them. Everything is transposed:
/// a lane is a query, so maxima and sums run along lanes and nothing is reduced across a vector.
struct AttendBlock {
    const float* queries;       ///< [headDim, lanes], multiplied by scale x log2(e)
    const float* keys;          ///< [count, headDim]
    const float* values;        ///< [count, headDim]
    /// [lanes]: a query sees keys k < seen of this block whose label is at least `lowest`. Without
    /// `lowest` the labels do not count; without `seen` it sees all keys, and `lowest` is null too.
    const std::int32_t* seen;
    const std::int32_t* lowest;
    const std::int32_t* labels; ///< [count]; null: 0, 1, 2, ...
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
    void (*dotRows)(const RowDots& p);
    /// out[t][r] = in[r][t] for rows <= outStep; the rest of a row of `out` is 0.
    void (*transpose)(const Product& p);
    void (*widen)(const void* from, Stored type, float* to, std::int64_t count);
};

/// The fastest that this processor runs.
const Kernels& bestKernels();
/// All that it runs, the fastest first; null past the last one.
const Kernels* kernelsThatRun(int index);

}  // namespace fkv::cpu
