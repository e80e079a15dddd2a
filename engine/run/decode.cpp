// SPDX-License-Identifier: Apache-2.0
#include "engine/run/decode.h"

#include "engine/core/error.h"
#include "engine/core/median.h"
#include "engine/run/gpu_sampling.h"
#include "engine/run/sampling.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

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
    return median(std::move(steps));
}

namespace {

/// Chooses the tokens of a continuation, one step after the other.
class TokenSteps {
public:
    virtual ~TokenSteps() = default;
    /// The first token, by what prefill left.
    virtual std::int32_t first(std::span<const float> logits) = 0;
    /// The token after `produced` of them, of which `last` is the newest.
    virtual std::int32_t next(std::int32_t last, std::int64_t produced, PassScope& scope) = 0;
    /// Milliseconds of the step that made the newest token.
    virtual double stepMs() const = 0;
    virtual void end(std::int64_t /*produced*/) {}
};

/// Steps of a greedy continuation. A token is picked where the logits are and handed to the next
/// step there; the host hears of it. Where ops only enqueue, a step is under way while the token of
/// the one before is on its way to the host.
class GreedySteps final : public TokenSteps {
public:
    GreedySteps(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                int count)
        : m_context(context),
          m_backend(context.transformer().backend()),
          m_request(request),
          m_logits(logitRows(context, tails, 1).rowsFrom(0, 1)),
          m_count(count),
          m_ahead(m_backend.clock() != nullptr) {
        if (!tails.picked.buffer)
            tails.picked = context.transformer().memory().matrix(2, 1, DType::U32);
        m_picked = tails.picked.view;
    }

    std::int32_t first(std::span<const float> logits) override { return argMax(logits); }
    std::int32_t next(std::int32_t last, std::int64_t produced, PassScope& scope) override {
        SpanSink& clock = scope.spans();
        if (!m_ahead) {
            if (m_queued < produced) queue(produced, last, &scope);
        } else {
            scope.op(Zone::Pass, 1, [&] {
                if (m_queued < produced) queue(produced, last, nullptr); // the first
                if (produced + 1 < m_count) queue(produced + 1, last, nullptr);
                m_backend.awaitDelivery(m_tickets[produced % 2]);
            });
            m_stepNs = clock.nowNs() - m_arrivedNs;
        }
        m_arrivedNs = clock.nowNs();
        return static_cast<std::int32_t>(m_arrived[produced % 2]);
    }
    /// Where a step is always under way, the time since the token before; the first has none before
    /// it.
    double stepMs() const override { return static_cast<double>(m_stepNs) * 1e-6; }
    /// A step that was under way when the answer ended is as if it had not been.
    void end(std::int64_t produced) override {
        if (m_queued > produced - 1)
            for (ops::DecodeLayer& layer : m_request.layers)
                --layer.tail.length;
    }

private:
    /// Enqueues the step that makes token `index`: from `last`, or from the pick before.
    void queue(std::int64_t index, std::int32_t last, PassScope* scope) {
        const ops::View pick = m_picked.rowsFrom(index % 2, 1);
        ops::DecodePlan plan = m_context.transformer().decodePlan(
            std::span(&last, 1), m_request.position + index - 1, m_request.layers, m_logits);
        if (m_ahead && index > 1) plan.token = m_picked.rowsFrom((index - 1) % 2, 1);
        const auto step = [&] {
            const std::int64_t begin = scope == nullptr ? 0 : scope->spans().nowNs();
            m_backend.decodeStep(plan);
            if (scope != nullptr) m_stepNs = scope->spans().nowNs() - begin;
        };
        const auto sample = [&] {
            m_backend.argMax({m_logits, pick});
            const ops::Delivery delivery{&m_arrived[index % 2], pick};
            m_tickets[index % 2] = m_backend.deliver(std::span(&delivery, 1));
        };
        if (scope != nullptr) {
            scope->op(Zone::Pass, 1, step);
            scope->op(Zone::Sample, 1, sample);
        } else {
            step();
            sample();
        }
        m_queued = index;
    }

