// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/answers_view.h"
#include "viz/theme/theme.h"

class QFontMetrics;
class QPainter;

namespace fkv::viz {

/// Draws the page of an AnswersView, its top left corner at the painter's origin.
struct AnswersPainting {
    const AnswersContent& content;
    const AnswersView::Geometry& at;
    const Theme& theme;
    int step = -1;  ///< outlined
    int angle = -1; ///< of the spinner in degrees; -1: a ring that stands still
};
void paintAnswers(QPainter& painter, const AnswersPainting& painting);

/// Label of a box as it is drawn, with its marks.
QString answerLabel(const TokenShape& shape, bool differs);
/// What stands behind the last box: `end`, after an ellipsis where further tokens are not shown.
QString answerEnd(const QString& end, bool more);
inline constexpr int kEndGap = 6; ///< px between the last box and that
/// Column of the signs before the labels.
int answerSignWidth(const QFontMetrics& metrics);
inline constexpr int kAnswerPadding = 4; ///< px left and right inside a box

} // namespace fkv::viz
