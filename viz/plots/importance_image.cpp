// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_image.h"

#include "viz/plots/position_paint.h"

#include "viz/series/importance.h"
#include "viz/series/parallel.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

std::size_t size(int n) {
    return static_cast<std::size_t>(n);
}

bool sameAxis(const PositionAxis& a, const PositionAxis& b) {
    return a.scored() == b.scored() && a.visible() == b.visible() && a.width() == b.width();
}

std::int16_t shadeOf(float value, float low, float high) {
    return static_cast<std::int16_t>(rampPosition(value, low, high) * 255.0F + 0.5F);
}

} // namespace

std::int64_t ImportanceImage::bestToken(int row, int cell) const {
    const BestCells& b = best();
    return row < 0 || row >= b.rows || cell < 0 || cell >= b.cells ? -1 : b.token[b.at(row, cell)];
}

bool ImportanceImage::update(const Inputs& in) {
    const PositionAxis axis(in.run->scored(), in.visible, in.width);
    const bool rowsChanged = m_rows.update(*in.run, *in.fate, in.source);
    const bool cellsChanged = rowsChanged || !sameAxis(axis, m_axis) || !m_fateKey;
    m_axis = axis;
    if (cellsChanged) rebuildBest(in);
    const bool shadesChanged = cellsChanged || in.scale != m_scale;
    if (shadesChanged) reshade(in);
    const bool fateChanged = updateFate(in, cellsChanged);
    const bool coloursChanged = in.colours != m_colours;
    if (shadesChanged || fateChanged || coloursChanged) recolour(*in.colours);
    m_overviewStale = m_overviewStale || coloursChanged;
    m_colours = in.colours;
    const bool overviewChanged = in.overview != !m_overview.isNull() || m_overviewStale;
    if (!in.overview) {
        m_overview = {};
    } else if (overviewChanged) {
        recolourOverview(*in.colours, in.run->scored());
    }
    return shadesChanged || fateChanged || coloursChanged || (in.overview && overviewChanged);
}

void ImportanceImage::scan(const trace::FullPass& full, int width) {
    const auto& plane = full.tspRanks;
    std::vector<RankRow> rows;
    for (std::size_t l = 0; plane && l < plane->rows(); ++l)
        rows.push_back({plane->row(l), {}});
    const std::int64_t scored = m_axis.scored();
    // rank + 1 <= M / 10^v
    const auto top = static_cast<std::uint32_t>(
        std::floor(static_cast<double>(scored) * std::pow(10.0, -kLostFrom)));
    m_scan = scanCells(rows, PositionAxis(scored, {0, scored}, width), top);
    ++m_counters.scans;
    ++m_counters.bests;
    m_overviewStale = true;
}

void ImportanceImage::rebuildBest(const Inputs& in) {
    if (m_scanOf != in.run->full || m_scanWidth != in.width) {
        m_scanOf = in.run->full;
        m_scanWidth = in.width;
        scan(*in.run->full, in.width);
    }
    m_scanIsBest =
        m_axis.visible().size() == m_axis.scored() && in.source == ViewOptions::Source::Full;
    if (!m_scanIsBest) {
        m_best = bestCells(m_rows.ranks(), m_axis);
        ++m_counters.bests;
    }
    m_heads.assign(size(m_rows.count()), {});
    m_columns.resize(size(m_axis.cells()));
    for (int cell = 0; cell < m_axis.cells(); ++cell)
        m_columns[size(cell)] = m_axis.pixelsOf(cell);
}

void ImportanceImage::reshade(const Inputs& in) {
    m_scale = in.scale;
    const BestCells& b = best();
    m_shade.assign(b.rank.size(), kNothing);
    if (in.scale == ViewOptions::Scale::Mass) {
        const auto ratios = massPerCell(m_rows.mass(), m_rows.massSums(), m_axis);
        for (std::size_t i = 0; i < m_shade.size(); ++i)
            if (!std::isnan(ratios[i]))
                m_shade[i] = shadeOf(std::log10(ratios[i]), kMassLow, kMassHigh);
    } else {
        const float high = importanceHigh(in.run->scored());
        for (int row = 0; row < b.rows; ++row) {
            const std::int64_t ranked = m_rows.rankedIn(row);
            for (std::size_t i = b.at(row, 0); i < b.at(row + 1, 0); ++i)
                if (b.rank[i] != kNoRank)
                    m_shade[i] = shadeOf(importance(b.rank[i], ranked), kImportanceLow, high);
        }
    }
    if (in.run->full->notANumber > 0) markNotANumber(*in.run->full);
}

