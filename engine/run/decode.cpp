// SPDX-License-Identifier: Apache-2.0
#include "engine/run/decode.h"

#include "engine/run/gpu_sampling.h"

#include <algorithm>

namespace fkv::run {

using trace::Zone;

namespace {

/// Tokens that are forced in one step: bounds the logits in backend memory.
constexpr std::size_t kForcedRows = 64;

const ops::View& logitRows(const RunContext& context, HeldTails& tails, std::int64_t rows) {
    if (!tails.logits.buffer || tails.logits.view.rows < rows)
        tails.logits =
            context.transformer().memory().matrix(rows, context.transformer().config().vocabulary);
    return tails.logits.view;
}

std::int32_t argMax(std::span<const float> values) {
    return static_cast<std::int32_t>(std::max_element(values.begin(), values.end()) -
                                     values.begin());
}

} // namespace

double medianStep(const std::vector<trace::AnswerToken>& tokens) {
    std::vector<double> steps;
    for (std::size_t i = 1; i < tokens.size(); ++i)
        steps.push_back(tokens[i].ms);
    if (steps.empty()) return 0.0;
    const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
    std::nth_element(steps.begin(), middle, steps.end());
    return *middle;
}

GreedyResult greedy(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                    const GreedyRequest& greedy) {
    model::Transformer& transformer = context.transformer();
    const std::vector<std::int32_t>& eos = transformer.config().eos;
    const ops::View out = logitRows(context, tails, 1).rowsFrom(0, 1);
    SpanSink spans(nullptr, transformer.backend().kernelTracer(),
                   static_cast<std::size_t>(std::max(greedy.count, 0)) * 2 + 1);
    GpuSampling gpu(context.model.gpu());
    PassScope scope(spans, request.pass, context.gate, context.stop);
    std::vector<float> logits(greedy.firstLogits.begin(), greedy.firstLogits.end());
    GreedyResult result;
    trace::Answer& answer = result.answer;
    double ms = 0.0;
    while (static_cast<int>(answer.tokens.size()) < greedy.count) {
        const auto produced = static_cast<std::int64_t>(answer.tokens.size());
        std::int32_t next = 0;
        scope.op(Zone::Sample, 1, [&] { next = argMax(logits); });
        const std::int32_t before =
            answer.tokens.empty() ? greedy.previous : answer.tokens.back().id;
        answer.tokens.push_back({next, context.model.tokenizer().decode(next, before), ms});
        answer.endOfSequence = std::find(eos.begin(), eos.end(), next) != eos.end();
        if (greedy.grown) greedy.grown(answer);
        if (answer.endOfSequence || static_cast<int>(answer.tokens.size()) == greedy.count) break;
        scope.op(Zone::Pass, 1, [&] {
            transformer.backend().decodeStep(transformer.decodePlan(
                std::span(&next, 1), request.position + produced, request.layers, out));
            transformer.backend().readback(logits.data(), out);
            transformer.backend().synchronize();
        });
        ms = static_cast<double>(spans.spans().back().durationNs()) * 1e-6;
    }
    answer.msPerToken = medianStep(answer.tokens);
    result.stretch = {spans.take(), spans.nowNs(), gpu.take(), spans.takeKernels()};
    return result;
}

std::vector<float> forced(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                          std::span<const std::int32_t> tokens) {
    model::Transformer& transformer = context.transformer();
    const auto vocabulary = static_cast<std::size_t>(transformer.config().vocabulary);
    std::vector<float> logits(tokens.size() * vocabulary);
    SpanSink unread(tokens.size() / kForcedRows + 1); // the spans' names are for tools alone
    PassScope scope(unread, request.pass, context.gate, context.stop);
    for (std::size_t begin = 0; begin < tokens.size(); begin += kForcedRows) {
        const std::size_t count = std::min(kForcedRows, tokens.size() - begin);
        const auto part = tokens.subspan(begin, count);
        // A row alone may take another path than a row among others: two are the least, so that the
        // bits of a step do not depend on how many follow. Nothing sees the token that is added.
        std::vector<std::int32_t> step(part.begin(), part.end());
        if (count == 1) step.push_back(part.front());
        const auto rows = static_cast<std::int64_t>(step.size());
        const ops::View out = logitRows(context, tails, rows).rowsFrom(0, rows);
        scope.op(Zone::Pass, rows, [&] {
            transformer.backend().decodeStep(transformer.decodePlan(
                step, request.position + static_cast<std::int64_t>(begin), request.layers, out));
            transformer.backend().readback(logits.data() + begin * vocabulary,
                                           out.rowsFrom(0, static_cast<std::int64_t>(count)));
            transformer.backend().synchronize();
        });
    }
    return logits;
}

} // namespace fkv::run
