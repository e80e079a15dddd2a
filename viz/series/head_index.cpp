// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_index.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {

namespace {

/// At most 256 levels, finer for better ranks: log-spaced edges from 0 to `columns`.
std::vector<std::uint32_t> makeLevelEdges(std::size_t columns) {
    constexpr int kLevels = 256;
    std::vector<std::uint32_t> edges{0};
    const double octaves = std::log2(static_cast<double>(columns) + 1.0);
    for (int i = 1; i <= kLevels; ++i) {
        const auto edge =
            static_cast<std::uint32_t>(std::lround(std::exp2(octaves * i / kLevels) - 1.0));
        if (edge > edges.back()) edges.push_back(edge);
    }
    return edges;
}

std::vector<std::uint8_t> makeLevelOfRank(const std::vector<std::uint32_t>& edges) {
    std::vector<std::uint8_t> levels;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i)
        levels.resize(edges[i + 1], static_cast<std::uint8_t>(i));
    return levels;
}

std::vector<std::uint8_t> makeBinOfColumn(std::size_t columns,
                                          std::span<const std::int32_t> positions,
                                          const StripBins& bins) {
    std::vector<std::uint8_t> binOf(columns);
    for (std::size_t i = 0; i < columns; ++i) {
        const auto position = positions.empty() ? static_cast<std::int64_t>(i) : positions[i];
        binOf[i] = static_cast<std::uint8_t>(position / bins.perBin);
    }
    return binOf;
}

} // namespace

HeadIndexPtr HeadIndex::build(const trace::PlanePtr<std::uint32_t>& ranks,
                              std::span<const std::int32_t> positions, const StripBins& bins,
                              const std::stop_token& stop) {
    if (!positions.empty() && positions.size() < ranks->cols()) return nullptr;
    auto index = std::make_shared<HeadIndex>();
    index->m_ranks = ranks;
    index->m_bins = bins;
    index->m_columns = ranks->cols();
    index->m_steps = index->m_columns / kStep + 1;
    index->m_binOfRank.resize(ranks->rows() * index->m_columns);
    index->m_checkPoints.resize(ranks->rows() * index->m_steps *
                                static_cast<std::size_t>(bins.count));
    Maps maps{makeBinOfColumn(index->m_columns, positions, bins), {}};
    if (positions.empty()) {
        index->m_levelEdges = makeLevelEdges(index->m_columns);
        maps.levelOfRank = makeLevelOfRank(index->m_levelEdges);
        index->m_levels.resize(ranks->rows() * index->m_columns);
    }
    for (std::size_t g = 0; g < ranks->rows(); ++g)
        if (stop.stop_requested() || !index->buildHead(g, maps)) return nullptr;
    return index;
}

bool HeadIndex::buildHead(std::size_t head, const Maps& maps) {
    const auto row = m_ranks->row(head);
    const auto binOfRank = std::span(m_binOfRank).subspan(head * m_columns, m_columns);
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] >= m_columns) return false; // ranks of a file need not be what they say
        binOfRank[row[i]] = maps.binOfColumn[i];
        if (!maps.levelOfRank.empty()) m_levels[head * m_columns + i] = maps.levelOfRank[row[i]];
    }

    const auto width = static_cast<std::size_t>(m_bins.count);
    std::vector<std::uint32_t> counts(width, 0);
    auto out = m_checkPoints.begin() + static_cast<std::ptrdiff_t>(head * m_steps * width);
    for (std::size_t step = 0; step < m_steps; ++step) {
        out = std::copy(counts.begin(), counts.end(), out);
        const std::size_t end = std::min((step + 1) * kStep, m_columns);
        for (std::size_t r = step * kStep; r < end; ++r)
            ++counts[binOfRank[r]];
    }
    return true;
}

std::size_t HeadIndex::bytes() const {
    return m_binOfRank.size() + m_levels.size() + m_checkPoints.size() * sizeof(std::uint32_t);
}

