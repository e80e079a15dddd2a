// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/spans.h"
#include "engine/model/config.h"
#include "engine/model/device_memory.h"
#include "engine/model/weights.h"
#include "engine/ops/backend.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::model {

/// Keys and values of one layer with their memory.
struct LayerCache {
    ops::BufferPtr memory;
    ops::KvView kv; ///< [G, capacity, d] each
    ops::Place place = ops::Place::Device;
};

/// Queries kept of the end of a layer, and so the widest window that can be scored.
inline constexpr std::int64_t kMostWindow = 64;

/// The blocks of a Llama model over one backend. Prefill runs layer by layer in chunks of
/// chunkRows() tokens; chunk sizes are constants, so that two runs give the same bits. All scratch
/// is made here, so no layer allocates. Borrows its arguments.
class Transformer {
public:
    Transformer(const Config& config, const Weights& weights, ops::Backend& backend);

    // memory() does not count what lies on the host.
    LayerCache makeCache(std::int64_t capacity, ops::Place place = ops::Place::Device);
    ops::Tensor makeRows(std::int64_t rows,
                         ops::Place place = ops::Place::Device); ///< [rows, hidden]
    ops::Tensor makeLastQueries(std::int64_t tokens); ///< [min(kMostWindow, tokens), H d]

    /// Token embeddings [ids, hidden].
    void embed(std::span<const std::int32_t> ids, const ops::View& out, PassScope& scope);

    /// One layer over all rows of x, in place. Row i of x is token `from` + i of the layer; tokens
    /// before are in the cache already, and then no position is left out. Of rows before `live`
    /// only keys and values are made: nobody reads the rest, and their x is left as it was.
    struct LayerRun {
        int layer;
        ops::View x;                             ///< [R, hidden]
        std::span<const std::int32_t> positions; ///< [R], ascending original positions
        ops::KvView& kv;                         ///< capacity >= from + R; length is set
        std::int64_t from = 0;
        std::int64_t live = 0;
        /// [min(kMostWindow, from + R), H d] or empty: takes the newest post-RoPE queries of live
        /// rows, oldest first. Needs R and the live rows to cover them.
        ops::View lastQueries = {};
    };
    void runLayer(const LayerRun& run, PassScope& scope);

    /// One layer over some of its tokens, whose keys and values are in `kv` with all the others.
    struct RowsRun {
        int layer;
        ops::View x;                             ///< [R, hidden], in place
        std::span<const std::int32_t> positions; ///< [R], ascending original positions
        std::span<const std::int32_t> visible; ///< [R] tokens of kv that a row sees: its place + 1
        ops::KvView kv;                        ///< tokens 0, 1, 2, ...: none is left out
    };
    void runRows(const RowsRun& run, PassScope& scope);

    /// Post-RoPE queries [R, H d] of rows of x, whose layer is not run.
    struct QueriesRun {
        int layer;
        ops::View x;                             ///< [R <= chunkRows(), hidden]
        std::span<const std::int32_t> positions; ///< [R]
        ops::View out;                           ///< [R, H d]
    };
    void queries(const QueriesRun& run, PassScope& scope);

    /// Logits [V] of the last row of x, on the host.
    std::vector<float> lastLogits(const ops::View& x, PassScope& scope);

    /// A decode step over `layers`, logits [tokens, V] of each token in `logits`.
    ops::DecodePlan decodePlan(std::span<const std::int32_t> tokens, std::int64_t position,
                               std::span<ops::DecodeLayer> layers, const ops::View& logits) const;

    float attentionScale() const;
    /// Rows that a layer runs at once, DeviceInfo::chunkRows.
    std::int64_t chunkRows() const { return m_backend.info().chunkRows; }
    const Config& config() const { return m_config; }
    const Weights& weights() const { return m_weights; }
    ops::Backend& backend() { return m_backend; }
    DeviceMemory& memory() { return m_memory; }
    const DeviceMemory& memory() const { return m_memory; }
    std::int64_t scratchBytes() const { return m_scratchBytes; } ///< made once, for any pass

private:
    struct Chunk;
    ops::BufferPtr bytes(std::int64_t count, ops::Place place);
    void appendKeys(const LayerRun& run, const Chunk& chunk, PassScope& scope);
    /// Attention of rows of queries into the front of m_attended.
    void attend(const ops::View& queries, const ops::KvRange& range, PassScope& scope);
    void keepQueries(const LayerRun& run, const Chunk& chunk, PassScope& scope);
    ops::RopeAppendParams rope(int layer, const ops::View& qkv,
                               std::span<const std::int32_t> positions) const;
    void projectQueries(int layer, const ops::View& x, std::span<const std::int32_t> positions,
                        PassScope& scope);
    void finishRows(int layer, const ops::View& x, const ops::View& attended, PassScope& scope);

    const Config& m_config;
    const Weights& m_weights;
    ops::Backend& m_backend;
    DeviceMemory m_memory;
    std::int64_t m_queryCols; ///< H d
    std::int64_t m_keyCols;   ///< 2 G d: keys and values
    std::int64_t m_scratchBytes = 0;
    ops::Tensor m_normed;   ///< [chunkRows(), hidden]
    ops::Tensor m_qkv;      ///< [chunkRows(), (H + 2 G) d]
    ops::Tensor m_attended; ///< [chunkRows(), H d]
    ops::Tensor m_gateUp;   ///< [chunkRows(), 2 F]
    ops::Tensor m_gated;    ///< [chunkRows(), F]
    ops::Tensor m_logits;   ///< [1, V]
};

} // namespace fkv::model
