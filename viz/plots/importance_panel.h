// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/importance_readout.h"
#include "viz/plots/panel.h"

class QActionGroup;

namespace fkv::viz {

class ColorBar;
class ImportanceView;

/// Which parts of the prompt matter at each layer, and which survive? (VIEWS 3, Importance.) The
/// frame around ImportanceView: choices, legend, readout, files.
class ImportancePanel : public Panel {
    Q_OBJECT
public:
    explicit ImportancePanel(const ViewContext& context, QWidget* parent = nullptr);

    ImportanceView* map() const { return m_map; }
    void paintFigure(QPainter& painter, const QSize& size) override;
    QString csv() const override;

private:
    void setupOptions();
    void setupFollowing();
    void addChoice(const QString& title, const QStringList& names, int (*get)(const ViewOptions&),
                   void (*set)(ViewOptions&, int));
    void updateOptions();
    void updateLegend();
    void updateNote();
    void updateReadout();
    void updateAll();
    QString legendText() const;

    ImportanceView* m_map = nullptr;
    ColorBar* m_colorBar = nullptr;
    QToolButton* m_options = nullptr;
    struct Choice {
        QActionGroup* group;
        int (*get)(const ViewOptions&);
    };
    std::vector<Choice> m_choices;
    ImportanceReadout m_readout;
    bool m_readoutDue = false;
};

} // namespace fkv::viz
