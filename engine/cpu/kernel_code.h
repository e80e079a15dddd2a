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

// Numbers as a checkpoint stores them. A brain float is the upper half of a float.
struct Half {
    std::uint16_t bits;
};
struct BrainFloat {
    std::uint16_t bits;
};
using HalfBits = std::uint16_t __attribute__((vector_size(FKV_BYTES / 2)));

/// The exponent moves from bias 15 to 127; numbers below 2^-14 are multiples of 2^-24, and the
/// highest exponent stays that of infinity.
FKV_INLINE float widened(Half h) {
    const std::uint32_t size = h.bits & 0x7FFFU;
    std::uint32_t bits = (size << 13U) + (size < 0x7C00U ? 0x38000000U : 0x70000000U);
    const float small = static_cast<float>(size) * 0x1p-24F;
    if (size < 0x400U) __builtin_memcpy(&bits, &small, sizeof bits);
    bits |= (h.bits & 0x8000U) << 16U;
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
FKV_INLINE float widened(BrainFloat b) {
    const std::uint32_t bits = static_cast<std::uint32_t>(b.bits) << 16U;
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}
FKV_INLINE float widened(float f) {
    return f;
}

FKV_INLINE void load(Vec& v, const Half* from) {
    HalfBits raw;
    __builtin_memcpy(&raw, from, sizeof raw);
    const Bits h = __builtin_convertvector(raw, Bits);
    const Bits size = h & 0x7FFFU;
    const Bits bits = (size << 13) + (size < 0x7C00U ? 0x38000000U - Bits{} : 0x70000000U - Bits{});
    const Vec small = __builtin_convertvector(reinterpret_cast<Ints>(size), Vec) * 0x1p-24F;
    const Bits chosen = size < 0x400U ? reinterpret_cast<Bits>(small) : bits;
    v = reinterpret_cast<Vec>(chosen | ((h & 0x8000U) << 16));
}
FKV_INLINE void load(Vec& v, const BrainFloat* from) {
    HalfBits raw;
    __builtin_memcpy(&raw, from, sizeof raw);
    v = reinterpret_cast<Vec>(__builtin_convertvector(raw, Bits) << 16);
}

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

/// What hides keys from queries: nothing, the end of what is visible, or also its beginning.
enum class Mask { None, End, Both };

/// Logits [count, lanes] of one vector of lanes become weights; sums and total fade to the new
/// highest logit. Returns by how much in `fade`.
template <Mask kMask>
FKV_INLINE void soften(const AttendBlock& p, std::int64_t lane, Vec& fade) {
    constexpr bool kMasked = kMask != Mask::None;
    Vec before, total;
    load(before, p.highest + lane);
    load(total, p.total + lane);
    Ints seen{}, lowest{};
    if (kMasked) __builtin_memcpy(&seen, p.seen + lane, sizeof seen);
    if (kMask == Mask::Both) __builtin_memcpy(&lowest, p.lowest + lane, sizeof lowest);
    const auto hide = [&](std::int64_t k, Vec& v, const Vec& hidden) {
        const auto key = static_cast<std::int32_t>(k);
        if (kMask == Mask::End) v = key < seen ? v : hidden;
        if (kMask == Mask::Both) {
            const std::int32_t label = p.labels == nullptr ? key : p.labels[k];
            v = ((key < seen) & (label >= lowest)) ? v : hidden;
        }
    };
    Vec high = before;
    for (std::int64_t k = 0; k < p.count; ++k) {
        Vec score;
        load(score, p.scores + k * p.lanes + lane);
        hide(k, score, kNothingSeen - Vec{});
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
        hide(k, weight, Vec{});
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
            soften<Mask::None>(p, lane, fade);
        else if (p.lowest == nullptr)
            soften<Mask::End>(p, lane, fade);
        else
            soften<Mask::Both>(p, lane, fade);
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

/// The last `count` < kWidth numbers of a row, and zeros: summed as vectors like those before them, so
/// that the bits do not depend on what the compiler makes of a loop over the rest.
template <class T>
FKV_INLINE Vec front(const T* from, std::int64_t count) {
    Vec v{};
    for (std::int64_t l = 0; l < count; ++l) v[l] = widened(from[l]);
    return v;
}

/// R dot products at a time, so that x is loaded once for all of them.
template <int R, class T>
FKV_INLINE void dots(const RowDots& p, std::int64_t row) {
    Vec sums[R] = {};
    const T* a = static_cast<const T*>(p.weights) + row * p.rowStep;
    std::int64_t t = 0;
    for (; t + kWidth <= p.depth; t += kWidth) {
        Vec x, y;
        load(x, p.x + t);
        for (int r = 0; r < R; ++r) {
            load(y, a + r * p.rowStep + t);
            sums[r] += x * y;
        }
    }
    if (const std::int64_t rest = p.depth - t; rest > 0) {
        const Vec x = front(p.x + t, rest);
        for (int r = 0; r < R; ++r) sums[r] += x * front(a + r * p.rowStep + t, rest);
    }
    for (int r = 0; r < R; ++r) {
        const float sum = sumOf(sums[r]);
        p.out[row + r] = p.accumulate ? p.out[row + r] + sum : sum;
    }
}

template <class T>
FKV_INLINE void dotRowsOf(const RowDots& p) {
    std::int64_t row = 0;
    for (; row + 4 <= p.rows; row += 4)
        dots<4, T>(p, row);
    for (; row < p.rows; ++row)
        dots<1, T>(p, row);
}

void dotRows(const RowDots& p) {
    switch (p.type) {
    case Stored::F32:
        return dotRowsOf<float>(p);
    case Stored::F16:
        return dotRowsOf<Half>(p);
    case Stored::BF16:
        return dotRowsOf<BrainFloat>(p);
    }
}

template <class T>
FKV_INLINE void widenFrom(const T* from, float* to, std::int64_t count) {
    std::int64_t i = 0;
    for (; i + kWidth <= count; i += kWidth) {
        Vec v;
        load(v, from + i);
        store(to + i, v);
    }
    for (; i < count; ++i)
        to[i] = widened(from[i]);
}

void widen(const void* from, Stored type, float* to, std::int64_t count) {
    switch (type) {
    case Stored::F32:
        return widenFrom(static_cast<const float*>(from), to, count);
    case Stored::F16:
        return widenFrom(static_cast<const Half*>(from), to, count);
    case Stored::BF16:
        return widenFrom(static_cast<const BrainFloat*>(from), to, count);
    }
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
const Kernels kKernels{FKV_NAME, multiply, attend, dotRows, transpose, widen};

}  // namespace fkv::cpu::FKV_SET
