// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace fkv::app {

/// Makes every PaintedSlider a slider for assistive tools, with its value in words. Once a program.
void installSliderAccessibility();

} // namespace fkv::app
