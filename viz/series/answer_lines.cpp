// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/series/answer_lines.h"

#include "viz/series/format.h"
#include "viz/series/token_looks.h"
#include "viz/series/token_words.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>
#include <cmath>
#include <limits>

namespace fkv::viz {
namespace {

constexpr double kLeastKl = 1e-4, kMostKl = 10.0;

QString tr(const char* text) {
    return QCoreApplication::translate("fkv::viz::AnswerLines", text);
}

std::size_t sizeOf(const trace::Answer* answer) {
    return answer ? answer->tokens.size() : 0;
}

/// Further tokens would have come, had it gone on.
bool isOpen(const trace::Answer* answer) {
    return answer && !answer->complete();
}

std::optional<TokenShape> shapeAt(const trace::Answer* answer, std::size_t i) {
    if (i >= sizeOf(answer)) return std::nullopt;
    const trace::AnswerToken& token = answer->tokens[i];
    if (!token.text.empty()) return shapeOfText(token.text);
    // End of sequence and the like add no text, yet are an answer.
    TokenShape shape;
    shape.kind = TokenShape::Kind::Pill;
    shape.label = QStringLiteral("#%1").arg(token.id);
    return shape;
}

/// Columns up to and with the first newline; all when there is none.
std::size_t toNewline(const trace::Answer* answer) {
    for (std::size_t i = 0; i < sizeOf(answer); ++i)
        if (answer->tokens[i].text.find('\n') != std::string::npos) return i + 1;
    return sizeOf(answer);
}

QString topFive(const trace::TopFive& top) {
    QStringList parts;
    for (const trace::TokenProbability& p : top)
        if (p.id >= 0)
            parts << quoted(p.text, 12) + u' ' + formatPercent(static_cast<double>(p.probability));
    return parts.join(QStringLiteral(", "));
}

} // namespace

AnswerLines alignAnswers(const trace::Answer* full, const MethodAnswer& method) {
    const trace::Answer* other = method.answer.get();
    AnswerLines lines;
    lines.open = isOpen(full) || isOpen(other);
    lines.fullTokens = static_cast<std::int64_t>(sizeOf(full));
    lines.methodTokens = static_cast<std::int64_t>(sizeOf(other));
    lines.toNewline = std::max(toNewline(full), toNewline(other));
    const std::size_t count = std::max(sizeOf(full), sizeOf(other));
    for (std::size_t i = 0; i < count; ++i) {
        AnswerColumn column{shapeAt(full, i), shapeAt(other, i), {}};
        if (method.fidelity && i < method.fidelity->kl.size() && column.full)
            column.kl = method.fidelity->kl[i];
        const bool both = column.full && column.method;
        // What has not come does not differ.
        const bool missing =
            other != nullptr && full != nullptr && !both && !isOpen(column.full ? other : full);
        if (lines.difference < 0 &&
            (missing || (both && full->tokens[i].id != other->tokens[i].id)))
            lines.difference = static_cast<std::int64_t>(i);
        lines.columns.push_back(std::move(column));
    }
    return lines;
}

QString verdictOf(const AnswerLines& lines) {
    if (!lines.known()) return {};
    if (!lines.agrees()) return tr("✖ differs from token %1").arg(lines.difference + 1);
    const auto answer = std::min<std::int64_t>(static_cast<std::int64_t>(lines.toNewline),
                                               std::max(lines.fullTokens, lines.methodTokens));
    const std::int64_t compared = std::min(lines.fullTokens, lines.methodTokens);
    if (lines.open && compared < answer)
        return tr("agrees so far, %1 of %2 tokens").arg(compared).arg(answer);
    QString text = tr("✔ agrees on %1 of %1 tokens").arg(answer);
    if (lines.difference >= 0)
        text += tr(", after the newline differs from token %1").arg(lines.difference + 1);
    return text;
}

bool fidelityComplete(const trace::Fidelity* fidelity, std::int64_t fullTokens) {
    return fidelity && !fidelity->kl.empty() &&
           static_cast<std::int64_t>(fidelity->kl.size()) >= fullTokens;
}

QString describeFidelity(const trace::Fidelity* fidelity, std::int64_t fullTokens) {
    if (!fidelity || fidelity->kl.empty()) return {};
    QStringList parts;
    if (fidelityComplete(fidelity, fullTokens)) {
        const auto same = std::count_if(fidelity->sameTop1.begin(), fidelity->sameTop1.end(),
                                        [](std::uint8_t s) { return s != 0; });
        parts << tr("top-1 %1 of %2").arg(same).arg(fidelity->sameTop1.size())
              << tr("mean KL %1").arg(formatKl(fidelity->meanKl()));
    }
    parts << tr("first %1").arg(formatKl(fidelity->kl.front()));
    return parts.join(QStringLiteral(" · "));
}

QString describeStep(const trace::Fidelity& fidelity, const AnswerLines& lines, std::size_t step) {
    QStringList parts{tr("token %1").arg(step + 1)};
    if (step < lines.columns.size() && lines.columns[step].kl)
        parts << tr("KL %1 nats").arg(formatKl(*lines.columns[step].kl));
    if (step < fidelity.fullTop.size()) parts << tr("full: ") + topFive(fidelity.fullTop[step]);
    if (step < fidelity.fastkvTop.size())
        parts << tr("FastKV: ") + topFive(fidelity.fastkvTop[step]);
    return parts.join(QStringLiteral(" · "));
}

QString describeEnd(const trace::Answer& answer) {
    switch (answer.end) {
    case trace::AnswerEnd::Growing:
        break;
    case trace::AnswerEnd::Count:
        return tr("length %1").arg(formatCount(static_cast<std::int64_t>(answer.tokens.size())));
    case trace::AnswerEnd::EndOfSequence:
        return tr("end of sequence");
    case trace::AnswerEnd::Stopped:
        return tr("■ stopped");
    }
    return {};
}

QString describeProgress(const trace::Answer& answer) {
    const QString count = formatCount(static_cast<std::int64_t>(answer.tokens.size()));
    QString text;
    switch (answer.end) {
    case trace::AnswerEnd::Growing:
        text = tr("%1 tokens so far").arg(count);
        break;
    case trace::AnswerEnd::Count:
        text = tr("length %1").arg(count);
        break;
    case trace::AnswerEnd::EndOfSequence:
        text = tr("end of sequence after %1").arg(count);
        break;
    case trace::AnswerEnd::Stopped:
        text = tr("stopped after %1").arg(count);
        break;
    }
    if (answer.msPerToken > 0.0) text += tr(", %1/token").arg(formatMs(answer.msPerToken));
    return text;
}

std::optional<bool> holds(const trace::Answer* answer, const std::string& expected) {
    if (!answer || expected.empty()) return std::nullopt;
    if (isOpen(answer) && answer->text().find('\n') == std::string::npos) return std::nullopt;
    return answer->firstLine() == expected;
}

SpanSurvival survivalOf(const trace::Fate& fate, TokenRange span) {
    SpanSurvival s;
    span.begin = std::max<std::int64_t>(span.begin, 0);
    span.end = std::min(span.end, fate.tokens());
    s.tokens = span.size();
    s.passing = fate.passes.count(span.begin, span.end);
    s.layers = static_cast<int>(fate.layers.size());
    s.state = fate.state();
    for (int l = 0; l < s.layers; ++l)
        s.layersKept += someHeadKeepsAny(fate, l, span) ? 1 : 0;
    return s;
}

QString describeSurvival(const QString& name, const SpanSurvival& s) {
    return tr("%1: %2 tokens, %3 pass TSP, kept by some head in %4 of %5 layers")
        .arg(name, formatCount(s.tokens), formatCount(s.passing),
             withState(QString::number(s.layersKept), s.state))
        .arg(s.layers);
}

double klShare(double nats) {
    if (!(nats > kLeastKl)) return 0.0;
    return std::min(1.0, std::log10(nats / kLeastKl) / std::log10(kMostKl / kLeastKl));
}

double klOfLogits(std::span<const float> full, std::span<const float> method) {
    if (full.empty() || full.size() != method.size())
        return std::numeric_limits<double>::quiet_NaN();
    const auto logSum = [](std::span<const float> logits) {
        const auto top = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
        double sum = 0.0;
        for (const float x : logits)
            sum += std::exp(static_cast<double>(x) - top);
        return top + std::log(sum);
    };
    const double a = logSum(full), b = logSum(method);
    double kl = 0.0;
    for (std::size_t i = 0; i < full.size(); ++i) {
        const double p = static_cast<double>(full[i]) - a;
        kl += std::exp(p) * (p - (static_cast<double>(method[i]) - b));
    }
    return std::max(kl, 0.0);
}

QString answersCsv(const trace::Answer* full, const MethodAnswer& method) {
    QString out = QStringLiteral("step,full_id,full_text,full_ms,fastkv_id,fastkv_text,fastkv_ms,"
                                 "kl_nats,same_top1");
    for (const char* side : {"full", "fastkv"})
        for (int k = 1; k <= 5; ++k)
            out += QStringLiteral(",%1_top%2_text,%1_top%2_p").arg(QLatin1String(side)).arg(k);
    out += u'\n';
    const trace::Fidelity* f = method.fidelity.get();
    const auto token = [&out](const trace::Answer* answer, std::size_t i) {
        if (i >= sizeOf(answer)) {
            out += QStringLiteral(",,,");
            return;
        }
        const trace::AnswerToken& t = answer->tokens[i];
        out += QStringLiteral(",%1,").arg(t.id) + csvField(t.text) + u',' + QString::number(t.ms);
    };
    const auto top = [&out](const std::vector<trace::TopFive>* all, std::size_t i) {
        for (std::size_t k = 0; k < 5; ++k) {
            const bool known = all && i < all->size() && (*all)[i][k].id >= 0;
            out += known ? u',' + csvField((*all)[i][k].text) + u',' +
                               QString::number(static_cast<double>((*all)[i][k].probability))
                         : QStringLiteral(",,");
        }
    };
    const std::size_t count = std::max(sizeOf(full), sizeOf(method.answer.get()));
    for (std::size_t i = 0; i < count; ++i) {
        out += QString::number(i + 1);
        token(full, i);
        token(method.answer.get(), i);
        out +=
            f && i < f->kl.size() ? u',' + QString::number(f->kl[i], 'g', 6) : QStringLiteral(",");
        out += f && i < f->sameTop1.size() ? QStringLiteral(",%1").arg(f->sameTop1[i])
                                           : QStringLiteral(",");
        top(f ? &f->fullTop : nullptr, i);
        top(f ? &f->fastkvTop : nullptr, i);
        out += u'\n';
    }
    return out;
}

} // namespace fkv::viz
