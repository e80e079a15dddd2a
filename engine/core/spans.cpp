// SPDX-License-Identifier: Apache-2.0
#include "engine/core/spans.h"

#include <chrono>

namespace fkv {

namespace {

std::int64_t clockNs() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

} // namespace

SpanSink::SpanSink(std::size_t expected) : m_originNs(clockNs()) {
    m_spans.reserve(expected);
}

std::int64_t SpanSink::nowNs() const {
    return clockNs() - m_originNs;
}

ScopedSpan::ScopedSpan(SpanSink& sink, const Where& where) : m_sink(sink) {
    m_span.zone = where.zone;
    m_span.pass = where.pass;
    m_span.layer = static_cast<std::int16_t>(where.layer);
    m_span.tokens = static_cast<std::int32_t>(where.tokens);
    m_span.beginNs = sink.nowNs();
}

ScopedSpan::~ScopedSpan() {
    m_span.endNs = m_sink.nowNs();
    m_sink.add(m_span);
}

} // namespace fkv
