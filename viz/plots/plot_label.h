// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/theme/palette.h"

#include <QFontMetrics>
#include <QPainter>
#include <QRect>
#include <QString>
#include <vector>

namespace fkv::viz {

/// One line of text and the box that is free for it. Laid out apart from painting, so that a test
/// can ask whether every text fits and none covers another.
struct PlotLabel {
    QRect box;
    Qt::Alignment align = Qt::AlignLeft;
    QString text;
    bool strong = false; ///< plain text colour instead of the muted one
    bool boxed = false;  ///< over data: on a ground of its own
};
using PlotLabels = std::vector<PlotLabel>;

/// Text that does not fit after all (another language, a huge font) ends in an ellipsis.
inline void paintLabels(QPainter& painter, const PlotLabels& labels, const QFont& font,
                        const Palette& colours) {
    painter.save();
    painter.setFont(font);
    const QFontMetrics metrics(font);
    for (const PlotLabel& label : labels) {
        if (label.boxed) painter.fillRect(label.box, colours.base);
        painter.setPen(label.strong ? colours.text : colours.mutedText);
        painter.drawText(label.box,
                         static_cast<int>(label.align | Qt::AlignVCenter) | Qt::TextSingleLine |
                             Qt::TextDontClip,
                         metrics.elidedText(label.text, Qt::ElideRight, label.box.width()));
    }
    painter.restore();
}

} // namespace fkv::viz
