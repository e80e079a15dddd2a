// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/pieces.h"
#include "engine/ops/validate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace fkv {
namespace {

ops::View stepView(std::vector<float>& memory, std::int64_t rows, std::int64_t cols) {
    return {cpu::scratch(memory, rows * cols), DType::F32, rows, cols, cols};
}

}  // namespace

void CpuBackend::head(const ops::HeadParams& p) {
    ops::validate(p, m_info);
    for (std::int64_t first = 0; first < p.x.rows; first += kStepRows) {
        const std::int64_t rows = std::min(kStepRows, p.x.rows - first);
        const ops::View normed = stepView(m_step.normed, rows, p.x.cols);
        rmsNorm({p.x.rowsFrom(first, rows), p.norm, p.eps, normed});
        linear({normed, p.lmHead, {}, p.logits.rowsFrom(first, rows), false});
    }
}

void CpuBackend::argMax(const ops::ArgMaxParams& p) {
    ops::validate(p, m_info);
    for (std::int64_t r = 0; r < p.logits.rows; ++r) {
        const auto* row = p.logits.rowsFrom(r, 1).as<const float>();
        // A NaN in front would never be smaller than what follows.
        const auto* best = std::max_element(row, row + p.logits.cols, [](float a, float b) {
            return a < b || (std::isnan(a) && !std::isnan(b));
        });
        *p.ids.rowsFrom(r, 1).as<std::uint32_t>() = static_cast<std::uint32_t>(best - row);
    }
}

// A long teacher-forced batch goes through in chunks: each is causal inside itself and sees those
// before it in the tails, which is the same thing with bounded scratch.
void CpuBackend::decodeStep(const ops::DecodePlan& p) {
    ops::validate(p, m_info);
    const auto tokens = static_cast<std::int64_t>(p.tokens.size());
    for (std::int64_t first = 0; first < tokens; first += kStepRows)
        decodeRows(p, first, std::min(kStepRows, tokens - first));
}

void CpuBackend::decodeRows(const ops::DecodePlan& p, std::int64_t first, std::int64_t rows) {
    const std::int64_t hidden = p.embedding.cols;
    const ops::View x = stepView(m_step.x, rows, hidden);
    const ops::View normed = stepView(m_step.normed, rows, hidden);
    std::array<std::int32_t, kStepRows> positions;
    std::array<std::int32_t, kStepRows> oldest;
    std::iota(positions.begin(), positions.end(), static_cast<std::int32_t>(p.position + first));
    const auto count = static_cast<std::size_t>(rows);
    const auto fromDevice = p.token.data == nullptr ? 0 : *p.token.as<const std::int32_t>();
    embed({p.token.data == nullptr ? p.tokens.subspan(static_cast<std::size_t>(first), count)
                                   : std::span(&fromDevice, 1),
           p.embedding, x});
    for (ops::DecodeLayer& layer : p.layers) {
        const ops::LayerWeights& w = layer.weights;
        const std::int64_t d = layer.tail.headDim;
        const std::int64_t at = layer.tail.length;
        const ops::View qkv = stepView(m_step.qkv, rows, w.qkv.rows);
        const ops::View attended = stepView(m_step.attended, rows, p.queryHeads * d);
        const ops::View gateUp = stepView(m_step.gateUp, rows, w.gateUp.rows);
        const ops::View activated = stepView(m_step.activated, rows, w.down.cols);

        rmsNorm({x, w.inputNorm, p.eps, normed});
        linear({normed, w.qkv, w.qkvBias, qkv, false});
        ropeAppend({qkv,
                    {positions.data(), count},
                    p.cosTable,
                    p.sinTable,
                    p.queryHeads,
                    layer.tail,
                    at,
                    w.queryNorm,
                    w.keyNorm,
                    p.eps});
        layer.tail.length = at + rows;
        ops::AttentionParams a{};
        a.queries = qkv;
        a.queries.cols = p.queryHeads * d;
        a.out = attended;
        a.ranges[0].kv = layer.prefix;
        a.ranges[1].kv = layer.tail;
        a.ranges[1].causalOffset = at;
        a.rangeCount = 2;
        if (layer.slidingWindow > 0) {
            for (std::size_t r = 0; r < count; ++r)
                oldest[r] = static_cast<std::int32_t>(
                    std::max<std::int64_t>(0, positions[r] + 1 - layer.slidingWindow));
            a.ranges[0].firstRows = {oldest.data(), count};
            a.ranges[0].positions = layer.prefixPositions;
            a.ranges[1].window = layer.slidingWindow;
        }
        a.queryHeads = p.queryHeads;
        a.scale = 1.0F / std::sqrt(static_cast<float>(d));
        attention(a);
        linear({attended, w.out, {}, x, true});
        rmsNorm({x, w.postNorm, p.eps, normed});
        linear({normed, w.gateUp, {}, gateUp, false});
        swiglu({gateUp, activated});
        linear({activated, w.down, {}, x, true});
    }
    head({x, p.finalNorm, p.eps, p.lmHead, p.logits.rowsFrom(first, rows)});
}

}  // namespace fkv
