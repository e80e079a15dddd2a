// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/kernels.h"
#include "engine/trace/zones.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::viz {

/// A stretch of time in nanoseconds of the run's clock, [begin, end).
struct TimeRange {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t size() const { return end > begin ? end - begin : 0; }
    bool operator==(const TimeRange&) const = default;
};

/// Spans of one pass on one host thread or stream. Indices into the run's spans, ascending in time.
struct TimelineLane {
    trace::PassKind pass = trace::PassKind::Full;
    int stream = 0;
    std::vector<std::uint32_t> zones;     ///< what the time was spent on
    std::vector<std::uint32_t> enclosing; ///< whole layers, or decode steps; may be empty
    std::vector<TimeRange> layers;        ///< [layer] from its first zone to its last; empty: none
    std::vector<std::uint32_t> kernels;   ///< into Timeline::kernels
};

/// Lanes in the order of passes and streams, and the time that they cover. Spans of a zone that lie
/// inside each other are not expected: the engine nests zones in layers and passes alone.
struct Timeline {
    std::vector<TimelineLane> lanes;
    TimeRange all;
    /// As the run's kernels, each with zone, layer and pass of its span; of two that overlap in a
    /// lane the later one begins where the earlier ends, so that a lane is one row.
    std::vector<trace::Span> kernels;
};
Timeline makeTimeline(std::span<const trace::Span> spans, const trace::KernelList& kernels = {});

/// What is painted of a lane: one span, or a run of spans too narrow to be seen (`count` > 1, or
/// one span under a pixel), folded. Px from the left edge of the lane, cut to its width.
struct TimelineBlock {
    double x0 = 0.0;
    double x1 = 0.0;
    std::uint32_t span = 0; ///< the span, or the first of the folded ones
    std::int32_t count = 1; ///< spans in it
    bool folded = false;
};
/// Blocks of the spans `indices` (ascending in time) over `visible` on `width` px, left to right.
/// Spans of at least a pixel stand alone; what lies between is folded until a gap of a pixel.
std::vector<TimelineBlock> timelineBlocks(std::span<const trace::Span> spans,
                                          std::span<const std::uint32_t> indices,
                                          const TimeRange& visible, double width);

/// Px of a time and back; a view of no time or no width gives 0 and begin.
double timeToX(std::int64_t ns, const TimeRange& visible, double width);
std::int64_t xToTime(double x, const TimeRange& visible, double width);

/// Zoom about `anchorNs`, which keeps its place, and moves; inside `all`, at least a microsecond.
TimeRange zoomTime(const TimeRange& range, const TimeRange& all, std::int64_t anchorNs,
                   double factor);
TimeRange panTime(const TimeRange& range, const TimeRange& all, std::int64_t byNs);

} // namespace fkv::viz
