// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_rows.h"

#include "viz/series/parallel.h"
#include "viz/series/survivor_ranks.h"

#include <algorithm>
#include <limits>

namespace fkv::viz {
namespace {

std::size_t size(int n) {
    return static_cast<std::size_t>(n);
}

} // namespace

bool ImportanceRows::update(const trace::Run& run, const trace::Fate& fate,
                            ViewOptions::Source source) {
    const auto& plane = run.full->tspRanks;
    const int layers = plane ? static_cast<int>(plane->rows()) : 0;
    Key key{run.full, nullptr, layers, 0};
    if (source == ViewOptions::Source::FastKv && fate.budgets.firstLate() < layers) {
        key.firstLate = fate.budgets.firstLate();
        key.propagated = fate.budgets.propagated;
        if (fate.layers[size(key.firstLate)].compacted) key.fastkv = run.fastkv;
    }
    if (key == m_key) return false;
    m_key = std::move(key);
    m_ranks.clear();
    m_mass.clear();
    m_lateMass.clear();
    m_massSums.clear();
    m_survivors.clear();
    for (int l = 0; l < m_key.firstLate; ++l)
        m_ranks.push_back({plane->row(size(l)), {}});
    m_lateRanks.assign(size(layers - m_key.firstLate), {});
    if (!m_lateRanks.empty()) buildLate(fate);
    return true;
}

void ImportanceRows::buildLate(const trace::Fate& fate) {
    // The window is last among the survivors and has no rank.
    m_survivors.assign(fate.survivors.begin(), fate.survivors.end() - fate.budgets.window);
    m_latePreview.assign(m_lateRanks.size(), 1);
    onTwoThreads(m_lateRanks.size(), [this](std::size_t i) {
        const trace::Plane<float>* saliency = nullptr;
        if (m_key.fastkv && i < m_key.fastkv->late.size())
            saliency = m_key.fastkv->late[i].saliency.get();
        m_latePreview[i] = !saliency || saliency->cols() != m_survivors.size();
        if (m_latePreview[i] == 0)
            m_lateRanks[i] = allHeadRanks(*saliency);
        else
            m_lateRanks[i] =
                ranksAmong(m_key.full->tspRanks->row(size(m_key.firstLate) + i), m_survivors);
    });
    for (const auto& ranks : m_lateRanks)
        m_ranks.push_back({ranks, m_survivors});
}

std::span<const MassRow> ImportanceRows::mass() {
    if (!m_mass.empty() || m_ranks.empty()) return m_mass;
    const auto& plane = m_key.full->mass;
    m_mass.resize(m_ranks.size());
    m_lateMass.assign(m_lateRanks.size(), {});
    for (int l = 0; plane && l < m_key.firstLate && size(l) < plane->rows(); ++l)
        m_mass[size(l)] = {plane->row(size(l)), {}};
    onTwoThreads(m_lateMass.size(), [&](std::size_t i) {
        const std::size_t layer = size(m_key.firstLate) + i;
        const trace::WindowSums* sums = nullptr;
        if (m_key.fastkv && i < m_key.fastkv->late.size()) sums = m_key.fastkv->late[i].sums.get();
        if (sums && sums->tokens() == m_survivors.size()) {
            m_lateMass[i] = massOverHeads(*sums);
        } else if (plane && layer < plane->rows()) {
            const auto row = plane->row(layer);
            m_lateMass[i].reserve(m_survivors.size());
            for (const std::int32_t token : m_survivors)
                m_lateMass[i].push_back(row[static_cast<std::size_t>(token)]);
        }
    });
    for (std::size_t i = 0; i < m_lateMass.size(); ++i)
        m_mass[size(m_key.firstLate) + i] = {m_lateMass[i], m_survivors};
    return m_mass;
}

std::span<const double> ImportanceRows::massSums() {
    if (m_massSums.empty()) m_massSums = sumOfRows(mass());
    return m_massSums;
}

double ImportanceRows::massShare(int row, TokenRange tokens) {
    const MassRow& r = mass()[size(row)];
    const auto columns = static_cast<std::int64_t>(r.values.size());
    TokenRange span{std::min(tokens.begin, columns), std::min(tokens.end, columns)};
    if (row >= m_key.firstLate) {
        const auto columnOf = [&r](std::int64_t token) {
            return std::lower_bound(r.positions.begin(), r.positions.end(), token) -
                   r.positions.begin();
        };
        span = {columnOf(tokens.begin), columnOf(tokens.end)};
    }
    double sum = 0.0;
    for (std::int64_t j = span.begin; j < span.end; ++j)
        sum += r.values[static_cast<std::size_t>(j)];
    const double total = massSums()[size(row)];
    return total > 0.0 ? sum / total : std::numeric_limits<double>::quiet_NaN();
}

std::optional<std::uint32_t> ImportanceRows::rankOf(int row, std::int64_t token) const {
    if (row < 0 || row >= count() || token < 0) return std::nullopt;
    const RankRow& r = m_ranks[size(row)];
    auto column = static_cast<std::size_t>(token);
    if (row >= m_key.firstLate) {
        const auto at = std::lower_bound(r.positions.begin(), r.positions.end(), token);
        if (at == r.positions.end() || *at != token) return std::nullopt;
        column = static_cast<std::size_t>(at - r.positions.begin());
    }
    if (column >= r.values.size()) return std::nullopt;
    return r.values[column];
}

std::int64_t ImportanceRows::rankedIn(int row) const {
    return row < 0 || row >= count() ? 0
                                     : static_cast<std::int64_t>(m_ranks[size(row)].values.size());
}

bool ImportanceRows::preview(int row) const {
    return row >= m_key.firstLate && row < count() &&
           m_latePreview[size(row - m_key.firstLate)] != 0;
}

} // namespace fkv::viz