void HeadIndex::countBelow(int head, std::uint32_t cut, std::span<std::uint32_t> out) const {
    const auto g = static_cast<std::size_t>(head);
    const auto width = static_cast<std::size_t>(m_bins.count);
    const std::size_t end = std::min<std::size_t>(cut, m_columns);
    const auto binOfRank = std::span(m_binOfRank).subspan(g * m_columns, m_columns);
    const std::size_t nearest = std::min((end + kStep / 2) / kStep, m_steps - 1);
    const auto from = std::span(m_checkPoints).subspan((g * m_steps + nearest) * width, width);
    std::copy(from.begin(), from.end(), out.begin());
    for (std::size_t r = nearest * kStep; r < end; ++r)
        ++out[binOfRank[r]];
    for (std::size_t r = end; r < nearest * kStep; ++r)
        --out[binOfRank[r]];
}

std::span<const std::uint8_t> HeadIndex::levelsOf(int head) const {
    return std::span(m_levels).subspan(static_cast<std::size_t>(head) * m_columns, m_columns);
}

void HeadIndex::countBelow(int head, std::uint32_t cut, const Listed& listed,
                           std::span<std::uint32_t> out) const {
    const auto row = m_ranks->row(static_cast<std::size_t>(head));
    const auto levels = levelsOf(head);
    // The level that holds the cut: below it all are kept, above it none.
    const auto edge = std::upper_bound(m_levelEdges.begin(), m_levelEdges.end(), cut);
    const auto own = static_cast<std::uint32_t>(edge - m_levelEdges.begin() - 1);
    // Two walks without branches: a branch on a rank would wait for memory with nothing else to do.
    const auto unsure = std::make_unique_for_overwrite<std::int32_t[]>(listed.tokens.size() + 1);
    std::vector<std::size_t> unsureEnd(out.size());
    std::size_t count = 0;
    for (std::size_t b = 0; b < out.size(); ++b) {
        std::uint32_t kept = 0;
        for (std::int64_t j = listed.ofBin[b].begin; j < listed.ofBin[b].end; ++j) {
            const std::int32_t token = listed.tokens[static_cast<std::size_t>(j)];
            const std::uint32_t level = levels[static_cast<std::size_t>(token)];
            kept += level < own ? 1U : 0U;
            unsure[count] = token;
            count += level == own ? 1U : 0U;
        }
        out[b] = kept;
        unsureEnd[b] = count;
    }
    std::size_t next = 0;
    for (std::size_t b = 0; b < out.size(); ++b)
        for (; next < unsureEnd[b]; ++next)
            out[b] += row[static_cast<std::size_t>(unsure[next])] < cut ? 1U : 0U;
}

void HeadIndex::countLevels(int head, std::span<const std::int32_t> tokens,
                            std::span<std::uint32_t> out) const {
    const auto levels = levelsOf(head);
    std::fill(out.begin(), out.end(), 0U);
    for (const std::int32_t token : tokens)
        ++out[levels[static_cast<std::size_t>(token)]];
}

const HeadIndex* HeadIndexes::find(const trace::PlanePtr<std::uint32_t>& ranks,
                                   const StripBins& bins) const {
    for (const auto* indexes : {&full, &late})
        for (const HeadIndexPtr& index : *indexes)
            if (index && index->ranks() == ranks && index->bins() == bins) return index.get();
    return nullptr;
}

std::size_t HeadIndexes::bytes() const {
    std::size_t sum = 0;
    for (const auto* indexes : {&full, &late})
        for (const HeadIndexPtr& index : *indexes)
            sum += index ? index->bytes() : 0;
    return sum;
}

std::vector<HeadIndexPtr> indexFullPass(const trace::FullPass& full, const StripBins& bins,
                                        const std::stop_token& stop) {
    std::vector<HeadIndexPtr> indexes;
    for (const trace::LayerPlanes& planes : full.layers) {
        if (planes.ranks && !planes.ranks->empty())
            indexes.push_back(HeadIndex::build(planes.ranks, {}, bins, stop));
        if (stop.stop_requested()) return {};
    }
    return indexes;
}

std::vector<HeadIndexPtr> indexRerun(const trace::FastKvPass& pass, const StripBins& bins,
                                     const std::stop_token& stop) {
    std::vector<HeadIndexPtr> indexes;
    for (const trace::LayerPlanes& planes : pass.late) {
        if (planes.ranks && !planes.ranks->empty())
            indexes.push_back(HeadIndex::build(planes.ranks, pass.survivors, bins, stop));
        if (stop.stop_requested()) return {};
    }
    return indexes;
}

} // namespace fkv::viz
