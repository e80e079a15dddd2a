// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of CUDA ops share: the same random tensors on both backends, and how far bf16 may
// be from fp32.

#include "engine/cpu/cpu_backend.h"
#include "engine/cuda/make_cuda.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace fkv::testing {

using namespace fkv::ops;

using Floats = std::vector<float>;

inline std::uint16_t toBf16(float v) {
    const auto bits = std::bit_cast<std::uint32_t>(v);
    if (std::isnan(v)) return 0x7FC0;
    return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}
inline float fromBf16(std::uint16_t v) {
    return std::bit_cast<float>(std::uint32_t{v} << 16U);
}

/// One backend with tensors of its own types.
class Side {
public:
    explicit Side(Backend& backend) : m_backend(backend) {}
    Backend& backend() { return m_backend; }

    View put(const Floats& values, std::int64_t rows, std::int64_t cols, DType type) {
        const View v = memory(rows, cols, type);
        if (type == DType::BF16) {
            std::vector<std::uint16_t> raw(values.size());
            for (std::size_t i = 0; i < raw.size(); ++i)
                raw[i] = toBf16(values[i]);
            m_backend.upload(v, raw.data());
        } else {
            m_backend.upload(v, values.data());
        }
        return v;
    }
    /// Random values that bf16 holds exactly, in the backend's own type.
    View random(std::int64_t rows, std::int64_t cols, unsigned seed, float scale = 1.0F) {
        return put(noise(rows * cols, seed, scale), rows, cols, m_backend.info().weightType);
    }
    View poison(std::int64_t rows, std::int64_t cols, DType type) {
        return put(
            Floats(static_cast<std::size_t>(rows * cols), std::numeric_limits<float>::quiet_NaN()),
            rows, cols, type);
    }
    View poison(std::int64_t rows, std::int64_t cols) {
        return poison(rows, cols, m_backend.info().weightType);
    }
    View positions(const std::vector<std::int32_t>& values, std::int64_t rows, std::int64_t cols) {
        const View v = memory(rows, cols, DType::I32);
        m_backend.upload(v, values.data());
        return v;
    }
    View ids(const std::vector<std::uint32_t>& values, std::int64_t rows, std::int64_t cols) {
        const View v = memory(rows, cols, DType::U32);
        m_backend.upload(v, values.data());
        return v;
    }
    KvView cache(std::int64_t heads, std::int64_t capacity, std::int64_t d, std::int64_t length,
                 unsigned seed) {
        const auto filled = [&](unsigned s) {
            Floats v = noise(heads * capacity * d, s, 1.0F);
            for (std::int64_t i = 0; i < heads * capacity * d; ++i)
                if (i / d % capacity >= length)
                    v[static_cast<std::size_t>(i)] = std::numeric_limits<float>::quiet_NaN();
            return put(v, heads * capacity, d, m_backend.info().kvType);
        };
        return {filled(seed).data,
                filled(seed + 1).data,
                m_backend.info().kvType,
                heads,
                capacity,
                d,
                length};
    }
    Floats read(const View& v) {
        Floats out(static_cast<std::size_t>(v.elements()));
        if (v.dtype == DType::BF16) {
            std::vector<std::uint16_t> raw(out.size());
            m_backend.readback(raw.data(), v);
            m_backend.synchronize();
            for (std::size_t i = 0; i < out.size(); ++i)
                out[i] = fromBf16(raw[i]);
        } else {
            m_backend.readback(out.data(), v);
            m_backend.synchronize();
        }
        return out;
    }
    std::vector<std::uint32_t> readIds(const View& v) {
        std::vector<std::uint32_t> out(static_cast<std::size_t>(v.elements()));
        m_backend.readback(out.data(), v);
        m_backend.synchronize();
        return out;
    }
    /// All of a cache's keys or values as one matrix.
    View matrix(void* data, const KvView& kv) const {
        return {data, kv.dtype, kv.kvHeads * kv.capacity, kv.headDim, kv.headDim};
    }
    static Floats noise(std::int64_t n, unsigned seed, float scale) {
        std::mt19937 engine(seed);
        std::normal_distribution<float> normal;
        Floats out(static_cast<std::size_t>(n));
        for (float& v : out)
            v = fromBf16(toBf16(normal(engine) * scale));
        return out;
    }

private:
    View memory(std::int64_t rows, std::int64_t cols, DType type) {
        const auto bytes = static_cast<std::size_t>(rows * cols) * sizeOf(type);
        m_buffers.push_back(m_backend.allocate(std::max<std::size_t>(bytes, 1), Lifetime::Session));
        return {m_buffers.back()->data(), type, rows, cols, cols};
    }
    Backend& m_backend;
    std::vector<BufferPtr> m_buffers;
};

/// NaN in the same places, and a small distance relative to the whole.
inline void near(const Floats& got, const Floats& want, double tolerance) {
    ASSERT_EQ(got.size(), want.size());
    double error = 0.0, norm = 0.0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(std::isnan(got[i]), std::isnan(want[i])) << i;
        if (std::isnan(want[i])) continue;
        error += std::pow(double(got[i]) - double(want[i]), 2);
        norm += std::pow(double(want[i]), 2);
    }
    EXPECT_LE(std::sqrt(error), tolerance * std::sqrt(norm) + 1e-12);
}

inline constexpr double kRounding = 6e-3; ///< bf16 results of fp32 sums
inline constexpr double kScores = 2e-5;   ///< fp32 results

class CudaOps : public ::testing::Test {
protected:
    void SetUp() override {
        if (!cuda::anyDevice()) GTEST_SKIP() << "no CUDA device on this machine";
        cpu = makeCpuBackend(0);
        gpu = cuda::makeCudaBackend(0, 0);
        for (Backend* b : {cpu.get(), gpu.get()})
            b->reserve({2048, 8192, 32, 8, 128, 512, 1024, 2048});
    }
    /// `op` runs on both sides and returns what it computed.
    template <class Op>
    void both(const Op& op, double tolerance) {
        Side a(*gpu), b(*cpu);
        near(op(a), op(b), tolerance);
    }
    std::unique_ptr<Backend> cpu, gpu;
};

} // namespace fkv::testing
