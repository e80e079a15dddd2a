// SPDX-License-Identifier: Apache-2.0
#include "engine/select/head_mass.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fkv::select {

namespace {

constexpr std::size_t kBlock = 4096;       // tokens added in float before they go to a double
constexpr std::size_t kMostBuckets = 256;  // what a byte can name

}  // namespace

void HeadMass::load(const trace::FullPass& full, std::size_t layer, ThreadPool& pool) {
    const trace::LayerPlanes& planes = full.layers[layer];
    m_perHead = planes.sums && planes.ranks && planes.ranks->rows() > 0 &&
                planes.sums->tokens() == planes.ranks->cols() &&
                planes.sums->heads() % planes.ranks->rows() == 0;
    const bool whole = !m_perHead && full.mass && full.mass->rows() > layer;
    m_heads = m_perHead ? planes.ranks->rows() : whole ? 1 : 0;
    m_tokens = m_perHead ? planes.sums->tokens() : whole ? full.mass->cols() : 0;
    m_values.assign(laneCount() * m_tokens, 0.0F);

    const std::size_t groupSize = m_perHead ? planes.sums->heads() / m_heads : 1;
    pool.parallelFor((m_tokens + kBlock - 1) / kBlock, [&](std::size_t block, int) {
        const std::size_t begin = block * kBlock;
        const std::size_t count = std::min(kBlock, m_tokens - begin);
        std::array<float, kBlock> row;
        for (std::size_t h = 0; h < m_heads * groupSize; ++h) {
            const auto part = std::span(row).first(count);
            if (m_perHead)
                planes.sums->read(h, begin, part);
            else
                std::copy_n(full.mass->row(layer).begin() + static_cast<std::ptrdiff_t>(begin),
                            count, part.begin());
            const std::size_t head = h / groupSize;
            float* out = &m_values[(head / kLanes * m_tokens + begin) * kLanes + head % kLanes];
            for (std::size_t i = 0; i < count; ++i)
                out[i * kLanes] += std::isfinite(part[i]) ? part[i] : 0.0F;
        }
    });
}

void HeadMass::sumByBucket(std::span<const std::uint8_t> buckets, std::size_t bucketCount,
                           std::vector<double>& out) const {
    out.assign(bucketCount * laneCount(), 0.0);
    const std::size_t tokens = std::min(buckets.size(), m_tokens);
    alignas(16) std::array<float, kMostBuckets * kLanes> sums;
    for (std::size_t group = 0; group < laneCount() / kLanes; ++group) {
        const float* values = &m_values[group * m_tokens * kLanes];
        for (std::size_t begin = 0; begin < tokens; begin += kBlock) {
            const std::size_t end = std::min(begin + kBlock, tokens);
            std::fill_n(sums.begin(), bucketCount * kLanes, 0.0F);
            for (std::size_t i = begin; i < end; ++i) {
                float* sum = &sums[buckets[i] * kLanes];
                for (std::size_t lane = 0; lane < kLanes; ++lane)
                    sum[lane] += values[i * kLanes + lane];
            }
            for (std::size_t b = 0; b < bucketCount; ++b)
                for (std::size_t lane = 0; lane < kLanes; ++lane)
                    out[b * laneCount() + group * kLanes + lane] += sums[b * kLanes + lane];
        }
    }
}

void HeadMass::sumHeadByBucket(std::size_t head, std::span<const std::uint8_t> buckets,
                               std::span<double> out) const {
    std::fill(out.begin(), out.end(), 0.0);
    const float* values = &m_values[head / kLanes * m_tokens * kLanes + head % kLanes];
    const std::size_t tokens = std::min(buckets.size(), m_tokens);
    for (std::size_t i = 0; i < tokens; ++i) out[buckets[i]] += values[i * kLanes];
}

}  // namespace fkv::select