    const RunContext& m_context;
    ops::Backend& m_backend;
    const DecodeRequest& m_request;
    ops::View m_logits, m_picked;
    int m_count;
    bool m_ahead;
    std::int64_t m_queued = 0, m_arrivedNs = 0, m_stepNs = 0;
    std::array<std::uint64_t, 2> m_tickets{};
    std::array<std::uint32_t, 2> m_arrived{};
};

/// Steps of a sampled continuation: the host draws from each step's logits. Nothing is under way
/// ahead, since the next step needs the token.
class SampledSteps final : public TokenSteps {
public:
    SampledSteps(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                 const trace::Sampling& sampling)
        : m_context(context),
          m_request(request),
          m_sampler(sampling),
          m_logits(logitRows(context, tails, 1).rowsFrom(0, 1)),
          m_read(static_cast<std::size_t>(m_logits.cols)) {}

    std::int32_t first(std::span<const float> logits) override { return m_sampler.draw(logits, 0); }
    std::int32_t next(std::int32_t last, std::int64_t produced, PassScope& scope) override {
        ops::Backend& backend = m_context.transformer().backend();
        std::int32_t drawn = 0;
        m_stepNs = 0;
        const auto timed = [&](Zone zone, const auto& op) {
            scope.op(zone, 1, [&] {
                const std::int64_t begin = scope.spans().nowNs();
                op();
                m_stepNs += scope.spans().nowNs() - begin;
            });
        };
        timed(Zone::Pass, [&] {
            backend.decodeStep(m_context.transformer().decodePlan(std::span(&last, 1),
                                                                  m_request.position + produced - 1,
                                                                  m_request.layers, m_logits));
            backend.readback(m_read.data(), m_logits);
            backend.synchronize();
        });
        timed(Zone::Sample, [&] { drawn = m_sampler.draw(m_read, produced); });
        return drawn;
    }
    double stepMs() const override { return static_cast<double>(m_stepNs) * 1e-6; }

private:
    const RunContext& m_context;
    const DecodeRequest& m_request;
    Sampler m_sampler;
    ops::View m_logits;
    std::vector<float> m_read; ///< [V]
    std::int64_t m_stepNs = 0;
};

std::unique_ptr<TokenSteps> makeSteps(const RunContext& context, HeldTails& tails,
                                      const DecodeRequest& request, const AnswerRequest& asked) {
    if (asked.sampling.greedy())
        return std::make_unique<GreedySteps>(context, tails, request, asked.count);
    return std::make_unique<SampledSteps>(context, tails, request, asked.sampling);
}

/// Appends tokens until there are as many as were asked for, or one of them ends the answer.
void extend(trace::Answer& answer, TokenSteps& steps, const RunContext& context,
            const AnswerRequest& asked, PassScope& scope) {
    const std::vector<std::int32_t>& eos = context.transformer().config().eos;
    while (static_cast<int>(answer.tokens.size()) < asked.count) {
        const auto produced = static_cast<std::int64_t>(answer.tokens.size());
        std::int32_t next = 0;
        if (produced == 0)
            scope.op(Zone::Sample, 1, [&] { next = steps.first(asked.firstLogits); });
        else
            next = steps.next(answer.tokens.back().id, produced, scope);
        const double ms = produced == 0 ? 0.0 : steps.stepMs();
        const std::int32_t before = produced == 0 ? asked.previous : answer.tokens.back().id;
        answer.tokens.push_back({next, context.model.tokenizer().decode(next, before), ms});
        if (std::find(eos.begin(), eos.end(), next) != eos.end())
            answer.end = trace::AnswerEnd::EndOfSequence;
        if (asked.grown) asked.grown(answer);
        if (answer.endOfSequence()) return;
    }
    answer.end = trace::AnswerEnd::Count;
}

} // namespace

AnswerResult decodeAnswer(const RunContext& context, HeldTails& tails, const DecodeRequest& request,
                          const AnswerRequest& asked) {
    SpanSink spans(nullptr, context.transformer().backend().kernelTracer(),
                   static_cast<std::size_t>(std::max(asked.count, 0)) * 2 + 1);
    GpuSampling gpu(context.model.gpu());
    PassScope scope(spans, request.pass, context.gate, context.stop);
    const std::unique_ptr<TokenSteps> steps = makeSteps(context, tails, request, asked);
    AnswerResult result;
    trace::Answer& answer = result.answer;
    try {
        extend(answer, *steps, context, asked, scope);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Cancelled) throw;
        answer.end = trace::AnswerEnd::Stopped;
    }
    steps->end(static_cast<std::int64_t>(answer.tokens.size()));
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
