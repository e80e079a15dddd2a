// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/gpu_text.h"

#include "viz/series/format.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

namespace fkv::viz {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("GpuText", text);
}

QString limitName(trace::ClockLimit limit) {
    switch (limit) {
    case trace::ClockLimit::ApplicationClocks:
        return tr("clocks set");
    case trace::ClockLimit::PowerCap:
        return tr("power cap");
    case trace::ClockLimit::HardwareSlowdown:
        return tr("hardware slowdown");
    case trace::ClockLimit::SyncBoost:
        return tr("sync boost");
    case trace::ClockLimit::Thermal:
        return tr("thermal limit");
    case trace::ClockLimit::HardwareThermal:
        return tr("hardware thermal limit");
    case trace::ClockLimit::PowerBrake:
        return tr("power brake");
    case trace::ClockLimit::DisplayClocks:
        return tr("display clocks");
    }
    return {};
}

} // namespace

QString gpuLine(std::span<const trace::GpuSample> samples) {
    const auto summary = trace::summarize(samples);
    if (!summary) return {};
    QStringList parts;
    if (summary->smMhz > 0.0F)
        parts << tr("%1 GHz SM").arg(formatSignificant(summary->smMhz * 1e-3));
    if (summary->mostWatts > 0.0F) parts << tr("%1 W").arg(formatSignificant(summary->mostWatts));
    for (std::size_t i = 0; i < trace::kClockLimits.size(); ++i) {
        const double share = summary->limited[i];
        if (share <= 0.0) continue;
        const QString limit = limitName(trace::kClockLimits[i]);
        parts << (share > 0.995 ? limit : tr("%1 %2 %").arg(limit).arg(qRound(share * 100.0)));
    }
    return parts.join(QStringLiteral(" · "));
}

bool clocksLimited(std::span<const trace::GpuSample> samples) {
    const auto summary = trace::summarize(samples);
    return summary && std::any_of(summary->limited.begin(), summary->limited.end(),
                                  [](double share) { return share > 0.0; });
}

QString checkWord(bool clocksLimited) {
    return clocksLimited ? tr("check clocks") : tr("check");
}

} // namespace fkv::viz
