// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_strips.h"

#include "viz/series/head_counts.h"
#include "viz/series/parallel.h"

#include <algorithm>

namespace fkv::viz {
namespace {

void countOneByOne(const trace::Fate& fate, const StripBins& bins, HeadPlace at,
                   std::span<std::uint32_t> out) {
    for (int b = 0; b < bins.count; ++b)
        out[static_cast<std::size_t>(b)] =
            static_cast<std::uint32_t>(keptIn(fate, at, bins.tokensOf(b, b + 1)));
}

void countStrip(const trace::Fate& fate, const HeadIndex* index, const StripBins& bins,
                HeadPlace at, std::span<std::uint32_t> out) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    // An index knows what ranks below a cut, of all tokens and not of survivors.
    if (!index || layer.levels || keepsAllThatArrives(layer))
        return countOneByOne(fate, bins, at, out);
    index->countBelow(at.head, layer.cut[static_cast<std::size_t>(at.head)], out);
}

} // namespace

HeadStrips countStrips(const trace::Fate& fate, const StripBins& bins, const HeadIndexes& indexes) {
    HeadStrips strips;
    strips.bins = bins;
    strips.layers = static_cast<int>(fate.layers.size());
    strips.heads = fate.layers.empty() ? 0 : static_cast<int>(fate.layers.front().cut.size());
    const auto width = static_cast<std::size_t>(bins.count);
    const auto heads = static_cast<std::size_t>(strips.heads);
    strips.kept.resize(fate.layers.size() * heads * width);

    std::vector<const HeadIndex*> index;
    for (const trace::LayerFate& layer : fate.layers)
        index.push_back(layer.ranks ? indexes.find(layer.ranks, bins) : nullptr);
    onTwoThreads(fate.layers.size() * heads, [&](std::size_t i) {
        const HeadPlace at{static_cast<int>(i / heads), static_cast<int>(i % heads)};
        countStrip(fate, index[i / heads], bins, at,
                   std::span(strips.kept).subspan(i * width, width));
    });
    return strips;
}

ShownBins::ShownBins(const StripBins& from, int width) : fine(from.count) {
    if (width <= 0 || fine == 0) return;
    if (fine <= std::min(width, kMostShown)) {
        pixels = width / fine;
        bins = fine;
        return;
    }
    pixels = (width + kMostShown - 1) / kMostShown;
    bins = std::min(width / pixels, fine);
}

int ShownBins::binOf(const StripBins& from, std::int64_t token) const {
    const auto at = static_cast<int>(token / from.perBin);
    int bin = at * bins / fine; // one off at most, as firstFine() rounds
    while (bin + 1 < bins && firstFine(bin + 1) <= at)
        ++bin;
    while (bin > 0 && firstFine(bin) > at)
        --bin;
    return bin;
}

void shareKept(std::span<const std::uint32_t> strip, const StripBins& from, const ShownBins& shown,
               std::span<float> out) {
    for (int b = 0; b < shown.bins; ++b) {
        std::uint64_t kept = 0;
        for (int f = shown.firstFine(b); f < shown.firstFine(b + 1); ++f)
            kept += strip[static_cast<std::size_t>(f)];
        const std::int64_t tokens = shown.tokensOf(from, b).size();
        out[static_cast<std::size_t>(b)] =
            tokens > 0 ? static_cast<float>(kept) / static_cast<float>(tokens) : 0.0F;
    }
}

} // namespace fkv::viz
