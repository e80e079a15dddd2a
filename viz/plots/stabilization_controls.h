// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/stabilization_map.h"
#include "viz/series/stabilization.h"

#include <QObject>

class QAction;
class QActionGroup;
class QDoubleSpinBox;
class QSpinBox;
class QToolButton;

namespace fkv::viz {

/// The choices in the header of the stabilization panel, each with its present value in its button:
/// K and whether the end is left out, which maps, the KL limit of the suggestion. The panel places
/// the buttons and says which of them belong to what is in sight.
class StabilizationControls : public QObject {
    Q_OBJECT
public:
    explicit StabilizationControls(QWidget* parent);

    const TopK& topK() const { return m_topK; }
    bool withoutEnd() const;
    QList<QWidget*> buttons() const;
    struct Needs {
        bool k = false, maps = false, limit = false;
    };
    /// Shows what is needed. "Without the end" and the choice of maps are in the menu of K too:
    /// their buttons go where the others leave less than their width of `room` px.
    void showFor(const Needs& needs, int room);
    /// The K that is meant now: it stands in the button.
    void setResolved(std::int64_t k, std::int64_t tsp);

Q_SIGNALS:
    void queryChanged(); ///< topK() or withoutEnd()
    void measureChanged(fkv::viz::LayerMapView::Measure measure);
    void klLimitChanged(double nats);

private:
    void setupTopK(QWidget* parent);
    void setupEnd(QWidget* parent);
    void setupMeasure(QWidget* parent);
    void setupLimit(QWidget* parent);
    void choose(const TopK& topK);

    TopK m_topK;
    QToolButton* m_k = nullptr;
    QToolButton* m_end = nullptr;
    QToolButton* m_measure = nullptr;
    QToolButton* m_limit = nullptr;
    QActionGroup* m_measureActions = nullptr;
    QAction* m_withoutEnd = nullptr;
    QAction* m_followTsp = nullptr;
    QAction* m_usual = nullptr;
    QAction* m_typed = nullptr;
    QSpinBox* m_number = nullptr;
};

} // namespace fkv::viz
