// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/cells.h"
#include "viz/state/view_options.h"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace fkv::viz {

/// The rows of the importance map, one a layer: all-head ranks and attention mass. Source Full: the
/// full pass. Source FastKV: the same up to layer t, after it the survivors alone; while the rerun
/// is not in, these are previewed in the order of the full pass.
class ImportanceRows {
public:
    /// Follows run and fate; true when rows changed. With source Full that is a new full pass only.
    bool update(const trace::Run& run, const trace::Fate& fate, ViewOptions::Source source);

    int count() const { return static_cast<int>(m_ranks.size()); }
    std::span<const RankRow> ranks() const { return m_ranks; }
    /// Attention mass and its sum per row. The first call after a change reads the planes. Rows
    /// without mass (a file that does not hold it) are empty.
    std::span<const MassRow> mass();
    std::span<const double> massSums();
    /// Share of a row's mass on these tokens; NaN when the row has none.
    double massShare(int row, TokenRange tokens);

    /// Rank of a token in a row; nothing for the window and for tokens that did not arrive.
    std::optional<std::uint32_t> rankOf(int row, std::int64_t token) const;
    /// Tokens ranked in a row: M, or T - w.
    std::int64_t rankedIn(int row) const;
    /// True when the row's order is a guess.
    bool preview(int row) const;

private:
    struct Key {
        std::shared_ptr<const trace::FullPass> full;
        std::shared_ptr<const trace::FastKvPass> fastkv; ///< null: full pass, or previewed
        int firstLate = 0;
        std::int64_t propagated = 0; ///< with firstLate it says who survived
        bool operator==(const Key&) const = default;
    };
    void buildLate(const trace::Fate& fate);

    Key m_key;
    std::vector<RankRow> m_ranks;
    std::vector<std::int32_t> m_survivors; ///< of rows >= firstLate, scored ones
    std::vector<std::vector<std::uint32_t>> m_lateRanks;
    std::vector<char> m_latePreview;
    std::vector<MassRow> m_mass;
    std::vector<std::vector<float>> m_lateMass;
    std::vector<double> m_massSums;
};

} // namespace fkv::viz
