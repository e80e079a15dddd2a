// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/tables.h"

#include <algorithm>
#include <cmath>

namespace fkv::trace {

namespace {

std::size_t cube(std::size_t ki, int l, int m, int layers) {
    const auto n = static_cast<std::size_t>(layers);
    return (ki * n + static_cast<std::size_t>(l)) * n + static_cast<std::size_t>(m);
}

}  // namespace

float StabilizationTable::overlapAt(std::size_t ki, int l, int m) const {
    return overlap[cube(ki, l, m, layers)];
}

float StabilizationTable::recallAt(std::size_t ki, int l, int m) const {
    return recall[cube(ki, l, m, layers)];
}

TablePosition locate(const std::vector<std::int64_t>& ks, std::int64_t k) {
    if (ks.size() < 2 || k <= ks.front()) return {};
    if (k >= ks.back()) return {ks.size() - 2, 1.0F};
    const auto above = std::upper_bound(ks.begin(), ks.end(), k);
    const auto lower = static_cast<std::size_t>(above - ks.begin()) - 1;
    const double a = std::log(static_cast<double>(ks[lower]));
    const double b = std::log(static_cast<double>(ks[lower + 1]));
    return {lower, static_cast<float>((std::log(static_cast<double>(k)) - a) / (b - a))};
}

}  // namespace fkv::trace
