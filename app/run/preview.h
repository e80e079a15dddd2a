// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/core/thread_pool.h"
#include "engine/trace/fate.h"

#include <memory>
#include <utility>

namespace fkv::app {

/// The fate of a run's tokens under any settings, at once, so that every view follows a slider in
/// the frame. When window, kernel or pooling differ from the run's scoring, the scores that are
/// there serve until the engine has scored again, and every layer is a preview.
class Preview {
public:
    /// Without a full pass budgets alone; null without a run. Throws Error{BadArgument} for settings outside their ranges.
    trace::FatePtr fate(const trace::RunPtr& run, const trace::Settings& settings);
    /// The recorded run whose own scores are exact: those of others that were opened from a file
    /// were made from half precision and are previews.
    void setRecorded(trace::RunPtr run) { m_recorded = std::move(run); }

private:
    ThreadPool m_pool{2};
    trace::RunPtr m_recorded;
    /// As computed, under the run's own scoring. While answers stream in, runs differ in nothing
    /// that decides about tokens, and views that get the same fate have nothing to do.
    trace::FatePtr m_previous;
    std::shared_ptr<const trace::FullPass> m_full;     ///< that it was computed from
    std::shared_ptr<const trace::FastKvPass> m_fastkv; ///< likewise
};

} // namespace fkv::app
