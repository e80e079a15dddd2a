// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/head_table.h"

#include "viz/series/format.h"
#include "viz/series/head_detail.h"
#include "viz/series/importance.h"
#include "viz/series/parallel.h"
#include "viz/series/token_words.h"

#include <QStringList>
#include <cmath>
#include <vector>

namespace fkv::viz {
namespace {

QString number(double value) {
    return std::isnan(value) ? QString() : QString::number(value, 'g', 7);
}

QString line(const QStringList& fields) {
    return fields.join(QLatin1Char(',')) + QLatin1Char('\n');
}

} // namespace

QString headsCsv(const trace::Run& run, const trace::Fate& fate, TokenRange span) {
    const std::size_t heads = fate.layers.empty() ? 0 : fate.layers.front().cut.size();
    std::vector<HeadDetail> details(fate.layers.size() * heads);
    onTwoThreads(details.size(), [&](std::size_t i) {
        const HeadPlace at{static_cast<int>(i / heads), static_cast<int>(i % heads)};
        details[i] = describeHead(run, fate, at, span);
    });
    QString csv = line({QStringLiteral("layer"), QStringLiteral("kv_head"), QStringLiteral("state"),
                        QStringLiteral("entering [tokens]"), QStringLiteral("kept [tokens]"),
                        QStringLiteral("cut [rank]"), QStringLiteral("tied [tokens]"),
                        QStringLiteral("mass_kept [share]"), QStringLiteral("longest_gap [tokens]"),
                        QStringLiteral("span [tokens]"), QStringLiteral("span_kept [tokens]"),
                        QStringLiteral("kv [bytes]")});
    const std::int64_t perToken = run.model.kvBytesPerTokenHead();
    for (const HeadDetail& d : details)
        csv += line({QString::number(d.at.layer), QString::number(d.at.head), stateName(d.state),
                     QString::number(d.entering), QString::number(d.kept), QString::number(d.cut),
                     d.tied ? QString::number(*d.tied) : QString(), number(d.mass),
                     QString::number(d.gap.size()),
                     d.spanTokens > 0 ? QString::number(d.spanTokens) : QString(),
                     d.spanTokens > 0 ? QString::number(d.spanKept) : QString(),
                     QString::number(d.kept * perToken)});
    return csv;
}

QString headTokensCsv(const trace::Run& run, const trace::Fate& fate, HeadPlace at,
                      TokenRange range) {
    const trace::LayerFate& layer = fate.layers[static_cast<std::size_t>(at.layer)];
    const std::int64_t scored = run.scored();
    QString csv =
        line({QStringLiteral("token"), QStringLiteral("text"), QStringLiteral("layer"),
              QStringLiteral("kv_head"), QStringLiteral("state"), QStringLiteral("arrives"),
              QStringLiteral("rank"), QStringLiteral("importance [log10(ranked / (rank + 1))]"),
              QStringLiteral("kept")});
    for (std::int64_t i = std::max<std::int64_t>(range.begin, 0); i < std::min(range.end, scored);
         ++i) {
        const std::optional<std::uint32_t> rank = rankOf(fate, at, i);
        const auto ranked = layer.ranks ? static_cast<std::int64_t>(layer.ranks->cols()) : 0;
        csv += line({QString::number(i), csvField(run.prompt->tokenText(i)),
                     QString::number(at.layer), QString::number(at.head), stateName(layer.state),
                     QString::number(fate.arrives(at.layer, i) ? 1 : 0),
                     rank ? QString::number(*rank) : QString(),
                     rank ? number(importance(*rank, ranked)) : QString(),
                     QString::number(fate.keeps(at.layer, at.head, i) ? 1 : 0)});
    }
    return csv;
}

} // namespace fkv::viz
