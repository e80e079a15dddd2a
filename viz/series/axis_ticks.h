// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

namespace fkv::viz {

/// Round places on a linear axis from low to high, both included when they are round: multiples of
/// 1, 2 or 5 times a power of ten, at most `most` of them. Empty for an empty or endless range.
std::vector<double> linearTicks(double low, double high, int most);
/// Powers of ten from low to high (> 0), every n-th so that there are at most `most`.
std::vector<double> decadeTicks(double low, double high, int most);
/// Least round number >= v of the form 1, 2 or 5 times a power of ten; 1 for v <= 0.
double roundUp(double v);
/// Every how many of `count` steps a label fits when one takes `labelPx` of `widthPx`: 1, 2, 4, 8,
/// ...
int labelStride(int count, double widthPx, double labelPx);

} // namespace fkv::viz
