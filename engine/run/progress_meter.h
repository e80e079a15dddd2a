// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/observer.h"

#include <algorithm>
#include <string>

namespace fkv::run {

/// Progress of one request in units of work that are known before it starts.
class ProgressMeter {
public:
    explicit ProgressMeter(Observer& observer) : m_observer(observer) {}
    void plan(double units) { m_planned += units; }
    /// Says what is being done now.
    void report(const std::string& stage) {
        m_observer.progress({stage, m_planned > 0.0 ? std::min(1.0, m_done / m_planned) : 0.0});
    }
    void advance(double units) { m_done += units; }

private:
    Observer& m_observer;
    double m_planned = 0.0;
    double m_done = 0.0;
};

} // namespace fkv::run
