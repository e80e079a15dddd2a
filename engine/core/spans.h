// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/gate.h"
#include "engine/core/kernel_tracer.h"
#include "engine/trace/zones.h"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <utility>
#include <vector>

namespace fkv {

/// What spans are timed by. The host's clock tells the time at once; a GPU's puts a mark into its
/// stream and knows when that came only later, so that timing never makes anybody wait.
class SpanClock {
public:
    virtual ~SpanClock() = default;
    virtual void restart() = 0; ///< time zero
    /// Nanoseconds, or a ticket that resolve() turns into them. Lane 0 is the stream that passes
    /// run in; a mark in lane 1, which runs beside it, comes no earlier than what lane 0 has been
    /// given.
    virtual std::int64_t mark(int lane) = 0;
    virtual int lanes() const { return 1; }
    virtual void resolve(std::vector<trace::Span>& spans) = 0;
};

/// The time of the calling thread.
class HostClock final : public SpanClock {
public:
    HostClock() { restart(); }
    void restart() override;
    std::int64_t mark(int lane = 0) override;
    void resolve(std::vector<trace::Span>&) override {}

private:
    std::int64_t m_originNs = 0;
};

/// Collects spans of one stretch of work against one clock. Recording is a push into reserved
/// memory. Until take(), times are the clock's marks.
class SpanSink {
public:
    explicit SpanSink(std::size_t expected = 1024) : SpanSink(nullptr, expected) {}
    /// `clock`, restarted, must outlive this and serve one sink at a time; null: the host's.
    SpanSink(SpanClock* clock, std::size_t expected) : SpanSink(clock, nullptr, expected) {}
    /// `tracer`, where kernels are asked for, must outlive this.
    SpanSink(SpanClock* clock, KernelTracer* tracer, std::size_t expected);
    std::int64_t nowNs() { return m_host.mark(); } ///< since this sink was made, on the host
    std::int64_t mark(int lane) { return m_clock != nullptr ? m_clock->mark(lane) : m_host.mark(); }
    /// The lane of ops that run beside the others.
    int sideLane() const { return m_clock != nullptr ? m_clock->lanes() - 1 : 0; }
    /// A span begins; the id is for add().
    std::uint64_t enter() { return m_tracer != nullptr ? m_tracer->enter() : 0; }
    /// The innermost span that began has ended.
    void add(const trace::Span& span, std::uint64_t id);
    const std::vector<trace::Span>& spans() const { return m_spans; }
    std::vector<trace::Span> take();
    /// What ran below the spans that were taken; of a tracer's work, once.
    trace::KernelList takeKernels() { return std::exchange(m_kernels, {}); }

private:
    HostClock m_host;
    SpanClock* m_clock;
    KernelTracer* m_tracer;
    std::vector<trace::Span> m_spans;
    std::vector<std::uint64_t> m_ids; ///< of m_spans, with a tracer
    trace::KernelList m_kernels;
};

/// Times its own lifetime, and is an NVTX range of the same name (nvtx.h).
class ScopedSpan {
public:
    struct Where {
        trace::Zone zone;
        trace::PassKind pass;
        int layer;
        std::int64_t tokens;
        int lane = 0;
    };
    ScopedSpan(SpanSink& sink, const Where& where);
    ~ScopedSpan();
    ScopedSpan(const ScopedSpan&) = delete;
    ScopedSpan& operator=(const ScopedSpan&) = delete;

private:
    SpanSink& m_sink;
    trace::Span m_span;
    std::uint64_t m_id;
};

/// What surrounds every op of a pass: before it the engine may be held or stopped, and its time is
/// taken. Borrows the sink and the gate.
class PassScope {
public:
    PassScope(SpanSink& spans, trace::PassKind pass, Gate& gate, std::stop_token stop)
        : m_spans(spans), m_pass(pass), m_gate(gate), m_stop(std::move(stop)) {}

    /// Layer that the next ops belong to; -1 outside of layers.
    void setLayer(int layer) { m_layer = layer; }
    /// Records what follows as one zone: work that a pass does for the instrument alone.
    void setInstead(trace::Zone zone) { m_instead = zone; }
    void resetInstead() { m_instead = trace::Zone::Count; }

    /// Runs one op. Throws Error{Cancelled} in its place after a stop.
    template <class Op>
    void op(trace::Zone zone, std::int64_t tokens, const Op& op) {
        m_gate.pass(m_stop);
        const ScopedSpan span(m_spans, where(zone, tokens));
        op();
    }
    /// One that nobody on the device waits for: it may run beside those that follow.
    template <class Op>
    void opAside(trace::Zone zone, std::int64_t tokens, const Op& op) {
        m_gate.pass(m_stop);
        ScopedSpan::Where place = where(zone, tokens);
        place.lane = m_spans.sideLane();
        const ScopedSpan span(m_spans, place);
        op();
    }
    /// For Layer and Pass, which enclose ops.
    ScopedSpan enclose(trace::Zone zone, std::int64_t tokens) {
        return {m_spans, where(zone, tokens)};
    }
    SpanSink& spans() { return m_spans; }

private:
    ScopedSpan::Where where(trace::Zone zone, std::int64_t tokens) const {
        return {m_instead == trace::Zone::Count ? zone : m_instead, m_pass, m_layer, tokens};
    }
    SpanSink& m_spans;
    trace::PassKind m_pass;
    Gate& m_gate;
    std::stop_token m_stop;
    int m_layer = -1;
    trace::Zone m_instead = trace::Zone::Count;
};

} // namespace fkv
