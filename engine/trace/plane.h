// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace fkv::trace {

/// An immutable matrix [rows, cols], row-major. It either owns its values or looks into memory that
/// `owner` keeps alive (a mapped trace file). Shared between runs as std::shared_ptr<const Plane<T>>.
template <class T>
class Plane {
public:
    Plane() = default;

    /// Takes `values` (size rows * cols).
    static std::shared_ptr<const Plane> own(std::vector<T> values, std::size_t rows,
                                            std::size_t cols) {
        assert(values.size() == rows * cols);
        auto storage = std::make_shared<const std::vector<T>>(std::move(values));
        const T* data = storage->data();
        return view(std::move(storage), data, rows, cols);
    }

    /// Looks at rows * cols values at `data`, aligned for T, which live as long as `owner`.
    static std::shared_ptr<const Plane> view(std::shared_ptr<const void> owner, const T* data,
                                             std::size_t rows, std::size_t cols) {
        auto plane = std::make_shared<Plane>();
        plane->m_owner = std::move(owner);
        plane->m_data = data;
        plane->m_rows = rows;
        plane->m_cols = cols;
        return plane;
    }

    std::size_t rows() const { return m_rows; }
    std::size_t cols() const { return m_cols; }
    std::size_t bytes() const { return m_rows * m_cols * sizeof(T); }
    bool empty() const { return m_rows == 0 || m_cols == 0; }
    std::span<const T> row(std::size_t r) const {
        assert(r < m_rows);
        return {m_data + r * m_cols, m_cols};
    }
    std::span<const T> values() const { return {m_data, m_rows * m_cols}; }

private:
    std::shared_ptr<const void> m_owner;
    const T* m_data = nullptr;
    std::size_t m_rows = 0;
    std::size_t m_cols = 0;
};

template <class T>
using PlanePtr = std::shared_ptr<const Plane<T>>;

}  // namespace fkv::trace
