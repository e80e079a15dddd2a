// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/run/fact_library.h"
#include "app/run/prompt_input.h"

#include <QByteArray>
#include <vector>

namespace fkv::app {

// Hiding a fact in a text. Texts are UTF-8 and offsets count bytes, as the engine's do.

/// Offsets where a sentence starts inside a paragraph: behind a full stop and a space, in front of
/// neither a small letter nor what follows an abbreviation, an initial or a chapter number. A text
/// without one (verse, code, other scripts) falls back to other sentence ends, then lines, then
/// words, then its two ends; the result is never empty, ascending.
std::vector<qsizetype> sentenceStarts(const QByteArray& text);

/// The first `bytes` bytes of `text`, cut back to the end of a sentence, or of a word when there is
/// none; all of it when it is no longer.
QByteArray excerpt(const QByteArray& text, qsizetype bytes);

/// A text to hide a fact in: `prompt` without its own "fact" span (and the space after it) and
/// without a question at the end, so that the same text can be used again and again.
QByteArray baseOf(const PromptInput& prompt);

/// A sentence put in front of byte `at` of a text.
struct Insertion {
    QString text;
    qsizetype at = 0;
};

struct Assembled {
    QByteArray text;
    std::vector<std::pair<qsizetype, qsizetype>> ranges; ///< bytes of each insertion, as given
    std::pair<qsizetype, qsizetype> question{0, 0}; ///< bytes of the question; empty without one
};

/// Puts each insertion and one space in front of its byte of `base` (ascending; equal offsets in
/// the order given), then the question as "\nQuestion: ...\nAnswer:" unless it is empty.
Assembled assemble(const QByteArray& base, const std::vector<Insertion>& insertions,
                   const QString& question);

struct HidePlan {
    QByteArray base;
    Fact fact;
    double depth = 0.5; ///< share of the text in front of the fact, in [0, 1]
    int distractors = 0;
    std::uint32_t seed = 1; ///< of distractors: the same seed puts the same ones at the same places
};

/// Where a depth leads: the nearest sentence start.
struct Place {
    qsizetype at = 0;      ///< byte of the base
    double depth = 0.0;    ///< of that byte
    std::size_t index = 0; ///< among `count` sentence starts
    std::size_t count = 1;
};
Place placeFor(const QByteArray& base, double depth);
/// The same with sentenceStarts() at hand, for a text of `size` bytes.
Place placeFor(const std::vector<qsizetype>& starts, qsizetype size, double depth);

/// Facts that look alike but answer another question, at places that do not depend on the depth, so
/// that moving the fact changes nothing in front of it. Fewer than asked when the templates give no
/// more.
std::vector<Insertion> drawDistractors(const HidePlan& plan,
                                       const std::vector<FactTemplate>& templates);

/// The prompt, with "fact" and "question" as spans and the expected answer.
PromptInput hide(const HidePlan& plan, const std::vector<FactTemplate>& templates);

} // namespace fkv::app
