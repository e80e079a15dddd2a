// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/state/view_context.h"

#include <QString>
#include <QWidget>
#include <vector>

namespace fkv::viz {

/// The legend of a ramp: low at the left, both fates one above the other when two are drawn, with
/// their names beside them, labels below their place, triangles at marked places. Places are shares
/// of the ramp in [0, 1].
class ColorBar : public QWidget {
    Q_OBJECT
public:
    struct Label {
        double at;
        QString text;
        QString brief = {}; ///< stands in where not every label finds room; empty: there is none
    };
    struct Triangle {
        double at;
        QColor color;
    };
    struct Scale {
        std::vector<Label> labels;
        std::vector<Triangle> triangles;
        bool twoFates = true;
    };
    ColorBar(const ViewContext& context, QWidget* parent = nullptr);
    void setScale(std::vector<Label> labels, bool twoFates);
    void setTriangles(std::vector<Triangle> triangles);
    const Scale& scale() const { return m_scale; }
    QSize sizeHint() const override { return sizeFor(m_context.theme, m_scale); }
    /// Labels that overlap are left out.
    QSize minimumSizeHint() const override;

    /// The same for figures: `area` of at least sizeFor().
    static QSize sizeFor(const Theme& theme, const Scale& scale);
    struct Places {
        QRect bar;
        std::vector<QRect> labels; ///< one a label; null where it found no room
        bool brief = false;        ///< labels are said in their brief words
    };
    static Places placesIn(const QRect& area, const Scale& scale, const Theme& theme);
    static const QString& wordsOf(const Label& label, bool brief) {
        return brief && !label.brief.isEmpty() ? label.brief : label.text;
    }
    static void paint(QPainter& painter, const QRect& area, const Scale& scale, const Theme& theme);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    ViewContext m_context;
    Scale m_scale;
};

/// "top 50 % · 10 % · 1 % · 0.1 %" for a run of M scored tokens.
std::vector<ColorBar::Label> importanceLabels(std::int64_t scored);
/// "1× · 10× · 100× · 1000×" uniform attention.
std::vector<ColorBar::Label> massLabels();

} // namespace fkv::viz
