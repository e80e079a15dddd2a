// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/settings_edit.h"

#include "engine/core/error.h"
#include "engine/select/budgets.h"
#include "viz/series/format.h"

#include <QCoreApplication>
#include <QLocale>
#include <cmath>
#include <limits>

namespace fkv::app {
namespace {

using trace::Amount;
using trace::Settings;

struct Words {
    Q_DECLARE_TR_FUNCTIONS(fkv::app::SettingsEdit)
};

constexpr double kMiB = 1024.0 * 1024.0;

/// A number in English or with a decimal comma; NaN counts as one, so that it is refused by range.
std::optional<double> decimal(QString text) {
    text.remove(QLatin1Char('%'));
    text.replace(QLatin1Char(','), QLatin1Char('.'));
    bool good = false;
    const double value = text.trimmed().toDouble(&good);
    return good ? std::optional(value) : std::nullopt;
}

/// A whole number, "1,447" and "1 447" too; too large ones give the largest.
std::optional<std::int64_t> whole(QString text) {
    static const QString kSeparators = QStringLiteral(", '\u00a0\u202f");
    text.removeIf([](QChar c) { return kSeparators.contains(c); });
    bool good = false;
    const qlonglong value = text.toLongLong(&good);
    if (good) return value;
    const double large = text.toDouble(&good);
    if (!good || std::isnan(large) || std::floor(large) != large) return std::nullopt;
    return large > 0 ? std::numeric_limits<std::int64_t>::max()
                     : std::numeric_limits<std::int64_t>::min();
}

QString nameOf(SettingsField field) {
    switch (field) {
    case SettingsField::TspLayer:
        return Words::tr("TSP layer");
    case SettingsField::TspPercent:
    case SettingsField::TspTokens:
        return Words::tr("TSP rate");
    case SettingsField::KvPercent:
    case SettingsField::KvTokens:
    case SettingsField::KvMiB:
        return Words::tr("KV budget");
    case SettingsField::Window:
        return Words::tr("Window");
    case SettingsField::Kernel:
        return Words::tr("Kernel");
    case SettingsField::Generate:
        return Words::tr("Length");
    case SettingsField::Temperature:
        return Words::tr("Temperature");
    case SettingsField::TopK:
        return Words::tr("Top-k");
    case SettingsField::TopP:
        return Words::tr("Top-p");
    case SettingsField::Seed:
        return Words::tr("Seed");
    }
    return {};
}

EditResult refused(SettingsField field, const QString& range) {
    return {std::nullopt, Words::tr("%1: %2").arg(nameOf(field), range)};
}

EditResult notANumber(SettingsField field) {
    return refused(field, Words::tr("not a number"));
}

EditResult editRate(Settings settings, SettingsField field, const QString& text) {
    const auto percent = decimal(text);
    if (!percent) return notANumber(field);
    if (!(*percent > 0.0 && *percent <= 100.0))
        return refused(field, Words::tr("above 0, at most 100 %"));
    const double rate = *percent / 100.0;
    if (!(rate > 0.0)) return refused(field, Words::tr("above 0, at most 100 %")); // underflow
    (field == SettingsField::TspPercent ? settings.tsp : settings.kv) = Amount::ofRate(rate);
    return {settings, {}};
}

EditResult editTokens(Settings settings, SettingsField field, const QString& text) {
    const auto count = whole(text);
    if (!count) return notANumber(field);
    if (*count < 1) return refused(field, Words::tr("1 token or more"));
    (field == SettingsField::TspTokens ? settings.tsp : settings.kv) = Amount::ofTokens(*count);
    return {settings, {}};
}

EditResult editMiB(Settings settings, const QString& text, const Ground& ground) {
    const auto mib = decimal(text);
    if (!mib) return notANumber(SettingsField::KvMiB);
    if (!(*mib > 0.0 && *mib < 1e9)) return refused(SettingsField::KvMiB, Words::tr("above 0 MiB"));
    if (!ground.known()) return refused(SettingsField::KvMiB, Words::tr("MiB need a prompt first"));
    const auto bytes = static_cast<std::int64_t>(*mib * kMiB);
    settings.kv =
        Amount::ofTokens(select::kvTokensForBytes(settings, ground.model, ground.tokens, bytes));
    return {settings, {}};
}

EditResult editCount(Settings settings, SettingsField field, const QString& text,
                     const Ground& ground) {
    const auto count = whole(text);
    if (!count) return notANumber(field);
    const bool fits = *count <= std::numeric_limits<int>::max() && *count >= 0;
    const int value = fits ? static_cast<int>(*count) : -1;
    if (field == SettingsField::TspLayer) {
        if (value < 0 || (ground.model.layers > 0 && value >= ground.model.layers))
            return refused(field, Words::tr("0 to %1").arg(std::max(ground.model.layers - 1, 0)));
        settings.tspLayer = value;
    } else if (field == SettingsField::Window) {
        if (value < 1) return refused(field, Words::tr("1 token or more"));
        settings.window = value;
    } else {
        if (value < 1 || value % 2 == 0) return refused(field, Words::tr("odd, 1 or more"));
        settings.kernel = value;
    }
    return {settings, {}};
}

/// Most tokens of an answer: what the prompt leaves of the context, where it is known.
std::int64_t mostGenerate(const Ground& ground) {
    if (!ground.known() || ground.model.contextLength <= 0) return trace::kMostGenerate;
    return std::clamp<std::int64_t>(ground.model.contextLength - ground.tokens, 0,
                                    trace::kMostGenerate);
}

EditResult editLength(Settings settings, const QString& text, const Ground& ground) {
    const auto count = whole(text);
    if (!count) return notANumber(SettingsField::Generate);
    const std::int64_t most = mostGenerate(ground);
    if (*count < 0 || *count > most) {
        const QString range = Words::tr("0 to %1 tokens").arg(viz::formatCount(most));
        return refused(SettingsField::Generate,
                       most < trace::kMostGenerate
                           ? Words::tr("%1, all the context has left").arg(range)
                           : range);
    }
    settings.generate = static_cast<int>(*count);
    return {settings, {}};
}

EditResult editTemperature(Settings settings, const QString& text) {
    const auto value = decimal(text);
    if (!value) return notANumber(SettingsField::Temperature);
    if (!(*value >= 0.0 && *value <= trace::Sampling::kMostTemperature))
        return refused(
            SettingsField::Temperature,
            Words::tr("0 (greedy) to %1").arg(fieldText(trace::Sampling::kMostTemperature)));
    settings.sampling.temperature = std::abs(*value); // no "-0"
    return {settings, {}};
}

EditResult editTopP(Settings settings, const QString& text) {
    const auto value = decimal(text);
    if (!value) return notANumber(SettingsField::TopP);
    if (!(*value > 0.0 && *value <= 1.0))
        return refused(SettingsField::TopP, Words::tr("above 0, at most 1 (all)"));
    settings.sampling.topP = *value;
    return {settings, {}};
}

EditResult editDraw(Settings settings, SettingsField field, const QString& text) {
    const auto count = whole(text);
    if (!count) return notANumber(field);
    if (field == SettingsField::TopK) {
        if (*count < 0 || *count > std::numeric_limits<int>::max())
            return refused(field, Words::tr("1 or more, 0 for all"));
        settings.sampling.topK = static_cast<int>(*count);
    } else {
        constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
        if (*count < 0 || *count > kMost)
            return refused(field, Words::tr("0 to %1").arg(viz::formatCount(kMost)));
        settings.sampling.seed = static_cast<std::uint32_t>(*count);
    }
    return {settings, {}};
}

std::int64_t asked(const Amount& amount, std::int64_t tokens) {
    return amount.unit == Amount::Unit::Tokens
               ? amount.tokens
               : static_cast<std::int64_t>(static_cast<double>(tokens) * amount.rate);
}

} // namespace

EditResult edited(const Settings& settings, SettingsField field, const QString& text,
                  const Ground& ground) {
    EditResult result;
    switch (field) {
    case SettingsField::TspPercent:
    case SettingsField::KvPercent:
        result = editRate(settings, field, text);
        break;
    case SettingsField::TspTokens:
    case SettingsField::KvTokens:
        result = editTokens(settings, field, text);
        break;
    case SettingsField::KvMiB:
        result = editMiB(settings, text, ground);
        break;
    case SettingsField::TspLayer:
    case SettingsField::Window:
    case SettingsField::Kernel:
        result = editCount(settings, field, text, ground);
        break;
    case SettingsField::Generate:
        result = editLength(settings, text, ground);
        break;
    case SettingsField::Temperature:
        result = editTemperature(settings, text);
        break;
    case SettingsField::TopP:
        result = editTopP(settings, text);
        break;
    case SettingsField::TopK:
    case SettingsField::Seed:
        result = editDraw(settings, field, text);
        break;
    }
    if (!result.settings || ground.model.layers == 0) return result;
    try {
        select::validate(*result.settings, ground.model.layers); // the engine has the last word
    } catch (const Error& error) {
        return refused(field, QString::fromUtf8(error.what()));
    }
    return result;
}

EditResult stepped(const Settings& settings, SettingsField field, int by, const Ground& ground) {
    const auto to = [&](std::int64_t value) {
        return edited(settings, field, QString::number(value), ground);
    };
    /// On multiples of `unit`, from `least` to `most`.
    const auto toDecimal = [&](double now, double unit, double least, double most) {
        const double value = (std::round(now / unit) + by) * unit;
        return edited(settings, field, fieldText(std::clamp(value, least, most)), ground);
    };
    const trace::Sampling& s = settings.sampling;
    switch (field) {
    case SettingsField::TspLayer:
        return to(settings.tspLayer + by);
    case SettingsField::Window:
        return to(settings.window + by);
    case SettingsField::Kernel:
        return to(settings.kernel + 2 * by);
    case SettingsField::Generate:
        return to(std::clamp<std::int64_t>(settings.generate + by, 0, mostGenerate(ground)));
    case SettingsField::Temperature:
        return toDecimal(s.temperature, 0.1, 0.0, trace::Sampling::kMostTemperature);
    case SettingsField::TopK:
        return to(std::max<std::int64_t>(std::int64_t{s.topK} + by, 0));
    case SettingsField::TopP:
        return toDecimal(s.topP, 0.01, 0.01, 1.0);
    case SettingsField::Seed:
        return to(std::max<std::int64_t>(std::int64_t{s.seed} + by, 0));
    default:
        return {}; // budgets
    }
}

QString fieldText(double value) {
    return QString::fromStdString(trace::shortNumber(value));
}

QStringList clampNotes(const Settings& settings, const trace::Budgets& budgets) {
    QStringList notes;
    if (settings.method == trace::Method::Full || budgets.tokens <= 0) return notes;
    const QString window = viz::formatCount(budgets.window);
    if (budgets.tokens <= budgets.window) {
        notes << Words::tr("The prompt is no longer than the window: all is kept.");
        return notes;
    }
    const std::int64_t kv = asked(settings.kv, budgets.tokens);
    if (budgets.tspClamped && asked(settings.tsp, budgets.tokens) < budgets.window)
        notes << Words::tr("TSP raised to the window, %1 tokens.").arg(window);
    else if (budgets.tspClamped)
        notes << Words::tr("TSP off: the prompt has only %1 tokens.")
                     .arg(viz::formatCount(budgets.tokens));
    if (budgets.lateClamped && budgets.tspOn)
        notes << Words::tr("Late layers hold only the %1 that TSP passes.")
                     .arg(viz::formatPercent(budgets.tspRate));
    if (budgets.kvClamped && kv < budgets.window)
        notes << Words::tr("KV raised to the window, %1 tokens.").arg(window);
    else if (budgets.kvClamped && kv > budgets.tokens)
        notes << Words::tr("KV whole: the prompt has only %1 tokens.")
                     .arg(viz::formatCount(budgets.tokens));
    return notes;
}

std::int64_t tspTies(const trace::Fate& fate) {
    return fate.budgets.tspOn ? fate.tspTied : -1;
}

TiedCuts kvTies(const trace::Fate& fate) {
    TiedCuts cuts;
    for (const trace::LayerFate& layer : fate.layers)
        for (const std::int32_t tied : layer.tied) {
            if (tied < 0) continue;
            ++cuts.known;
            cuts.tied += tied > 1 ? 1 : 0; // the cut itself is one
        }
    return cuts;
}

} // namespace fkv::app
