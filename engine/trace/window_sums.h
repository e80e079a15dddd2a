// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/plane.h"

#include <cstdint>
#include <span>

namespace fkv::trace {

/// Unpooled window sums [H, S-w] of one layer (SPEC section 1, step 3). f32 in memory; a trace file
/// holds them as f16 with one scale a row, so what is rescored from a file is a preview.
class WindowSums {
public:
    explicit WindowSums(PlanePtr<float> exact) : m_exact(std::move(exact)) {}
    /// value = half * scale of its row. `scales` is [H, 1].
    WindowSums(PlanePtr<std::uint16_t> half, PlanePtr<float> scales)
        : m_half(std::move(half)), m_scales(std::move(scales)) {}

    bool exact() const { return m_exact != nullptr; }
    std::size_t heads() const { return m_exact ? m_exact->rows() : m_half->rows(); }
    std::size_t tokens() const { return m_exact ? m_exact->cols() : m_half->cols(); }
    std::size_t bytes() const { return m_exact ? m_exact->bytes() : m_half->bytes(); }
    /// Writes row `head` to `out`, which has tokens() values.
    void row(std::size_t head, std::span<float> out) const { read(head, 0, out); }
    /// Writes columns [begin, begin + out.size()) of row `head` to `out`.
    void read(std::size_t head, std::size_t begin, std::span<float> out) const;
    float at(std::size_t head, std::size_t token) const;
    /// What it holds when not exact, for writing a file again; else null.
    const PlanePtr<std::uint16_t>& half() const { return m_half; }
    const PlanePtr<float>& scales() const { return m_scales; }

private:
    PlanePtr<float> m_exact;
    PlanePtr<std::uint16_t> m_half;
    PlanePtr<float> m_scales;
};

float halfToFloat(std::uint16_t h);
std::uint16_t floatToHalf(float f);  ///< round to nearest even

}  // namespace fkv::trace
