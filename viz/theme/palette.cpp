// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/theme/palette.h"

#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

double linear(double channel) {
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}
double gamma(double channel) {
    const double c = std::clamp(channel, 0.0, 1.0);
    return c <= 0.0031308 ? c * 12.92 : 1.055 * std::pow(c, 1.0 / 2.4) - 0.055;
}
double luminance(const QColor& c) {
    return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF());
}

/// Lightness runs evenly from `low` to `high`; chroma grows with the square root, so that kept and
/// dropped part early, and hue angle is fixed. Chroma 0 is the grey twin.
std::array<QRgb, 256> ramp(double low, double high, double chroma, double hueDegrees) {
    std::array<QRgb, 256> colours{};
    const double hue = hueDegrees * 3.14159265358979 / 180.0;
    for (std::size_t i = 0; i < colours.size(); ++i) {
        const double share = static_cast<double>(i) / 255.0;
        const double c = chroma * std::sqrt(share);
        colours[i] = fromLab({low + (high - low) * share, c * std::cos(hue), c * std::sin(hue)});
    }
    return colours;
}

Palette makeLight() {
    Palette p;
    p.dark = false;
    p.window = QColor(0xf3, 0xf4, 0xf6);
    p.base = QColor(0xff, 0xff, 0xff);
    p.text = QColor(0x1a, 0x1d, 0x21);
    p.mutedText = QColor(0x5a, 0x61, 0x6b);
    p.border = QColor(0xc9, 0xcd, 0xd3);
    p.gridLine = QColor(0xe3, 0xe6, 0xea);
    p.focus = QColor(0x1f, 0x6f, 0xd0);
    p.full = QColor(0x6b, 0x72, 0x7c);
    p.fastkv = QColor(0x1f, 0x6f, 0xd0);
    p.tspLine = QColor(0xc8, 0x66, 0x00);
    p.lost = QColor(0xd5, 0x45, 0x00);
    p.notANumber = QColor(0xd0, 0x00, 0xb0);
    p.hover = QColor(0x1a, 0x1d, 0x21);
    p.pins = {QColor(0x00, 0x7a, 0x87), QColor(0x8e, 0x44, 0xad), QColor(0xa8, 0x6a, 0x00),
              QColor(0xb0, 0x30, 0x6a), QColor(0x3d, 0x7a, 0x1e), QColor(0x3f, 0x51, 0xb5),
              QColor(0x7a, 0x55, 0x48), QColor(0x45, 0x5a, 0x64)};
    p.zones = {QColor(0x1f, 0x6f, 0xd0), QColor(0x5a, 0x9b, 0xd8), QColor(0x7b, 0x6b, 0xb8),
               QColor(0xd0, 0x7a, 0x10), QColor(0x8a, 0x91, 0x9b), QColor(0xa0, 0x7a, 0x55)};
    p.rampKept = ramp(94.0, 30.0, 52.0, 275.0);
    p.rampDropped = ramp(94.0, 30.0, 0.0, 0.0);
    return p;
}

Palette makeDark() {
    Palette p;
    p.dark = true;
    p.window = QColor(0x1b, 0x1d, 0x21);
    p.base = QColor(0x12, 0x14, 0x17);
    p.text = QColor(0xe8, 0xea, 0xed);
    p.mutedText = QColor(0xa4, 0xab, 0xb5);
    p.border = QColor(0x3f, 0x44, 0x4c);
    p.gridLine = QColor(0x2a, 0x2e, 0x34);
    p.focus = QColor(0x6c, 0xb0, 0xff);
    p.full = QColor(0x9a, 0xa1, 0xab);
    p.fastkv = QColor(0x6c, 0xb0, 0xff);
    p.tspLine = QColor(0xff, 0xa6, 0x3d);
    p.lost = QColor(0xff, 0x7a, 0x45);
    p.notANumber = QColor(0xff, 0x5c, 0xe1);
    p.hover = QColor(0xff, 0xff, 0xff);
    p.pins = {QColor(0x3f, 0xc4, 0xd1), QColor(0xc9, 0x8f, 0xe0), QColor(0xe0, 0xb0, 0x50),
              QColor(0xf0, 0x7f, 0xb0), QColor(0x8e, 0xcb, 0x6a), QColor(0x93, 0xa4, 0xf0),
              QColor(0xc8, 0xa5, 0x95), QColor(0xa3, 0xb8, 0xc2)};
    p.zones = {QColor(0x6c, 0xb0, 0xff), QColor(0x4a, 0x86, 0xc0), QColor(0xa0, 0x90, 0xdc),
               QColor(0xff, 0xa6, 0x3d), QColor(0x7d, 0x84, 0x8e), QColor(0xb8, 0x93, 0x70)};
    p.rampKept = ramp(16.0, 82.0, 44.0, 265.0);
    p.rampDropped = ramp(16.0, 82.0, 0.0, 0.0);
    return p;
}

}  // namespace

const Palette& lightPalette() {
    static const Palette palette = makeLight();
    return palette;
}

const Palette& darkPalette() {
    static const Palette palette = makeDark();
    return palette;
}

double contrast(const QColor& a, const QColor& b) {
    const double la = luminance(a), lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

QColor inkOn(const QColor& background) {
    return contrast(background, Qt::black) >= contrast(background, Qt::white) ? QColor(Qt::black)
                                                                              : QColor(Qt::white);
}

QColor faded(const QColor& ink, const QColor& background, double share) {
    const auto mix = [share](int a, int b) { return static_cast<int>(std::lround(a * share + b * (1.0 - share))); };
    return {mix(ink.red(), background.red()), mix(ink.green(), background.green()),
            mix(ink.blue(), background.blue())};
}

// sRGB, D65: IEC 61966-2-1 and CIE 15.
Lab toLab(QRgb rgb) {
    const double r = linear(qRed(rgb) / 255.0), g = linear(qGreen(rgb) / 255.0), b = linear(qBlue(rgb) / 255.0);
    const double x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047;
    const double y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b;
    const double z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883;
    const auto f = [](double t) {
        return t > 216.0 / 24389.0 ? std::cbrt(t) : (24389.0 / 27.0 * t + 16.0) / 116.0;
    };
    return {116.0 * f(y) - 16.0, 500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z))};
}

QRgb fromLab(const Lab& lab) {
    const double fy = (lab.l + 16.0) / 116.0;
    const auto inverse = [](double f) {
        return f > 6.0 / 29.0 ? f * f * f : (116.0 * f - 16.0) / (24389.0 / 27.0);
    };
    const double x = 0.95047 * inverse(fy + lab.a / 500.0);
    const double y = inverse(fy);
    const double z = 1.08883 * inverse(fy - lab.b / 200.0);
    const auto channel = [](double v) { return static_cast<int>(std::lround(gamma(v) * 255.0)); };
    return qRgb(channel(3.2404542 * x - 1.5371385 * y - 0.4985314 * z),
                channel(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
                channel(0.0556434 * x - 0.2040259 * y + 1.0572252 * z));
}

double deltaE(const Lab& a, const Lab& b) {
    return std::sqrt((a.l - b.l) * (a.l - b.l) + (a.a - b.a) * (a.a - b.a) + (a.b - b.b) * (a.b - b.b));
}

}  // namespace fkv::viz
