// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/fate.h"
#include "engine/trace/run.h"
#include "engine/trace/settings.h"

#include <QString>
#include <QStringList>
#include <optional>

namespace fkv::app {

// What the settings page reads and writes, as pure functions.

/// What settings meet: a model and a prompt of N tokens. Layers 0: no model yet; tokens 0: no
/// prompt.
struct Ground {
    trace::ModelInfo model;
    std::int64_t tokens = 0;
    bool known() const { return model.layers > 0 && tokens > 0; }
};

enum class SettingsField {
    TspLayer,
    TspPercent,
    TspTokens,
    KvPercent,
    KvTokens,
    KvMiB,
    Window,
    Kernel,
    Generate,
    Temperature,
    TopK,
    TopP,
    Seed
};

struct EditResult {
    std::optional<trace::Settings> settings; ///< valid ones, or nothing
    QString fault;                           ///< one short line with the valid range, or empty
};

/// `settings` with one field as typed. Rates accept any number above 0 and up to 100, "0,37" too;
/// counts accept separators of thousands. MiB becomes the largest number of tokens that fits.
EditResult edited(const trace::Settings& settings, SettingsField field, const QString& text,
                  const Ground& ground);

/// `settings` with one field moved by `by` steps, held at the ends of its range. Not for budgets,
/// whose steps depend on what they came to.
EditResult stepped(const trace::Settings& settings, SettingsField field, int by,
                   const Ground& ground);

/// A number as fields of decoding show it: six digits at most.
QString fieldText(double value);

/// What was clamped and why, most important first; each a short sentence.
QStringList clampNotes(const trace::Settings& settings, const trace::Budgets& budgets);

/// Tokens that share the score of the TSP cut, itself included; -1 when not known or TSP is off.
std::int64_t tspTies(const trace::Fate& fate);
/// How many of the KV cuts (layers x heads, known ones) are shared by two tokens or more.
struct TiedCuts {
    int tied = 0, known = 0;
};
TiedCuts kvTies(const trace::Fate& fate);

} // namespace fkv::app
