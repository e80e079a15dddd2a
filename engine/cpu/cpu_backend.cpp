// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"

#include "engine/core/error.h"
#include "engine/core/host_memory.h"
#include "engine/cpu/pieces.h"
#include "engine/ops/planning_backend.h"
#include "engine/ops/validate.h"
#include "engine/trace/window_sums.h"

#include <algorithm>
#include <bit>
#include <cblas.h>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <random>
#include <string>

namespace fkv {
namespace {

constexpr std::size_t kAlignment = 64;

class HostBuffer final : public ops::Buffer {
public:
    explicit HostBuffer(std::size_t bytes) : m_bytes(bytes) {
        const std::size_t rounded = bytes / kAlignment * kAlignment + kAlignment;
        m_data = rounded > bytes ? std::aligned_alloc(kAlignment, rounded) : nullptr;
        if (m_data == nullptr)
            throw Error(ErrorCode::OutOfMemory,
                        "not enough memory for " + std::to_string(bytes >> 20U) + " MiB",
                        "a shorter context needs less");
    }
    ~HostBuffer() override { std::free(m_data); }
    HostBuffer(const HostBuffer&) = delete;
    HostBuffer& operator=(const HostBuffer&) = delete;
    void* data() const override { return m_data; }
    std::size_t bytes() const override { return m_bytes; }

private:
    void* m_data;
    std::size_t m_bytes;
};

std::string processorModel() {
    std::ifstream info("/proc/cpuinfo");
    std::string line;
    while (std::getline(info, line)) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos)
            return line.substr(colon + 2);
    }
    return "unknown";
}

float floatFrom(const std::byte* from, DType type) {
    if (type == DType::F32) {
        float value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
    std::uint16_t half;
    std::memcpy(&half, from, sizeof half);
    if (type == DType::F16) return trace::halfToFloat(half);
    return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16U);
}

/// Brain floats are cut off: random numbers need no rounding.
void putRandom(std::byte* to, DType type, float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto upper = static_cast<std::uint16_t>(bits >> 16U);
    if (type == DType::BF16)
        std::memcpy(to, &upper, sizeof upper);
    else
        std::memcpy(to, &bits, sizeof bits);
}

std::byte* bytesOf(const ops::View& v, std::int64_t row) {
    return static_cast<std::byte*>(v.data) +
           static_cast<std::size_t>(row * v.stride) * sizeOf(v.dtype);
}

std::size_t rowBytes(const ops::View& v) {
    return static_cast<std::size_t>(v.cols) * sizeOf(v.dtype);
}

template <class T>
void grow(std::vector<T>& memory, std::int64_t count) {
    if (static_cast<std::int64_t>(memory.size()) < count)
        memory.resize(static_cast<std::size_t>(count));
}

} // namespace

CpuBackend::CpuBackend(int threads) : m_pool(threads) {
    // The pool cuts the work; threads of BLAS would fight it for processors.
    openblas_set_num_threads(1);
    m_info = ops::cpuTraits();
    m_info.cpu = processorModel();
    m_info.blas = std::string("OpenBLAS ") + openblas_get_corename();
    m_info.threads = m_pool.threads();
    m_info.memoryBytes = static_cast<std::size_t>(hostMemory().totalBytes);
    m_workers.resize(static_cast<std::size_t>(m_pool.threads()));
}

ops::BufferPtr CpuBackend::allocate(std::size_t bytes, ops::Lifetime) {
    return std::make_shared<HostBuffer>(bytes);
}

std::int64_t CpuBackend::availableBytes() {
    return std::max<std::int64_t>(1, hostMemory().availableBytes); // 0 would be: not known
}

void CpuBackend::upload(const ops::View& to, const void* from) {
    const auto* source = static_cast<const std::byte*>(from);
    if (to.elements() == 0) return;
    for (std::int64_t r = 0; r < to.rows; ++r, source += rowBytes(to))
        std::memcpy(bytesOf(to, r), source, rowBytes(to));
}

void CpuBackend::uploadWeights(const ops::View& to, const void* from, DType fromType) {
    if (fromType != DType::F32 && fromType != DType::F16 && fromType != DType::BF16)
        throw Error(ErrorCode::Unsupported,
                    "weights of type " + std::string(name(fromType)) + " cannot be read");
    if (to.dtype != DType::F32 && to.dtype != fromType)
        throw Error(ErrorCode::Internal, "uploadWeights: the CPU widens to F32 or changes nothing");
    const auto* source = static_cast<const std::byte*>(from);
    const std::size_t step = sizeOf(fromType);
    m_pool.parallelFor(static_cast<std::size_t>(to.rows), [&](std::size_t r, int) {
        const std::byte* in = source + r * static_cast<std::size_t>(to.cols) * step;
        if (to.dtype == fromType) {
            std::memcpy(bytesOf(to, static_cast<std::int64_t>(r)), in, rowBytes(to));
            return;
        }
        float* out = cpu::rowOf(to, static_cast<std::int64_t>(r));
        for (std::int64_t c = 0; c < to.cols; ++c, in += step)
            out[c] = floatFrom(in, fromType);
    });
}

void CpuBackend::fillRandom(const ops::View& to, std::uint64_t seed, float scale) {
    // One generator a row: the values do not depend on who fills it.
    m_pool.parallelFor(static_cast<std::size_t>(to.rows), [&](std::size_t r, int) {
        std::mt19937_64 random(seed * 0x9e3779b97f4a7c15ULL + r);
        std::normal_distribution<float> normal(0.0F, scale);
        std::byte* row = bytesOf(to, static_cast<std::int64_t>(r));
        for (std::int64_t c = 0; c < to.cols; ++c, row += sizeOf(to.dtype))
            putRandom(row, to.dtype, normal(random));
    });
}

