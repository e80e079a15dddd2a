// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/timeline_rows.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr std::int64_t kLeastTimeNs = 1000;
constexpr double kLeastBlock = 1.0; ///< px

void extend(std::vector<TimeRange>& layers, const trace::Span& span) {
    if (span.layer < 0) return;
    const auto l = static_cast<std::size_t>(span.layer);
    if (l >= layers.size()) layers.resize(l + 1);
    const bool first = layers[l].size() == 0;
    layers[l].begin = first ? span.beginNs : std::min(layers[l].begin, span.beginNs);
    layers[l].end = first ? span.endNs : std::max(layers[l].end, span.endNs);
}

bool isDecode(trace::PassKind pass) {
    return pass == trace::PassKind::DecodeFull || pass == trace::PassKind::DecodeFastKv;
}

std::vector<TimelineLane>::iterator laneOf(std::vector<TimelineLane>& lanes,
                                           const trace::Span& span) {
    return std::find_if(lanes.begin(), lanes.end(), [&](const TimelineLane& l) {
        return l.pass == span.pass && l.stream == span.lane;
    });
}

void addKernels(std::span<const trace::Span> spans, const trace::KernelList& list,
                Timeline& timeline) {
    for (const trace::Kernel& kernel : list.kernels) {
        trace::Span shown = spans[kernel.span];
        shown.beginNs = kernel.beginNs;
        shown.endNs = kernel.endNs;
        timeline.kernels.push_back(shown);
    }
    for (std::uint32_t i = 0; i < timeline.kernels.size(); ++i)
        if (const auto lane = laneOf(timeline.lanes, timeline.kernels[i]);
            lane != timeline.lanes.end())
            lane->kernels.push_back(i);
    for (TimelineLane& lane : timeline.lanes) {
        std::stable_sort(lane.kernels.begin(), lane.kernels.end(),
                         [&](std::uint32_t a, std::uint32_t b) {
                             return timeline.kernels[a].beginNs < timeline.kernels[b].beginNs;
                         });
        std::int64_t end = 0;
        for (const std::uint32_t i : lane.kernels) {
            trace::Span& shown = timeline.kernels[i];
            shown.beginNs = std::max(shown.beginNs, end);
            end = shown.endNs = std::max(shown.endNs, shown.beginNs);
        }
    }
}

TimeRange clampTime(std::int64_t begin, std::int64_t size, const TimeRange& all) {
    size = std::clamp(size, std::min(kLeastTimeNs, all.size()), all.size());
    begin = std::clamp(begin, all.begin, all.end - size);
    return {begin, begin + size};
}

} // namespace

Timeline makeTimeline(std::span<const trace::Span> spans, const trace::KernelList& kernels) {
    Timeline timeline;
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
        const trace::Span& span = spans[i];
        // A pass over the prompt encloses everything; one over a generated token is a decode step.
        const bool step = span.zone == trace::Zone::Pass && isDecode(span.pass);
        if (span.zone == trace::Zone::Pass && !step) continue;
        const bool first = timeline.lanes.empty();
        timeline.all.begin = first ? span.beginNs : std::min(timeline.all.begin, span.beginNs);
        timeline.all.end = first ? span.endNs : std::max(timeline.all.end, span.endNs);
        auto lane = laneOf(timeline.lanes, span);
        if (lane == timeline.lanes.end()) {
            timeline.lanes.push_back({span.pass, span.lane, {}, {}, {}, {}});
            lane = timeline.lanes.end() - 1;
        }
        (step || span.zone == trace::Zone::Layer ? lane->enclosing : lane->zones).push_back(i);
        extend(lane->layers, span);
    }
    std::sort(timeline.lanes.begin(), timeline.lanes.end(),
              [](const TimelineLane& a, const TimelineLane& b) {
                  return a.pass != b.pass ? a.pass < b.pass : a.stream < b.stream;
              });
    const auto inTime = [&](std::uint32_t a, std::uint32_t b) {
        return spans[a].beginNs < spans[b].beginNs;
    };
    for (TimelineLane& lane : timeline.lanes) {
        std::stable_sort(lane.zones.begin(), lane.zones.end(), inTime);
        std::stable_sort(lane.enclosing.begin(), lane.enclosing.end(), inTime);
    }
    addKernels(spans, kernels, timeline);
    return timeline;
}

std::vector<TimelineBlock> timelineBlocks(std::span<const trace::Span> spans,
                                          std::span<const std::uint32_t> indices,
                                          const TimeRange& visible, double width) {
    std::vector<TimelineBlock> blocks;
    if (visible.size() == 0 || width <= 0.0) return blocks;
    // Spans of a lane follow each other, so their ends ascend as their beginnings do.
    auto at = std::partition_point(indices.begin(), indices.end(), [&](std::uint32_t i) {
        return spans[i].endNs <= visible.begin;
    });
    for (; at != indices.end() && spans[*at].beginNs < visible.end; ++at) {
        const trace::Span& span = spans[*at];
        const double from = timeToX(span.beginNs, visible, width);
        const double to = timeToX(span.endNs, visible, width);
        const bool narrow = to - from < kLeastBlock;
        TimelineBlock* last = blocks.empty() ? nullptr : &blocks.back();
        if (narrow && last && last->folded && from - last->x1 < kLeastBlock) {
            last->x1 = std::min(to, width);
            ++last->count;
        } else {
            blocks.push_back({std::max(from, 0.0), std::min(to, width), *at, 1, narrow});
        }
    }
    return blocks;
}

double timeToX(std::int64_t ns, const TimeRange& visible, double width) {
    if (visible.size() == 0) return 0.0;
    return static_cast<double>(ns - visible.begin) / static_cast<double>(visible.size()) * width;
}

std::int64_t xToTime(double x, const TimeRange& visible, double width) {
    if (width <= 0.0) return visible.begin;
    return visible.begin + std::llround(x / width * static_cast<double>(visible.size()));
}

TimeRange zoomTime(const TimeRange& range, const TimeRange& all, std::int64_t anchorNs,
                   double factor) {
    const double share = range.size() > 0 ? static_cast<double>(anchorNs - range.begin) /
                                                static_cast<double>(range.size())
                                          : 0.5;
    const std::int64_t size = std::llround(static_cast<double>(range.size()) * factor);
    const std::int64_t clamped = std::clamp(size, std::min(kLeastTimeNs, all.size()), all.size());
    return clampTime(anchorNs - std::llround(share * static_cast<double>(clamped)), clamped, all);
}

TimeRange panTime(const TimeRange& range, const TimeRange& all, std::int64_t byNs) {
    return clampTime(range.begin + byNs, range.size(), all);
}

} // namespace fkv::viz
