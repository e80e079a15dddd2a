// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/check.h"
#include "engine/cuda/cuda_backend.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace fkv::cuda {

namespace {

template <class From>
__global__ void convert(const From* from, __nv_bfloat16* to, std::int64_t count) {
    for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * blockDim.x)
        to[i] = __float2bfloat16(static_cast<float>(from[i]));
}

/// A hash of (seed, index) gives two uniforms, those one normal value: any element on its own.
__global__ void normal(__nv_bfloat16* to, std::int64_t count, std::uint64_t seed, float scale) {
    for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count;
         i += std::int64_t{gridDim.x} * blockDim.x) {
        std::uint64_t x =
            (static_cast<std::uint64_t>(i) + seed * 0x9e3779b97f4a7c15ULL) * 0xd1342543de82ef95ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        x ^= x >> 31;
        const float u = (static_cast<float>(x >> 40) + 0.5F) * 0x1.0p-24F;
        const float v = static_cast<float>(x & 0xffffffU) * 0x1.0p-24F;
        to[i] = __float2bfloat16(scale * sqrtf(-2.0F * logf(u)) * cospif(2.0F * v));
    }
}

} // namespace

void CudaBackend::fillRandom(const ops::View& to, std::uint64_t seed, float scale) {
    if (to.elements() == 0) return;
    normal<<<2048, 256, 0, m_stream>>>(to.as<__nv_bfloat16>(), to.elements(), seed, scale);
    check(cudaGetLastError(), "random weights");
}

void CudaBackend::uploadWeights(const ops::View& to, const void* from, DType fromType) {
    if (fromType != DType::F32 && fromType != DType::F16 && fromType != DType::BF16)
        throw Error(ErrorCode::Unsupported,
                    "weights of type " + std::string(name(fromType)) + " cannot be read");
    if (to.dtype != DType::BF16 || to.stride != to.cols)
        throw Error(ErrorCode::Internal, "uploadWeights: the GPU holds weights as contiguous BF16");
    if (to.elements() == 0) return;
    if (!m_staging) m_staging = std::make_unique<WeightStaging>(m_stream);
    const std::size_t element = sizeOf(fromType);
    const auto fetch = [&](const std::byte* pinned, std::size_t at, std::size_t bytes) {
        auto* out = to.as<__nv_bfloat16>() + at / element;
        const auto count = static_cast<std::int64_t>(bytes / element);
        // Memory is freed in the order of the stream, after the kernel that reads it.
        const ops::BufferPtr wide =
            fromType == DType::BF16 ? nullptr : allocate(bytes, ops::Lifetime::Scratch);
        void* there = wide ? wide->data() : out;
        check(cudaMemcpyAsync(there, pinned, bytes, cudaMemcpyHostToDevice, m_stream), "weights");
        if (fromType == DType::F32)
            convert<<<1024, 256, 0, m_stream>>>(static_cast<const float*>(there), out, count);
        else if (fromType == DType::F16)
            convert<<<1024, 256, 0, m_stream>>>(static_cast<const __half*>(there), out, count);
        check(cudaGetLastError(), "weights");
    };
    m_staging->send(from, static_cast<std::size_t>(to.elements()) * element, m_pool, fetch);
}

} // namespace fkv::cuda
