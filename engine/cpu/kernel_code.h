// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set by the kernels_*.cpp, which say what a vector is:
// FKV_SET (a namespace), FKV_NAME, FKV_BYTES of a vector, and FKV_ROWS x FKV_VECTORS sums that fit
// its registers beside what is loaded. Vectors are the compiler's, so there is one source for all;
// a * b + c becomes one fused instruction where there is one.

#include "engine/cpu/kernels.h"

namespace fkv::cpu::FKV_SET {
namespace {

using Vec = float __attribute__((vector_size(FKV_BYTES)));
using Ints = std::int32_t __attribute__((vector_size(FKV_BYTES)));
using Bits = std::uint32_t __attribute__((vector_size(FKV_BYTES)));
constexpr std::int64_t kWidth = FKV_BYTES / 4;
static_assert(kLanes % kWidth == 0);

#define FKV_INLINE [[gnu::always_inline]] inline

FKV_INLINE void load(Vec& v, const float* from) { __builtin_memcpy(&v, from, sizeof v); }
FKV_INLINE void store(float* to, const Vec& v) { __builtin_memcpy(to, &v, sizeof v); }
FKV_INLINE void raise(Vec& v, const Vec& other) { v = v > other ? v : other; }

/// R rows of a against V vectors of b: the sums stay in registers for the whole depth.
template <int R, int V>
FKV_INLINE void tile(const Product& p, std::int64_t row, std::int64_t lane) {
    Vec sums[R][V];
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) {
            if (p.accumulate)
                load(sums[r][v], p.out + (row + r) * p.outStep + lane + v * kWidth);
            else
                sums[r][v] = Vec{};
        }
    const float* a = p.a + row * p.aRowStep;
    const float* b = p.b + lane;
    for (std::int64_t t = 0; t < p.depth; ++t, a += p.aDepthStep, b += p.bStep) {
        Vec column[V];
        for (int v = 0; v < V; ++v) load(column[v], b + v * kWidth);
        for (int r = 0; r < R; ++r) {
            const Vec factor = a[r * p.aRowStep] - Vec{};
            for (int v = 0; v < V; ++v) sums[r][v] += factor * column[v];
        }
    }
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v)
            store(p.out + (row + r) * p.outStep + lane + v * kWidth, sums[r][v]);
}

template <int R, int V>
FKV_INLINE void columnOfTiles(const Product& p, std::int64_t lane) {
    std::int64_t row = 0;
    for (; row + R <= p.rows; row += R) tile<R, V>(p, row, lane);
    for (; row < p.rows; ++row) tile<1, V>(p, row, lane);
}

template <int R, int V>
FKV_INLINE void multiplyBy(const Product& p) {
    std::int64_t lane = 0;
    for (; lane + V * kWidth <= p.lanes; lane += V * kWidth) columnOfTiles<R, V>(p, lane);
    for (; lane < p.lanes; lane += kWidth) columnOfTiles<R, 1>(p, lane);
}

void multiply(const Product& p) { multiplyBy<FKV_ROWS, FKV_VECTORS>(p); }

/// x = 2^x for x <= 0, to 2 ulp; below -125 it stays at 2^-125, which is nothing beside a sum >= 1.
/// Minimax polynomial for 2^f on [-1/2, 1/2], relative error 1e-7.
FKV_INLINE void exponentiate(Vec& x) {
    constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    const Vec lowest = -125.0F - Vec{};
    x = lowest > x ? lowest : x;
    const Vec shifted = x + kRound;
    const Vec f = x - (shifted - kRound);
    Vec power = 1.3264726682e-3F - Vec{};
    power = power * f + 9.6715126765e-3F;
    power = power * f + 5.5507337450e-2F;
    power = power * f + 2.4022242085e-1F;
    power = power * f + 6.9314697760e-1F;
    power = power * f + 1.0F;
    // The integer part goes straight into the exponent. Unsigned, as lanes of no query hold anything.
    const Bits bits = reinterpret_cast<Bits>(power) +
                      (reinterpret_cast<Bits>(shifted) << 23);
    x = reinterpret_cast<Vec>(bits);
}

