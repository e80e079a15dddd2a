// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/ops/tensor.h"

#include <array>
#include <cstdint>
#include <span>

namespace fkv::ops {

// Axis names: rows = tokens of this call, hidden, H query heads, G KV heads, d head size, F MLP
// width, V vocabulary, S tokens of the layer, w window, M = S - w. Unless an op says otherwise,
// views are in backend memory, activations are F32 on the CPU, and rows = 0 does nothing. A weight
// matrix is of DeviceInfo::weightType, or as DeviceInfo::matricesAsStored allows.

struct EmbedParams {
    std::span<const std::int32_t> ids;  ///< host, [rows]; checked against V by the caller
    View table;                         ///< [V, hidden]
    View out;                           ///< [rows, hidden]
};

/// out = x / sqrt(mean(x^2) + eps) * weight, row by row; sums in fp32. out may be x.
struct RmsNormParams {
    View x;       ///< [rows, hidden]
    View weight;  ///< [1, hidden]
    float eps;
    View out;     ///< [rows, hidden]
};

/// out = x weight^T (+ bias) (+ out when accumulate).
struct LinearParams {
    View x;       ///< [rows, in]
    View weight;  ///< [out, in], as the checkpoint stores it
    View bias;    ///< [1, out] or empty (data null)
    View out;     ///< [rows, out]
    bool accumulate;
};

/// Rotates queries and keys in place by their positions (Hugging Face half-split layout) and appends
/// keys and values to the cache at tokens [at, at + rows). q, k, v lie side by side in a row of qkv.
/// Either part may be absent: 0 query heads, or a cache of 0 heads (then only its headDim is read).
struct RopeAppendParams {
    View qkv;                                 ///< [rows, (H + 2 G) d]
    std::span<const std::int32_t> positions;  ///< host, [rows], original positions
    View cosTable;                            ///< [contextLength, d/2] F32
    View sinTable;                            ///< [contextLength, d/2] F32
    std::int64_t queryHeads;
    KvView cache;                             ///< capacity >= at + rows
    std::int64_t at;
    /// RMSNorm weights [1, d] that every query and key head is normed with before it is rotated
    /// (Qwen3), or empty.
    View queryNorm = {};
    View keyNorm = {};
    float eps = 0.0F; ///< of those norms
};

/// One stretch of keys a query may look at. Row r sees the tokens i < visible(r) whose label is at
/// least first(r).
/// - visible(r): visibleRows[r] when given, else min(length, causalOffset + r + 1), where kSeesAll
///   means length.
/// - first(r): firstRows[r] when given, else max(0, visible(r) - window): the last `window` tokens
/// of
///   those.
/// - label(i): i, or with `positions` what stands there for the token, in any order. Only decoding
///   over a compressed cache needs it: labels are then original positions, and firstRows is given.
struct KvRange {
    static constexpr std::int64_t kSeesAll = INT64_MAX / 2;
    KvView kv;
    std::int64_t causalOffset = kSeesAll;
    std::span<const std::int32_t> visibleRows = {}; ///< host, [rows] or empty
    std::int64_t window = kSeesAll;
    std::span<const std::int32_t> firstRows = {}; ///< host, [rows] or empty
    View positions = {};                          ///< [1 or G, at least length] I32, or empty
};

/// Grouped-query attention with online softmax in fp32 over up to two ranges, never an S x S matrix.
/// Query head h reads KV head h / (H/G). A row that sees nothing gives zeros.
struct AttentionParams {
    View queries;  ///< [rows, H d], row stride free (may lie inside qkv rows)
    View out;      ///< [rows, H d]
    std::array<KvRange, 2> ranges;
    int rangeCount;
    std::int64_t queryHeads;
    float scale;   ///< 1 / sqrt(d)
};

/// out = silu(gate) * up.
struct SwigluParams {
    View gateUp;  ///< [rows, 2 F]: gate, then up
    View out;     ///< [rows, F]
};

/// SPEC section 1, steps 1 to 3: softmax of the last w queries over the whole row of S keys (causal
/// inside the last w x w), window columns dropped, summed over the w rows. fp32.
struct WindowSumsParams {
    View queries;  ///< [w, H d], after RoPE
    KvView keys;   ///< length S >= w
    std::int64_t queryHeads;
    float scale;
    View out;      ///< [H, M]; nothing is written when M = 0
    /// Host, [w] or empty: query r sees no token before firstRows[r] (a sliding window); its
    /// probabilities there are 0. Ascending, at most M + r.
    std::span<const std::int32_t> firstRows = {};
};

/// SPEC section 1, steps 4 and 5, and section 3: pooled and summed over groups, and over all heads.
struct SaliencyParams {
    View windowSums;  ///< [H, M]
    std::int64_t kvHeads;
    int kernel;       ///< odd
    bool average;
    View saliency;    ///< [G, M]
    View total;       ///< [1, M], sum over groups in group order
    std::int64_t firstCandidate = 0; ///< tokens before it score 0, also where pooling reaches them
};

/// Rank of every score in its row, descending, ties to the lower index, NaN last.
struct RanksParams {
    View scores;  ///< [rows, M] F32
    View ranks;   ///< [rows, M] U32
    /// Only a delivery reads them: they may be made beside the ops that follow. Until that delivery is
    /// awaited no op may write `scores` or touch `ranks`.
    bool forDelivery = false;
};

/// A result on its way to the host.
struct Delivery {
    void* to;   ///< host memory of from's size
    View from;  ///< contiguous
};

/// out[i] = x[index[i]].
struct GatherRowsParams {
    View x;                               ///< [any, cols]
    std::span<const std::int32_t> index;  ///< host, [rows]
    View out;                             ///< [rows, cols]
};

/// Copies the best `count` scored tokens of every head, in rank order, to the front of `out`; slot =
/// rank, so that a smaller budget is a prefix. The window is not part of it.
struct GatherKvParams {
    KvView from;   ///< length S
    View ranks;    ///< [G, M] U32
    std::int64_t count;
    KvView out;    ///< capacity >= count
    View fromPositions =
        {};              ///< [1, at least M] I32 of the tokens of `from`, or empty: 0, 1, 2, ...
    View positions = {}; ///< [G, at least count] I32: takes the position of every slot; or empty
};

/// Logits of rows: final norm, then the LM head.
struct HeadParams {
    View x;       ///< [rows, hidden]
    View norm;    ///< [1, hidden]
    float eps;
    View lmHead;  ///< [V, hidden]
    View logits;  ///< [rows, V] F32
};

/// Index of the largest value of every row, the lower one of equals. NaN is never the largest.
struct ArgMaxParams {
    View logits;  ///< [rows, V] F32
    View ids;     ///< [rows, 1] U32
};

/// Weights of one layer as the ops read them.
struct LayerWeights {
    View inputNorm;  ///< [1, hidden]
    View qkv;        ///< [(H + 2 G) d, hidden]
    View qkvBias;    ///< [1, (H + 2 G) d] or empty
    View out;        ///< [hidden, H d]
    View postNorm;   ///< [1, hidden]
    View gateUp;     ///< [2 F, hidden]
    View down;       ///< [hidden, F]
    View queryNorm = {}; ///< [1, d] or empty, see RopeAppendParams
    View keyNorm = {};   ///< [1, d] or empty
};

/// What a decode step reads of one layer: a compressed (or whole) prefix and a tail that holds the
/// window and everything generated so far.
struct DecodeLayer {
    LayerWeights weights;
    KvView prefix;
    KvView tail;  ///< the step appends one token per row; capacity must have room
    /// A token at position p sees those from p - slidingWindow + 1 on; 0: all. The tail's tokens
    /// are the newest ones without a gap; where those of the prefix stood is in prefixPositions.
    std::int64_t slidingWindow = 0;
    View prefixPositions = {}; ///< [1 or G, at least prefix length] I32, or empty: 0, 1, 2, ...
};

/// One decode step: `tokens` go through all layers at consecutive positions from `position` on and are
/// appended to every tail. More than one token is a teacher-forced batch, causal inside itself.
struct DecodePlan {
    std::span<const std::int32_t> tokens;
    std::int64_t position;
    std::span<DecodeLayer> layers;  ///< tail.length grows by tokens.size()
    View embedding;                 ///< [V, hidden]
    View finalNorm;
    View lmHead;
    View cosTable;
    View sinTable;
    std::int64_t queryHeads;
    float eps;
    View logits;                    ///< [tokens, V]
    /// [1, 1] U32, what argMax() made: takes the place of the one in `tokens`, so that a step can be
    /// asked for before the host knows its token. Empty: `tokens`.
    View token;
};

}  // namespace fkv::ops
