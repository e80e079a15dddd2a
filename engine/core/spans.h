// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/gate.h"
#include "engine/trace/zones.h"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <utility>
#include <vector>

namespace fkv {

/// Collects spans of one stretch of work against one clock. Recording is a push into reserved
/// memory. A GPU backend will time by event pairs that are resolved when the spans are taken.
class SpanSink {
public:
    explicit SpanSink(std::size_t expected = 1024);
    std::int64_t nowNs() const; ///< since this sink was made
    void add(const trace::Span& span) { m_spans.push_back(span); }
    const std::vector<trace::Span>& spans() const { return m_spans; }
    std::vector<trace::Span> take() { return std::exchange(m_spans, {}); }

private:
    std::int64_t m_originNs = 0;
    std::vector<trace::Span> m_spans;
};

/// Times its own lifetime.
class ScopedSpan {
public:
    struct Where {
        trace::Zone zone;
        trace::PassKind pass;
        int layer;
        std::int64_t tokens;
    };
    ScopedSpan(SpanSink& sink, const Where& where);
    ~ScopedSpan();
    ScopedSpan(const ScopedSpan&) = delete;
    ScopedSpan& operator=(const ScopedSpan&) = delete;

private:
    SpanSink& m_sink;
    trace::Span m_span;
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
