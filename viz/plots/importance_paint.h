// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/importance_image.h"
#include "viz/plots/importance_layout.h"
#include "viz/state/view_context.h"

#include <QFont>
#include <QRect>
#include <QString>
#include <vector>

class QPainter;

namespace fkv::viz {

/// The map as it is drawn: in the window and in every exported figure.
struct ImportanceScene {
    const ViewContext& context;   ///< with run and fate
    const ImportanceImage& image; ///< up to date for layout.plotWidth
    const ImportanceLayout& layout;
};

QFont importanceFont(const Theme& theme);
/// Measures the labels of the run on show.
ImportanceLayout layoutImportance(const ViewContext& context, const QSize& size, int scroll);
/// Brings `image` up to date with what is on show; true when anything changed.
bool updateImage(ImportanceImage& image, const ViewContext& context,
                 const ImportanceLayout& layout);

/// All text beside the map, each in a box that holds it and overlaps no other.
struct TextBox {
    QRect box;
    QString text;
    bool strong = false;
    Qt::Alignment alignment = Qt::AlignLeft;
};
std::vector<TextBox> labelsOf(const ImportanceScene& scene);

/// Everything but hover. On devices for vectors the map is a raster of enlarged cells, so that no
/// program smooths it, and text stays text.
void paintImportance(QPainter& painter, const ImportanceScene& scene);
/// Cross-hair on top of it.
void paintImportanceHover(QPainter& painter, const ImportanceScene& scene, const Hover& hover);

} // namespace fkv::viz
