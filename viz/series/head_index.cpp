// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_index.h"

#include <algorithm>

namespace fkv::viz {

namespace {

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
    const std::vector<std::uint8_t> binOfColumn =
        makeBinOfColumn(index->m_columns, positions, bins);
    for (std::size_t g = 0; g < ranks->rows(); ++g)
        if (stop.stop_requested() || !index->buildHead(g, binOfColumn)) return nullptr;
    return index;
}

bool HeadIndex::buildHead(std::size_t head, std::span<const std::uint8_t> binOfColumn) {
    const auto row = m_ranks->row(head);
    const auto binOfRank = std::span(m_binOfRank).subspan(head * m_columns, m_columns);
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] >= m_columns) return false; // ranks of a file need not be what they say
        binOfRank[row[i]] = binOfColumn[i];
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
    return m_binOfRank.size() + m_checkPoints.size() * sizeof(std::uint32_t);
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