void CpuBackend::readback(void* to, const ops::View& from) {
    auto* target = static_cast<std::byte*>(to);
    if (from.elements() == 0) return;
    for (std::int64_t r = 0; r < from.rows; ++r, target += rowBytes(from))
        std::memcpy(target, bytesOf(from, r), rowBytes(from));
}

std::uint64_t CpuBackend::deliver(std::span<const ops::Delivery> items) {
    for (const ops::Delivery& item : items)
        readback(item.to, item.from);
    return 0;
}

void CpuBackend::copy(const ops::View& to, const ops::View& from) {
    ops::validateCopy(to, from);
    if (from.elements() == 0) return;
    // Memory that is touched for the first time costs more than the copy: all threads pay for it.
    constexpr std::size_t kPiece = 256U << 10;
    const auto rows = static_cast<std::int64_t>(kPiece / rowBytes(from) + 1);
    m_pool.parallelFor(static_cast<std::size_t>(cpu::piecesOf(from.rows, rows)),
                       [&](std::size_t i, int) {
                           const std::int64_t begin = static_cast<std::int64_t>(i) * rows;
                           for (std::int64_t r = begin; r < std::min(begin + rows, from.rows); ++r)
                               std::memcpy(bytesOf(to, r), bytesOf(from, r), rowBytes(from));
                       });
}

void CpuBackend::reserve(const Extents& e) try {
    const std::int64_t heads = e.kvHeads > 0 ? e.queryHeads / e.kvHeads : 1;
    const std::int64_t stacked = cpu::padded(std::max(cpu::kQueryBlock, heads));
    const auto tokens = static_cast<std::size_t>(e.tokens);
    for (Worker& worker : m_workers) {
        grow(worker.queries, stacked * e.headDim);
        grow(worker.sums, stacked * e.headDim);
        grow(worker.scores, stacked * cpu::kKeyBlock);
        grow(worker.highest, stacked);
        grow(worker.total, stacked);
        grow(worker.seen, stacked);
        grow(worker.lowest, stacked);
        grow(worker.panel, cpu::kDepthPiece * cpu::kColumnPiece);
        grow(worker.partial, cpu::kRowPiece * cpu::kColumnPiece);
        grow(worker.widened, cpu::kDepthPiece * cpu::kColumnPiece);
        grow(worker.windowLogits, cpu::kWindowLogits);
        worker.rank.keys.reserve(tokens);
        worker.rank.keysOther.reserve(tokens);
        worker.rank.order.reserve(tokens);
        worker.rank.orderOther.reserve(tokens);
    }
    grow(m_step.x, kStepRows * e.hidden);
    grow(m_step.normed, kStepRows * e.hidden);
    grow(m_step.qkv, kStepRows * (e.queryHeads + 2 * e.kvHeads) * e.headDim);
    grow(m_step.attended, kStepRows * e.queryHeads * e.headDim);
    grow(m_step.gateUp, kStepRows * 2 * e.intermediate);
    grow(m_step.activated, kStepRows * e.intermediate);
} catch (const std::bad_alloc&) {
    throw Error(ErrorCode::OutOfMemory, "not enough memory for the scratch of the CPU backend");
}

void CpuBackend::gatherRows(const ops::GatherRowsParams& p) {
    ops::validate(p, m_info);
    if (p.out.elements() == 0) return;
    for (std::int64_t r = 0; r < p.out.rows; ++r)
        std::memcpy(bytesOf(p.out, r), bytesOf(p.x, p.index[static_cast<std::size_t>(r)]),
                    rowBytes(p.out));
}

void CpuBackend::gatherKv(const ops::GatherKvParams& p) {
    ops::validate(p, m_info);
    if (p.count == 0) return;
    const std::int64_t d = p.from.headDim;
    const auto bytes = static_cast<std::size_t>(d) * sizeof(float);
    m_pool.parallelFor(static_cast<std::size_t>(p.from.kvHeads), [&](std::size_t i, int) {
        const auto head = static_cast<std::int64_t>(i);
        const std::uint32_t* ranks = p.ranks.as<std::uint32_t>() + head * p.ranks.stride;
        std::int32_t* positions = p.positions.data == nullptr
                                      ? nullptr
                                      : p.positions.as<std::int32_t>() + head * p.positions.stride;
        for (std::int64_t t = 0; t < p.ranks.cols; ++t) {
            if (ranks[t] >= static_cast<std::uint64_t>(p.count)) continue;
            const std::int64_t source = (head * p.from.capacity + t) * d;
            const std::int64_t slot = (head * p.out.capacity + ranks[t]) * d;
            std::memcpy(static_cast<float*>(p.out.keys) + slot,
                        static_cast<const float*>(p.from.keys) + source, bytes);
            std::memcpy(static_cast<float*>(p.out.values) + slot,
                        static_cast<const float*>(p.from.values) + source, bytes);
            if (positions != nullptr)
                positions[ranks[t]] = p.fromPositions.data == nullptr
                                          ? static_cast<std::int32_t>(t)
                                          : p.fromPositions.as<std::int32_t>()[t];
        }
    });
}

std::unique_ptr<ops::Backend> makeCpuBackend(int threads) {
    return std::make_unique<CpuBackend>(threads);
}

} // namespace fkv
