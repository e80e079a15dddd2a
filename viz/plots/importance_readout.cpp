// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_readout.h"

#include "viz/series/format.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr std::int64_t kSinks = 4;
constexpr std::int64_t kRecent = 64;
constexpr std::int64_t kBefore = 4, kAfter = 3; ///< with the token itself: 8

QString tr(const char* text) {
    return QCoreApplication::translate("ImportanceReadout", text);
}

QString joined(const QStringList& parts) {
    return parts.join(QStringLiteral(" · "));
}

/// Text in one line: control characters would break it or vanish.
QString oneLine(std::string_view bytes) {
    QString text = QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
    for (QChar& c : text) {
        if (c == u'\n')
            c = u'↵';
        else if (c.category() == QChar::Other_Control)
            c = u'·';
    }
    return text;
}

QString rangeText(TokenRange cell, std::int64_t token) {
    if (cell.size() <= 1)
        return tr("token %1").arg(formatCount(cell.size() == 1 ? cell.begin : token));
    return tr("tokens %1-%2 (%3)")
        .arg(formatCount(cell.begin), formatCount(cell.end - 1), formatCount(cell.size()));
}

QString percent(double share) {
    return std::isnan(share) ? QStringLiteral("–") : formatTop(share) + QStringLiteral(" %");
}

} // namespace

QString formatTop(double share) {
    const double p = share * 100.0;
    if (p >= 10.0) return QString::number(p, 'f', 0);
    if (p >= 1.0) return QString::number(p, 'f', 1);
    if (p >= 0.1) return QString::number(p, 'f', 2);
    return QString::number(p, 'g', 1);
}

QString textAround(const trace::Prompt& prompt, std::int64_t token) {
    const std::int64_t begin = std::max<std::int64_t>(token - kBefore, 0);
    const std::int64_t end = std::min(token + kAfter + 1, prompt.size());
    const auto piece = [&](std::int64_t from, std::int64_t to) {
        if (from >= to) return QString();
        const std::size_t first = prompt.bytes[static_cast<std::size_t>(from)].first;
        const std::size_t last = prompt.bytes[static_cast<std::size_t>(to - 1)].second;
        if (last <= first || last > prompt.text.size()) return QString();
        return oneLine(std::string_view(prompt.text).substr(first, last - first));
    };
    return piece(begin, token) + u'[' + oneLine(prompt.tokenText(token)) + u']' +
           piece(token + 1, end);
}

QString ImportanceReadout::text(ImportanceImage& image) {
    if (!m_context.shown.run() || !m_context.shown.fate() || image.rows() == 0) return {};
    const Hover& hover = m_context.selection.hover();
    if (hover.token >= 0 || (hover.layer >= 0 && hover.cell.size() > 0))
        return ofHover(image, hover);
    return ofWhole(image);
}

QString ImportanceReadout::ofHover(ImportanceImage& image, const Hover& hover) const {
    const trace::Fate& fate = *m_context.shown.fate();
    const trace::Prompt& prompt = *m_context.shown.run()->prompt;
    const int layer =
        std::clamp(hover.layer >= 0 ? hover.layer : m_context.layer(), 0, image.rows() - 1);
    QStringList parts{rangeText(hover.cell, hover.token), tr("layer %1").arg(layer)};
    if (hover.token < 0) {
        parts << tr("none of them passes TSP");
        return joined(parts);
    }
    if (hover.token >= prompt.size()) return {};
    const QString word = u'"' + oneLine(prompt.tokenText(hover.token)).trimmed() + u'"';
    if (fate.isWindow(hover.token)) {
        parts << word << tr("window: never scored, always kept") << textAround(prompt, hover.token);
        return joined(parts);
    }
    const ImportanceRows& rows = image.rowsOfMap();
    const QString best =
        hover.cell.size() > 1 ? tr("best %1 %2").arg(formatCount(hover.token), word) : word;
    if (const auto rank = rows.rankOf(layer, hover.token)) {
        const double share = (*rank + 1.0) / static_cast<double>(rows.rankedIn(layer));
        const QString text =
            tr("%1 rank %2 (top %3 %)").arg(best, formatCount(*rank), formatTop(share));
        parts << withState(text, rows.preview(layer) ? trace::State::Preview : trace::State::Exact);
    } else {
        parts << tr("%1 does not reach this layer").arg(best);
    }
    if (m_context.options.scale() == ViewOptions::Scale::Mass) {
        const TokenRange cell =
            hover.cell.size() > 0 ? hover.cell : TokenRange{hover.token, hover.token + 1};
        parts << tr("mass %1").arg(percent(image.rowsOfMap().massShare(layer, cell)));
    }
    parts << ofFate(layer, hover.token, hover.cell);
    if (m_context.options.scale() == ViewOptions::Scale::Mass) parts << ofMass(image, layer);
    parts << textAround(prompt, hover.token);
    return joined(parts);
}

