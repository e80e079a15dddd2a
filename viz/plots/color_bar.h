// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QString>
#include <QWidget>
#include <vector>

namespace fkv::viz {

/// The legend of a ramp: low at the left, both fates one above the other when two are drawn, labels
/// below their place, triangles at marked places. Places are shares of the ramp in [0, 1].
class ColorBar : public QWidget {
    Q_OBJECT
public:
    struct Label {
        double at;
        QString text;
    };
    struct Triangle {
        double at;
        QColor color;
    };
    ColorBar(const ViewContext& context, QWidget* parent = nullptr);
    void setScale(std::vector<Label> labels, bool twoFates);
    void setTriangles(std::vector<Triangle> triangles);
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    ViewContext m_context;
    std::vector<Label> m_labels;
    std::vector<Triangle> m_triangles;
    bool m_twoFates = true;
};

/// "top 50 % · 10 % · 1 % · 0.1 %" for a run of M scored tokens.
std::vector<ColorBar::Label> importanceLabels(std::int64_t scored);

}  // namespace fkv::viz
