// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "viz/series/head_index.h"

#include <cstdint>
#include <span>
#include <vector>

namespace fkv::viz {

/// Where every KV head keeps: scored tokens kept in every bin. The window is kept by all of them
/// and belongs to no bin.
struct HeadStrips {
    StripBins bins;
    int layers = 0;
    int heads = 0;
    std::vector<std::uint32_t> kept; ///< [L, G, bins.count]

    std::span<const std::uint32_t> of(int layer, int head) const {
        const auto width = static_cast<std::size_t>(bins.count);
        return std::span(kept).subspan(
            (static_cast<std::size_t>(layer) * static_cast<std::size_t>(heads) +
             static_cast<std::size_t>(head)) *
                width,
            width);
    }
};

/// Counts all strips: Fate::keeps summed over every bin. A head whose plane has an index costs a
/// microsecond; of a preview the bits are counted, and where there is neither, the ranks are read. On
/// two threads, when one is free.
HeadStrips countStrips(const trace::Fate& fate, const StripBins& bins, const HeadIndexes& indexes);

/// A strip of `width` px as it is drawn: `bins` of `pixels` px each, at most kMostShown, every one
/// the same width so that none looks heavier; what is left of the width stays empty. Each adds up
/// whole neighbouring StripBins, so that its count is exact.
struct ShownBins {
    static constexpr int kMostShown = 64;

    ShownBins() = default;
    ShownBins(const StripBins& from, int width);

    int bins = 0;
    int pixels = 0;
    int fine = 0; ///< bins of the StripBins that it was made from

    int width() const { return bins * pixels; }
    int firstFine(int bin) const { return bin * fine / bins; }
    /// The shown bin that holds a scored token.
    int binOf(const StripBins& from, std::int64_t token) const;
    TokenRange tokensOf(const StripBins& from, int bin) const {
        return from.tokensOf(firstFine(bin), firstFine(bin + 1));
    }
};

/// Share kept, in [0, 1], of every shown bin of one strip. `out` has shown.bins values.
void shareKept(std::span<const std::uint32_t> strip, const StripBins& from, const ShownBins& shown,
               std::span<float> out);

} // namespace fkv::viz
