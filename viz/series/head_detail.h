// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/head_counts.h"

#include <QString>
#include <cstdint>
#include <optional>

namespace fkv::viz {

/// All that is said in words about one head. Costs a walk over its ranks and window sums: for the
/// head that is pointed at, not for a picture of all.
struct HeadDetail {
    HeadPlace at;
    trace::State state = trace::State::Exact;
    std::int64_t entering = 0; ///< S
    std::int64_t kept = 0;     ///< C
    std::int64_t cut = 0;      ///< rank below which a token is kept, in the plane that decides
    std::optional<std::int64_t> tied;
    double mass = 0.0; ///< share kept, NaN when not known
    TokenRange gap;    ///< the longest run of positions that are not in the cache
    std::int64_t spanTokens = 0;
    std::int64_t spanKept = 0;
};
/// `span` may be empty.
HeadDetail describeHead(const trace::Run& run, const trace::Fate& fate, HeadPlace at,
                        TokenRange span);

QString headName(HeadPlace at); ///< "layer 18 head 3"
/// "keeps 13,107 of 26,214 · mass 0.93 · cut rank 13,098, 4 tied · longest gap 2,310 tokens · span:
/// 12 of 13"; what is not known is left out, what is a preview marked so.
QString headFacts(const HeadDetail& detail);
/// The same two in two thirds of the width.
QString shortHeadName(HeadPlace at);
QString shortHeadFacts(const HeadDetail& detail);
QString fewestHeadFacts(const HeadDetail& detail);

/// A share of mass in two digits that never rounds to all or nothing: "0.93", "> 0.99", "< 0.01".
QString formatMass(double share);

} // namespace fkv::viz
