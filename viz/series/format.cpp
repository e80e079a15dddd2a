// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/format.h"

#include <QLocale>
#include <cmath>

namespace fkv::viz {
namespace {

const QString kNothing = QStringLiteral("–");

}  // namespace

QString formatCount(std::int64_t n) {
    return QLocale(QLocale::English, QLocale::UnitedStates).toString(static_cast<qlonglong>(n));
}

QString formatSignificant(double v) {
    if (!std::isfinite(v)) return kNothing;
    const double a = std::fabs(v);
    if (a == 0.0) return QStringLiteral("0");
    if (a < 1e-3 || a >= 1e7) {
        // "3e-5", not "3e-05".
        QString text = QString::number(v, 'e', a < 1e-3 ? 0 : 2);
        text.replace(QLatin1String("e+"), QLatin1String("e"));
        return text.replace(QLatin1String("e-0"), QLatin1String("e-"))
            .replace(QLatin1String("e0"), QLatin1String("e"));
    }
    // 999.6 must become 1,000 and not 1e+03: round to three digits first.
    const double unit = std::pow(10.0, std::floor(std::log10(a)) - 2.0);
    const double rounded = std::round(v / unit) * unit;
    const double magnitude = std::floor(std::log10(std::fabs(rounded)));
    const int decimals = magnitude >= 2 ? 0 : static_cast<int>(2 - magnitude);
    if (decimals == 0) return formatCount(std::llround(a >= 1000.0 ? v : rounded));
    return QString::number(rounded, 'f', decimals);
}

QString formatMs(double ms) {
    return std::isfinite(ms) ? formatSignificant(ms) + QStringLiteral(" ms") : kNothing;
}

QString formatBytes(std::int64_t bytes) {
    const double b = static_cast<double>(bytes);
    const double magnitude = std::fabs(b);
    if (magnitude >= 1024.0 * 1024.0 * 1024.0 * 0.9995)
        return formatSignificant(b / (1024.0 * 1024.0 * 1024.0)) + QStringLiteral(" GiB");
    if (magnitude >= 1024.0 * 1024.0 * 0.9995)
        return formatSignificant(b / (1024.0 * 1024.0)) + QStringLiteral(" MiB");
    if (magnitude >= 1024.0) return formatSignificant(b / 1024.0) + QStringLiteral(" KiB");
    return formatCount(bytes) + QStringLiteral(" B");
}

QString formatPercent(double share) {
    return std::isfinite(share) ? formatSignificant(share * 100.0) + QStringLiteral(" %") : kNothing;
}

QString formatRate(double share) {
    return std::isfinite(share) ? QString::number(share * 100.0, 'g', 3) + QStringLiteral(" %")
                                : kNothing;
}

QString formatRatio(double r) {
    return std::isfinite(r) ? formatSignificant(r) + QStringLiteral("×") : kNothing;
}

QString formatKl(double nats) { return formatSignificant(nats); }

QString withState(const QString& text, trace::State state) {
    if (state == trace::State::Preview) return QStringLiteral("≈ ") + text;
    if (state == trace::State::Composed) return QStringLiteral("Σ ") + text;
    return text;
}

QString stateName(trace::State state) {
    switch (state) {
        case trace::State::Exact: return QStringLiteral("exact");
        case trace::State::Preview: return QStringLiteral("preview");
        case trace::State::Composed: return QStringLiteral("composed");
        case trace::State::Pending: return QStringLiteral("pending");
        case trace::State::Recorded: return QStringLiteral("recorded");
    }
    return {};
}

}  // namespace fkv::viz