/// Logits [count, lanes] of one vector of lanes become weights; sums and total fade to the new
/// highest logit. Returns by how much in `fade`.
template <bool kMasked>
FKV_INLINE void soften(const AttendBlock& p, std::int64_t lane, Vec& fade) {
    Vec before, total;
    load(before, p.highest + lane);
    load(total, p.total + lane);
    Ints seen{};
    if (kMasked) __builtin_memcpy(&seen, p.seen + lane, sizeof seen);
    Vec high = before;
    for (std::int64_t k = 0; k < p.count; ++k) {
        Vec score;
        load(score, p.scores + k * p.lanes + lane);
        if (kMasked) score = static_cast<std::int32_t>(k) < seen ? score : kNothingSeen - Vec{};
        raise(high, score);
    }
    fade = before - high;
    exponentiate(fade);
    total *= fade;
    for (std::int64_t k = 0; k < p.count; ++k) {
        Vec weight;
        load(weight, p.scores + k * p.lanes + lane);
        weight -= high;
        exponentiate(weight);
        if (kMasked) weight = static_cast<std::int32_t>(k) < seen ? weight : Vec{};
        total += weight;
        store(p.scores + k * p.lanes + lane, weight);
    }
    store(p.highest + lane, high);
    store(p.total + lane, total);
}

void attend(const AttendBlock& p) {
    multiply({p.keys, p.headDim, 1, p.queries, p.lanes, p.scores, p.lanes, p.count, p.lanes,
              p.headDim, false});
    for (std::int64_t lane = 0; lane < p.lanes; lane += kWidth) {
        Vec fade;
        if (p.seen == nullptr)
            soften<false>(p, lane, fade);
        else
            soften<true>(p, lane, fade);
        for (std::int64_t c = 0; c < p.headDim; ++c) {
            Vec sum;
            load(sum, p.sums + c * p.lanes + lane);
            sum *= fade;
            store(p.sums + c * p.lanes + lane, sum);
        }
    }
    multiplyBy<FKV_VALUE_ROWS, FKV_VECTORS>({p.values, 1, p.headDim, p.scores, p.lanes, p.sums,
                                             p.lanes, p.headDim, p.lanes, p.count, true});
}

FKV_INLINE float sumOf(const Vec& v) {
    float sum = v[0];
    for (std::int64_t l = 1; l < kWidth; ++l) sum += v[l];
    return sum;
}

/// R dot products at a time, so that x is loaded once for all of them.
template <int R>
FKV_INLINE void dots(const Product& p, std::int64_t row) {
    Vec sums[R] = {};
    const float* a = p.a + row * p.aRowStep;
    std::int64_t t = 0;
    for (; t + kWidth <= p.depth; t += kWidth) {
        Vec x, y;
        load(x, p.b + t);
        for (int r = 0; r < R; ++r) {
            load(y, a + r * p.aRowStep + t);
            sums[r] += x * y;
        }
    }
    for (int r = 0; r < R; ++r) {
        float sum = sumOf(sums[r]);
        for (std::int64_t rest = t; rest < p.depth; ++rest)
            sum += p.b[rest] * a[r * p.aRowStep + rest];
        p.out[row + r] = p.accumulate ? p.out[row + r] + sum : sum;
    }
}

void dotRows(const Product& p) {
    std::int64_t row = 0;
    for (; row + 4 <= p.rows; row += 4) dots<4>(p, row);
    for (; row < p.rows; ++row) dots<1>(p, row);
}

void transpose(const Product& p) {
    for (std::int64_t t = 0; t < p.depth; ++t) {
        float* out = p.out + t * p.outStep;
        for (std::int64_t r = 0; r < p.rows; ++r) out[r] = p.a[r * p.aRowStep + t];
        for (std::int64_t r = p.rows; r < p.outStep; ++r) out[r] = 0.0F;
    }
}

}  // namespace

extern const Kernels kKernels;
const Kernels kKernels{FKV_NAME, multiply, attend, dotRows, transpose};

}  // namespace fkv::cpu::FKV_SET
