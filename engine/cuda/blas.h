// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cublasLt.h>
#include <cuda_runtime.h>
#include <map>
#include <memory>
#include <tuple>

namespace fkv::cuda {

/// Products of bf16 matrices through cuBLASLt, fp32 accumulation. Algorithms come from the
/// library's heuristic, which depends on shapes alone and never on timing: two runs give the same
/// bits.
class Blas {
public:
    Blas();
    ~Blas();
    Blas(const Blas&) = delete;
    Blas& operator=(const Blas&) = delete;

    /// out [rows, cols] = x [rows, in] weight [cols, in]^T (+ bias [cols]) (+ out). Device memory,
    /// 16-byte aligned rows; strides in elements. `outF32`: out is F32 instead of bf16.
    struct Product {
        const void* x;
        std::int64_t xStride;
        const void* weight;
        std::int64_t weightStride;
        const void* bias; ///< null: none
        void* out;
        std::int64_t outStride;
        std::int64_t rows, in, cols;
        bool outF32;
        bool accumulate;
    };
    void multiply(const Product& p, cudaStream_t stream);

    static constexpr std::size_t kWorkspaceBytes = 64U << 20;

private:
    struct Plan;
    using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                           std::int64_t, bool, bool, bool>;
    const Plan& plan(const Product& p);

    cublasLtHandle_t m_handle = nullptr;
    void* m_workspace = nullptr;
    std::map<Key, std::unique_ptr<Plan>> m_plans;
};

} // namespace fkv::cuda
