// SPDX-License-Identifier: GPL-3.0-or-later
#include "viz/plots/readouts_model.h"

#include "viz/series/answer_lines.h"
#include "viz/series/format.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>

namespace fkv::viz {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kMiB = 1024.0 * 1024.0;

QString tr(const char* text) {
    return QCoreApplication::translate("fkv::viz::Readouts", text);
}

double median(std::vector<double> values) {
    if (values.empty()) return kNone;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

double positive(double value) {
    return value > 0.0 ? value : kNone;
}
double positive(std::int64_t value) {
    return positive(static_cast<double>(value));
}

/// Both sides measured standalone, else both from the instrument's own passes: never one of each.
Reading firstToken(const trace::Run& run) {
    const trace::Timing& timing = run.timing;
    Reading r;
    if (!timing.standaloneFastKvMs.empty() &&
        (!timing.standaloneFullMs.empty() || !run.hasReference())) {
        r.full = median(timing.standaloneFullMs);
        r.method = median(timing.standaloneFastKvMs);
        return r;
    }
    r.full = timing.fullPrefillMs.value_or(kNone);
    r.method = timing.fastKvPrefillMs.value_or(kNone);
    r.state = timing.fastKvState;
    return r;
}

enum class Kind { Ms, Bytes, Nats, Share, Count };

Kind kindOf(Metric metric) {
    switch (metric) {
    case Metric::FirstToken:
    case Metric::PerToken:
        return Kind::Ms;
    case Metric::KvBytes:
    case Metric::PeakMemory:
        return Kind::Bytes;
    case Metric::FirstKl:
    case Metric::MeanKl:
        return Kind::Nats;
    case Metric::Top1:
        return Kind::Share;
    case Metric::Sequences:
    case Metric::Count:
        break;
    }
    return Kind::Count;
}

/// Factor of a unit as a user writes it; nothing when it is none of this kind. `value` decides what
/// a bare share means.
std::optional<double> factorOf(Kind kind, const QString& unit, double value) {
    const QString u = unit.toLower();
    switch (kind) {
    case Kind::Ms:
        if (u.isEmpty() || u == QLatin1String("ms")) return 1.0;
        if (u == QLatin1String("s")) return 1000.0;
        return std::nullopt;
    case Kind::Bytes: {
        const struct {
            const char* name;
            double factor;
        } units[] = {{"", kMiB},           {"b", 1.0},  {"kib", 1024.0}, {"mib", kMiB},
                     {"gib", kMiB * 1024}, {"kb", 1e3}, {"mb", 1e6},     {"gb", 1e9}};
        for (const auto& known : units)
            if (u == QLatin1String(known.name)) return known.factor;
        return std::nullopt;
    }
    case Kind::Nats:
        if (u.isEmpty() || u == QLatin1String("nats")) return 1.0;
        return std::nullopt;
    case Kind::Share:
        if (u == QLatin1String("%")) return 0.01;
        if (u.isEmpty()) return value > 1.0 ? 0.01 : 1.0;
        return std::nullopt;
    case Kind::Count:
        if (u.isEmpty()) return 1.0;
        return std::nullopt;
    }
    return std::nullopt;
}

} // namespace

QString nameOf(Metric metric) {
    switch (metric) {
    case Metric::FirstToken:
        return tr("time to first token");
    case Metric::PerToken:
        return tr("time per token");
    case Metric::KvBytes:
        return tr("KV of this setting");
    case Metric::PeakMemory:
        return tr("peak memory");
    case Metric::Sequences:
        return tr("sequences in");
    case Metric::FirstKl:
        return tr("KL, first token");
    case Metric::MeanKl:
        return tr("mean KL");
    case Metric::Top1:
        return tr("top-1 agreement");
    case Metric::Count:
        break;
    }
    return {};
}

QString keyOf(Metric metric) {
    static const std::array<const char*, kMetrics> kKeys{"firstToken", "perToken",  "kvBytes",
                                                         "peakMemory", "sequences", "firstKl",
                                                         "meanKl",     "top1"};
    return QLatin1String(kKeys[static_cast<std::size_t>(metric)]);
}

QString tipOf(Metric metric) {
    switch (metric) {
    case Metric::FirstToken:
        return tr("Prefill. Σ: spans of two passes added up, without capture; Measure runs the "
                  "deployed path and shows the median.");
    case Metric::PerToken:
        return tr("Median time of a decoding step.");
    case Metric::KvBytes:
        return tr("Keys and values that this setting keeps, all layers and heads.");
    case Metric::PeakMemory:
        return tr("Weights, KV and scratch memory of the deployed path; Measure fills it in.");
    case Metric::Sequences:
        return tr("KV caches of prompts like this one that fit in the given memory. Weights and "
                  "scratch memory are not counted.");
    case Metric::FirstKl:
        return tr("KL(full || FastKV) of the first token, in nats. A change of the KV budget alone "
                  "cannot change it: prefill never reads the compressed cache.");
    case Metric::MeanKl:
        return tr("Mean KL in nats along the full-context answer, fed to both.");
    case Metric::Top1:
        return tr("Share of the steps along the full-context answer where both would choose the "
                  "same token.");
    case Metric::Count:
        break;
    }
    return {};
}

bool moreIsBetter(Metric metric) {
    return metric == Metric::Sequences || metric == Metric::Top1;
}

Readings readingsOf(const Shown& shown, const ReadingInputs& inputs) {
    Readings out;
    const auto at = [&out](Metric m) -> Reading& { return out[static_cast<std::size_t>(m)]; };
    const trace::RunPtr& run = shown.run();
    if (!run) return out;
    at(Metric::FirstToken) = firstToken(*run);
    if (run->fullAnswer) at(Metric::PerToken).full = positive(run->fullAnswer->msPerToken);
    if (run->fastkvAnswer) at(Metric::PerToken).method = positive(run->fastkvAnswer->msPerToken);
    at(Metric::PeakMemory).full = positive(run->counters.standaloneFullPeakBytes);
    at(Metric::PeakMemory).method = positive(run->counters.standaloneFastKvPeakBytes);
    if (run->fidelity && !run->fidelity->kl.empty()) {
        const auto steps =
            static_cast<std::int64_t>(run->fullAnswer ? run->fullAnswer->tokens.size() : 0);
        at(Metric::FirstKl).method = run->fidelity->kl.front();
        if (steps > 0 && fidelityComplete(run->fidelity.get(), steps)) {
            at(Metric::MeanKl).method = run->fidelity->meanKl();
            at(Metric::Top1).method = run->fidelity->top1Agreement();
        }
    } else {
        at(Metric::FirstKl).method = inputs.firstKl;
    }
    if (shown.asked()) {
        // Bytes follow from the settings alone: never pending, never a preview.
        const trace::Budgets& b = shown.asked()->budgets;
        at(Metric::KvBytes).full = positive(b.fullKvBytes);
        at(Metric::KvBytes).method = positive(b.kvBytes);
        const double room = inputs.gib * kMiB * 1024.0;
        at(Metric::Sequences).full = std::floor(room / at(Metric::KvBytes).full);
        at(Metric::Sequences).method = std::floor(room / at(Metric::KvBytes).method);
    }
    for (const Metric m : {Metric::FirstToken, Metric::FirstKl})
        at(m).pending = shown.firstTokenPending();
    for (const Metric m : {Metric::PerToken, Metric::PeakMemory, Metric::MeanKl, Metric::Top1})
        at(m).pending = shown.answersPending();
    return out;
}

double ratioOf(Metric metric, const Reading& r) {
    switch (kindOf(metric)) {
    case Kind::Ms:
    case Kind::Bytes:
        return r.full / r.method;
    case Kind::Count:
        return r.full > 0.0 ? r.method / r.full : kNone;
    case Kind::Nats:
    case Kind::Share:
        break;
    }
    return kNone;
}

QString formatValue(Metric metric, double value) {
    if (!std::isfinite(value)) return QStringLiteral("–");
    switch (kindOf(metric)) {
    case Kind::Ms:
        return formatMs(value);
    case Kind::Bytes:
        return formatBytes(std::llround(value));
    case Kind::Nats:
        return formatKl(value);
    case Kind::Share:
        return formatPercent(value);
    case Kind::Count:
        return formatCount(std::llround(value));
    }
    return {};
}

std::optional<Target> parseTarget(Metric metric, const QString& text) {
    static const QRegularExpression kForm(QStringLiteral(
        "^\\s*(<=|>=|≤|≥|<|>)?\\s*([0-9][0-9,]*\\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\\.[0-9]+)"
        "\\s*([a-zA-Z%]*)\\s*$"));
    const QRegularExpressionMatch match = kForm.match(text);
    if (!match.hasMatch()) return std::nullopt;
    bool ok = false;
    const double value = match.captured(2).remove(u',').toDouble(&ok);
    const auto factor = factorOf(kindOf(metric), match.captured(3), value);
    if (!ok || !factor || !std::isfinite(value * *factor)) return std::nullopt;
    const QString sign = match.captured(1);
    const bool atMost =
        sign.isEmpty() ? !moreIsBetter(metric) : sign.startsWith(u'<') || sign.startsWith(u'≤');
    return Target{atMost, value * *factor};
}

QString formatTarget(Metric metric, const Target& target) {
    return (target.atMost ? QStringLiteral("≤ ") : QStringLiteral("≥ ")) +
           formatValue(metric, target.value);
}

QString savedTarget(Metric metric, const Target& target) {
    const Kind kind = kindOf(metric);
    const double value = kind == Kind::Share ? target.value * 100.0 : target.value;
    const QString unit = kind == Kind::Bytes   ? QStringLiteral(" B")
                         : kind == Kind::Share ? QStringLiteral(" %")
                                               : QString();
    return (target.atMost ? QStringLiteral("<= ") : QStringLiteral(">= ")) +
           QString::number(value, 'g', 15) + unit;
}

Verdict judge(const Target& target, const Reading& reading) {
    if (reading.pending || !std::isfinite(reading.method)) return Verdict::Pending;
    const bool met =
        target.atMost ? reading.method <= target.value : reading.method >= target.value;
    return met ? Verdict::Met : Verdict::Missed;
}

} // namespace fkv::viz
