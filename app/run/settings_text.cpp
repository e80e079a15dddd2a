// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/run/settings_text.h"

#include <QLocale>
#include <QRegularExpression>
#include <QStringList>
#include <nlohmann/json.hpp>
#include <string>

namespace fkv::app {
namespace {

QString fromView(std::string_view text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// The shortest that is read as the same number.
QString exact(double value) {
    return QString::number(value, 'g', QLocale::FloatingPointShortest);
}

void addAmount(QStringList& words, const QString& name, const trace::Amount& amount) {
    if (amount.unit == trace::Amount::Unit::Rate)
        words << QStringLiteral("--%1-rate").arg(name) << QString::number(amount.rate, 'g', 10);
    else
        words << QStringLiteral("--%1-tokens").arg(name) << QString::number(amount.tokens);
}

void addSampling(QStringList& words, const trace::Sampling& s) {
    words << QStringLiteral("--temperature") << exact(s.temperature);
    words << QStringLiteral("--top-k") << QString::number(s.topK);
    words << QStringLiteral("--top-p") << exact(s.topP);
    words << QStringLiteral("--seed") << QString::number(s.seed);
}

void addAmount(nlohmann::ordered_json& object, const std::string& name,
               const trace::Amount& amount) {
    if (amount.unit == trace::Amount::Unit::Rate)
        object[name + "_rate"] = amount.rate;
    else
        object[name + "_tokens"] = amount.tokens;
}

} // namespace

QString shellQuoted(const QString& word) {
    static const QRegularExpression plain(QStringLiteral("\\A[A-Za-z0-9_@%+=:,./-]+\\z"));
    if (plain.match(word).hasMatch()) return word;
    QString quoted = word;
    return QLatin1Char('\'') + quoted.replace(QLatin1Char('\''), QStringLiteral("'\\''")) +
           QLatin1Char('\'');
}

QString commandLine(const trace::Settings& s, const CommandSource& source) {
    QStringList words{QStringLiteral("fastkv"), QStringLiteral("profile")};
    if (!source.modelFolder.isEmpty())
        words << QStringLiteral("--model") << shellQuoted(source.modelFolder);
    if (!source.promptFile.isEmpty())
        words << QStringLiteral("--prompt-file") << shellQuoted(source.promptFile);
    else if (!source.promptText.isEmpty())
        words << QStringLiteral("--prompt") << shellQuoted(source.promptText);
    if (source.chat) {
        words << QStringLiteral("--chat");
        if (!source.chat->system.isEmpty())
            words << QStringLiteral("--system") << shellQuoted(source.chat->system);
        if (!source.chat->date.isEmpty())
            words << QStringLiteral("--date") << shellQuoted(source.chat->date);
    }
    words << QStringLiteral("--method") << fromView(trace::name(s.method));
    words << QStringLiteral("--tsp-layer") << QString::number(s.tspLayer);
    addAmount(words, QStringLiteral("tsp"), s.tsp);
    addAmount(words, QStringLiteral("kv"), s.kv);
    words << QStringLiteral("--window") << QString::number(s.window);
    words << QStringLiteral("--kernel") << QString::number(s.kernel);
    words << QStringLiteral("--pooling") << fromView(trace::name(s.pooling));
    words << QStringLiteral("--generate") << QString::number(s.generate);
    if (!s.sampling.greedy()) addSampling(words, s.sampling);
    return words.join(QLatin1Char(' '));
}

QString settingsJson(const trace::Settings& s) {
    nlohmann::ordered_json object;
    object["method"] = trace::name(s.method);
    object["tsp_layer"] = s.tspLayer;
    addAmount(object, "tsp", s.tsp);
    addAmount(object, "kv", s.kv);
    object["window"] = s.window;
    object["kernel"] = s.kernel;
    object["pooling"] = trace::name(s.pooling);
    object["generate"] = s.generate;
    object["temperature"] = s.sampling.temperature;
    object["top_k"] = s.sampling.topK;
    object["top_p"] = s.sampling.topP;
    object["seed"] = s.sampling.seed;
    return QString::fromStdString(object.dump(2)) + QLatin1Char('\n');
}

} // namespace fkv::app
