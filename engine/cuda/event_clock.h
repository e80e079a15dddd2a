// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/core/spans.h"
#include "engine/cuda/check.h"
#include "engine/cuda/side_stream.h"

#include <vector>

namespace fkv::cuda {

/// Times by events in the two streams: a mark is an event, its time is asked for after the pass.
class EventClock final : public SpanClock {
public:
    EventClock(cudaStream_t stream, SideStream& side) : m_stream(stream), m_side(side) {}
    ~EventClock() override {
        for (cudaEvent_t e : m_events)
            cudaEventDestroy(e);
    }
    EventClock(const EventClock&) = delete;
    EventClock& operator=(const EventClock&) = delete;

    void restart() override {
        m_used = 0;
        mark(0);
    }
    int lanes() const override { return 2; }
    std::int64_t mark(int lane) override {
        // Called where nothing may be thrown: a failure shows at the next op.
        if (m_used == m_events.size()) {
            cudaEvent_t made = nullptr;
            if (cudaEventCreate(&made) != cudaSuccess) return 0;
            m_events.push_back(made);
        }
        cudaEventRecord(m_events[m_used], lane == 0 ? m_stream : m_side.afterMain());
        return static_cast<std::int64_t>(m_used++);
    }
    void resolve(std::vector<trace::Span>& spans) override {
        if (spans.empty()) return;
        // The last mark of either stream may be the later one.
        check(cudaStreamSynchronize(m_stream), "the times of a pass");
        m_side.synchronize();
        for (trace::Span& span : spans) {
            span.beginNs = timeOf(span.beginNs);
            span.endNs = timeOf(span.endNs);
        }
    }

private:
    /// Nanoseconds from the first mark.
    std::int64_t timeOf(std::int64_t ticket) const {
        float ms = 0.0F;
        check(
            cudaEventElapsedTime(&ms, m_events.front(), m_events[static_cast<std::size_t>(ticket)]),
            "the times of a pass");
        return static_cast<std::int64_t>(static_cast<double>(ms) * 1e6);
    }

    cudaStream_t m_stream;
    SideStream& m_side;
    std::vector<cudaEvent_t> m_events; ///< the first is time zero
    std::size_t m_used = 0;
};

} // namespace fkv::cuda
