// SPDX-License-Identifier: Apache-2.0
#include "engine/core/spans.h"

#include "engine/core/nvtx.h"

#include <chrono>

namespace fkv {

namespace {

std::int64_t clockNs() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

} // namespace

void HostClock::restart() {
    m_originNs = clockNs();
}

std::int64_t HostClock::mark(int) {
    return clockNs() - m_originNs;
}

SpanSink::SpanSink(SpanClock* clock, KernelTracer* tracer, std::size_t expected)
    : m_clock(clock), m_tracer(tracer) {
    m_spans.reserve(expected);
    if (m_clock != nullptr) m_clock->restart();
}

void SpanSink::add(const trace::Span& span, std::uint64_t id) {
    m_spans.push_back(span);
    if (m_tracer == nullptr) return;
    m_tracer->leave();
    m_ids.push_back(id);
}

std::vector<trace::Span> SpanSink::take() {
    if (m_clock != nullptr) m_clock->resolve(m_spans);
    if (m_tracer != nullptr) {
        std::vector<KernelRecord> records = m_tracer->take();
        std::optional<std::int64_t> offset; // of a GPU's events nobody knows it
        if (m_clock == nullptr) offset = m_host.mark() - m_tracer->nowNs();
        m_kernels = placeKernels(std::move(records), m_spans, std::exchange(m_ids, {}), offset);
    }
    return std::exchange(m_spans, {});
}

ScopedSpan::ScopedSpan(SpanSink& sink, const Where& where) : m_sink(sink) {
    m_span.zone = where.zone;
    m_span.pass = where.pass;
    m_span.layer = static_cast<std::int16_t>(where.layer);
    m_span.tokens = static_cast<std::int32_t>(where.tokens);
    m_span.lane = static_cast<std::int16_t>(where.lane);
    // The mark lies inside, so that a tool's own time is not counted.
    nvtx::push(m_span);
    m_id = sink.enter();
    m_span.beginNs = sink.mark(where.lane);
}

ScopedSpan::~ScopedSpan() {
    m_span.endNs = m_sink.mark(m_span.lane);
    nvtx::pop();
    m_sink.add(m_span, m_id);
}

} // namespace fkv
