// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/run.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fkv::select {

/// Attention mass of one layer by token and KV head: its unpooled window sums, summed over the query
/// heads of a group. Laid out for adding up many tokens at once: heads in groups of four lanes,
/// [ceil(heads / 4), tokens, 4], unused lanes 0. Reused from layer to layer.
class HeadMass {
public:
    static constexpr std::size_t kLanes = 4;

    /// Reads layer `layer`. Without window sums it falls back to full.mass as if it were one head;
    /// without that heads() is 0. Values that are not finite become 0.
    void load(const trace::FullPass& full, std::size_t layer, ThreadPool& pool);

    std::size_t heads() const { return m_heads; }
    bool perHead() const { return m_perHead; }  ///< false: one "head" that is the sum of all
    std::size_t tokens() const { return m_tokens; }

    /// Sums of every head over the tokens of each bucket: out[bucket * laneCount() + head]. Token i
    /// belongs to buckets[i] < bucketCount; tokens beyond buckets.size() are left out.
    void sumByBucket(std::span<const std::uint8_t> buckets, std::size_t bucketCount,
                     std::vector<double>& out) const;
    /// The same for one head, whose own buckets these are: out[bucket].
    void sumHeadByBucket(std::size_t head, std::span<const std::uint8_t> buckets,
                         std::span<double> out) const;
    std::size_t laneCount() const { return (m_heads + kLanes - 1) / kLanes * kLanes; }

private:
    std::vector<float> m_values;
    std::size_t m_heads = 0;
    std::size_t m_tokens = 0;
    bool m_perHead = false;
};

}  // namespace fkv::select
