// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/window_sums.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fkv::trace {

float halfToFloat(std::uint16_t h) {
    const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000U) << 16;
    const std::uint32_t exponent = (h >> 10) & 0x1FU;
    const std::uint32_t mantissa = h & 0x3FFU;
    if (exponent == 0x1FU) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
    if (exponent != 0) {
        return std::bit_cast<float>(sign | ((exponent + 112U) << 23) | (mantissa << 13));
    }
    const float subnormal = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -subnormal : subnormal;
}

std::uint16_t floatToHalf(float f) {
    const auto bits = std::bit_cast<std::uint32_t>(f);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
    const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude >= 0x7F800000U)
        return static_cast<std::uint16_t>(sign | (magnitude > 0x7F800000U ? 0x7E00U : 0x7C00U));
    if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
    if (magnitude < 0x38800000U) {
        const float scaled = std::bit_cast<float>(magnitude) * 0x1p24F;
        return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::lrint(scaled)));
    }
    const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
    return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
}

void WindowSums::read(std::size_t head, std::size_t begin, std::span<float> out) const {
    if (m_exact) {
        const auto source = m_exact->row(head).subspan(begin, out.size());
        std::copy(source.begin(), source.end(), out.begin());
        return;
    }
    const auto source = m_half->row(head).subspan(begin, out.size());
    const float scale = m_scales->row(head)[0];
    for (std::size_t i = 0; i < source.size(); ++i) out[i] = halfToFloat(source[i]) * scale;
}

float WindowSums::at(std::size_t head, std::size_t token) const {
    if (m_exact) return m_exact->row(head)[token];
    return halfToFloat(m_half->row(head)[token]) * m_scales->row(head)[0];
}

}  // namespace fkv::trace
