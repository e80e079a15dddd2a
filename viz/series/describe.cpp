// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/describe.h"

#include "viz/series/format.h"
#include "viz/state/shown.h"

namespace fkv::viz {
namespace {

QString describeAmount(const trace::Amount& amount) {
    return amount.unit == trace::Amount::Unit::Rate
               ? formatRate(amount.rate)
               : formatCount(amount.tokens) + QStringLiteral(" tokens");
}

} // namespace

QString describeSettings(const trace::Settings& s) {
    return QStringLiteral("TSP %1 · %2 · KV %3 · %4 %5 · window %6")
        .arg(s.tspLayer)
        .arg(describeAmount(s.tsp), describeAmount(s.kv),
             s.pooling == trace::Pooling::Max ? QStringLiteral("max") : QStringLiteral("avg"))
        .arg(s.kernel)
        .arg(s.window);
}

QString describeSampling(const trace::Sampling& sampling) {
    return sampling.greedy() ? QString() : QString::fromStdString(trace::describe(sampling));
}

QString describeDecoded(const trace::Settings& settings) {
    const QString sampling = describeSampling(settings.sampling);
    return sampling.isEmpty() ? describeSettings(settings)
                              : describeSettings(settings) + QStringLiteral(" · ") + sampling;
}

QString describeShown(const Shown& shown) {
    if (!shown.run()) return {};
    QString text = QString::fromStdString(shown.run()->model.name) + QStringLiteral(" · ") +
                   formatCount(shown.run()->tokens()) + QStringLiteral(" tokens");
    if (shown.fate())
        text += QStringLiteral(" · ") + describeSettings(shown.fate()->settings) +
                QStringLiteral(" · ") + stateName(shown.fate()->state());
    if (shown.run()->recorded) text += QStringLiteral(" · recorded");
    return text;
}

} // namespace fkv::viz
