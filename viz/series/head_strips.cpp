// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_strips.h"

#include "viz/series/head_counts.h"
#include "viz/series/parallel.h"

#include <algorithm>

namespace fkv::viz {
namespace {

/// Tokens that matter to late layers in a preview, ascending, and the part of them in every bin.
struct Sieve {
    bool dropped = false; ///< the tokens that do *not* pass, where those are fewer
    std::vector<std::int32_t> tokens;
    std::vector<TokenRange> ofBin;
};

struct Job {
    const trace::Fate& fate;
    const StripBins& bins;
    Sieve sieve;
};

Sieve makeSieve(const trace::Fate& fate, const StripBins& bins) {
    Sieve sieve;
    const TokenRange arrived = survivorsIn(fate.survivors, {0, bins.scored});
    sieve.dropped = arrived.size() * 2 > bins.scored;
    if (sieve.dropped) {
        for (std::int64_t i = 0; i < bins.scored; ++i)
            if (!fate.passes.has(i)) sieve.tokens.push_back(static_cast<std::int32_t>(i));
    } else {
        sieve.tokens.assign(fate.survivors.begin(), fate.survivors.begin() + arrived.end);
    }
    for (int b = 0; b < bins.count; ++b)
        sieve.ofBin.push_back(survivorsIn(sieve.tokens, bins.tokensOf(b, b + 1)));
    return sieve;
}

void countOneByOne(const Job& job, HeadPlace at, std::span<std::uint32_t> out) {
    for (int b = 0; b < job.bins.count; ++b)
        out[static_cast<std::size_t>(b)] =
            static_cast<std::uint32_t>(keptIn(job.fate, at, job.bins.tokensOf(b, b + 1)));
}

void countStrip(const Job& job, const HeadIndex* index, HeadPlace at,
                std::span<std::uint32_t> out) {
    const trace::LayerFate& layer = job.fate.layers[static_cast<std::size_t>(at.layer)];
    if (keepsAllThatArrives(layer) || !index) return countOneByOne(job, at, out);
    const std::uint32_t cut = layer.cut[static_cast<std::size_t>(at.head)];
    const bool sieved = at.layer >= job.fate.budgets.firstLate() && !layer.compacted;
    if (!sieved) return index->countBelow(at.head, cut, out);
    index->countBelow(at.head, cut, {job.sieve.tokens, job.sieve.ofBin}, out);
    if (!job.sieve.dropped) return;
    std::vector<std::uint32_t> all(out.size());
    index->countBelow(at.head, cut, all);
    for (std::size_t b = 0; b < out.size(); ++b)
        out[b] = all[b] - out[b];
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
    const Job job{fate, bins, fate.budgets.tspOn ? makeSieve(fate, bins) : Sieve{}};
    onTwoThreads(fate.layers.size() * heads, [&](std::size_t i) {
        const HeadPlace at{static_cast<int>(i / heads), static_cast<int>(i % heads)};
        countStrip(job, index[i / heads], at, std::span(strips.kept).subspan(i * width, width));
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
