// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/importance_csv.h"

#include <charconv>
#include <cmath>
#include <string>

namespace fkv::viz {
namespace {

template <class T>
void append(std::string& line, T value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    line.append(digits, end);
}

/// Quoted, and with line breaks escaped, so that a token is one line.
void appendText(std::string& line, const std::string& text) {
    line += '"';
    for (const char c : text) {
        if (c == '\n')
            line += "\\n";
        else if (c == '\r')
            line += "\\r";
        else if (c == '"')
            line += "\"\"";
        else
            line += c;
    }
    line += '"';
}

void appendHeader(std::string& csv, const trace::Fate& fate, const ImportanceRows& rows,
                  bool mass) {
    csv += "token (0-based position),text,passes TSP (1 yes 0 no)";
    for (int l = 0; l < rows.count(); ++l) {
        const std::string layer = ",layer " + std::to_string(l);
        csv += layer + " rank (0 best of " + std::to_string(rows.rankedIn(l)) + ")";
        csv += layer + " kept (of " +
               std::to_string(fate.layers[static_cast<std::size_t>(l)].cut.size()) + " KV heads)";
        if (mass) csv += layer + " mass (share of the layer)";
    }
    csv += '\n';
}

} // namespace

QString importanceCsv(const ViewContext& context, ImportanceRows& rows) {
    if (!context.shown.run() || !context.shown.fate() || rows.count() == 0) return {};
    const trace::Fate& fate = *context.shown.fate();
    const trace::Prompt& prompt = *context.shown.run()->prompt;
    const bool mass = context.options.scale() == ViewOptions::Scale::Mass;
    TokenRange range = context.selection.range();
    if (range.end == context.selection.scored()) range.end = context.selection.tokens();
    std::string csv;
    appendHeader(csv, fate, rows, mass);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
        append(csv, i);
        csv += ',';
        appendText(csv, prompt.tokenText(i));
        csv += fate.passes.has(i) ? ",1" : ",0";
        for (int l = 0; l < rows.count(); ++l) {
            csv += ',';
            if (const auto rank = rows.rankOf(l, i)) append(csv, *rank);
            csv += ',';
            append(csv, fate.keptHeads(l, i));
            if (!mass) continue;
            csv += ',';
            const double share = rows.massShare(l, {i, i + 1});
            if (!std::isnan(share) && i < context.selection.scored())
                append(csv, static_cast<float>(share));
        }
        csv += '\n';
    }
    return QString::fromUtf8(csv.data(), static_cast<qsizetype>(csv.size()));
}

} // namespace fkv::viz
