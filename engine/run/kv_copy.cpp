// SPDX-License-Identifier: Apache-2.0
#include "engine/run/kv_copy.h"

#include <numeric>

namespace fkv::run {

using model::Transformer;

std::vector<std::int32_t> consecutive(std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(end - begin));
    std::iota(values.begin(), values.end(), static_cast<std::int32_t>(begin));
    return values;
}

void copyTokens(ops::Backend& backend, const ops::KvView& from, std::int64_t begin,
                const ops::KvView& to) {
    // A few tokens of all heads go in one copy; long stretches one by one, as memory is fastest.
    constexpr std::int64_t kFew = 256;
    const bool few = to.length <= kFew;
    const auto rows = [&](void* base, const ops::KvView& kv, std::int64_t head, std::int64_t at) {
        const auto skip =
            static_cast<std::size_t>((head * kv.capacity + at) * kv.headDim) * sizeOf(kv.dtype);
        auto* bytes = static_cast<std::byte*>(base) + skip;
        if (few)
            return ops::View{bytes, kv.dtype, kv.kvHeads, to.length * kv.headDim,
                             kv.capacity * kv.headDim};
        return ops::View{bytes, kv.dtype, to.length, kv.headDim, kv.headDim};
    };
    for (std::int64_t head = 0; head < (few ? 1 : from.kvHeads); ++head) {
        backend.copy(rows(to.keys, to, head, 0), rows(from.keys, from, head, begin));
        backend.copy(rows(to.values, to, head, 0), rows(from.values, from, head, begin));
    }
}

void resizeCache(Transformer& transformer, model::LayerCache& cache, std::int64_t capacity,
                 std::int64_t kept, ops::Place place) {
    if (cache.memory && cache.kv.capacity == capacity && cache.place == place) return;
    if (kept == 0) cache = {};
    model::LayerCache resized = transformer.makeCache(capacity, place);
    resized.kv.length = kept;
    if (kept > 0) copyTokens(transformer.backend(), cache.kv, 0, resized.kv);
    cache = std::move(resized);
}

ops::Tensor positionsOf(Transformer& transformer, std::span<const std::int32_t> positions) {
    ops::Tensor made =
        transformer.memory().matrix(1, static_cast<std::int64_t>(positions.size()), DType::I32);
    transformer.backend().upload(made.view, positions.data());
    return made;
}

std::size_t expectedSpans(const Transformer& transformer, std::int64_t rows) {
    constexpr std::size_t kOfChunk = 20;
    constexpr std::size_t kOfLayer = 16;
    const auto chunks = static_cast<std::size_t>(rows / transformer.chunkRows() + 1);
    const auto layers = static_cast<std::size_t>(transformer.config().layers);
    return layers * (chunks * kOfChunk + kOfLayer) + kOfLayer;
}

} // namespace fkv::run
