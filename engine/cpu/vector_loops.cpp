// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/vector_loops.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

// Sanitizers instrument the resolver of a cloned function, which then runs before they are ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FKV_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FKV_CLONES
#endif

namespace fkv::cpu {
namespace {

constexpr std::int64_t kLanes = 16;
using Lanes = float __attribute__((vector_size(64)));

/// Cephes expf without branches, so that it vectorises; 2 ulp. NaN stays NaN.
[[gnu::always_inline]] inline float exponential(float x) {
    constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    constexpr float kLowest = -87.0F;
    float y = x < kLowest ? kLowest : x;
    y = y > 88.0F ? 88.0F : y;
    const float shifted = y * 1.44269504088896341F + kRound;
    const float k = shifted - kRound;
    const float r = (y - k * 0.693359375F) + k * 2.12194440e-4F;
    float poly = 1.9875691500e-4F;
    poly = poly * r + 1.3981999507e-3F;
    poly = poly * r + 8.3334519073e-3F;
    poly = poly * r + 4.1665795894e-2F;
    poly = poly * r + 1.6666665459e-1F;
    poly = poly * r + 5.0000001201e-1F;
    poly = poly * r * r + r + 1.0F;
    const std::uint32_t power =
        (std::bit_cast<std::uint32_t>(shifted) - 0x4B400000U + 127U) << 23U;
    const float result = poly * std::bit_cast<float>(power);
    return x < kLowest ? 0.0F : (x == x ? result : x);
}

}  // namespace

FKV_CLONES float maxOf(const float* x, std::int64_t n) {
    float best = -std::numeric_limits<float>::infinity();
    std::int64_t i = 0;
    if (n >= kLanes) {
        Lanes lanes;
        std::memcpy(&lanes, x, sizeof lanes);
        for (i = kLanes; i + kLanes <= n; i += kLanes) {
            Lanes next;
            std::memcpy(&next, x + i, sizeof next);
            lanes = next > lanes ? next : lanes;
        }
        for (std::int64_t l = 0; l < kLanes; ++l) best = lanes[l] > best ? lanes[l] : best;
    }
    for (; i < n; ++i) best = x[i] > best ? x[i] : best;
    return best;
}

FKV_CLONES float sumSquares(const float* x, std::int64_t n) {
    Lanes lanes = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        Lanes next;
        std::memcpy(&next, x + i, sizeof next);
        lanes += next * next;
    }
    for (std::int64_t l = 0; i < n; ++i, ++l) lanes[l] += x[i] * x[i];
    for (std::int64_t step = kLanes / 2; step > 0; step /= 2)
        for (std::int64_t l = 0; l < step; ++l) lanes[l] += lanes[l + step];
    return lanes[0];
}

FKV_CLONES float expShifted(float* x, std::int64_t n, float shift) {
    for (std::int64_t i = 0; i < n; ++i) x[i] = exponential(x[i] - shift);
    Lanes lanes = {};
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        Lanes next;
        std::memcpy(&next, x + i, sizeof next);
        lanes += next;
    }
    for (std::int64_t l = 0; i < n; ++i, ++l) lanes[l] += x[i];
    for (std::int64_t step = kLanes / 2; step > 0; step /= 2)
        for (std::int64_t l = 0; l < step; ++l) lanes[l] += lanes[l + step];
    return lanes[0];
}

FKV_CLONES void scale(float* x, std::int64_t n, float by) {
    for (std::int64_t i = 0; i < n; ++i) x[i] *= by;
}

FKV_CLONES void addScaled(float* out, const float* x, std::int64_t n, float by) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[i] * by;
}

FKV_CLONES void scaleBy(float* out, const float* x, const float* weight, std::int64_t n, float by) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * by * weight[i];
}

FKV_CLONES void siluMultiply(float* out, const float* gate, const float* up, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i)
        out[i] = gate[i] / (1.0F + exponential(-gate[i])) * up[i];
}

FKV_CLONES void rotate(float* a, float* b, const float* cosine, const float* sine, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
        const float x = a[i];
        const float y = b[i];
        a[i] = x * cosine[i] - y * sine[i];
        b[i] = y * cosine[i] + x * sine[i];
    }
}

}  // namespace fkv::cpu
