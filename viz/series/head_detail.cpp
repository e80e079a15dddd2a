// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_detail.h"

#include "viz/series/format.h"
#include "viz/series/head_mass.h"

#include <QCoreApplication>
#include <QStringList>
#include <cmath>

namespace fkv::viz {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("HeadDetail", text);
}

/// What follows the counts, marked where it is a preview: C itself is known before the rerun.
QString preview(const HeadDetail& detail, const QString& value) {
    return withState(value, detail.state);
}

QString massOf(const HeadDetail& detail) {
    // "about more than 0.99" says nothing.
    return detail.state == trace::State::Preview
               ? preview(detail, QString::number(detail.mass, 'f', 2))
               : formatMass(detail.mass);
}

} // namespace

HeadDetail describeHead(const trace::Run& run, const trace::Fate& fate, HeadPlace at,
                        TokenRange span) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    HeadDetail detail;
    detail.at = at;
    detail.state = layer.state;
    detail.entering = layer.entering;
    detail.kept = layer.kept;
    detail.cut = layer.cut[static_cast<std::size_t>(at.head)];
    detail.tied = tiedAtHead(run, fate, at);
    detail.mass = exactKeptMass(run, fate, at);
    detail.gap = longestGap(fate, at);
    detail.spanTokens = span.size();
    detail.spanKept = span.size() > 0 ? keptIn(fate, at, span) : 0;
    return detail;
}

QString headName(HeadPlace at) {
    return tr("layer %1 head %2").arg(at.layer).arg(at.head);
}

QString shortHeadName(HeadPlace at) {
    return tr("L%1 H%2").arg(at.layer).arg(at.head);
}

QString headFacts(const HeadDetail& d) {
    QStringList parts;
    parts << tr("keeps %1 of %2").arg(formatCount(d.kept), formatCount(d.entering));
    if (!std::isnan(d.mass)) parts << tr("mass %1").arg(massOf(d));
    if (d.kept < d.entering) {
        QString cut = tr("cut rank %1").arg(preview(d, formatCount(d.cut)));
        if (d.tied) cut += tr(", %1 tied").arg(formatCount(*d.tied));
        parts << cut;
        parts << tr("longest gap %1 tokens").arg(preview(d, formatCount(d.gap.size())));
    }
    if (d.spanTokens > 0)
        parts << tr("span: %1 of %2")
                     .arg(preview(d, formatCount(d.spanKept)), formatCount(d.spanTokens));
    return parts.join(QStringLiteral(" · "));
}

QString shortHeadFacts(const HeadDetail& d) {
    QStringList parts;
    parts << tr("keeps %1 of %2").arg(formatCount(d.kept), formatCount(d.entering));
    if (!std::isnan(d.mass)) parts << tr("mass %1").arg(massOf(d));
    if (d.kept < d.entering) {
        QString cut = tr("cut %1").arg(preview(d, formatCount(d.cut)));
        if (d.tied) cut += tr(" (%1 tied)").arg(formatCount(*d.tied));
        parts << cut << tr("gap %1").arg(preview(d, formatCount(d.gap.size())));
    }
    if (d.spanTokens > 0)
        parts
            << tr("span %1/%2").arg(preview(d, formatCount(d.spanKept)), formatCount(d.spanTokens));
    return parts.join(QStringLiteral(" · "));
}

QString fewestHeadFacts(const HeadDetail& d) {
    QStringList parts;
    parts << tr("%1 of %2").arg(formatCount(d.kept), formatCount(d.entering));
    if (!std::isnan(d.mass)) parts << tr("mass %1").arg(massOf(d));
    if (d.kept < d.entering) parts << tr("cut %1").arg(preview(d, formatCount(d.cut)));
    if (d.spanTokens > 0)
        parts
            << tr("span %1/%2").arg(preview(d, formatCount(d.spanKept)), formatCount(d.spanTokens));
    return parts.join(QStringLiteral(" · "));
}

QString formatMass(double share) {
    if (std::isnan(share)) return QStringLiteral("–");
    if (share > 0.0 && share < 0.01) return QStringLiteral("< 0.01");
    if (share < 1.0 && share > 0.99) return QStringLiteral("> 0.99");
    return QString::number(share, 'f', 2);
}

} // namespace fkv::viz
