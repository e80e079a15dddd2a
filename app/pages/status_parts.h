// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/pages/state_words.h"
#include "viz/plots/elided_label.h"
#include "viz/state/view_context.h"

#include <QTimer>
#include <QWidget>

class QProgressBar;
class QPushButton;

namespace fkv::app {

/// How sure the values on show are, in words and with a sign of its own shape. Follows Shown.
class StateChip : public QWidget {
    Q_OBJECT
public:
    explicit StateChip(const viz::ViewContext& context, QWidget* parent = nullptr);
    const StateWords& words() const { return m_words; }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();
    void paintSign(QPainter& painter, const QRectF& box) const;

    viz::ViewContext m_context;
    StateWords m_words;
};

/// KV of this setting against full context, and what the program holds; the tip says what was given
/// up. Follows Shown.
class MemoryLabel : public viz::ElidedLabel {
    Q_OBJECT
public:
    explicit MemoryLabel(const viz::ViewContext& context, QWidget* parent = nullptr);

private:
    void refresh();
    viz::ViewContext m_context;
};

/// What the engine is doing, how far it is, and Cancel. Shows itself once something takes longer
/// than a glance, and keeps its place in the bar when it hides. Follows Shown.
class RunProgress : public QWidget {
    Q_OBJECT
public:
    explicit RunProgress(const viz::ViewContext& context, QWidget* parent = nullptr);
    static constexpr int kShowAfterMs = 250;

Q_SIGNALS:
    void cancelRequested();

private:
    void refresh();
    void applyTheme();

    viz::ViewContext m_context;
    QTimer m_delay;
    viz::ElidedLabel* m_stage;
    QProgressBar* m_bar;
    QPushButton* m_cancel;
};

} // namespace fkv::app
