// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/token_words.h"

#include "viz/series/format.h"
#include "viz/series/importance.h"
#include "viz/series/token_text.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

namespace fkv::viz {
namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("fkv::viz::TokenWords", text);
}

/// Control characters and stray bytes as escapes; all else as it is.
QString escaped(std::string_view text) {
    QString out;
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = utf8At(text, i);
        const auto byte = static_cast<unsigned char>(text[i]);
        if (c.code == U'\n')
            out += QStringLiteral("\\n");
        else if (c.code == U'\t')
            out += QStringLiteral("\\t");
        else if (c.code == U'\\')
            out += QStringLiteral("\\\\");
        else if (!c.valid || c.code < 0x20 || c.code == 0x7f)
            out +=
                QStringLiteral("\\x") + QString::number(byte, 16).toUpper().rightJustified(2, u'0');
        else
            out += QString::fromUtf8(text.substr(i, static_cast<std::size_t>(c.length)).data(),
                                     c.length);
        i += static_cast<std::size_t>(c.length);
    }
    return out;
}

QString topShare(std::int64_t rank, std::int64_t scored) {
    return formatPercent(static_cast<double>(rank + 1) /
                         static_cast<double>(std::max<std::int64_t>(scored, 1)));
}

} // namespace

QString quoted(const std::string& text, int most) {
    QString shown = escaped(text);
    if (shown.size() > most) shown = shown.left(most - 1) + u'…';
    return u'"' + shown + u'"';
}

QString describeToken(const trace::Run& run, const TokenLooks& looks, const trace::Fate& fate,
                      std::int64_t token) {
    QStringList parts{formatCount(token) + u' ' + quoted(run.prompt->tokenText(token))};
    const int layer = looks.layer();
    const trace::LayerFate& at = fate.layers[static_cast<std::size_t>(layer)];
    const TokenLook look = looks.at(token);
    if (look.window)
        parts << tr("window: always kept");
    else if (!fate.budgets.tspOn)
        parts << tr("TSP off");
    else
        parts << (fate.passes.has(token) ? tr("passes TSP") : tr("dropped by TSP"));
    if (look.lost) parts << tr("lost: top 1 % later");
    if (!look.window) {
        parts << withState(
            tr("kept by %1/%2 heads").arg(fate.keptHeads(layer, token)).arg(at.cut.size()),
            at.state);
        if (look.tied) parts << tr("tied at the cut");
        const std::int64_t rank = looks.rank(token);
        parts << tr("rank %1 (top %2)").arg(formatCount(rank), topShare(rank, run.scored()));
    }
    parts << tr("layer %1").arg(layer);
    return parts.join(QStringLiteral(" · "));
}

QString describeDecider(const Decider& decider) {
    switch (decider.kind) {
    case Decider::Kind::Tsp:
        return tr("passes TSP");
    case Decider::Kind::AnyHead:
        return tr("kept by a head");
    case Decider::Kind::Head:
        return tr("kept by head %1").arg(decider.head);
    }
    return {};
}

QString csvField(const std::string& text) {
    QString field = escaped(text);
    field.replace(u'"', QStringLiteral("\"\""));
    return u'"' + field + u'"';
}

QString tokensCsv(const trace::Run& run, const trace::FatePtr& fate, int layer, TokenRange tokens) {
    const auto l = static_cast<std::size_t>(layer);
    QString out = QStringLiteral("token,id,text,layer,rank_of_%1,importance_log10,passes_tsp,"
                                 "kept_by_heads_of_%2,kept_state\n")
                      .arg(run.scored())
                      .arg(run.model.kvHeads);
    std::span<const std::uint32_t> ranks;
    if (run.full && run.full->tspRanks && l < run.full->tspRanks->rows())
        ranks = run.full->tspRanks->row(l);
    const std::int64_t end = std::min(tokens.end, run.tokens());
    for (std::int64_t i = std::max<std::int64_t>(tokens.begin, 0); i < end; ++i) {
        const auto at = static_cast<std::size_t>(i);
        out += QString::number(i) + u',' + QString::number(run.prompt->ids[at]) + u',' +
               csvField(run.prompt->tokenText(i)) + u',' + QString::number(layer) + u',';
        // The window has no rank: its fields are empty.
        if (at < ranks.size())
            out +=
                QString::number(ranks[at]) + u',' +
                QString::number(static_cast<double>(importance(ranks[at], run.scored())), 'f', 4);
        else
            out += u',';
        if (fate)
            out += QStringLiteral(",%1,%2,%3")
                       .arg(fate->passes.has(i) ? 1 : 0)
                       .arg(fate->keptHeads(layer, i))
                       .arg(stateName(fate->layers[l].state));
        else
            out += QStringLiteral(",,,");
        out += u'\n';
    }
    return out;
}

} // namespace fkv::viz
