// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/transformer.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::run {

/// A cache of exactly `capacity` tokens that keeps its first `kept` ones.
void resizeCache(model::Transformer& transformer, model::LayerCache& cache, std::int64_t capacity,
                 std::int64_t kept, ops::Place place = ops::Place::Device);

/// Tokens [begin, begin + to.length) of every head of `from` to the front of `to`.
void copyTokens(ops::Backend& backend, const ops::KvView& from, std::int64_t begin,
                const ops::KvView& to);

/// Positions [1, n] I32 in backend memory.
ops::Tensor positionsOf(model::Transformer& transformer, std::span<const std::int32_t> positions);

/// begin, begin + 1, ..., end - 1.
std::vector<std::int32_t> consecutive(std::int64_t begin, std::int64_t end);

/// Spans that a pass of so many rows records: what its sink reserves.
std::size_t expectedSpans(const model::Transformer& transformer, std::int64_t rows);

} // namespace fkv::run
