// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QImage>
#include <QSize>
#include <QString>

namespace fkv::viz {

class Panel;

/// Files of one panel. All are written to a temporary file and renamed; on failure the reason is
/// returned in one line and an earlier file is untouched. Empty: done.
struct FigureOptions {
    double scale = 2.0;   ///< of PNG: device px a logical px
    QSize size;           ///< logical px of the figure; invalid: as the body is now
};
QImage figureImage(Panel& panel, const FigureOptions& options);
QString saveFigure(Panel& panel, const QString& path, const FigureOptions& options = {});  ///< by suffix
QString saveText(const QString& path, const QString& text);

}  // namespace fkv::viz
