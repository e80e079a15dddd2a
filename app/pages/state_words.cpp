// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/state_words.h"

#include "viz/series/format.h"

#include <QCoreApplication>
#include <cmath>

namespace fkv::app {
namespace {

struct Words {
    Q_DECLARE_TR_FUNCTIONS(fkv::app::StateWords)
};

/// "layer 12" or "layers 8–15": those in preview; empty when all are exact.
QString previewLayers(const trace::Fate& fate) {
    int first = -1, last = -1;
    for (std::size_t l = 0; l < fate.layers.size(); ++l) {
        if (fate.layers[l].state != trace::State::Preview) continue;
        if (first < 0) first = static_cast<int>(l);
        last = static_cast<int>(l);
    }
    if (first < 0) return {};
    return first == last ? Words::tr("layer %1").arg(first)
                         : Words::tr("layers %1–%2").arg(first).arg(last);
}

bool hasStoppedAnswer(const trace::Run& run) {
    return (run.fullAnswer && run.fullAnswer->end == trace::AnswerEnd::Stopped) ||
           (run.fastkvAnswer && run.fastkvAnswer->end == trace::AnswerEnd::Stopped);
}

StateWords settled(const viz::Shown& shown) {
    using Kind = StateWords::Kind;
    const QString layers = shown.fate() ? previewLayers(*shown.fate()) : QString();
    if (shown.run()->recorded) {
        if (layers.isEmpty())
            return {Kind::Recorded, Words::tr("Recorded"),
                    Words::tr("A recorded run under the settings it was recorded with. Its model "
                              "is not open: "
                              "kept sets follow the sliders, answers and times do not.")};
        return {
            Kind::Recorded, Words::tr("Recorded · preview: %1").arg(layers),
            Words::tr("A recorded run. Under other settings %1 are estimated from the full pass; "
                      "locate the model to compute them.")
                .arg(layers)};
    }
    if (!layers.isEmpty())
        return {
            Kind::Preview, Words::tr("Preview: %1 from full-pass scores").arg(layers),
            Words::tr(
                "What %1 keep is estimated from the full-context pass until they are run again.")
                .arg(layers)};
    if (hasStoppedAnswer(*shown.run()))
        return {Kind::Cancelled, Words::tr("Answer stopped"),
                Words::tr("Kept sets and bytes are those of the settings shown; the answer was "
                          "stopped. Press Run to decode it again.")};
    if (!shown.run()->full)
        return {
            Kind::Exact, Words::tr("Exact · deployed path"),
            Words::tr("Answers and times are those of the deployed path. There was no memory to "
                      "look into it: %1.")
                .arg(QString::fromStdString(shown.run()->counters.givenUp))};
    return {Kind::Exact, Words::tr("Exact"),
            Words::tr("Kept sets and bytes are those of the settings shown.")};
}

} // namespace

StateWords stateWords(const viz::Shown& shown) {
    using Kind = StateWords::Kind;
    using Phase = viz::Shown::Phase;
    const trace::Run* run = shown.run().get();
    const bool something = run && (run->full || run->rung >= trace::Rung::Deployed);
    switch (shown.phase()) {
    case Phase::Loading:
    case Phase::Running: {
        // "Prefill, layer 7 of 16" is for the progress line; the chip says the first part.
        const QString stage = shown.phaseText().section(QLatin1Char(','), 0, 0);
        return {Kind::Working,
                Words::tr("%1 %2 %")
                    .arg(stage.isEmpty() ? Words::tr("Running") : stage)
                    .arg(std::lround(shown.progress() * 100.0)),
                shown.phaseText()};
    }
    case Phase::Failed:
        return {Kind::Failed, Words::tr("Failed"), shown.phaseText()};
    case Phase::Cancelled:
        if (!something)
            return {Kind::Cancelled, Words::tr("Cancelled"),
                    Words::tr("Press Run to start again.")};
        break;
    case Phase::Empty:
    case Phase::Done:
        break;
    }
    return something ? settled(shown) : StateWords{};
}

MemoryWords memoryWords(const viz::Shown& shown) {
    MemoryWords words;
    const trace::RunPtr& run = shown.run();
    if (!run) return words;
    const trace::Counters& held = run->counters;
    QStringList parts, lines;
    if (shown.asked()) {
        const trace::Budgets& budgets = shown.asked()->budgets;
        parts << Words::tr("KV %1 of %2")
                     .arg(viz::formatBytes(budgets.kvBytes), viz::formatBytes(budgets.fullKvBytes));
        lines << Words::tr("This setting keeps %1 of keys and values; full context would keep %2.")
                     .arg(viz::formatBytes(budgets.kvBytes), viz::formatBytes(budgets.fullKvBytes));
    }
    if (held.heldBytes > 0 && !run->recorded) {
        parts << Words::tr("%1 held").arg(viz::formatBytes(held.heldBytes));
        if (!run->full)
            lines << Words::tr("The program holds %1, weights included.")
                         .arg(viz::formatBytes(held.heldBytes));
        else
            lines << Words::tr(
                         "So that sliders stay live, the program holds %1: weights %2, keys and "
                         "values %3, "
                         "checkpoints %4, scores %5.")
                         .arg(viz::formatBytes(held.heldBytes),
                              viz::formatBytes(run->model.weightBytes),
                              viz::formatBytes(held.kvBytesFull),
                              viz::formatBytes(held.checkpointBytes),
                              viz::formatBytes(held.planeBytes));
    }
    if (!held.givenUp.empty()) {
        words.reduced = true;
        parts << Words::tr("▼ reduced");
        lines << Words::tr("Given up to fit: %1.").arg(QString::fromStdString(held.givenUp));
    }
    words.text = parts.join(QStringLiteral(" · "));
    words.detail = lines.join(QLatin1Char('\n'));
    return words;
}

} // namespace fkv::app
