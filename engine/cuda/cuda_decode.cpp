// SPDX-License-Identifier: Apache-2.0
#include "engine/cuda/backend_scratch.h"
#include "engine/cuda/check.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/decoder.h"
#include "engine/ops/validate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fkv::cuda {

namespace {

constexpr std::int64_t kStepRows = 64;

} // namespace

void CudaBackend::decodeStep(const ops::DecodePlan& p) {
    ops::validate(p, m_info);
    if (p.tokens.empty()) return;
    if (Decoder::takes(p)) return m_decoder->step(p);
    decodeRows(p);
}

void CudaBackend::argMax(const ops::ArgMaxParams& p) {
    ops::validate(p, m_info);
    const std::size_t found = argMaxScratch(kStepRows);
    if (m_scratch->best.bytes() == 0) {
        // Counters behind what blocks found; every call leaves them as it came.
        auto* memory = m_scratch->best.atLeast(found + kStepRows * sizeof(unsigned));
        check(cudaMemsetAsync(memory, 0, found + kStepRows * sizeof(unsigned), m_stream), "argMax");
    }
    auto* memory = static_cast<std::byte*>(m_scratch->best.atLeast(0));
    for (std::int64_t first = 0; first < p.logits.rows; first += kStepRows) {
        const std::int64_t rows = std::min(kStepRows, p.logits.rows - first);
        check(cuda::argMax({p.logits.rowsFrom(first, rows).as<const float>(), rows, p.logits.stride,
                            static_cast<std::uint32_t>(p.logits.cols),
                            p.ids.rowsFrom(first, rows).as<std::uint32_t>(), memory,
                            reinterpret_cast<unsigned*>(memory + found)},
                           m_stream),
              "argMax");
    }
}

/// Several tokens at once, or shapes the streaming kernels do not take: op by op, in chunks that
/// are causal inside themselves.
void CudaBackend::decodeRows(const ops::DecodePlan& p) {
    const DType type = m_info.weightType;
    std::span<const std::int32_t> tokens = p.tokens;
    std::int32_t fromDevice = 0;
    if (p.token.data != nullptr) {
        readback(&fromDevice, p.token);
        check(cudaStreamSynchronize(m_stream), "a token");
        tokens = std::span(&fromDevice, 1);
    }
    const ops::LayerWeights& w0 = p.layers.front().weights;
    std::vector<ops::BufferPtr> memory;
    const auto rowsOf = [&](std::int64_t cols) {
        memory.push_back(allocate(static_cast<std::size_t>(kStepRows * cols) * sizeOf(type),
                                  ops::Lifetime::Scratch));
        return ops::View{memory.back()->data(), type, kStepRows, cols, cols};
    };
    const ops::View allX = rowsOf(p.embedding.cols), allNormed = rowsOf(p.embedding.cols),
                    allQkv = rowsOf(w0.qkv.rows), allAttended = rowsOf(w0.out.cols),
                    allGateUp = rowsOf(w0.gateUp.rows), allGated = rowsOf(w0.down.cols);
    for (std::int64_t first = 0; first < static_cast<std::int64_t>(p.tokens.size());
         first += kStepRows) {
        const std::int64_t rows =
            std::min(kStepRows, static_cast<std::int64_t>(p.tokens.size()) - first);
        std::vector<std::int32_t> positions(static_cast<std::size_t>(rows));
        std::iota(positions.begin(), positions.end(),
                  static_cast<std::int32_t>(p.position + first));
        std::vector<std::int32_t> oldest(positions.size());
        const auto part = [rows](const ops::View& v) { return v.rowsFrom(0, rows); };
        const ops::View x = part(allX), normed = part(allNormed), qkv = part(allQkv),
                        attended = part(allAttended), gateUp = part(allGateUp),
                        gated = part(allGated);
        embed({tokens.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
               p.embedding, x});
        for (ops::DecodeLayer& layer : p.layers) {
            const ops::LayerWeights& w = layer.weights;
            const std::int64_t at = layer.tail.length;
            rmsNorm({x, w.inputNorm, p.eps, normed});
            linear({normed, w.qkv, w.qkvBias, qkv, false});
            ropeAppend({qkv, positions, p.cosTable, p.sinTable, p.queryHeads, layer.tail, at,
                        w.queryNorm, w.keyNorm, p.eps});
            layer.tail.length = at + rows;
            ops::AttentionParams a{};
            a.queries = qkv;
            a.queries.cols = p.queryHeads * layer.tail.headDim;
            a.out = attended;
            a.ranges[0].kv = layer.prefix;
            a.ranges[1].kv = layer.tail;
            a.ranges[1].causalOffset = at;
            a.rangeCount = 2;
            if (layer.slidingWindow > 0) {
                for (std::size_t r = 0; r < oldest.size(); ++r)
                    oldest[r] = static_cast<std::int32_t>(
                        std::max<std::int64_t>(0, positions[r] + 1 - layer.slidingWindow));
                a.ranges[0].firstRows = oldest;
                a.ranges[0].positions = layer.prefixPositions;
                a.ranges[1].window = layer.slidingWindow;
            }
            a.queryHeads = p.queryHeads;
            a.scale = 1.0F / std::sqrt(static_cast<float>(layer.tail.headDim));
            attention(a);
            linear({attended, w.out, {}, x, true});
            rmsNorm({x, w.postNorm, p.eps, normed});
            linear({normed, w.gateUp, {}, gateUp, false});
            swiglu({gateUp, gated});
            linear({gated, w.down, {}, x, true});
        }
        head({x, p.finalNorm, p.eps, p.lmHead, p.logits.rowsFrom(first, rows)});
    }
}

} // namespace fkv::cuda