QString ImportanceReadout::ofFate(int layer, std::int64_t token, TokenRange cell) const {
    const trace::Fate& fate = *m_context.shown.fate();
    const trace::LayerFate& lf = fate.layers[static_cast<std::size_t>(layer)];
    QStringList parts;
    parts << (!fate.budgets.tspOn      ? tr("TSP off")
              : fate.passes.has(token) ? tr("passes TSP: yes")
                                       : tr("passes TSP: no"));
    const bool guess = lf.state == trace::State::Preview && fate.arrives(layer, token);
    const auto state = guess ? trace::State::Preview : trace::State::Exact;
    parts << withState(
        tr("kept by %1/%2 heads").arg(fate.keptHeads(layer, token)).arg(lf.cut.size()), state);
    if (cell.size() <= 1) return joined(parts);
    const bool byTsp = m_context.options.fateMode() == ViewOptions::FateMode::Tsp;
    std::int64_t kept = fate.passes.count(cell.begin, cell.end);
    if (!byTsp) {
        kept = 0;
        for (std::int64_t i = cell.begin; i < cell.end; ++i)
            kept += fate.keptHeads(layer, i) > 0 ? 1 : 0;
    }
    const QString counts = formatCount(kept) + tr(" of ") + formatCount(cell.size());
    // Up to layer t nothing is dropped yet: there the count says what will pass.
    if (byTsp && layer < fate.budgets.firstLate() && fate.budgets.tspOn)
        parts << tr("%1 pass").arg(counts);
    else
        parts << withState(tr("%1 kept").arg(counts), byTsp ? trace::State::Exact : lf.state);
    return joined(parts);
}

QString ImportanceReadout::ofMass(ImportanceImage& image, int layer) const {
    const std::int64_t scored = m_context.shown.run()->scored();
    ImportanceRows& rows = image.rowsOfMap();
    return tr("first %1 tokens hold %2 of layer %3's mass, last %4 before the window %5")
        .arg(kSinks)
        .arg(percent(rows.massShare(layer, {0, std::min(kSinks, scored)})))
        .arg(layer)
        .arg(kRecent)
        .arg(percent(rows.massShare(layer, {std::max<std::int64_t>(scored - kRecent, 0), scored})));
}

QString ImportanceReadout::ofWhole(ImportanceImage& image) {
    const trace::Fate& fate = *m_context.shown.fate();
    const trace::Budgets& b = fate.budgets;
    QStringList parts;
    if (!b.tspOn) {
        parts << tr("TSP is off: every token reaches every layer");
    } else {
        parts << tr("TSP after layer %1 passes %2 of %3 tokens (%4 %)")
                     .arg(b.tspLayer)
                     .arg(formatCount(b.propagated), formatCount(b.tokens), formatTop(b.tspRate));
        const std::int64_t tied = tiedAtTsp();
        const QString cut = tr("cut at rank %1").arg(formatCount(b.propagated - b.window));
        // The token at the cut is tied with itself.
        parts << (tied > 1 ? tr("%1, %2 tied, lower index kept").arg(cut, formatCount(tied)) : cut);
    }
    if (m_context.options.fateMode() == ViewOptions::FateMode::Kv && !fate.layers.empty()) {
        const auto early = formatCount(fate.layers.front().kept),
                   late = formatCount(fate.layers.back().kept);
        parts << tr("kept: by at least one of %1 heads").arg(fate.layers.front().cut.size());
        parts
            << (early == late
                    ? tr("each keeps %1").arg(early)
                    : tr("each keeps %1, after layer %2 %3").arg(early).arg(b.tspLayer).arg(late));
    }
    if (m_context.options.scale() == ViewOptions::Scale::Mass)
        parts << ofMass(image, std::clamp(m_context.layer(), 0, image.rows() - 1));
    const std::int64_t broken = m_context.shown.run()->full->notANumber;
    if (broken == 1) parts << tr("1 score is not a number (magenta)");
    if (broken > 1) parts << tr("%1 scores are not numbers (magenta)").arg(formatCount(broken));
    return joined(parts);
}

std::int64_t ImportanceReadout::tiedAtTsp() {
    const trace::Fate& fate = *m_context.shown.fate();
    if (fate.tspTied >= 0) return fate.tspTied;
    // A walk over every score: not while a slider moves.
    if (m_context.settings.dragging()) return -1;
    const auto& full = m_context.shown.run()->full;
    if (m_tiedOf == full && m_tiedFor == fate.budgets) return m_tied;
    m_tiedOf = full;
    m_tiedFor = fate.budgets;
    m_tied = -1;
    const auto t = static_cast<std::size_t>(fate.budgets.tspLayer);
    const auto& saliency = full->layers[t].saliency;
    if (!saliency || !full->tspRanks || saliency->cols() != full->tspRanks->cols()) return m_tied;
    std::vector<float> score(saliency->cols(), 0.0F);
    for (std::size_t g = 0; g < saliency->rows(); ++g)
        for (std::size_t i = 0; i < score.size(); ++i)
            score[i] += saliency->row(g)[i];
    m_tied = trace::tiedAtCut(score, full->tspRanks->row(t),
                              fate.budgets.propagated - fate.budgets.window);
    return m_tied;
}

} // namespace fkv::viz
