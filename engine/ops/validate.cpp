// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/validate.h"

#include "engine/core/error.h"

#include <string>

namespace fkv::ops {
namespace {

void require(bool holds, const char* op, const char* what) {
    if (!holds) throw Error(ErrorCode::Internal, std::string(op) + ": " + what);
}

void requireArgument(bool holds, const char* op, const char* what) {
    if (!holds) throw Error(ErrorCode::BadArgument, std::string(op) + ": " + what);
}

/// A view of exactly this shape; nothing is asked of the memory of an empty one.
void shape(const View& v, std::int64_t rows, std::int64_t cols, DType dtype, const char* op,
           const char* what) {
    require(v.rows == rows && v.cols == cols && rows >= 0 && cols >= 0, op, what);
    require(v.dtype == dtype, op, what);
    if (v.elements() == 0) return;
    require(v.data != nullptr && v.stride >= v.cols, op, what);
}

/// A weight matrix of this shape.
void matrix(const View& v, std::int64_t rows, std::int64_t cols, const DeviceInfo& device,
            const char* op, const char* what) {
    const bool stored =
        device.matricesAsStored && (v.dtype == DType::F16 || v.dtype == DType::BF16);
    shape(v, rows, cols, stored ? v.dtype : device.weightType, op, what);
}

void headNorm(const View& v, std::int64_t headDim, const DeviceInfo& device, const char* op) {
    if (v.data != nullptr) shape(v, 1, headDim, device.weightType, op, "norm of the heads");
}

/// Positions of at least `tokens` tokens, one row for all heads or one each.
void positionsOf(const View& v, const KvView& kv, std::int64_t tokens, const char* op) {
    if (v.data == nullptr) return;
    require(v.rows == 1 || v.rows == kv.kvHeads, op, "rows of positions");
    require(v.cols >= tokens, op, "positions");
    shape(v, v.rows, v.cols, DType::I32, op, "positions");
}

void cache(const KvView& kv, DType dtype, const char* op) {
    require(kv.length >= 0 && kv.length <= kv.capacity, op, "cache length past its capacity");
    if (kv.capacity == 0) return;
    require(kv.kvHeads > 0 && kv.headDim > 0, op, "cache without heads");
    require(kv.dtype == dtype, op, "cache type");
    require(kv.keys != nullptr && kv.values != nullptr, op, "cache without memory");
}

void indices(std::span<const std::int32_t> index, std::int64_t below, const char* op) {
    for (const std::int32_t i : index)
        requireArgument(i >= 0 && i < below, op, "index out of range");
}

void groups(std::int64_t queryHeads, std::int64_t kvHeads, const char* op) {
    require(kvHeads > 0 && queryHeads > 0 && queryHeads % kvHeads == 0, op,
            "query heads are not a multiple of KV heads");
}

}  // namespace

void validate(const EmbedParams& p, const DeviceInfo& device) {
    const char* op = "embed";
    matrix(p.table, p.table.rows, p.out.cols, device, op, "table");
    shape(p.out, static_cast<std::int64_t>(p.ids.size()), p.out.cols, device.weightType, op, "out");
    indices(p.ids, p.table.rows, op);
}

void validate(const RmsNormParams& p, const DeviceInfo& device) {
    const char* op = "rmsNorm";
    shape(p.x, p.x.rows, p.x.cols, device.weightType, op, "x");
    shape(p.weight, 1, p.x.cols, device.weightType, op, "weight");
    shape(p.out, p.x.rows, p.x.cols, device.weightType, op, "out");
    requireArgument(p.eps >= 0.0F, op, "eps is negative");
}

void validate(const LinearParams& p, const DeviceInfo& device) {
    const char* op = "linear";
    shape(p.x, p.x.rows, p.x.cols, device.weightType, op, "x");
    matrix(p.weight, p.out.cols, p.x.cols, device, op, "weight");
    shape(p.out, p.x.rows, p.out.cols, p.out.dtype, op, "out");
    require(p.out.dtype == device.weightType || p.out.dtype == DType::F32, op, "type of out");
    if (p.bias.data != nullptr) shape(p.bias, 1, p.out.cols, device.weightType, op, "bias");
}

void validate(const RopeAppendParams& p, const DeviceInfo& device) {
    const char* op = "ropeAppend";
    const KvView& kv = p.cache;
    const auto rows = static_cast<std::int64_t>(p.positions.size());
    cache(kv, device.kvType, op);
    if (p.queryHeads > 0 && kv.kvHeads > 0) groups(p.queryHeads, kv.kvHeads, op);
    require(p.queryHeads >= 0 && kv.kvHeads >= 0 && p.queryHeads + kv.kvHeads > 0, op, "no heads");
    require(kv.headDim > 0 && kv.headDim % 2 == 0, op, "head size is odd");
    shape(p.qkv, rows, (p.queryHeads + 2 * kv.kvHeads) * kv.headDim, device.weightType, op, "qkv");
    shape(p.cosTable, p.cosTable.rows, kv.headDim / 2, DType::F32, op, "cosTable");
    shape(p.sinTable, p.cosTable.rows, kv.headDim / 2, DType::F32, op, "sinTable");
    require(kv.kvHeads == 0 || (p.at >= 0 && p.at + rows <= kv.capacity), op, "the cache is full");
    indices(p.positions, p.cosTable.rows, op);
    headNorm(p.queryNorm, kv.headDim, device, op);
    headNorm(p.keyNorm, kv.headDim, device, op);
    requireArgument(p.eps >= 0.0F, op, "eps is negative");
}

void validate(const AttentionParams& p, const DeviceInfo& device) {
    const char* op = "attention";
    require(p.rangeCount >= 0 && p.rangeCount <= 2, op, "rangeCount");
    require(p.queryHeads > 0 && p.queries.cols % p.queryHeads == 0, op, "query heads");
    shape(p.queries, p.queries.rows, p.queries.cols, device.weightType, op, "queries");
    shape(p.out, p.queries.rows, p.queries.cols, device.weightType, op, "out");
    std::int64_t kvHeads = 0;
    for (int i = 0; i < p.rangeCount; ++i) {
        const KvRange& range = p.ranges[static_cast<std::size_t>(i)];
        if (range.kv.length == 0) continue;
        cache(range.kv, device.kvType, op);
        groups(p.queryHeads, range.kv.kvHeads, op);
        require(range.kv.headDim == p.queries.cols / p.queryHeads, op, "head size");
        require(kvHeads == 0 || kvHeads == range.kv.kvHeads, op, "ranges differ in KV heads");
        kvHeads = range.kv.kvHeads;
        const auto rows = static_cast<std::size_t>(p.queries.rows);
        require(range.window > 0, op, "window");
        require(range.firstRows.empty() || range.firstRows.size() == rows, op, "firstRows");
        positionsOf(range.positions, range.kv, range.kv.length, op);
        require(range.positions.data == nullptr || range.firstRows.size() == rows, op,
                "positions without firstRows");
        if (range.visibleRows.empty()) continue;
        require(range.visibleRows.size() == rows, op, "visibleRows");
        indices(range.visibleRows, range.kv.length + 1, op);
    }
}

void validate(const SwigluParams& p, const DeviceInfo& device) {
    shape(p.gateUp, p.out.rows, 2 * p.out.cols, device.weightType, "swiglu", "gateUp");
    shape(p.out, p.out.rows, p.out.cols, device.weightType, "swiglu", "out");
}

void validate(const WindowSumsParams& p, const DeviceInfo& device) {
    const char* op = "windowSums";
    cache(p.keys, device.kvType, op);
    groups(p.queryHeads, p.keys.kvHeads, op);
    shape(p.queries, p.queries.rows, p.queryHeads * p.keys.headDim, device.weightType, op,
          "queries");
    require(p.queries.rows <= p.keys.length, op, "the window is longer than the layer");
    shape(p.out, p.queryHeads, p.keys.length - p.queries.rows, DType::F32, op, "out");
    if (p.firstRows.empty()) return;
    require(static_cast<std::int64_t>(p.firstRows.size()) == p.queries.rows, op, "firstRows");
    for (std::size_t r = 0; r < p.firstRows.size(); ++r)
        require(p.firstRows[r] >= (r == 0 ? 0 : p.firstRows[r - 1]) &&
                    p.firstRows[r] <= p.out.cols + static_cast<std::int64_t>(r),
                op, "firstRows");
}

void validate(const SaliencyParams& p, const DeviceInfo&) {
    const char* op = "saliency";
    const std::int64_t tokens = p.windowSums.cols;
    requireArgument(p.kernel > 0 && p.kernel % 2 == 1, op, "the kernel must be odd");
    groups(p.windowSums.rows, p.kvHeads, op);
    shape(p.windowSums, p.windowSums.rows, tokens, DType::F32, op, "windowSums");
    shape(p.saliency, p.kvHeads, tokens, DType::F32, op, "saliency");
    shape(p.total, 1, tokens, DType::F32, op, "total");
    // Pooling takes whole planes.
    require(tokens == 0 || (p.windowSums.stride == tokens && p.saliency.stride == tokens), op,
            "planes with gaps between rows");
    require(p.firstCandidate >= 0 && p.firstCandidate <= tokens, op, "firstCandidate");
}

void validate(const RanksParams& p, const DeviceInfo&) {
    shape(p.scores, p.scores.rows, p.scores.cols, DType::F32, "ranks", "scores");
    shape(p.ranks, p.scores.rows, p.scores.cols, DType::U32, "ranks", "ranks");
}

void validate(const GatherRowsParams& p, const DeviceInfo&) {
    const char* op = "gatherRows";
    shape(p.x, p.x.rows, p.out.cols, p.out.dtype, op, "x");
    shape(p.out, static_cast<std::int64_t>(p.index.size()), p.out.cols, p.out.dtype, op, "out");
    indices(p.index, p.x.rows, op);
}

void validate(const GatherKvParams& p, const DeviceInfo& device) {
    const char* op = "gatherKv";
    require(p.count >= 0 && p.count <= p.ranks.cols && p.ranks.cols <= p.from.length, op, "count");
    if (p.count == 0) return;
    cache(p.from, device.kvType, op);
    cache(p.out, device.kvType, op);
    shape(p.ranks, p.from.kvHeads, p.ranks.cols, DType::U32, op, "ranks");
    require(p.out.capacity >= p.count && p.out.kvHeads == p.from.kvHeads &&
                p.out.headDim == p.from.headDim,
            op, "out");
    positionsOf(p.fromPositions, p.from, p.ranks.cols, op);
    require(p.fromPositions.data == nullptr || p.fromPositions.rows == 1, op, "fromPositions");
    positionsOf(p.positions, p.from, p.count, op);
    require(p.positions.data == nullptr || p.positions.rows == p.from.kvHeads, op, "positions");
}

void validate(const HeadParams& p, const DeviceInfo& device) {
    const char* op = "head";
    shape(p.x, p.x.rows, p.x.cols, device.weightType, op, "x");
    shape(p.norm, 1, p.x.cols, device.weightType, op, "norm");
    matrix(p.lmHead, p.lmHead.rows, p.x.cols, device, op, "lmHead");
    shape(p.logits, p.x.rows, p.lmHead.rows, DType::F32, op, "logits");
}

void validate(const ArgMaxParams& p, const DeviceInfo&) {
    shape(p.logits, p.logits.rows, p.logits.cols, DType::F32, "argMax", "logits");
    shape(p.ids, p.logits.rows, 1, DType::U32, "argMax", "ids");
}

void validate(const DecodePlan& p, const DeviceInfo& device) {
    const char* op = "decodeStep";
    const auto tokens = static_cast<std::int64_t>(p.tokens.size());
    const std::int64_t hidden = p.embedding.cols;
    matrix(p.embedding, p.embedding.rows, hidden, device, op, "embedding");
    indices(p.tokens, p.embedding.rows, op);
    shape(p.finalNorm, 1, hidden, device.weightType, op, "finalNorm");
    matrix(p.lmHead, p.lmHead.rows, hidden, device, op, "lmHead");
    shape(p.logits, tokens, p.lmHead.rows, DType::F32, op, "logits");
    if (p.token.data != nullptr) {
        shape(p.token, 1, 1, DType::U32, op, "token");
        requireArgument(tokens == 1, op, "one token from the device, no more");
    }
    requireArgument(p.position >= 0 && p.position + tokens <= p.cosTable.rows, op,
                    "positions past the context length");
    for (const DecodeLayer& layer : p.layers) {
        const KvView& tail = layer.tail;
        cache(tail, device.kvType, op);
        groups(p.queryHeads, tail.kvHeads, op);
        require(tail.length + tokens <= tail.capacity, op, "the tail is full");
        const std::int64_t queries = p.queryHeads * tail.headDim;
        const std::int64_t qkv = queries + 2 * tail.kvHeads * tail.headDim;
        const LayerWeights& w = layer.weights;
        shape(p.cosTable, p.cosTable.rows, tail.headDim / 2, DType::F32, op, "cosTable");
        shape(p.sinTable, p.cosTable.rows, tail.headDim / 2, DType::F32, op, "sinTable");
        shape(w.inputNorm, 1, hidden, device.weightType, op, "inputNorm");
        matrix(w.qkv, qkv, hidden, device, op, "qkv");
        if (w.qkvBias.data != nullptr) shape(w.qkvBias, 1, qkv, device.weightType, op, "qkvBias");
        matrix(w.out, hidden, queries, device, op, "out");
        shape(w.postNorm, 1, hidden, device.weightType, op, "postNorm");
        require(w.gateUp.rows == 2 * w.down.cols, op, "gateUp");
        matrix(w.gateUp, w.gateUp.rows, hidden, device, op, "gateUp");
        matrix(w.down, hidden, w.down.cols, device, op, "down");
        headNorm(w.queryNorm, tail.headDim, device, op);
        headNorm(w.keyNorm, tail.headDim, device, op);
        require(layer.slidingWindow >= 0, op, "slidingWindow");
        positionsOf(layer.prefixPositions, tail, layer.prefix.length, op);
        if (layer.prefix.length == 0) continue;
        cache(layer.prefix, device.kvType, op);
        require(layer.prefix.kvHeads == tail.kvHeads && layer.prefix.headDim == tail.headDim, op,
                "prefix and tail differ");
    }
}

void validateCopy(const View& to, const View& from) {
    shape(from, from.rows, from.cols, from.dtype, "copy", "from");
    shape(to, from.rows, from.cols, from.dtype, "copy", "to");
}

}  // namespace fkv::ops
