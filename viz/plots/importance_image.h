// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/importance_rows.h"
#include "viz/theme/palette.h"

#include <QImage>
#include <optional>

namespace fkv::viz {

/// What is drawn of the importance map, kept until something changes it (VIEWS section 5). Another
/// run, range or width folds ranks into cells anew; a moved slider only looks up the fate of the
/// best tokens and colours again; hovering does nothing at all. Empty without ranks or tokens.
class ImportanceImage {
public:
    struct Inputs {
        trace::RunPtr run; ///< with its full pass
        trace::FatePtr fate;
        ViewOptions::Source source = ViewOptions::Source::Full;
        ViewOptions::Scale scale = ViewOptions::Scale::Rank;
        ViewOptions::FateMode mode = ViewOptions::FateMode::Tsp;
        TokenRange visible;
        int width = 0;         ///< logical px of the plot
        bool overview = false; ///< whether the strip of the whole prompt is wanted
        const Palette* colours = nullptr;
    };
    /// How often things were built: what a gesture costs, for tests.
    struct Counters {
        int scans = 0;    ///< passes over the ranks of the whole prompt
        int bests = 0;    ///< best tokens per cell, including those of a scan
        int pictures = 0; ///< colourings of the map
    };

    /// Brings all of it up to date; true when anything changed.
    bool update(const Inputs& inputs);

    /// One px a logical px and a layer: to be drawn scaled, without smoothing.
    const QImage& picture() const { return m_picture; }
    /// Best over layers, one px high; null unless wanted.
    const QImage& overview() const { return m_overview; }
    const PositionAxis& axis() const { return m_axis; }
    int rows() const { return m_rows.count(); }
    const BestCells& best() const { return m_scanIsBest ? m_scan.best : m_best; }
    /// The best token of a cell, -1 without one.
    std::int64_t bestToken(int row, int cell) const;
    /// Tokens of every cell that pass TSP, [cells].
    const std::vector<std::int32_t>& ribbon() const { return m_ribbon; }
    /// The worst loss of every cell, [cells].
    const std::vector<RankedToken>& lost() const { return m_lost; }
    /// Visible tokens tied with the TSP cut, when a token is wide enough to mark.
    const std::vector<std::int32_t>& tied() const { return m_tied; }
    /// First row of which a colour or a fate is a guess, as are those after it; rows() when none
    /// is.
    int previewFrom() const { return m_previewFrom; }
    ImportanceRows& rowsOfMap() { return m_rows; }
    const ImportanceRows& rowsOfMap() const { return m_rows; }
    const Counters& counters() const { return m_counters; }

    /// Lost lane: v of the least loss that is shown, top 1 %.
    static constexpr float kLostFrom = 2.0F;
    /// Pixels a token from which on ties are marked.

private:
    void scan(const trace::FullPass& full, int width);
    void rebuildBest(const Inputs& inputs);
    void reshade(const Inputs& inputs);
    void markNotANumber(const trace::FullPass& full);
    bool updateFate(const Inputs& inputs, bool cellsChanged);
    void keptByTsp(const trace::Fate& fate);
    void keptByHeads(const trace::Fate& fate);
    void findTied(const Inputs& inputs);
    void recolour(const Palette& colours);
    void recolourOverview(const Palette& colours, std::int64_t scored);

    ImportanceRows m_rows;
    PositionAxis m_axis;
    std::vector<PixelRange> m_columns; ///< [cells]

    std::shared_ptr<const trace::FullPass> m_scanOf;
    int m_scanWidth = 0;
    CellScan m_scan; ///< of the whole prompt: fits, and feeds overview and lost lane
    bool m_scanIsBest = false;
    BestCells m_best; ///< of the visible part, or of FastKV's own rows

    ViewOptions::Scale m_scale = ViewOptions::Scale::Rank;
    std::vector<std::int16_t> m_shade; ///< [rows, cells] index into a ramp, or one of the two below
    static constexpr std::int16_t kNothing = -1;
    static constexpr std::int16_t kNotANumber = -2;

    struct FateKey {
        ViewOptions::FateMode mode = ViewOptions::FateMode::Tsp;
        int firstLate = -1;
        std::int64_t propagated = -1;
        std::vector<std::uint64_t> passes;
        trace::FatePtr exactly; ///< in mode Kv any other fate may differ
        bool operator==(const FateKey&) const = default;
    };
    std::optional<FateKey> m_fateKey;
    std::vector<char> m_kept; ///< [rows, cells]
    /// Ranks of the best tokens in every KV head of a row, by the plane that decides there.
    struct HeadsOfRow {
        trace::PlanePtr<std::uint32_t> plane;
        std::vector<std::uint32_t> ranks; ///< [cells, heads]
    };
    std::vector<HeadsOfRow> m_heads;
    std::vector<std::int32_t> m_ribbon;
    std::vector<RankedToken> m_lost;
    std::vector<std::int32_t> m_tied;
    int m_previewFrom = 0;

    const Palette* m_colours = nullptr;
    QImage m_picture, m_overview;
    bool m_overviewStale = true;
    Counters m_counters;
};

} // namespace fkv::viz
