// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <array>

namespace fkv::app {

// The scale of the rate sliders (VIEWS section 4): positions in [0, 1] against rates in (0, 1],
// logarithmic from 0.5 % to 100 %. Pure functions. Rates below the scale are valid; they lie at 0.

inline constexpr double kLeastRate = 0.005;
inline constexpr std::array<double, 7> kTickPercents{1, 2, 5, 10, 20, 50, 100};

/// Position of a rate, clamped to [0, 1]; NaN gives 0.
double positionOfRate(double rate);
/// Rate at a position, exact at both ends.
double rateAtPosition(double position);
/// Rate for a pointer at `position` of a track `trackPx` wide: the tick within a few pixels, else
/// rounded to what a pixel resolves, so that a drag never shows digits that it did not choose.
double rateForPointer(double position, double trackPx);

enum class SliderStep { Down, Up, PageDown, PageUp, First, Last };
/// A key's step: arrows about 5 % of the value in round numbers, pages from tick to tick.
double steppedRate(double rate, SliderStep step);

/// A rate as it is typed, in percent without the sign: "20", "0.37", "33.3333".
QString percentText(double rate);

} // namespace fkv::app
