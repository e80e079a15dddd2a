// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/run/observer.h"

#include <chrono>

namespace fkv::cli {

/// Shows progress in one line of stderr, when that is a terminal; says nothing otherwise.
class Terminal : public run::Observer {
public:
    Terminal();
    ~Terminal() override { clear(); }

    void progress(const run::Progress& progress) override;
    void clear(); ///< takes the line away: before anything else is printed

private:
    bool m_shows;
    bool m_dirty = false;
    std::chrono::steady_clock::time_point m_next;
};

} // namespace fkv::cli
