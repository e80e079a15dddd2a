// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QRgb>
#include <array>

namespace fkv::viz {

/// Colours by meaning (VIEWS section 1). Light: more importance = darker; dark: more = lighter.
/// Never red against green, and never colour alone.
struct Palette {
    bool dark = false;
    QColor window, base, text, mutedText, border, gridLine, focus;
    QColor full;          ///< the full-context pass: grey
    QColor fastkv;        ///< FastKV: blue
    QColor tspLine;       ///< orange
    QColor lost;          ///< vermillion: dropped by TSP and wanted later
    QColor notANumber;    ///< magenta
    QColor hover;         ///< outline of what is pointed at
    std::array<QColor, 8> pins;   ///< pins and spans, by number
    std::array<QColor, 6> zones;  ///< by trace::ZoneGroup
    std::array<QRgb, 256> rampKept;     ///< importance of kept tokens, low to high
    std::array<QRgb, 256> rampDropped;  ///< the same lightness in grey

    /// Colour of importance `share` in [0, 1] (rampPosition()).
    QRgb ramp(float share, bool kept) const {
        const auto i = static_cast<std::size_t>(share * 255.0F + 0.5F);
        return (kept ? rampKept : rampDropped)[i < 256 ? i : 255];
    }
};

const Palette& lightPalette();
const Palette& darkPalette();

/// WCAG contrast ratio of two opaque colours, 1 to 21.
double contrast(const QColor& a, const QColor& b);
/// Black or white, whichever reads better on `background`.
QColor inkOn(const QColor& background);
/// `ink` at `share` of its strength over `background`, opaque.
QColor faded(const QColor& ink, const QColor& background, double share);

/// CIE L*a*b* (D65) of a colour; ramps are made and tested in it.
struct Lab {
    double l = 0.0, a = 0.0, b = 0.0;
};
Lab toLab(QRgb rgb);
QRgb fromLab(const Lab& lab);  ///< clamped to sRGB
double deltaE(const Lab& a, const Lab& b);  ///< CIE76

}  // namespace fkv::viz
