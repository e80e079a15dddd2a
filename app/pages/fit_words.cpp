// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/pages/fit_words.h"

#include "viz/series/format.h"

#include <QCoreApplication>
#include <cmath>

namespace fkv::app {
namespace {

using trace::Rung;
using viz::formatBytes;
using viz::formatCount;

struct Words {
    Q_DECLARE_TR_FUNCTIONS(fkv::app::FitWords)
};

QString joined(const QString& what, const QString& time) {
    return time.isEmpty() ? what : what + QStringLiteral(" · ") + time;
}

/// "every 2nd checkpoint": the most that is to be said of what is held.
QString heldOf(const run::FitReport& r) {
    const run::CheckpointPlan& held = r.checkpoints;
    if (r.kv.place == ops::Place::Host) return Words::tr("keys and values in host memory");
    if (held.layers.empty()) return Words::tr("no checkpoints");
    const int step = held.layers.front() + 1;
    if (step == 2) return Words::tr("every 2nd checkpoint");
    if (step > 2) return Words::tr("every %1th checkpoint").arg(step);
    return held.kind == run::CheckpointKind::RankedOnHost ? Words::tr("checkpoints in host memory")
                                                          : Words::tr("smaller checkpoints");
}

void sayRung(FitWords& words, const run::FitReport& r, const QString& time) {
    const QString size =
        Words::tr("%1 of %2").arg(formatBytes(r.neededBytes()), formatBytes(r.roomBytes));
    switch (*r.rung) {
    case Rung::Everything:
        words.text = joined(size, time);
        words.shorter = {size};
        return;
    case Rung::FewerCheckpoints:
        words.text = joined(Words::tr("fits with %1").arg(heldOf(r)), time);
        words.shorter = {joined(heldOf(r), time), heldOf(r)};
        break;
    case Rung::Deployed:
        words.text = joined(Words::tr("deployed path only: no room to look into it"), time);
        words.shorter = {Words::tr("deployed path only: no room to look into it"),
                         joined(Words::tr("deployed path only"), time),
                         Words::tr("deployed path only")};
        break;
    case Rung::FastKvAlone:
        words.text = joined(Words::tr("FastKV alone: full context does not fit"), time);
        words.shorter = {Words::tr("FastKV alone: full context does not fit"),
                         joined(Words::tr("FastKV alone fits"), time),
                         Words::tr("FastKV alone fits")};
        break;
    }
    words.level = FitWords::Level::Reduced;
}

QString tipOf(const run::FitReport& r, const QString& time) {
    QStringList lines;
    const auto needs = [&r](const QString& what, std::int64_t bytes) {
        return Words::tr("%1: %2 of the %3 that can be used.")
            .arg(what, formatBytes(bytes), formatBytes(r.roomBytes));
    };
    const run::InstrumentMemory& i = r.instrument;
    lines << needs(Words::tr("To look into it"), i.total() - (r.hostMemory ? 0 : i.planeBytes))
          << Words::tr("Weights %1, keys and values %2, checkpoints %3, scores %4, activations %5.")
                 .arg(formatBytes(i.weightBytes), formatBytes(i.kvBytes),
                      formatBytes(i.checkpointBytes), formatBytes(i.planeBytes),
                      formatBytes(i.scratchBytes))
          << needs(Words::tr("Deployed, full context"), r.totalBytes(r.full))
          << needs(Words::tr("Deployed, FastKV"), r.totalBytes(r.fastkv));
    if (i.pinnedBytes > 0)
        lines << Words::tr("Of the host's memory %1.").arg(formatBytes(i.pinnedBytes));
    if (!r.givenUp.empty())
        lines << Words::tr("Given up to fit: %1.").arg(QString::fromStdString(r.givenUp));
    if (!r.rung && r.mostTokens > 0)
        lines << Words::tr("At most %1 tokens fit with FastKV alone at these settings.")
                     .arg(formatCount(r.mostTokens));
    if (!time.isEmpty())
        lines << Words::tr("The run takes %1 at the rates last measured.").arg(time);
    return lines.join(u'\n');
}

} // namespace

QString aboutSeconds(double seconds) {
    if (seconds < 1.0) return Words::tr("under 1 s");
    if (seconds < 90.0) return Words::tr("about %1 s").arg(std::lround(seconds));
    if (seconds < 5400.0) return Words::tr("about %1 min").arg(std::lround(seconds / 60.0));
    return Words::tr("about %1 h").arg(QString::number(seconds / 3600.0, 'f', 1));
}

FitWords fitWords(const PromptFit& fit) {
    FitWords words;
    const run::FitReport& r = fit.report;
    if (r.roomBytes == 0) return words;
    const QString time = fit.seconds && r.rung ? aboutSeconds(*fit.seconds) : QString();
    if (r.rung) {
        sayRung(words, r, time);
    } else {
        words.level = FitWords::Level::TooLarge;
        words.text =
            r.mostTokens > 0
                ? Words::tr("does not fit: at most %1 tokens").arg(formatCount(r.mostTokens))
                : Words::tr("does not fit: the weights alone take %1")
                      .arg(formatBytes(r.weightBytes));
        words.shorter = {Words::tr("does not fit")};
    }
    words.tip = tipOf(r, time);
    return words;
}

} // namespace fkv::app
