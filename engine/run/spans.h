// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/trace/zones.h"

#include <cstdint>
#include <vector>

namespace fkv::run {

/// Collects spans of one request against one clock. Recording is a push into reserved memory.
class SpanSink {
public:
    SpanSink();
    void restart(); ///< drops spans, clock to zero
    std::int64_t nowNs() const;
    void add(const trace::Span& span) { m_spans.push_back(span); }
    const std::vector<trace::Span>& spans() const { return m_spans; }

private:
    std::int64_t m_originNs = 0;
    std::vector<trace::Span> m_spans;
};

/// Times its own lifetime and opens the NVTX range of the same name (domain "fastkv", payload
/// tokens).
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

} // namespace fkv::run
