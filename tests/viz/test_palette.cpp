// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/importance.h"
#include "viz/theme/palette.h"

#include <QtTest>
#include <cmath>

using namespace fkv::viz;

namespace {

double linearOf(int channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}
int byteOf(double linear) {
    const double c = std::clamp(linear, 0.0, 1.0);
    return static_cast<int>(std::lround(255.0 * (c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055)));
}

/// Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB.
QRgb simulated(QRgb rgb, int kind) {
    static const double m[2][9] = {
        {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
        {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881}};
    const double r = linearOf(qRed(rgb)), g = linearOf(qGreen(rgb)), b = linearOf(qBlue(rgb));
    const double* k = m[kind];
    return qRgb(byteOf(k[0] * r + k[1] * g + k[2] * b), byteOf(k[3] * r + k[4] * g + k[5] * b),
                byteOf(k[6] * r + k[7] * g + k[8] * b));
}

}  // namespace

class TestPalette : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void themes_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void themes() {
        QFETCH(bool, dark);
        const Palette& p = dark ? darkPalette() : lightPalette();
        for (const QColor& background : {p.base, p.window}) {
            QVERIFY2(contrast(p.text, background) >= 4.5, "text");
            QVERIFY2(contrast(p.mutedText, background) >= 4.5, "muted text");
            for (const QColor& mark : {p.full, p.fastkv, p.tspLine, p.lost, p.notANumber, p.focus})
                QVERIFY2(contrast(mark, background) >= 3.0, qPrintable(mark.name()));
            for (const QColor& mark : p.pins) QVERIFY2(contrast(mark, background) >= 3.0, qPrintable(mark.name()));
        }
    }
    void rampsAreMonotone_data() { themes_data(); }
    void rampsAreMonotone() {
        QFETCH(bool, dark);
        const Palette& p = dark ? darkPalette() : lightPalette();
        for (const auto* ramp : {&p.rampKept, &p.rampDropped})
            for (std::size_t i = 8; i < ramp->size(); ++i) {
                const double step = toLab((*ramp)[i]).l - toLab((*ramp)[i - 8]).l;
                QVERIFY(dark ? step > 0.0 : step < 0.0);
            }
    }
    void fatesDiffer_data() { themes_data(); }
    void fatesDiffer() {
        QFETCH(bool, dark);
        const Palette& p = dark ? darkPalette() : lightPalette();
        for (float v = 1.0F; v <= 3.0F; v += 0.05F) {
            const float share = rampPosition(v, kImportanceLow, 3.0F);
            const QRgb kept = p.ramp(share, true), dropped = p.ramp(share, false);
            QVERIFY2(deltaE(toLab(kept), toLab(dropped)) >= 15.0, qPrintable(QString::number(v)));
            for (const int kind : {0, 1}) {
                const double e = deltaE(toLab(simulated(kept, kind)), toLab(simulated(dropped, kind)));
                QVERIFY2(e >= 15.0, qPrintable(QStringLiteral("v %1, colour blindness %2: %3").arg(v).arg(kind).arg(e)));
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestPalette)
#include "test_palette.moc"