void ImportanceImage::markNotANumber(const trace::FullPass& full) {
    const auto broken = [&](std::size_t row, std::size_t token) {
        if (full.mass && row < full.mass->rows() && std::isnan(full.mass->row(row)[token]))
            return true;
        const auto& saliency = full.layers[row].saliency;
        for (std::size_t g = 0; saliency && g < saliency->rows(); ++g)
            if (std::isnan(saliency->row(g)[token])) return true;
        return false;
    };
    onTwoThreads(size(best().rows), [&](std::size_t row) {
        for (int cell = 0; cell < m_axis.cells(); ++cell) {
            const TokenRange tokens = m_axis.tokensOf(cell);
            for (std::int64_t i = tokens.begin; i < tokens.end; ++i) {
                if (!broken(row, static_cast<std::size_t>(i))) continue;
                m_shade[best().at(static_cast<int>(row), cell)] = kNotANumber;
                break;
            }
        }
    });
}

bool ImportanceImage::updateFate(const Inputs& in, bool cellsChanged) {
    const trace::Fate& fate = *in.fate;
    FateKey key{in.mode, fate.budgets.firstLate(), fate.budgets.propagated, fate.passes.words(),
                in.mode == ViewOptions::FateMode::Kv ? in.fate : nullptr};
    if (!cellsChanged && m_fateKey == key) return false;
    const bool passesChanged =
        cellsChanged || m_fateKey->firstLate != key.firstLate || m_fateKey->passes != key.passes;
    m_fateKey = std::move(key);
    if (passesChanged) {
        m_ribbon = keptPerCell(fate.passes, m_axis);
        m_lost = lostPerCell(m_scan.top, fate.budgets.firstLate(), fate.passes, m_axis);
        findTied(in);
    }
    m_kept.assign(best().token.size(), 1);
    if (in.mode == ViewOptions::FateMode::Tsp)
        keptByTsp(fate);
    else
        keptByHeads(fate);
    // Who passes TSP follows from layer t, which is exact; what heads keep after it may be a guess.
    m_previewFrom = m_rows.count();
    for (int row = m_rows.count() - 1; row >= fate.budgets.firstLate(); --row)
        if (m_rows.preview(row) || (in.mode == ViewOptions::FateMode::Kv &&
                                    fate.layers[size(row)].state == trace::State::Preview))
            m_previewFrom = row;
    return true;
}

void ImportanceImage::keptByTsp(const trace::Fate& fate) {
    const BestCells& b = best();
    if (fate.budgets.firstLate() >= b.rows) return;
    for (std::size_t i = b.at(fate.budgets.firstLate(), 0); i < m_kept.size(); ++i)
        m_kept[i] = b.token[i] >= 0 && fate.passes.has(b.token[i]);
}

void ImportanceImage::keptByHeads(const trace::Fate& fate) {
    const BestCells& b = best();
    const auto tokensOf = [&b](int row) {
        return std::span(b.token).subspan(b.at(row, 0), size(b.cells));
    };
    std::vector<int> unknown;
    for (int row = 0; row < b.rows; ++row)
        if (m_heads[size(row)].plane != fate.layers[size(row)].ranks ||
            m_heads[size(row)].ranks.empty())
            unknown.push_back(row);
    onTwoThreads(unknown.size(), [&](std::size_t i) {
        const int row = unknown[i];
        m_heads[size(row)] = {fate.layers[size(row)].ranks, headRanks(fate, row, tokensOf(row))};
    });
    // Short enough for one thread: waiting for a second would cost more.
    for (int row = 0; row < b.rows; ++row) {
        const trace::LayerFate& layer = fate.layers[size(row)];
        const std::size_t heads = layer.cut.size();
        const std::span<const std::uint32_t> ranks(m_heads[size(row)].ranks);
        const auto tokens = tokensOf(row);
        for (std::size_t cell = 0; cell < tokens.size(); ++cell)
            m_kept[b.at(row, 0) + cell] = tokens[cell] >= 0 && fate.arrives(row, tokens[cell]) &&
                                          keptHeads(layer, ranks.subspan(cell * heads, heads)) > 0;
    }
}

