// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "viz/plots/readouts_model.h"
#include "viz/state/view_context.h"

#include <QVariantMap>
#include <QWidget>

class QLineEdit;

namespace fkv::viz {

/// The table metric | full | FastKV | ratio with targets (VIEWS, Answers and readouts 4). Narrow, a
/// row is two lines: name and target, then the numbers. Up and Down choose a row, Enter or F2 or a
/// click on its target edits it, Delete removes it.
class ReadoutsView : public QWidget {
    Q_OBJECT
public:
    explicit ReadoutsView(const ViewContext& context, QWidget* parent = nullptr);
    ~ReadoutsView() override;

    /// For saving: targets by keyOf(), as text, and "gib". setTargets() skips what it cannot read.
    QVariantMap targets() const;
    void setTargets(const QVariantMap& saved);
    std::optional<Target> target(Metric metric) const { return m_targets[index(metric)]; }

    const Reading& reading(Metric metric) const { return m_readings[index(metric)]; }
    double gib() const { return m_gib; }
    /// The words of a row as they stand: name, full, FastKV, ratio, target and verdict.
    struct RowText {
        QString name, full, method, ratio, target;
    };
    RowText rowText(Metric metric) const;
    /// What stands above the fidelity rows: how much they are worth.
    QString fidelityCaption() const;
    QString tip(Metric metric) const; ///< what a value is, over its row
    QString csv() const;

    /// Opens the editor of a row's target.
    void editTarget(Metric metric);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

    /// Where things stand at a width; for painting, hit testing and tests.
    struct Geometry {
        bool stacked = true;
        int lineHeight = 0, rowHeight = 0;
        int headerTop = 0;
        std::array<int, 3> columnLeft{}, columnWidth{}; ///< full, FastKV, ratio
        std::array<int, kMetrics> top{};
        int fidelityTop = 0; ///< caption above the fidelity rows
        int height = 0;
    };
    Geometry geometry(int width) const;
    QRect nameRect(Metric metric) const; ///< without the target
    QRect targetRect(Metric metric) const;
    QRect valueRect(Metric metric, int column) const;

Q_SIGNALS:
    void targetsChanged();

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QString sampling() const; ///< of the run's answers; empty: greedy
    static std::size_t index(Metric metric) { return static_cast<std::size_t>(metric); }
    void setupEditors();
    void applyTheme();
    void refresh();
    void rememberKnown();
    void relayout();
    void commitTarget();
    void commitGib();
    void leaveGib(bool keep);
    void closeEditor();
    void setTarget(Metric metric, std::optional<Target> target);
    std::optional<Metric> rowAt(const QPoint& at) const;
    void describe();
    void paintRow(QPainter& painter, Metric metric) const;

    ViewContext m_context;
    Readings m_readings;
    std::array<double, kMetrics> m_known; ///< last values of this prompt, to be shown while pending
    std::shared_ptr<const trace::Prompt> m_prompt;
    std::shared_ptr<const trace::FastKvPass> m_klOf;
    double m_firstKl = 0.0;
    std::array<std::optional<Target>, kMetrics> m_targets;
    double m_gib;
    Geometry m_geometry;
    QLineEdit* m_gibEdit = nullptr;
    QLineEdit* m_editor = nullptr;
    Metric m_edited = Metric::Count;
    bool m_invalid = false; ///< what the editor holds is no target
    int m_hovered = -1, m_current = 0;
};

} // namespace fkv::viz
