// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/series/token_looks.h"

#include <QString>

namespace fkv::viz {

/// A token in quotes with its control characters spelled, at most `most` characters: "needle",
/// "\n".
QString quoted(const std::string& text, int most = 24);
/// Readout of a token: `580 "needle" · passes TSP · kept by 3/4 heads · rank 12 (top 0.01 %) ·
/// layer 7`. Fate first, since narrow panels cut the end off.
QString describeToken(const trace::Run& run, const TokenLooks& looks, const trace::Fate& fate,
                      std::int64_t token);
/// What the bars mean: "passes TSP", "kept by a head of layer 7", "kept by head 3 of layer 7".
QString describeDecider(const Decider& decider);

/// One line a token, units in the header. Text is quoted, with \n, \t, \\ and \xNN.
QString tokensCsv(const trace::Run& run, const trace::FatePtr& fate, int layer, TokenRange tokens);
QString csvField(const std::string& text);

} // namespace fkv::viz
