// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/io/trace_checks.h"
#include "engine/io/trace_source.h"
#include "engine/trace/run.h"

#include <memory>
#include <string>

namespace fkv::io {

/// Reads the two passes of a trace into a run that has its model and prompt already.
class TracePasses {
public:
    TracePasses(const TraceSource& source, trace::Run& run) : m_source(source), m_run(run) {}

    void readFull();
    void readFastKv(); ///< needs the full pass
    /// Ranks are rankings, and the sets are those that the ranks give. Last, as it reads every
    /// rank.
    void check() const;
    /// What no file holds, as it follows from the ranks.
    void addLevels();

private:
    std::shared_ptr<const trace::WindowSums> readSums(const std::string& name,
                                                      std::int64_t cols) const;
    std::shared_ptr<const trace::Tables> readTables() const;
    trace::StabilizationTable readCurves(const std::string& prefix) const;
    std::vector<std::int64_t> readKs(const std::string& name) const;
    void readLate(trace::FastKvPass& pass);
    trace::PlanePtr<std::uint32_t> readRanks(const std::string& name, std::int64_t rows,
                                             std::int64_t cols);
    int threads() const;
    void checkKept(const trace::FastKvPass& pass, int layer) const;

    const TraceSource& m_source;
    trace::Run& m_run;
    std::shared_ptr<trace::FullPass> m_full; ///< the run's, until it is whole
    RankCheck m_ranks;
};

} // namespace fkv::io
