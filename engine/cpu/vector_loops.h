// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fkv::cpu {

// Loops whose order of addition is fixed (16 lanes, then a tree), whatever the vector unit.

float maxOf(const float* x, std::int64_t n);                       ///< -inf when n = 0
float sumSquares(const float* x, std::int64_t n);
/// x = exp(x - shift); returns their sum. Below e^-87 the result is 0.
float expShifted(float* x, std::int64_t n, float shift);
void scale(float* x, std::int64_t n, float by);
/// out += x * by.
void addScaled(float* out, const float* x, std::int64_t n, float by);
/// out = x * by * weight.
void scaleBy(float* out, const float* x, const float* weight, std::int64_t n, float by);
/// out = silu(gate) * up.
void siluMultiply(float* out, const float* gate, const float* up, std::int64_t n);
/// (a, b) = (a cos - b sin, b cos + a sin).
void rotate(float* a, float* b, const float* cosine, const float* sine, std::int64_t n);

}  // namespace fkv::cpu