void ImportanceImage::findTied(const Inputs& in) {
    m_tied.clear();
    const trace::Budgets& b = in.fate->budgets;
    const std::int64_t visible = m_axis.visible().size();
    if (!b.tspOn || visible == 0 || m_axis.width() < kTiePixels * visible) return;
    const auto t = size(b.tspLayer);
    const auto& saliency = in.run->full->layers[t].saliency;
    const auto& plane = in.run->full->tspRanks;
    if (!saliency || !plane || saliency->cols() != plane->cols()) return;
    const auto ranks = plane->row(t);
    const std::int64_t best = b.propagated - b.window;
    const auto last = std::find(ranks.begin(), ranks.end(), static_cast<std::uint32_t>(best - 1));
    if (best <= 0 || last == ranks.end()) return;
    const auto score = [&](std::size_t token) {
        float sum = 0.0F;
        for (std::size_t g = 0; g < saliency->rows(); ++g)
            sum += saliency->row(g)[token];
        return sum;
    };
    const double cut = score(static_cast<std::size_t>(last - ranks.begin()));
    const double tolerance = 1e-4 * std::fabs(cut) + 1e-7; // SPEC section 5
    for (std::int64_t i = m_axis.visible().begin; i < m_axis.visible().end; ++i)
        if (std::fabs(score(static_cast<std::size_t>(i)) - cut) <= tolerance)
            m_tied.push_back(static_cast<std::int32_t>(i));
    // The cut token alone is no tie.
    if (m_tied.size() == 1 && m_tied[0] == last - ranks.begin()) m_tied.clear();
}

void ImportanceImage::recolour(const Palette& colours) {
    ++m_counters.pictures;
    const BestCells& b = best();
    if (m_picture.width() != m_axis.width() || m_picture.height() != b.rows)
        m_picture = QImage(m_axis.width(), b.rows, QImage::Format_RGB32);
    if (m_picture.isNull()) return;
    m_picture.fill(colours.base);
    for (int row = 0; row < b.rows; ++row) {
        auto* line = reinterpret_cast<QRgb*>(m_picture.scanLine(row));
        for (int cell = 0; cell < b.cells; ++cell) {
            const std::size_t i = b.at(row, cell);
            QRgb colour = colours.base.rgb();
            if (m_shade[i] >= 0)
                colour = (m_kept[i] ? colours.rampKept : colours.rampDropped)[size(m_shade[i])];
            else if (m_shade[i] == kNotANumber)
                colour = colours.notANumber.rgb();
            std::fill(line + m_columns[size(cell)].x0, line + m_columns[size(cell)].x1, colour);
        }
    }
}

void ImportanceImage::recolourOverview(const Palette& colours, std::int64_t scored) {
    m_overviewStale = false;
    const PositionAxis axis(scored, {0, scored}, m_scanWidth);
    m_overview = QImage(std::max(1, axis.width()), 1, QImage::Format_RGB32);
    m_overview.fill(colours.base);
    const auto ranks = bestOverRows(m_scan.best);
    auto* line = reinterpret_cast<QRgb*>(m_overview.scanLine(0));
    for (int cell = 0; cell < axis.cells(); ++cell) {
        const std::uint32_t rank = ranks[size(cell)];
        if (rank == kNoRank) continue;
        const float share =
            rampPosition(importance(rank, scored), kImportanceLow, importanceHigh(scored));
        const PixelRange px = axis.pixelsOf(cell);
        std::fill(line + px.x0, line + px.x1, colours.ramp(share, true));
    }
}

} // namespace fkv::viz
