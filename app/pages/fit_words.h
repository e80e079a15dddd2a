// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/token_counter.h"

#include <QString>
#include <QStringList>

namespace fkv::app {

/// Whether a prompt fits the device's memory, as the prompt page says it in its one line.
struct FitWords {
    enum class Level { Fits, Reduced, TooLarge };
    Level level = Level::Fits;
    QString text;        ///< "1.2 GiB of 24 GiB · about 3 s"; empty while nothing is known
    QStringList shorter; ///< the same in fewer words, for where it does not fit
    QString tip;         ///< in full
};

FitWords fitWords(const PromptFit& fit);

/// "under 1 s", "about 3 s", "about 12 min", "about 1.5 h".
QString aboutSeconds(double seconds);

} // namespace fkv::app
